"""Everybody at once: RVM on whole eyes, to several outputs. What `vr180-ofx matte` and ``torch.hub``'s converter call."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import open_store
from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.render import Progress, render
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.settings import Settings
from vr180_ofx.settings.formats import MATTE_OUTPUTS, matte_format
from vr180_ofx.telemetry import Stages
from vr180_ofx.weights.catalogue import CATALOGUE
from vr180_ofx.weights.store import require
from vr180_ofx.wording import short

#: As people who know RVM call them; numbers are understood, too.
PRESETS = {"standard": "0.25", "high": "0.5", "ultra": "1", "4k": "0.125"}


def settings_of(
    settings: Settings, weights: str | Path | None = None, downsample: str = "auto", seq_chunk: int | str | None = None, *,
    variant: str | None = None,
) -> Settings:  # fmt: skip
    """``settings`` with RVM on whole eyes. downsample: auto, one of the presets, or a number of `matting.downsample`. seq_chunk: frames
    that the network sees at once; None: as in ``settings``. variant: see `weights_of`; None: whatever the weights are of.
    """
    if variant is not None:
        weights = weights_of(variant, weights or settings.matting.tracker_weights)
    more = ["matting.tracker=rvm", f"matting.downsample='{PRESETS.get(str(downsample).lower(), downsample)}'"]
    if seq_chunk is not None:
        more.append(f"matting.seq_chunk={seq_chunk}")
    return settings.with_overrides([*more, f"matting.tracker_weights={weights}"] if weights else more)


def weights_of(variant: str, weights: str | Path | None = None) -> Path:
    """The file of a variant of RVM: ``weights`` when it is of that one, by default those that can be pulled. Raises SettingsError where
    there is no such variant, WeightsError where there are no such weights.
    """
    from vr180_ofx.matte.rvm.weights_file import VARIANTS, variant_of

    if variant not in VARIANTS:
        raise SettingsError(f"there is no variant {short(variant)}; there are {', '.join(VARIANTS)}")
    if weights is None:
        name = f"rvm_{variant}"
        if name not in CATALOGUE:
            raise WeightsError(f"no weights of {variant} are published; train some (vr180-ofx train), and name their file with --weights")
        return require(name)
    found = variant_of(Path(weights))
    if found != variant:
        raise WeightsError(f"{weights} is of {found}, and not of {variant}; leave --variant out, or name other weights")
    return Path(weights)


def checked_outputs(outputs: Iterable[str]) -> list[str]:
    """Each of ``outputs`` once. Raises SettingsError where there is no such one, or none."""
    wanted = list(dict.fromkeys(outputs))
    if not wanted or not set(wanted) <= set(MATTE_OUTPUTS):
        raise SettingsError(f"the outputs are {', '.join(wanted) or 'none'}; allowed are {', '.join(MATTE_OUTPUTS)}")
    return wanted


def matte(
    clip: str | Path | Clip, folder: str | Path, outputs: Iterable[str] = ("alpha",), *, images: bool = False,
    settings: Settings | None = None, plan: Plan | None = None,
    watch: Callable[[str], AbstractContextManager[Progress | None]] = lambda name: nullcontext(),
) -> dict[str, RenderReport]:  # fmt: skip
    """Writes each of ``outputs`` into a folder of its name in ``folder``; what is there is kept. settings: see `settings_of`.

    images: sequences instead of videos. plan: of which edges and mattes for everybody count; by default none. watch: gives each
    output's progress something to call. Raises SettingsError, MediaError, WeightsError, and what `render` raises.
    """
    wanted = checked_outputs(outputs)
    settings = settings or settings_of(Settings())
    with open_clip(clip, settings) if not isinstance(clip, Clip) else nullcontext(clip) as opened:
        models = Models.of(settings)
        plan = plan or find_plan(opened, settings, models=models)
        reports = {}
        stages = Stages(enabled=settings.performance.profile_enabled)
        # one server for all outputs: a frame is made once, and found again for the next one
        with FrameServer(opened, plan, settings, models=models, stages=stages, store=open_store(settings)) as server:
            for name in wanted:
                form = matte_format(name, images=images)
                # ids go with EXR alone, and the others are asked for beside it
                only = [] if form.kind == "exr" else ["output.cryptomatte=false"]
                asked = settings.with_overrides([*only, f"output.format={form.name}"])
                with watch(name) as progress:
                    reports[name] = render(opened, plan, asked, Path(folder) / name, progress=progress, stages=stages, server=server)
    return reports

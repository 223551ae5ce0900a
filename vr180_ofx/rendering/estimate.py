"""What a render will take, from a short one that is measured: the first frames of the clip are analysed and rendered for real."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analyse, analysed_span, kept_plan
from vr180_ofx.frame_ranges import INDEX, ranges_text
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.rendering.render import render
from vr180_ofx.resources import Monitor
from vr180_ofx.settings import Settings

#: Frames that are measured, and how many of them only warm things up.
FRAMES = 32
_WARM_UP = 6
#: Memory still grows a little after the first frames: caches fill, threads reach their high water.
_MEMORY_GROWTH = 1.06


@dataclass(frozen=True, slots=True)
class Estimate:
    """frames: to be rendered. Seconds of the analysis (0 when a plan is kept) and of the rendering, bytes of memory at most and of output.

    cost: hours times the price, None without a price. measured: what it follows from.
    """

    frames: int
    analysis_s: float
    render_s: float
    memory_bytes: int
    output_bytes: int
    price_per_hour: float | None
    measured: dict[str, Any]

    @property
    def total_s(self) -> float:
        return self.analysis_s + self.render_s

    @property
    def cost(self) -> float | None:
        return None if self.price_per_hour is None else self.total_s / 3600 * self.price_per_hour

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "total_s": round(self.total_s, 2), "cost": None if self.cost is None else round(self.cost, 4)}


def estimate(clip: Clip, settings: Settings | None = None, frames: int = FRAMES) -> Estimate:
    """Measures ``frames`` frames and reckons for all that ``settings`` ask for. Writes into a temporary folder, and removes it.

    Raises what a render raises.
    """
    settings = settings or clip.settings
    wanted = numbering(clip, settings).parse(settings.input.frames)
    short = min(frames, len(clip))
    models = Models.of(settings)
    span = analysed_span(clip, settings, wanted, models) if settings.input.frames != "all" else None
    plan = kept_plan(clip, settings, models) or kept_plan(clip, settings, models, span=span)
    # where nobody was looked for there is nothing to be learnt
    learnt = list(range(short)) if plan is None or plan.analysed is None else wanted[:frames]
    short = len(learnt)
    measured: dict[str, Any] = {"frames": short}
    with Monitor(period_s=0.1) as monitor:
        analysis = 0.0
        if plan is None:
            stamps: list[tuple[int, float]] = []

            def seen(done: int, total: int) -> None:
                stamps.append((done, time.perf_counter()))

            start = time.perf_counter()
            plan = analyse(clip, settings, models=models, progress=seen, stop=short)
            spent = time.perf_counter() - start
            # what begins a shot is done once; the rest grows with the clip
            analysis = _line(spent, short, len(clip) if span is None else span[1] - span[0] + 1, _steady(stamps))
            measured |= {"analysis_s": round(spent, 3), "analysis_ms_per_frame": round(1000 * (_steady(stamps) or spent / short), 2)}
        folder = Path(tempfile.mkdtemp(prefix="vr180-ofx-estimate-"))
        try:
            stamps = []

            def made(done: int, total: int) -> None:
                if not stamps or stamps[-1][0] != done:
                    stamps.append((done, time.perf_counter()))

            # frames that are cached take no time; the others will
            apart = [f"service.cache_dir={json.dumps(str(folder / 'cache'))}"]
            values = settings.with_overrides([f"input.frames='{INDEX}{ranges_text(learnt)}'", "output.overwrite=true", *apart])
            start = time.perf_counter()
            with clip.reopen() as again:
                render(again, plan, values, folder, models=models, progress=made)
            spent = time.perf_counter() - start
            output = sum(p.stat().st_size for p in folder.iterdir() if p.is_file() and p.suffix != ".json")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    rate = _steady(stamps) or spent / short
    measured |= {"render_s": round(spent, 3), "render_ms_per_frame": round(1000 * rate, 2), "people": len(plan.active)}
    return Estimate(
        frames=len(wanted),
        analysis_s=round(analysis, 2),
        render_s=round(_line(spent, short, len(wanted), rate), 2),
        memory_bytes=int(monitor.summary()["resident_gb_peak"] * 2**30 * (_MEMORY_GROWTH if len(wanted) > short else 1)),
        output_bytes=int(output / short * len(wanted)),
        price_per_hour=settings.performance.price_per_hour,
        measured=measured,
    )


def _steady(stamps: list[tuple[int, float]]) -> float | None:
    """Seconds for a frame once things are warm; None when too little was measured."""
    warm = [s for s in stamps if s[0] > _WARM_UP]
    if len(warm) < 2 or warm[-1][0] - warm[0][0] < 4:
        return None
    return (warm[-1][1] - warm[0][1]) / (warm[-1][0] - warm[0][0])


def _line(spent: float, short: int, all_of_them: int, rate: float | None) -> float:
    """What ``short`` frames took, and the rest at the steady rate."""
    each = rate if rate is not None else spent / short
    return max(0.0, spent + each * (all_of_them - short))

"""Frames with their controls: what is done to mattes after matting, from the settings, the plan and whoever asks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from vr180_ofx.controls.chain import Kept
from vr180_ofx.controls.contract import Control, EyeMattes, Mattes
from vr180_ofx.controls.edges import EdgeControls
from vr180_ofx.controls.files import identity as files_identity
from vr180_ofx.controls.files import stamp
from vr180_ofx.controls.mattes import MatteControls
from vr180_ofx.controls.points import PointCorrections
from vr180_ofx.controls.temporal import TemporalSmoothing
from vr180_ofx.engine.everybody import layer_names
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.half import half
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.people.curves import EdgeValue
from vr180_ofx.people.mattes_file import mattes_of
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.version import CONTROLS_REVISION
from vr180_ofx.vr180.layout import Layout

#: Name of an edge control -> its value for the frame that is asked for, as a host's knob has it.
AskedEdges = Mapping[str, EdgeValue]


class Controls:
    """All controls of a frame, one after the other.

    settings: the sections edges and mattes count. layout: how the clip's pictures hold its eyes. asked: for everybody and this frame
    alone; stronger than the settings and than what the plan says of everybody, and weaker than what it says of a person. alone: for a
    draft, which is made of one frame alone: what looks at the frames beside it is left out. carried: see `points.PointCorrections`.
    """

    def __init__(
        self, plan: Plan, settings: Settings, layout: Layout, asked: AskedEdges | None = None, *, alone: bool = False,
        carried: Kept | None = None,
    ) -> None:  # fmt: skip
        #: Person's number -> what their layer is called.
        self.names = layer_names(plan)
        mattes = (*plan.mattes, *mattes_of(settings.mattes, plan.people))

        def edges(n: int, person: int | None) -> EdgesSettings:
            values = {**settings.edges.model_dump(), **plan.edges_at(n, None), **(asked or {})}
            return EdgesSettings(**(values if person is None else {**values, **plan.edges_at(n, person)}))

        people = tuple(p.id for p in plan.people if p.edges)
        self._all: tuple[Control, ...] = (
            # first: frames beside have the mattes that networks made
            TemporalSmoothing(edges, people, plan.shots, alone=alone),
            PointCorrections(plan, alone=alone, kept=carried),
            MatteControls(plan, mattes, layout, ("hand_over",)),
            EdgeControls(edges, people, plan.projection, plan.shots, alone=alone),
            # last, so that no edge grows into what is nobody's
            MatteControls(plan, mattes, layout, ("garbage", "holdout")),
        )

    def identity(self, n: int) -> str:
        """All that decides what is done to frame ``n``; empty where nothing is."""
        said = [c.identity(n) for c in self._all]
        return hashlib.sha256("|".join([str(CONTROLS_REVISION), *said]).encode()).hexdigest()[:16] if any(said) else ""

    def neighbours(self, n: int) -> tuple[int, ...]:
        """The other frames without which it cannot be done, in order."""
        return tuple(sorted({k for c in self._all if c.identity(n) for k in c.neighbours(n)} - {n}))

    def apply(self, frames: Mapping[int, Frame], n: int, picture: Callable[[int], SourceFrame]) -> Frame:
        """Frame ``n`` with everything done to it. frames: it and those of its `neighbours` that can be made, without controls. picture:
        decodes a frame.
        """
        frame = frames[n]
        around = _Around(frames, picture)
        mattes = around.mattes(n)
        for control in self._all:
            if control.identity(n):
                mattes = control.apply(n, mattes, around)
        views = {view: self._view(eye, frame.views[view]) for view, eye in mattes.items()}
        return Frame(frame.index, views, {**frame.metadata, "controls": self.identity(n), **around.said})

    def _view(self, eye: EyeMattes, before: ViewMatte) -> ViewMatte:
        known = {layer.person: layer.name for layer in before.layers}
        layers = (Layer(p, known.get(p) or self.names[p], m.rect, half(m.alpha), half(m.confidence)) for p, m in sorted(eye.people.items()))
        return replace(before, layers=tuple(layers))


class _Around:
    """See `controls.contract.Around`."""

    def __init__(self, frames: Mapping[int, Frame], picture: Callable[[int], SourceFrame]) -> None:
        self._frames = frames
        self.picture = picture
        self.said: dict[str, dict[str, str]] = {}

    def say(self, kind: str, name: str, fact: str) -> None:
        self.said.setdefault(kind, {})[name] = fact

    def mattes(self, n: int) -> Mattes:
        if n not in self._frames:
            raise FrameError("the clip", n, "it is beside one that controls look at")
        views = self._frames[n].views
        return {
            view: EyeMattes(v.width, v.height, {x.person: Patch(x.rect, *spread(x, x.rect)) for x in v.layers}) for view, v in views.items()
        }


def files_digest(clip: Clip, plan: Plan, settings: Settings) -> str:
    """A hash of what the files of input mattes and painted ones hold, over all frames; empty where there are none."""
    images = [m.image for m in (*plan.mattes, *mattes_of(settings.mattes, plan.people)) if m.image is not None and m.enabled]
    said = [files_identity(image, n, clip.geometry.layout, len(clip)) for image in images for n in range(len(clip))]
    painted = sorted({file for p in plan.active for rows in p.paint.values() for file in rows.values()})
    said += [f"{file}:{stamp(Path(file))}" for file in painted]
    return hashlib.sha256("|".join(said).encode()).hexdigest()[:16] if said else ""

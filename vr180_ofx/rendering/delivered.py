"""What of a clip's mattes goes into files: which eye, and how large. The mattes themselves are made the same, from both eyes."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import block_means
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.naming import facts_from_name
from vr180_ofx.media.one_eye import one_eye
from vr180_ofx.settings import OutputSettings
from vr180_ofx.settings.formats import FORMATS


@dataclass(frozen=True, slots=True)
class Delivered:
    """eye: the view that goes into files; None: all. shrink: by how much files are smaller than the clip, a whole factor."""

    eye: str | None
    shrink: int

    @staticmethod
    def of(output: OutputSettings) -> Delivered:
        return Delivered(None if output.eye == "both" else output.eye, round(1 / output.scale))

    def clip(self, clip: Clip) -> Clip:
        """The clip that writers are given: its views are those of the files. Raises SettingsError when there is no such eye."""
        return clip if self.eye is None else one_eye(clip, self.eye)

    def name(self, clip: Clip, output: OutputSettings) -> str:
        """What files are called after. That of one eye is said, as where each eye has a file of its own. Words of a name by which players
        know that both eyes are in the picture are left out.
        """
        if self.eye is None:
            return clip.name
        tags = {t.lower() for t in facts_from_name(clip.name).tags} if facts_from_name(clip.name).layout else set()
        pieces = re.split(r"([_\-. ]+)", clip.name)
        kept = "".join(p for k, p in enumerate(pieces) if k == 0 or p.lower() not in tags)
        plain = re.sub(r"([_\-. ])[_\-. ]+", r"\1", kept).strip("_-. ") or clip.name
        apart = FORMATS[output.format].kind == "exr" and (
            output.exr_layout == "per_view_files" or (output.exr_layout == "auto" and output.exr_preset == "resolve")
        )
        return plain if apart else f"{plain}_{self.eye}"

    def frame(self, frame: Frame, width: int) -> Frame:
        """What writers are given of a frame. width: of an eye of the clip."""
        views = frame.views if self.eye is None else {self.eye: frame.views[self.eye]}
        metadata = frame.metadata if self.eye is None else {**frame.metadata, "eye": self.eye}
        made = round(width / next(iter(views.values())).width)
        # mattes that were made smaller (processing.upsampling none) are not enlarged here
        shrink = max(1, self.shrink // made)
        if shrink > 1:
            views = {view: _reduced(matte, shrink) for view, matte in views.items()}
        return replace(frame, views=views, metadata=metadata) if views is not frame.views else frame


def _reduced(matte: ViewMatte, shrink: int) -> ViewMatte:
    """The means of blocks: coverage stays coverage, as the plate's pixels are averaged (`EyeImage.reduced`)."""
    layers = []
    for layer in matte.layers:
        r = layer.rect
        if r.empty:
            continue
        whole = Rect(
            r.x0 - r.x0 % shrink, r.y0 - r.y0 % shrink,
            min(-(-r.x1 // shrink) * shrink, matte.width), min(-(-r.y1 // shrink) * shrink, matte.height),
        )  # fmt: skip
        small = Rect(whole.x0 // shrink, whole.y0 // shrink, -(-whole.x1 // shrink), -(-whole.y1 // shrink))
        alpha = _blocks(layer.alpha, r, whole, shrink, around=0.0)
        confidence = _blocks(layer.confidence, r, whole, shrink, around=1.0)
        layers.append(Layer(layer.person, layer.name, small, alpha, confidence))
    return ViewMatte(-(-matte.width // shrink), -(-matte.height // shrink), tuple(layers))


def _blocks(values: HalfArray, rect: Rect, whole: Rect, shrink: int, *, around: float) -> HalfArray:
    out = np.full((whole.height, whole.width), around, np.float32)
    out[rect.shifted(-whole.x0, -whole.y0).slices] = values
    return block_means(out, shrink, shrink).clip(0, 1).astype(np.float16)

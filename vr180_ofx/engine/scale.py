"""At which resolution mattes are made, and at which they are delivered."""

from __future__ import annotations

from dataclasses import dataclass

from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.settings import ProcessingSettings


@dataclass(frozen=True, slots=True)
class Scale:
    """The resolution of mattes: the input's divided by ``made`` when they are made, and by ``delivered`` when they are delivered.

    edge_aware: in between the edges follow the picture.
    """

    made: int = 1
    delivered: int = 1
    edge_aware: bool = True

    def __post_init__(self) -> None:
        if self.delivered < 1 or self.made < self.delivered:
            raise ValueError(f"mattes made at 1/{self.made} cannot be delivered at 1/{self.delivered}; allowed is 1 to {self.made}")

    @classmethod
    def of(cls, settings: ProcessingSettings, less: int = 1) -> Scale:
        """What the settings say, made at the resolution divided by ``less`` once more."""
        shrink = round(1 / settings.scale_factor)
        return cls(shrink * less, shrink if settings.upsampling == "none" else 1, settings.upsampling != "cubic")


#: Made and delivered at the input's resolution.
FULL = Scale()


def reduced_eyes(frame: SourceFrame, factor: int) -> dict[str, EyeImage]:
    """The eyes of a frame, averaged in blocks of ``factor`` pixels; for 1 as they are."""
    if factor == 1:
        return frame.eyes
    return {view: eye.reduced(factor) for view, eye in frame.eyes.items()}

"""What the eyes owe each other, as a value.

independent: each eye alone. reference_eye: the eyes are compared for each person and frame, and where they do not agree the weaker one is
corrected. joint: the same, and where they agree, they decide on each edge together.
"""

from __future__ import annotations

from dataclasses import dataclass

from vr180_ofx.stereo.parameters import STEREO, StereoParameters
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT


@dataclass(frozen=True, slots=True)
class Consistency:
    """The settings of the section stereo, as frames need them.

    mode: see above; "independent" has no use for one of these. threshold: 0..1, eyes whose masks overlap less do not agree.
    method: what is done about the weaker eye, see `masks` and `correct`: "transfer", "reprocess" or "ensemble".
    reference: the eye that is believed when both are as sure as each other. alignment: how the cameras are turned against each other.
    Raises ValueError for what is none of these.
    """

    mode: str
    threshold: float
    method: str
    reference: str
    alignment: Alignment = LEVEL
    parameters: StereoParameters = STEREO

    def __post_init__(self) -> None:
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold}; an overlap of masks lies between 0 and 1")
        if self.method not in ("transfer", "reprocess", "ensemble"):
            raise ValueError(f"method is {self.method!r}; allowed are transfer, reprocess and ensemble")
        if self.reference not in (LEFT, RIGHT):
            raise ValueError(f"reference is {self.reference!r}; the eyes are {LEFT} and {RIGHT}")

    @property
    def joint(self) -> bool:
        """Whether eyes that agree decide on each edge together."""
        return self.mode == "joint"

    def identity(self) -> str:
        """Equal strings mean equal results."""
        given = f"{self.mode}:{self.threshold:g}:{self.method}:{self.reference}"
        return f"{given}:{self.alignment.identity()}:{self.parameters.identity()}"

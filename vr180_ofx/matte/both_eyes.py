"""Mattes of people whom both eyes see: what the other eye's picture says of the same places is a second opinion.

It is another picture, with other grain and another background behind the same edges, and what a network gets wrong in one eye it often
gets right in the other. As with the frames before and after (`matte.temporal`): it is carried along the motion between both pictures, and
counts as far as they look alike there. So it says nothing where one eye sees what the other does not, or sees nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.flow import Luma, Motion, TrustParameters, luma_of, motion_between
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.edges import unsure
from vr180_ofx.matte.fusion import InstanceAlpha, InstanceMask, People, reference_scale
from vr180_ofx.trackers.contract import NetworkAlpha

#: How much the network's alpha of the other eye counts beside the one of this eye, and how much the finished matte does.
_SAY, _SAY_OF_MATTE = 0.8, 0.4
#: See `temporal.motion_between`: backgrounds differ more between eyes than between frames.
_TRUST = TrustParameters(fades=7.0)
#: Below this, and above 1 less it, an eye is sure.
_UNSURE = 0.05


@dataclass(frozen=True, slots=True)
class Group:
    """People whom a network saw together in one eye. claims: what a tracker says of each."""

    view: str
    soft: NetworkAlpha
    claims: Mapping[int, InstanceMask]


def soften(
    groups: Sequence[Group], refiner: Refiner, each: Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]], agree: bool = True
) -> list[dict[int, InstanceAlpha]]:
    """For each group: person -> what the network's picture makes of them. each: as map. agree: whether the eyes hear each other."""
    others = [_counterpart(group, groups) if agree else None for group in groups]

    def matte(n: int) -> tuple[People, FloatArray, OtherEye | None]:
        soft, other = groups[n].soft, others[n]
        people = People.of(soft, groups[n].claims)
        if other is None:
            return people, people.matte(soft.alpha, refiner), None
        across = OtherEye.of(soft, groups[other].soft)
        return people, people.matte(across.heard(soft.alpha, groups[other].soft.alpha, _SAY), refiner), across

    mattes = list(each(matte, range(len(groups))))

    def share(n: int) -> dict[int, InstanceAlpha]:
        people, alpha, across = mattes[n]
        other = others[n]
        if across is not None and other is not None:
            alpha = across.heard(alpha, mattes[other][1], _SAY_OF_MATTE)
        return cast("dict[int, InstanceAlpha]", people.shapes(alpha))

    return list(each(share, range(len(groups))))


def _counterpart(group: Group, groups: Sequence[Group]) -> int | None:
    """The same people together in the other eye."""
    return next((n for n, g in enumerate(groups) if g.view != group.view and g.claims.keys() == group.claims.keys()), None)


@dataclass(frozen=True, slots=True)
class OtherEye:
    """Where the other eye's look shows what this one does. matrix: from its pixels to this one's, as far as a camera's turn goes."""

    motion: Motion
    matrix: FloatArray

    @classmethod
    def of(cls, mine: NetworkAlpha, theirs: NetworkAlpha) -> OtherEye:
        """At one scale, and moved so that the middles of both alphas meet; the rest is the flow's to find."""
        scale = _focal_pixels(mine) / _focal_pixels(theirs)
        here, there = _middle(mine.alpha), _middle(theirs.alpha)
        matrix = np.array([[scale, 0, here[0] - scale * there[0]], [0, scale, here[1] - scale * there[1]]])
        luma = luma_of(mine.guide)
        carried = cast("Luma", _warped(luma_of(theirs.guide), matrix, luma, cv2.INTER_LINEAR))
        return cls(motion_between(carried, luma, reference_scale(mine.alpha), trust=_TRUST), matrix)

    def heard(self, alpha: FloatArray, theirs: FloatArray, weight: float) -> FloatArray:
        """An alpha of this eye's, (h, w) 0..1, with what the other eye's says, which counts so much where both look alike, and this eye is
        not sure. Where it is, the mean would be haze about somebody, or somebody half seen.
        """
        carried = self.motion.warp_alpha(_warped(theirs, self.matrix, alpha, cv2.INTER_CUBIC))
        trust = self.motion.trust * unsure(alpha, _UNSURE) * np.float32(weight)
        out: FloatArray = (alpha + trust * carried) / (1 + trust)
        return out


def _warped(values: Any, matrix: FloatArray, like: Any, interpolation: int) -> Any:
    size = (like.shape[1], like.shape[0])
    return cv2.warpAffine(values, matrix, size, flags=interpolation, borderMode=cv2.BORDER_CONSTANT)


def _focal_pixels(soft: NetworkAlpha) -> float:
    return soft.window.focal_pixels * soft.crop.scale


def _middle(alpha: FloatArray) -> tuple[float, float]:
    m = cv2.moments(alpha)
    if m["m00"] < 1:
        return alpha.shape[1] / 2, alpha.shape[0] / 2
    return m["m10"] / m["m00"], m["m01"] / m["m00"]

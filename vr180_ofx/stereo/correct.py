"""Both eyes' mattes of everybody, corrected where one eye cannot be trusted, and joined where both can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vr180_ofx.matte.patch import Patch
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.reconcile import JoinedPair, join
from vr180_ofx.stereo.state import FrameState
from vr180_ofx.stereo.transfer import WeakerEye, transferred, without_occluded
from vr180_ofx.trackers.contract import Key
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye

#: Decimals in what is reported.
_DECIMALS = 4
T = TypeVar("T")
U = TypeVar("U")


class Map(Protocol):
    """As the built-in: calls a function with each of several things, at once if it can; what it returns is in their order."""

    def __call__(self, function: Callable[[T], U], items: Iterable[T], /) -> Iterable[U]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What became of the eyes in one frame, by the numbers of people.

    overlap: how far both eyes agreed, 0..1. corrected: which eye, and how. damage: in words. joined: whose edges both eyes decided on.
    """

    overlap: Mapping[int, float]
    corrected: Mapping[int, str]
    damage: Mapping[int, str]
    joined: tuple[int, ...]

    def to_dict(self, names: Mapping[int, str]) -> dict[str, object]:
        """What a frame's metadata says of it, by the names of people; without what is empty."""
        facts: dict[str, object] = {
            key: {names[p]: value for p, value in values.items()}
            for key, values in (("agreement", self.overlap), ("corrected", self.corrected), ("damage", self.damage))
        }
        facts["joined"] = [names[p] for p in self.joined]
        return {key: value for key, value in facts.items() if value}


def correct_views(
    state: FrameState, patches: Mapping[Key, Patch | None], pair: StereoPair, consistency: Consistency, each: Map = map
) -> tuple[dict[Key, Patch | None], Report]:  # fmt: skip
    """The mattes of both eyes, corrected and joined, and what was done. Patches are not changed.

    state: what both eyes say, see `masks.agree`. patches: the mattes that each eye made; None for those who are not in the picture.
    pair: the pictures that they were made from.
    """
    made = dict(patches)
    weak = {p: a.weaker for p, a in state.agreements.items() if a.weaker is not None}
    corrected = {p: f"{a.corrected}: {a.how}" for p, a in state.agreements.items() if a.corrected}
    # those in front come first: what they hide of others is cut out of what is carried
    for person, view in sorted(weak.items(), key=lambda w: -state.agreements[w[0]].shift):
        better = made.get((person, other_eye(view)))
        if better is not None:
            made[person, view] = _corrected(
                state=state, patches=made, better=better, key=(person, view), pair=pair, consistency=consistency
            )
            corrected[person] = f"{view}: {'ensemble' if consistency.method == 'ensemble' else 'transfer'}"

    joined = []
    if consistency.joint:
        both = {p: (made.get((p, LEFT)), made.get((p, RIGHT))) for p in state.agreements if p not in weak}
        pairs = {p: (left, right) for p, (left, right) in both.items() if left is not None and right is not None}
        # where networks shared out what they saw, joining all of it would hand somebody's pixels to somebody else
        edges_only = bool(state.alphas)

        def joining(mattes: tuple[Patch, Patch]) -> JoinedPair:
            return join(pair, *mattes, consistency.parameters, edges_only=edges_only)

        for person, both_eyes in zip(pairs, each(joining, pairs.values()), strict=True):
            made[person, LEFT], made[person, RIGHT] = both_eyes.left, both_eyes.right
            if both_eyes.used:
                joined.append(person)

    overlap = {p: round(a.overlap, _DECIMALS) for p, a in state.agreements.items() if a.overlap is not None}
    damage = {p: a.describe() for p, a in state.agreements.items() if a.damage}
    return made, Report(overlap, corrected, damage, tuple(sorted(joined)))


def _corrected(
    *, state: FrameState, patches: Mapping[Key, Patch | None], better: Patch, key: Key, pair: StereoPair, consistency: Consistency
) -> Patch:  # fmt: skip
    """The matte of somebody in the weaker eye, ``key``, by the one in the other eye, ``better``."""
    agreement = state.agreements[key[0]]
    weight = None
    if consistency.method == "ensemble":
        # an eye that sees something else counts the less, the less it agrees
        damaged = consistency.parameters.correction.damaged_weight if agreement.damaged(key[1]) else 1.0
        weight = state.tracked[key].score * (agreement.overlap or 0.0) ** 2 * damaged
    weak = WeakerEye(key[1], agreement.shift, patches.get(key), weight)
    nearer = [patch for k in state.windows[key].occluders if (patch := patches.get((k, key[1]))) is not None]
    return without_occluded(transferred(pair, better, weak, consistency.parameters), nearer)

"""From what a body should do (feet here, hands there, so much bent) to the rotations of its bones.

Arms and legs are two bones with a hinge: the law of cosines gives the hinge for any target, so planted feet stay planted.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from .base_mesh import Doubles
from .course import Foot
from .skeleton import Frames, Skeleton, about, apply, from_to, product, turned, unit

Side = Literal["L", "R"]
SIDES: tuple[Side, Side] = ("L", "R")
#: of the whole length: a leg is never stretched further, a straight knee has no side to bend to
STRETCH = 0.995


@dataclass(frozen=True, slots=True)
class Hand:
    """Where an arm goes at t times, seen from the chest at rest (x left, y up, z front): the wrist's place or the two bones' directions.

    target: (t, 3) in arm lengths from the shoulder. elbow: (t, 3) the direction to which the elbow points. pronation: (t,) radians
    about the forearm, 0 as at rest. bend: (t,) radians of the wrist, above 0 towards the palm. curl: (t,) 0 open to 1 fist.
    """

    target: Doubles
    elbow: Doubles
    pronation: Doubles
    bend: Doubles
    curl: Doubles


@dataclass(frozen=True, slots=True)
class Stance:
    """A body's task at t times. pelvis: (t, 3) metres, of the hips' middle, in the room. turn: (t, 3, 3) of the pelvis.
    bend, tilt, twist: (t,) radians of the whole spine forward, to the left, to the left. nod, shake, cock: the head's.
    feet: by side, or directions of legs as in ``legs`` when the body lies: ((t, 3) thigh, (t, 3) shank) in the pelvis's axes.
    """

    pelvis: Doubles
    turn: Doubles
    bend: Doubles
    tilt: Doubles
    twist: Doubles
    nod: Doubles
    shake: Doubles
    cock: Doubles
    hands: dict[Side, Hand]
    feet: dict[Side, Foot] = field(default_factory=dict)
    legs: dict[Side, tuple[Doubles, Doubles]] = field(default_factory=dict)
    knees_out: float = 0.0


@dataclass(frozen=True, slots=True)
class Limb:
    """Rest geometry of an arm or leg. lengths, directions of both bones, and the hinge's axis (3,)."""

    root: str
    upper: Doubles
    lower: Doubles
    lengths: tuple[float, float]
    hinge: Doubles

    @property
    def reach(self) -> float:
        return sum(self.lengths)


def limb(skeleton: Skeleton, names: tuple[str, str, str]) -> Limb:
    """names: the bones that begin at the first joint, the hinge and the end."""
    a, b, c = (skeleton.head(n) for n in names)
    upper, lower = b - a, c - b
    hinge = np.cross(upper, lower)
    return Limb(names[0], unit(upper), unit(lower), (float(np.linalg.norm(upper)), float(np.linalg.norm(lower))), unit(hinge))


def two_bones(offset: Doubles, pole: Doubles, lengths: tuple[float, float]) -> tuple[Doubles, Doubles, Doubles]:
    """offset: (t, 3) from first joint to the end. pole: (t, 3) where the hinge should point. Directions of both bones and hinge axis."""
    a, b = lengths
    distance = np.linalg.norm(offset, axis=-1)
    reached = np.clip(distance, abs(a - b) + 0.02 * (a + b), STRETCH * (a + b))
    along = unit(offset)
    aside = unit(pole - np.sum(pole * along, axis=-1, keepdims=True) * along)
    cosine = np.clip((a * a + reached**2 - b * b) / (2 * a * reached), -1.0, 1.0)
    upper = cosine[:, None] * along + np.sqrt(1 - cosine**2)[:, None] * aside
    lower = unit(reached[:, None] * along - a * upper)
    return upper, lower, unit(np.cross(aside, along))


def _frame(direction: Doubles, hinge: Doubles) -> Doubles:
    """Rotations whose columns are a bone's direction, its hinge (made square to it) and their product."""
    hinge = unit(hinge - np.sum(hinge * direction, axis=-1, keepdims=True) * direction)
    return np.stack([direction, hinge, np.cross(direction, hinge)], axis=-1)


def turn_of(rest: Doubles, rest_hinge: Doubles, now: Doubles, hinge: Doubles) -> Doubles:
    """The rotation (t, 3, 3) that takes a bone with its hinge from rest to now."""
    return product(_frame(now, hinge), np.swapaxes(_frame(rest[None], rest_hinge[None]), -1, -2))


def untwisted(turn: Doubles, axis: Doubles) -> tuple[Doubles, Doubles]:
    """A rotation as one without twist about ``axis`` (3,), and the twist's angle (t,): turn = first . about(axis, angle)."""
    swing = from_to(axis[None], apply(turn, axis[None]))
    rest = product(np.swapaxes(swing, -1, -2), turn)
    across = unit(np.cross(axis, [0.3, 0.5, 0.8]))
    moved = apply(rest, across[None])
    angle = np.arctan2(np.sum(np.cross(across, moved) * axis, axis=-1), np.sum(across * moved, axis=-1))
    return swing, angle


class Anatomy:
    """A skeleton that knows its limbs and solves stances."""

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self.arms = {s: limb(skeleton, (f"upperarm01.{s}", f"lowerarm01.{s}", f"wrist.{s}")) for s in SIDES}
        self.legs = {s: limb(skeleton, (f"upperleg01.{s}", f"lowerleg01.{s}", f"foot.{s}")) for s in SIDES}
        self.hips = (skeleton.head("upperleg01.L") + skeleton.head("upperleg01.R")) / 2
        #: metres: hip joints above the ground at rest
        self.hip_height = float(self.hips[1])
        self.spread = float(skeleton.head("foot.L")[0] * 0.62)
        self.balls = {s: (skeleton.head(f"toe2-1.{s}") + skeleton.head(f"toe4-1.{s}")) / 2 * [1, 0, 1] for s in SIDES}

    def solve(self, stance: Stance, *, sole: float = 0.0) -> Frames:
        """Bones at the stance's times. sole: metres between the foot's skin and the ground."""
        rotations: dict[str, Doubles] = {}
        spine = ("spine05", "spine04", "spine03", "spine02", "spine01")
        for name, share in zip(spine, (0.15, 0.25, 0.25, 0.2, 0.15), strict=True):
            rotations[name] = _bent(share * stance.bend, share * stance.twist, share * stance.tilt)
        for name, share in (("neck01", 0.2), ("neck02", 0.2), ("neck03", 0.2), ("head", 0.4)):
            rotations[name] = _bent(share * stance.nod, share * stance.shake, share * stance.cock)
        root = self.skeleton.head("root")
        root_place = stance.pelvis + apply(stance.turn, (root - self.hips)[None])
        # the trunk first: where hips and shoulders are does not depend on the limbs
        trunk = self.skeleton.pose(rotations, stance.turn, root_place)
        for side in SIDES:
            self._leg(stance, trunk, side, sole, rotations)
            rotations |= self._arm(stance.hands[side], side)
        return self.skeleton.pose(rotations, stance.turn, root_place)

    def ankle(self, foot: Foot, side: Side, sole: float) -> tuple[Doubles, Doubles]:
        """Where the ankle is (t, 3) and how the foot is turned (t, 3, 3)."""
        ankle = self.skeleton.head(f"foot.{side}")
        ball = self.balls[side]
        heel = np.array([ankle[0], 0.0, ankle[2] - 0.35 * (ball[2] - ankle[2])])
        yaw, roll = turned("y", foot.yaw), turned("x", foot.pitch)
        turn = product(yaw, roll)
        raised = foot.pitch[:, None] >= 0
        pivot = np.where(raised, ball, heel)
        base = foot.place + apply(yaw, np.where(raised, 0.0, heel - ball)) + [0, sole, 0]
        return base + apply(turn, ankle - pivot), turn

    def _leg(self, stance: Stance, trunk: Frames, side: Side, sole: float, rotations: dict[str, Doubles]) -> None:
        leg, sign = self.legs[side], 1.0 if side == "L" else -1.0
        pelvis = trunk.turn(f"pelvis.{side}")
        if side in stance.legs:
            thigh, shank = (unit(d) for d in stance.legs[side])
            hinge = unit(np.cross(thigh, shank) + 1e-3 * leg.hinge)
            foot_turn = None
        else:
            ankle, foot_turn = self.ankle(stance.feet[side], side, sole)
            offset = ankle - trunk.place(f"upperleg01.{side}")
            # knees point where the pelvis and the toes look, halfway
            ahead = unit(
                apply(pelvis, np.array([[sign * stance.knees_out, 0.0, 1.0]]))
                + apply(turned("y", stance.feet[side].yaw), np.array([[0.0, 0.0, 1.0]]))
            )
            thigh, shank, hinge = (apply(np.swapaxes(pelvis, -1, -2), v) for v in two_bones(offset, ahead, leg.lengths))
        upper = turn_of(leg.upper, leg.hinge, thigh, hinge)
        lower = turn_of(leg.lower, leg.hinge, shank, hinge)
        swing, twist = untwisted(upper, leg.upper)
        rotations[f"upperleg01.{side}"] = product(swing, about(leg.upper, twist * 0.5))
        rotations[f"upperleg02.{side}"] = about(leg.upper, twist * 0.5)
        rotations[f"lowerleg01.{side}"] = product(np.swapaxes(upper, -1, -2), lower)
        if foot_turn is not None:
            rotations[f"foot.{side}"] = product(np.swapaxes(product(pelvis, lower), -1, -2), foot_turn)
            bent = turned("x", -np.clip(stance.feet[side].pitch, 0.0, 0.9) * stance.feet[side].planted)
            for toe in range(1, 6):
                rotations[f"toe{toe}-1.{side}"] = bent

    def _arm(self, hand: Hand, side: Side) -> dict[str, Doubles]:
        arm, sign = self.arms[side], 1.0 if side == "L" else -1.0
        upper, lower, hinge = two_bones(hand.target * arm.reach, hand.elbow, arm.lengths)
        # above the horizontal the shoulder blade gives a third of the way (Inman 1944)
        raised = np.clip(np.arcsin(np.clip(upper[:, 1], -1, 1)) + 0.35, 0.0, 1.6) / 3
        clavicle = turned("z", sign * raised)
        back = np.swapaxes(clavicle, -1, -2)
        upper, lower, hinge = (apply(back, v) for v in (upper, lower, hinge))
        turn_upper = turn_of(arm.upper, arm.hinge, upper, hinge)
        turn_lower = turn_of(arm.lower, arm.hinge, lower, hinge)
        swing, twist = untwisted(turn_upper, arm.upper)
        out = {
            f"clavicle.{side}": clavicle,
            f"upperarm01.{side}": product(swing, about(arm.upper, twist * 0.5)),
            f"upperarm02.{side}": about(arm.upper, twist * 0.5),
            f"lowerarm01.{side}": product(np.swapaxes(turn_upper, -1, -2), turn_lower),
            f"lowerarm02.{side}": about(arm.lower, sign * hand.pronation * 0.6),
        }
        s = self.skeleton
        fingers = unit(s.head(f"finger3-1.{side}") - s.head(f"wrist.{side}"))
        # across the palm, from the little finger to the index: bending about it closes the hand
        across = unit(s.head(f"finger2-1.{side}") - s.head(f"finger5-1.{side}"))
        across = unit(across - np.sum(across * fingers) * fingers) * sign
        out[f"wrist.{side}"] = product(about(arm.lower, sign * hand.pronation * 0.4), about(across, hand.bend))
        for finger in range(2, 6):
            for joint, most in ((1, 1.25), (2, 1.55), (3, 0.9)):
                out[f"finger{finger}-{joint}.{side}"] = about(across, hand.curl * most)
        thumb = unit(np.cross(across, fingers))
        for joint, most in ((1, 0.35), (2, 0.5), (3, 0.7)):
            out[f"finger1-{joint}.{side}"] = about(unit(across * 0.6 + thumb * 0.4 * sign), hand.curl * most)
        return out


def _bent(forward: Doubles, left_turn: Doubles, left_tilt: Doubles) -> Doubles:
    return product(turned("y", left_turn), product(turned("x", forward), turned("z", -left_tilt)))

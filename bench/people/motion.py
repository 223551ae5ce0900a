"""What people do: for each motion a body's task at any times, in closed form, so that the same time always gives the same pose.

Styles (how wide, how fast, what with the hands) come from a generator; no two people move alike.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .base_mesh import Doubles
from .contract import Course, Motion, Person
from .course import Foot, Path, smooth, steps, whole_stride
from .limbs import SIDES, Anatomy, Side, Stance
from .score import TAU, Score, Wander, arm, reach
from .skeleton import apply, product, turned

#: metres a second squared
GRAVITY = 9.81


class Choreography:
    """One person's motion along a course; ``at(times)`` gives the stance."""

    def __init__(self, person: Person, anatomy: Anatomy, course: Course, until: float) -> None:
        self.person, self.anatomy = person, anatomy
        self.height = course.height
        # people of other sizes walk alike when v^2 / (g L) is the same (Froude number; 0.2 is comfortable walking, Alexander 1976)
        froude = {"walk": 0.2, "run": 1.0}.get(person.motion, 0.0)
        pace = person.tempo * float(np.sqrt(froude * GRAVITY * anatomy.hip_height))
        self.path = Path.of(course, until=until, pace=pace)

    def at(self, times: Doubles) -> Stance:
        """The body's task at times (t,)."""
        rng = np.random.default_rng([self.person.detail_seed, 1])
        stance = MOTIONS[self.person.motion](Score(self.person, self.anatomy, rng, times, times * self.person.tempo, self.path))
        return replace(
            stance, pelvis=stance.pelvis + [0.0, self.height, 0.0], feet={s: _raised(f, self.height) for s, f in stance.feet.items()}
        )


def _raised(foot: Foot, height: float) -> Foot:
    return replace(foot, place=foot.place + [0.0, height, 0.0])


def _base(score: Score, *, crouch: Doubles | float = 0.02, lean: Doubles | float = 0.0) -> Stance:
    """Standing on the course with both feet, sinking by ``crouch`` leg lengths; stepping where the course moves."""
    places, facings, _ = score.path.at(score.seconds)
    zero = 0.0 * score.t
    spread = score.anatomy.spread
    feet = {
        s: steps(score.path, score.seconds, side=1.0 if s == "L" else -1.0, spread=spread, stride=0.9 * score.leg, duty=0.62,
                 lift=0.06 * score.leg, toe_out=0.15)
        for s in SIDES
    }  # fmt: skip
    sway = score.wander(5.0, 0.015 * score.leg)
    across = np.stack([np.cos(facings), 0 * facings, -np.sin(facings)], axis=-1)
    pelvis = (
        np.column_stack([places[:, 0], score.leg * (1 - np.broadcast_to(crouch, score.t.shape)), places[:, 1]]) + sway[:, None] * across
    )
    hands = {s: arm(score, s, forward=0.08 + score.wander(4.0, 0.06), out=0.16, elbow=0.25 + score.wander(3.0, 0.08)) for s in SIDES}
    return Stance(
        pelvis, turned("y", facings), zero + lean + score.wander(6.0, 0.03), sway / score.leg * 1.5, score.wander(7.0, 0.06),
        score.wander(3.0, 0.12), score.wander(4.0, 0.35), score.wander(5.0, 0.08), hands, feet,
    )  # fmt: skip


def _grounded(score: Score, stance: Stance) -> Stance:
    """The pelvis lowered to where both planted feet can be reached."""
    low = stance.pelvis[:, 1].copy()
    for side in SIDES:
        foot = stance.feet[side]
        ankle, _ = score.anatomy.ankle(foot, side, 0.0)
        leg = score.anatomy.legs[side]
        hip = stance.pelvis + apply(stance.turn, (score.anatomy.skeleton.head(leg.root) - score.anatomy.hips)[None])
        flat = np.linalg.norm((ankle - hip)[:, [0, 2]], axis=-1)
        most = ankle[:, 1] + np.sqrt(np.maximum((0.99 * leg.reach) ** 2 - flat**2, (0.3 * leg.reach) ** 2))
        # only as far as the foot carries: a swinging leg bends
        carried = np.where(foot.planted > 0, most, np.inf)
        low = np.minimum(low, carried + (stance.pelvis[:, 1] - hip[:, 1]))
    return replace(stance, pelvis=np.column_stack([stance.pelvis[:, 0], low, stance.pelvis[:, 2]]))


def _stand(score: Score) -> Stance:
    stance = _base(score)
    kind = int(score.rng.integers(0, 5))
    hands = dict(stance.hands)
    still = np.zeros((len(score.t), 3))
    if kind == 1:  # hands on the hips
        hands = {s: reach(score, s, still + [0.12, -0.76, 0.1], elbow=(1.0, -0.2, -0.5), pronation=-0.6, bend=0.5) for s in SIDES}
    elif kind == 2:  # arms folded before the chest
        hands["L"] = reach(score, "L", still + [-0.36, -0.45, 0.42], elbow=(1.0, -0.9, 0.1), pronation=0.5)
        hands["R"] = reach(score, "R", still + [-0.34, -0.38, 0.36], elbow=(1.0, -0.9, 0.1), pronation=0.5)
    elif kind == 3:  # one hand to the chin
        hands["R"] = reach(score, "R", still + [-0.3, 0.02, 0.38], elbow=(0.2, -1.0, 0.2), pronation=0.2, bend=0.3, curl=0.7)
    return _grounded(score, replace(stance, hands=hands))


def _gait(score: Score, *, stride: float, duty: float, lift: float, bounce: float, lean: float, elbow: float, swing: float) -> Stance:
    """Walking and running. stride, lift, bounce in leg lengths."""
    base = _base(score)
    energy = score.person.energy
    spread = 0.55 * score.anatomy.spread
    speed = score.path.speed(score.seconds)
    usual = max(1e-6, stride * score.leg * 0.9)
    moving = smooth(speed / (0.3 * usual))
    feet = {
        s: steps(score.path, score.seconds, side=1.0 if s == "L" else -1.0, spread=spread, stride=stride * score.leg, duty=duty,
                 lift=lift * score.leg, toe_out=0.08)
        for s in SIDES
    }  # fmt: skip
    exact = whole_stride(score.path, stride * score.leg)
    _, facings, way = score.path.at(score.seconds)
    phase = TAU * (way / exact + max(0.0, (duty - 0.5) / 2))
    hip = moving * 0.09 * energy * np.sin(phase)
    turn = product(turned("y", facings - hip), turned("z", moving * 0.03 * np.sin(phase + 0.6)))
    up = -0.02 - bounce * 0.5 * (1 + moving * np.cos(2 * phase - (2.2 if duty < 0.5 else 0.9)))
    pelvis = np.column_stack([base.pelvis[:, 0], score.leg * (1 + up), base.pelvis[:, 2]])
    hands = {}
    for s in SIDES:
        sign = 1.0 if s == "L" else -1.0
        forward = 0.06 + moving * swing * energy * -sign * np.cos(phase + 0.3) + score.wander(4.0, 0.05)
        hands[s] = arm(score, s, forward=forward, out=0.14, elbow=elbow + moving * 0.25 * energy * (1 - sign * np.cos(phase)) / 2)
    stance = replace(
        base, pelvis=pelvis, turn=turn, bend=base.bend + moving * lean, twist=2 * hip, hands=hands, feet=feet,
        nod=base.nod - 0.5 * moving * lean,
        shake=base.shake - hip,
    )  # fmt: skip
    return _grounded(score, stance)


def _walk(score: Score) -> Stance:
    return _gait(score, stride=1.55, duty=0.62, lift=0.06, bounce=0.035, lean=0.04, elbow=0.22, swing=0.38)


def _run(score: Score) -> Stance:
    return _gait(score, stride=2.6, duty=0.38, lift=0.25, bounce=0.08, lean=0.16, elbow=1.5, swing=0.75)


def _sit(score: Score) -> Stance:
    stance = _base(score)
    leg = score.anatomy.legs["L"]
    _, facings, _ = score.path.at(score.seconds)
    ahead = np.stack([np.sin(facings), 0 * facings, np.cos(facings)], axis=-1)
    height = seat_height(score.anatomy) + 0.5 * seat_padding(score.anatomy)
    pelvis = stance.pelvis * [1, 0, 1] + [0.0, height, 0.0]
    feet = {}
    for s in SIDES:
        out = (1.0 if s == "L" else -1.0) * score.rng.uniform(0.0, 0.06)
        forward = leg.lengths[0] * score.rng.uniform(0.9, 1.15) + 0.06 * score.leg
        across = np.stack([np.cos(facings), 0 * facings, -np.sin(facings)], axis=-1)
        tap = np.maximum(0.0, score.wander(1.5, 0.25)) * (score.rng.random() < 0.4)
        foot = stance.feet[s]
        feet[s] = replace(foot, place=foot.place * [1, 0, 1] + forward * ahead + out * across, pitch=-0.5 * tap, planted=1.0 + 0 * tap)
    still = np.zeros((len(score.t), 3))
    hands = {}
    for s in SIDES:
        move = np.column_stack(
            [score.wander(3.0, 0.05), np.maximum(0.0, score.wander(4.0, 0.25)) * score.person.energy, score.wander(3.0, 0.05)]
        )
        hands[s] = reach(score, s, still + [-0.05, -0.62, 0.52] + move, elbow=(0.8, -0.6, -0.6), pronation=0.9)
    return replace(stance, pelvis=pelvis, bend=stance.bend + score.rng.uniform(-0.1, 0.25), hands=hands, feet=feet, knees_out=0.15)


def seat_height(anatomy: Anatomy) -> float:
    """Metres: where somebody's seat is comfortable, at the height of the knee's hollow."""
    return float(0.92 * anatomy.skeleton.head("lowerleg01.L")[1])


def seat_padding(anatomy: Anatomy) -> float:
    """Metres from the seat to the hip joints, twice: thighs and buttocks lie between."""
    return 0.17 * anatomy.hip_height


def _dance(score: Score) -> Stance:
    energy = score.person.energy
    beat = TAU * score.t * 1.0
    stance = _base(score)
    _, facings, _ = score.path.at(score.seconds)
    side = np.sin(beat / 2)
    across = np.stack([np.cos(facings), 0 * facings, -np.sin(facings)], axis=-1)
    pelvis = stance.pelvis + (0.09 * energy * score.leg * side)[:, None] * across
    pelvis[:, 1] = score.leg * (0.95 - 0.03 * energy * np.cos(beat))
    feet = {}
    for s in SIDES:
        sign = 1.0 if s == "L" else -1.0
        # the foot without weight is lifted and set down again
        free = np.clip(-sign * side - 0.35, 0.0, None) / 0.65
        place = stance.feet[s].place + (0.22 * score.leg * smooth(free))[:, None] * (
            0.4 * sign * across + score.rng.uniform(-0.5, 1) * _ahead(facings)
        )
        place[:, 1] += 0.12 * energy * score.leg * np.sin(np.pi * smooth(free)) + 0.04 * free
        feet[s] = replace(stance.feet[s], place=place, pitch=0.5 * smooth(free), planted=(free <= 0).astype(np.float64))
    hands = {}
    wide = score.rng.uniform(0.3, 1.0)
    for s in SIDES:
        a, b, c = Wander(score.rng, 1.7), Wander(score.rng, 1.3), Wander(score.rng, 2.1)
        t = score.t
        target = np.column_stack([0.35 + 0.35 * wide * a(t), -0.15 + 0.75 * wide * energy * b(t), 0.35 + 0.3 * c(t)])
        hands[s] = reach(score, s, target, elbow=(0.9, -0.7, -0.4), pronation=0.4, curl=0.4)
    return _grounded(score, replace(
        stance, pelvis=pelvis, turn=product(turned("y", facings + 0.25 * energy * np.sin(beat / 2 + 0.7)),
        turned("z", -0.12 * energy * side)),
        bend=stance.bend + 0.08 * energy * np.sin(beat), tilt=0.22 * energy * side, twist=stance.twist - 0.3 * energy * np.sin(beat / 2),
        hands=hands,
        feet=feet, nod=stance.nod + 0.12 * energy * np.sin(beat),
    ))  # fmt: skip


def _ahead(facings: Doubles) -> Doubles:
    return np.stack([np.sin(facings), 0 * facings, np.cos(facings)], axis=-1)


def _bend(score: Score) -> Stance:
    _, facings, _ = score.path.at(score.seconds)
    period = score.rng.uniform(2.4, 4.0)
    down = smooth(0.5 - 0.62 * np.cos(TAU * score.t / period + score.rng.uniform(0, TAU)))
    knees = score.rng.uniform(0.0, 0.3)
    stance = _base(score, crouch=0.02 + knees * down)
    pitch = 0.75 * down
    # the hips go back while the trunk goes forward, so that the weight stays over the feet
    pelvis = stance.pelvis - (0.16 * score.leg * down)[:, None] * _ahead(facings)
    aim = np.column_stack([0 * down - 0.08, -0.85 + 0.75 * down, 0.12 + 0.75 * down])
    hands = {s: reach(score, s, aim + np.column_stack([score.wander(2, 0.05)] * 3), elbow=(0.8, 0.0, -0.8), pronation=0.5) for s in SIDES}
    return _grounded(score, replace(
        stance, pelvis=pelvis, turn=product(turned("y", facings), turned("x", pitch)), bend=stance.bend + 0.95 * down,
        nod=stance.nod - 0.4 * down,
        hands=hands,
    ))  # fmt: skip


def _crouch(score: Score) -> Stance:
    stance = _base(score, crouch=0.5 + 0.04 * np.sin(score.t))
    _, facings, _ = score.path.at(score.seconds)
    still = np.zeros((len(score.t), 3))
    feet = {s: replace(f, pitch=f.pitch + 0.45) for s, f in stance.feet.items()}
    hands = {
        s: reach(score, s, still + [0.05, -0.7, 0.5] + np.column_stack([score.wander(2, 0.08)] * 3), elbow=(1.0, 0.0, -0.3)) for s in SIDES
    }
    return replace(
        stance, pelvis=stance.pelvis - 0.1 * score.leg * _ahead(facings),
        turn=product(turned("y", facings), turned("x", 0 * score.t + 0.3)),
        bend=stance.bend + 0.45, nod=stance.nod - 0.45, hands=hands, feet=feet, knees_out=0.5,
    )  # fmt: skip


def _turn(score: Score) -> Stance:
    stance = _base(score)
    hands = {s: arm(score, s, forward=0.1 + score.wander(3.0, 0.15), out=0.3 + 0.1 * score.person.energy, elbow=0.35) for s in SIDES}
    return _grounded(score, replace(stance, hands=hands))


def _jump(score: Score) -> Stance:
    energy = score.person.energy
    stance = _base(score)
    _, facings, _ = score.path.at(score.seconds)
    height = 0.22 * energy * score.leg
    flight = 2 * np.sqrt(2 * height / GRAVITY)
    ground = score.rng.uniform(0.5, 0.9)
    within = np.mod(score.t + score.rng.uniform(0, 2), flight + ground)
    air = np.clip(within / flight, 0.0, 1.0)
    flying = within < flight
    y = np.where(flying, 4 * height * air * (1 - air), 0.0)
    push = np.clip((within - flight) / ground, 0.0, 1.0)
    sink = np.where(flying, 0.0, 0.22 * np.sin(np.pi * push) ** 1.0)
    pelvis = stance.pelvis.copy()
    pelvis[:, 1] = score.leg * (0.985 - sink) + y
    feet = {}
    for s in SIDES:
        f = stance.feet[s]
        tuck = 0.12 * energy * score.leg * np.sin(np.pi * air) ** 2 * flying
        heel = np.where(flying, 0.7 * np.cos(np.pi * (air - 0.5)) ** 0.5, 0.0)
        feet[s] = replace(f, place=f.place + np.column_stack([0 * y, y + tuck, 0 * y]), pitch=heel, planted=(~flying).astype(np.float64))
    up = np.where(flying, np.sin(np.pi * air), -0.4 * np.sin(np.pi * push))
    wide = score.rng.uniform(0.2, 1.2)
    hands = {s: arm(score, s, forward=0.2 + 1.1 * up * energy, out=0.35 + wide * np.maximum(up, 0), elbow=0.5) for s in SIDES}
    return replace(stance, pelvis=pelvis, bend=stance.bend + 0.9 * sink, nod=stance.nod - 0.5 * sink, hands=hands, feet=feet)


def _wave(score: Score) -> Stance:
    stance = _stand(score)
    beat = TAU * score.t * 1.7
    side: Side = "L" if score.rng.random() < 0.5 else "R"
    swing = 0.22 * score.person.energy * np.sin(beat)
    high = score.rng.uniform(0.0, 0.5)
    target = np.column_stack([0.45 + swing, 0.35 + high + 0.1 * np.cos(beat) * 0.3, 0.25 + 0 * beat])
    hands = dict(stance.hands) | {side: reach(score, side, target, elbow=(1.0, -0.6, -0.2), pronation=0.6, curl=0.05)}
    return replace(stance, hands=hands)


def _hands(score: Score) -> Stance:
    """Hands before the chest and face: gestures, clapping, hiding the face."""
    stance = _base(score)
    hands = {}
    before = score.rng.uniform(-0.35, 0.25)
    for s in SIDES:
        a, b, c = Wander(score.rng, 1.6), Wander(score.rng, 1.9), Wander(score.rng, 2.3)
        t, e = score.t, score.person.energy
        target = np.column_stack([-0.18 + 0.18 * e * a(t), before + 0.2 * e * b(t), 0.55 + 0.12 * e * c(t)])
        hands[s] = reach(
            score, s, target, elbow=(0.9, -1.0, -0.2), pronation=float(score.rng.uniform(-0.5, 0.8)), curl=float(score.rng.uniform(0, 0.6))
        )
    return _grounded(score, replace(stance, hands=hands))


def _lie(score: Score) -> Stance:
    """On the back, the side or the belly."""
    places, facings, _ = score.path.at(score.seconds)
    zero = 0.0 * score.t
    roll = float(score.rng.choice([0.0, 1.35, -1.35, np.pi]))
    turn = product(turned("y", facings), product(turned("x", zero - np.pi / 2), turned("y", zero + roll + score.wander(6.0, 0.04))))
    pelvis = np.column_stack([places[:, 0], 0.12 * score.leg + zero, places[:, 1]])
    legs = {}
    for s in SIDES:
        hip, knee = score.rng.uniform(0.0, 0.7) + score.wander(5.0, 0.05), score.rng.uniform(0.1, 0.8) + score.wander(4.0, 0.1)
        sign = 1.0 if s == "L" else -1.0
        if roll == np.pi:
            hip, knee = 0.05 * hip, 0.4 * knee
        legs[s] = (
            np.column_stack([sign * (0.08 + zero), -np.cos(hip), np.sin(hip)]),
            np.column_stack([sign * (0.08 + zero), -np.cos(hip - knee), np.sin(hip - knee)]),
        )
    # an arm beneath the body would carry it
    ahead, aside = {0.0: ((0.0, 0.5), (0.2, 0.9)), np.pi: ((-0.1, 0.0), (0.1, 0.3))}.get(roll, ((0.9, 1.4), (0.0, 0.05)))
    bent = (0.2, 1.2) if roll != np.pi else (0.0, 0.1)
    hands = {
        s: arm(
            score,
            s,
            forward=score.rng.uniform(*ahead) + score.wander(4, 0.1),
            out=score.rng.uniform(*aside),
            elbow=score.rng.uniform(*bent),
        )
        for s in SIDES
    }
    return Stance(
        pelvis, turn, zero + 0.05, zero, zero, score.wander(4.0, 0.1) + 0.15, score.wander(5.0, 0.3), zero, hands, legs=legs,
    )  # fmt: skip


MOTIONS: dict[Motion, Callable[[Score], Stance]] = {
    "stand": _stand, "walk": _walk, "run": _run, "sit": _sit, "dance": _dance, "bend": _bend, "lie": _lie, "turn": _turn, "jump": _jump,
    "wave": _wave, "hands": _hands, "crouch": _crouch,
}  # fmt: skip

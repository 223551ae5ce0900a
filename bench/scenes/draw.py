"""Draws a scene from (split, seed, index): nothing else decides what is in it."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import cast

import numpy as np

from bench.people import Course, DistractorKind, Motion, draw_person
from bench.scenes.contract import Distractor, Member, Place, Rig, Scene, Sensor, Split
from bench.scenes.places import PLACES, with_movers
from bench.scenes.things import Rng

#: scenes of a split
SCENES = 24
#: how many people there are, by index; six of 24 have nobody. The order is turned by the seed
COUNTS = (1, 0, 2, 3, 1, 2, 0, 1, 4, 2, 1, 0, 3, 2, 1, 5, 0, 1, 2, 0, 6, 3, 0, 2)
#: stories that need two people at least
TOGETHER = ("touch", "hide", "cross", "apart")
ALONE = ("stand", "walk", "enter", "leave", "near", "far")
#: motions of people who stay where they are
STAYING = ("stand", "sit", "dance", "bend", "lie", "turn", "jump", "wave", "hands", "crouch")
#: clips of this many seconds are drawn for; longer ones go on
SPAN_S = 0.8


def generator(split: str, seed: int, index: int, what: str) -> Rng:
    """A stream of its own for each part of a scene, so that a new draw in one part changes no other."""
    words = hashlib.sha256(f"{split}/{seed}/{index}/{what}".encode()).digest()
    return np.random.default_rng(np.frombuffer(words, np.uint32))


def place_of(scene: Scene) -> Place:
    """The place of a scene, built."""
    place = PLACES[scene.place](np.random.default_rng(scene.place_seed))
    return with_movers(place, np.random.default_rng(scene.movers_seed)) if scene.movers_seed else place


def draw_scene(split: Split, seed: int, index: int) -> Scene:
    """The scene; ValueError for an index outside the split."""
    if not 0 <= index < SCENES:
        raise ValueError(f"scene {index} is not in split {split}; it has scenes 0 to {SCENES - 1}")
    order = generator(split, seed, -1, "order")
    turn = int(order.integers(SCENES))
    names = list(PLACES)
    first = order.permutation(len(names))
    count = COUNTS[(index + turn) % SCENES]
    # each place comes three times in 24 scenes
    name = names[first[index % len(names)]]
    place_seed = int(generator(split, seed, index, "place").integers(2**31))
    place = PLACES[name](np.random.default_rng(place_seed))
    rig = draw_rig(generator(split, seed, index, "rig"), fisheye=(index + turn) % 5 == 2)
    sensor = draw_sensor(generator(split, seed, index, "sensor"), place)
    members, tags = draw_cast(generator(split, seed, index, "cast"), place, count)
    distractors = draw_distractors(generator(split, seed, index, "distractors"), place, members)
    rng = generator(split, seed, index, "movers")
    movers_seed = int(rng.integers(1, 2**31)) if rng.random() < 0.35 else 0
    fps = int(generator(split, seed, index, "time").choice([15, 24, 25, 30]))
    if rig.aperture_m and members:
        # focused on somebody
        x, z = members[0].course.places[0]
        rig = replace(rig, focus_m=float(np.hypot(x, z)))
    scene = Scene(split, seed, index, name, place_seed, movers_seed, fps, rig, sensor, members, distractors)
    return replace(scene, tags=tuple(sorted({*tags, *scene_tags(scene, place)})))


def draw_rig(rng: Rng, *, fisheye: bool) -> Rig:
    """Both eyes; one scene of five is seen through fisheyes."""
    wrong = rng.random() < 0.5
    yaw, pitch, roll = (float(v) for v in rng.normal(0, (0.15, 0.15, 0.15)) * wrong)
    return Rig(
        projection="fisheye" if fisheye else "equirect",
        degrees=180.0,
        baseline_m=float(rng.choice([0.03, 0.045, 0.06, 0.064, 0.064, 0.075, 0.1, 0.12])),
        height_m=float(rng.uniform(1.1, 1.7)),
        misalignment_degrees=(yaw, pitch, roll),
        hand_held_degrees=float(rng.uniform(0.2, 0.8)) if rng.random() < 0.3 else 0.0,
        shutter=float(rng.uniform(0.2, 0.6)),
        aperture_m=float(rng.uniform(0.002, 0.005)) if rng.random() < 0.3 else 0.0,
        softness=float(rng.uniform(0.4, 1.4)),
    )


def draw_sensor(rng: Rng, place: Place) -> Sensor:
    """From light to a file; what is dark is noisier."""
    dark = any(tag in ("light:night", "light:spots") for tag in place.tags)
    left, right = rng.normal(0, 0.12, 2)
    hlg = rng.random() < 0.2
    flicker = rng.random() < 0.15
    return Sensor(
        exposure_ev=(float(left), float(right)),
        warmth=(float(np.exp(rng.normal(0, 0.02))), float(np.exp(rng.normal(0, 0.02)))),
        full_well=float(np.exp(rng.uniform(np.log(1500), np.log(20000))) / (3 if dark else 1)),
        read_noise=float(rng.uniform(1, 5)),
        transfer="hlg" if hlg else "bt709",
        bits=10 if hlg or rng.random() < 0.3 else 8,
        codec="hevc" if hlg or rng.random() < 0.5 else "h264",
        # 6K VR180 cameras write 60 to 200 Mbit/s for nine times the area of 2048 x 1024
        megabits=float(np.exp(rng.uniform(np.log(8), np.log(22)))),
        flicker=float(rng.uniform(0.1, 0.35)) if flicker else 0.0,
        # beat of 100 or 120 Hz against the frame rate
        flicker_hz=float(rng.uniform(1, 6)) if flicker else 0.0,
    )


def draw_cast(rng: Rng, place: Place, count: int) -> tuple[tuple[Member, ...], set[str]]:
    """Who is there, where they go, and the tags of the story."""
    if count == 0:
        return (), {"nobody"}
    taken: list[tuple[float, float]] = []
    members: list[Member] = []
    story = str(rng.choice(TOGETHER)) if count > 1 else str(rng.choice(ALONE, p=[0.3, 0.2, 0.1, 0.1, 0.15, 0.15]))
    for k in range(count):
        person = int(rng.integers(2**31))
        if story in TOGETHER and k == 1:
            member = _second(rng, story, person, members[0])
        elif story in TOGETHER and k == 0:
            member = _first(rng, story, person, place)
        else:
            member = _free(rng, story if count == 1 else str(rng.choice(["stand", "stand", "walk", "far"])), person, place, taken)
        members.append(member)
        taken.extend(member.course.places)
    return tuple(members), {f"story:{story}"}


def _first(rng: Rng, story: str, person: int, place: Place) -> Member:
    x, z = spot(rng, place, (1.0, 2.6), 30, [])
    if story == "cross":
        speed = float(rng.uniform(0.9, 1.5))
        return _walker(person, (x - speed * SPAN_S / 2, z), (x + speed * SPAN_S / 2, z))
    return _stayer(rng, person, (x, z))


def _second(rng: Rng, story: str, person: int, first: Member) -> Member:
    (x0, z0), (x1, z1) = first.course.places[0], first.course.places[-1]
    x, z = (x0 + x1) / 2, (z0 + z1) / 2
    if story == "cross":
        speed, behind = float(rng.uniform(0.9, 1.5)), float(rng.uniform(0.5, 1.2))
        out = 1 + behind / np.hypot(x, z)
        return _walker(person, (x * out + speed * SPAN_S / 2, z * out), (x * out - speed * SPAN_S / 2, z * out))
    if story == "hide":
        out = 1 + float(rng.uniform(0.7, 2.0)) / np.hypot(x, z)
        aside = float(rng.uniform(-0.4, 0.4))
        return _stayer(rng, person, (x * out + aside, z * out))
    if story == "touch":
        return _stayer(rng, person, (x + float(rng.choice([-1, 1])) * float(rng.uniform(0.42, 0.55)), z + float(rng.uniform(-0.15, 0.15))))
    return _stayer(rng, person, (x + float(rng.choice([-1, 1])) * float(rng.uniform(0.9, 1.8)), z - float(rng.uniform(-0.4, 1.0))))


def _free(rng: Rng, story: str, person: int, place: Place, taken: list[tuple[float, float]]) -> Member:
    near = {"near": (0.55, 1.0), "far": (4.5, 8.0)}.get(story, (1.2, 4.5))
    x, z = spot(rng, place, near, 50, taken)
    side = float(rng.choice([-1, 1]))
    if story == "walk":
        step = float(rng.uniform(0.9, 3.0)) * SPAN_S
        way = float(rng.uniform(0, 2 * np.pi))
        return _walker(
            person, (x - step / 2 * np.sin(way), z - step / 2 * np.cos(way)), (x + step / 2 * np.sin(way), z + step / 2 * np.cos(way))
        )
    if story in ("enter", "leave"):
        out, inside = (side * float(rng.uniform(0.8, 1.4)), 0.35), (side * float(rng.uniform(0.5, 0.9)), -0.9)
        return _walker(person, out, inside) if story == "enter" else _walker(person, inside, out)
    return _stayer(rng, person, (x, z))


def _stayer(rng: Rng, person: int, where: tuple[float, float]) -> Member:
    """Somebody on one spot, who mostly faces the camera."""
    motion = cast("Motion", str(rng.choice(STAYING)))
    to_camera = float(np.arctan2(-where[0], -where[1]))
    facing = to_camera + float(rng.normal(0, 0.7) if rng.random() < 0.75 else rng.uniform(-np.pi, np.pi))
    course = Course((0.0,), (where,), (facing,))
    return Member(draw_person(person, motion=motion), course, float(rng.uniform(0, 4)))


def _walker(person: int, start: tuple[float, float], end: tuple[float, float]) -> Member:
    """Somebody who goes from one place to another within the clip, and comes from further back."""
    ahead = (end[0] - start[0], end[1] - start[1])
    facing = float(np.arctan2(*ahead))
    # the course is longer than the clip, so that nobody starts from rest in it
    times = (0.0, 1.0 + SPAN_S + 1.0)
    share = 1.0 / SPAN_S
    places = ((start[0] - ahead[0] * share, start[1] - ahead[1] * share), (end[0] + ahead[0] * share, end[1] + ahead[1] * share))
    motion: Motion = "run" if np.hypot(*ahead) / SPAN_S > 2 else "walk"
    return Member(draw_person(person, motion=motion), Course(times, places, (facing, facing)), 1.0)


def spot(rng: Rng, place: Place, near: tuple[float, float], angle: float, taken: list[tuple[float, float]]) -> tuple[float, float]:
    """A free place on the ground, (x, z) metres; the last one tried where none of many is free."""
    x0, x1, z0, z1 = place.free
    x, z = 0.0, -near[0]
    for _ in range(60):
        far, way = float(rng.uniform(*near)), float(np.radians(rng.uniform(-angle, angle)))
        x, z = far * np.sin(way), -far * np.cos(way)
        inside = x0 <= x <= x1 and z0 <= z <= z1
        if (
            inside
            and all(np.hypot(x - a, z - b) > r + 0.3 for a, b, r in place.solid)
            and all(np.hypot(x - a, z - b) > 0.6 for a, b in taken)
        ):
            break
    return float(np.clip(x, x0, x1)), float(np.clip(z, z0, z1))


def draw_distractors(rng: Rng, place: Place, cast: tuple[Member, ...]) -> tuple[Distractor, ...]:
    """What looks like people; more where nobody is."""
    kinds: tuple[DistractorKind, ...] = ("mannequin", "statue", "poster", "pet")
    count = int(rng.integers(1, 4)) if not cast else int(rng.random() < 0.4)
    taken = [p for member in cast for p in member.course.places]
    out: list[Distractor] = []
    for _ in range(count):
        where = spot(rng, place, (1.5, 6.0), 60, [*taken, *(d.place for d in out)])
        facing = float(np.arctan2(-where[0], -where[1]) + rng.normal(0, 0.5))
        out.append(Distractor(kinds[int(rng.integers(len(kinds)))], int(rng.integers(2**31)), where, facing))
    return tuple(out)


def scene_tags(scene: Scene, place: Place) -> set[str]:
    """What a scene is, for tables."""
    rig, sensor = scene.rig, scene.sensor
    out = {f"place:{scene.place}", f"people:{len(scene.cast)}", *place.tags, f"projection:{rig.projection}"}
    out.add("camera:hand_held" if rig.hand_held_degrees else "camera:tripod")
    out |= {
        tag
        for tag, there in (
            ("camera:misaligned", any(rig.misalignment_degrees)),
            ("camera:shallow", rig.aperture_m > 0),
            ("background:moving", scene.movers_seed > 0),
            ("light:flicker", sensor.flicker > 0),
            ("baseline:small", rig.baseline_m < 0.05),
            ("baseline:large", rig.baseline_m > 0.08),
            ("noise:high", sensor.full_well < 2000),
        )
        if there
    }
    for member in scene.cast:
        x, z = member.course.places[len(member.course.places) // 2]
        far = float(np.hypot(x, z))
        out.add("distance:near" if far < 1.2 else "distance:far" if far > 4 else "distance:middle")
        out.add(f"motion:{member.person.motion}")
        out.add(f"hair:{member.person.hair.style}")
        if member.person.held:
            out.add("held")
    out |= {f"distractor:{d.kind}" for d in scene.distractors}
    return out

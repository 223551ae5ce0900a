"""One scene from its description to its folder: geometry, renderer, light, camera, truth."""

from __future__ import annotations

import json
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera import develop
from bench.camera.files import Clip, TruthFile
from bench.camera.projection import Eye
from bench.compose import Geometry, displacement
from bench.film import VIEWS, Quality, Shoot, eye_of
from bench.people import Body, make_actor, make_distractor
from bench.render.job import Job, times_of
from bench.scenes.contract import Place, Scene
from bench.scenes.draw import place_of

Floats = NDArray[np.float32]
#: disparity.mkv and flow.mkv: pixels = code / SHIFT_SCALE - SHIFT_OFFSET, in red (x) and green (y)
SHIFT_SCALE, SHIFT_OFFSET = 64.0, 512.0
#: their blue: nobody here, somebody hidden there, somebody seen there
MARKS = (0, 32768, 65535)
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Settings:
    """How scenes are made. keep: leave the renderer's films, to look at."""

    size: int = 1024
    frames: int = 12
    threads: int = 2
    quality: Quality = field(default_factory=Quality)
    assets: Path | None = None
    keep: bool = False


@dataclass
class Actors:
    """Everything that moves, at all times, and what of it is a person. bodies: people first."""

    people: int
    bodies: list[Body]
    held: list[str]


def produce(scene: Scene, folder: Path, settings: Settings) -> dict[str, Any]:
    """Makes the scene's folder, or does nothing where it is there; seconds of each part.

    What is half done lies beside it as .NAME.work and is gone on with; the folder appears whole.
    """
    if (folder / "truth.json").exists():
        return {}
    start = time.perf_counter()
    work = folder.parent / f".{folder.name}.work"
    work.mkdir(parents=True, exist_ok=True)
    place = place_of(scene)
    job = Job(work / "films", scene.fps, place.world, place.lamps, settings.threads)
    job.scenery([p for p in place.props if p.role == "scenery"])
    actors = cast_of(scene, place, job, settings)
    shoot = Shoot(scene, place, job, size=settings.size, frames=settings.frames, quality=settings.quality)
    shoot.plan(actors.bodies)
    job.write()
    made = time.perf_counter()
    took = job.run()
    rendered = time.perf_counter()
    done = work / "done"
    if done.exists():
        shutil.rmtree(done)
    done.mkdir()
    document = develop_scene(scene, place, shoot, actors, done)
    document["seconds"] = {
        "geometry": round(made - start, 1), "render": round(rendered - made, 1), "camera": round(time.perf_counter() - rendered, 1),
        "render_cpu": {kind: round(sum(t["cpu_s"] for t in took if t["kind"] == kind), 1) for kind in sorted({t["kind"] for t in took})},
    }  # fmt: skip
    seconds: dict[str, Any] = document.pop("seconds")
    document["assets"] = settings.assets is not None
    (done / "scene.json").write_text(json.dumps(document, indent=1, default=float) + "\n", "utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    done.rename(folder)
    if not settings.keep:
        shutil.rmtree(work)
    return seconds


def cast_of(scene: Scene, place: Place, job: Job, settings: Settings) -> Actors:
    """Makes people, distractors and moving props real and gives them to the job."""
    rig, frames = scene.rig, settings.frames
    shutter_s = max(rig.shutter, 0.02) / scene.fps
    out = Actors(len(scene.cast), [], [])
    for k, member in enumerate(scene.cast):
        actor = make_actor(member.person, settings.assets)
        body = actor.at(times_of(frames, scene.fps, rig.shutter, member.onset_s), member.course)
        if stool := actor.furniture(member.course):
            # what somebody sits on is part of the room
            job.statue(f"stool{k + 1}", Body(np.zeros(1), stool))
        job.body(f"person{k + 1}", "person", k + 1, body, frames=frames, shutter_s=shutter_s)
        out.bodies.append(body)
    times = times_of(frames, scene.fps, rig.shutter)
    for k, distractor in enumerate(scene.distractors):
        body = make_distractor(distractor.kind, distractor.seed, settings.assets).at(times, distractor.course())
        if distractor.kind == "pet":
            job.body("mover", "mover", 0, body, frames=frames, shutter_s=shutter_s)
            out.bodies.append(body)
        else:
            job.statue(f"{distractor.kind}{k}", body)
    for prop in place.props:
        if prop.role == "mover":
            body = prop.body(times)
            job.body("mover", "mover", 0, body, frames=frames, shutter_s=shutter_s)
            out.bodies.append(body)
    out.held = [item["name"] for item in job.items if item.get("held") and item["role"] == "person"]
    return out


def develop_scene(scene: Scene, place: Place, shoot: Shoot, actors: Actors, folder: Path) -> dict[str, Any]:
    """Writes all files of a scene but scene.json, whose document it returns."""
    size, fps, people = shoot.size, scene.fps, actors.people
    plates = {view: shoot.plate(view) for view in VIEWS}
    eyes = {view: eye_of(scene, view, size, None) for view in VIEWS}
    angles = {view: eyes[view].angles() for view in VIEWS}
    inside = {view: angles[view] <= 90 if scene.rig.projection == "fisheye" else np.ones((size, size), bool) for view in VIEWS}
    visible: list[dict[str, list[float]]] = [{view: [] for view in VIEWS} for _ in range(people)]
    height: list[dict[str, list[float]]] = [{view: [] for view in VIEWS} for _ in range(people)]
    gain = None
    names = [f"gt_person{k + 1}" for k in range(people)] + ["gt_everybody"] + (["gt_held"] if people else [])
    colour_names = ["foreground", "background"]
    with ExitStack() as stack:
        clip = stack.enter_context(Clip(folder / "clip.mp4", scene.sensor, fps=fps, width=2 * size, height=size))
        files = {
            n: stack.enter_context(TruthFile(folder / f"{n}.mkv", fps, colour=False)) for n in [*names, *(["depth"] if people else [])]
        }
        if people:
            colour_names += ["disparity", "flow"]
        files |= {n: stack.enter_context(TruthFile(folder / f"{n}.mkv", fps, colour=True)) for n in colour_names}
        before: dict[str, Geometry] = {view: shoot.geometry(0, view) for view in VIEWS}
        for n in range(shoot.frames):
            rows: dict[str, list[NDArray[Any]]] = {name: [] for name in (*files, "clip")}
            geometry, after = before, {view: shoot.geometry(n + 1, view) for view in VIEWS} if n + 1 < shoot.frames else None
            for e, view in enumerate(VIEWS):
                layers = shoot.layers(n, view, plates[view], people=people, held=actors.held)
                cover = np.concatenate([layers.people, layers.held[None], layers.cover[None]])
                soft = develop.softened(cover.transpose(1, 2, 0), angles[view], scene.rig.softness * size / 1024) * inside[view][..., None]
                everybody = np.clip(layers.people.sum(0), 0, 1)
                # what is not people is background: other movers are put over it
                other = np.clip(layers.cover - everybody, 0, 1)
                own = layers.light * (everybody / np.maximum(layers.cover, 1e-6))[..., None]
                behind = layers.light - own + layers.background * (1 - everybody - other)[..., None]
                both = develop.softened(np.concatenate([own, behind], axis=2), angles[view], scene.rig.softness * size / 1024)
                both = both * inside[view][..., None]
                if gain is None:
                    gain = develop.exposure_for(both[..., :3] + both[..., 3:])
                light = both * np.tile(develop.gains(scene.sensor, e, n / fps) * gain, 2)
                alpha = soft[..., : people + 1]
                union = np.clip(soft[..., :people].sum(-1), 0, 1)
                for k in range(people):
                    rows[names[k]].append(unit(alpha[..., k]))
                rows["gt_everybody"].append(unit(union))
                rows["foreground"].append(develop.coded(light[..., :3] / np.maximum(union, 1e-4)[..., None] * (union > 0)[..., None]))
                rest = np.maximum(1 - union, 1e-4)[..., None]
                rows["background"].append(develop.coded(np.where(union[..., None] < 0.9999, light[..., 3:] / rest, 0)))
                rng = np.random.default_rng([scene.place_seed, n, e])
                counted = develop.exposed(light[..., :3] + light[..., 3:], scene.sensor, rng) * inside[view][..., None]
                rows["clip"].append(develop.signal(counted, scene.sensor.transfer))
                if people:
                    rows["gt_held"].append(unit(soft[..., people]))
                    for name, codes in truth_of_points(scene, size, (n, view), geometry, after).items():
                        rows[name].append(codes)
                    for k in range(people):
                        share, tall = seen(actors.bodies[k], eye_of(scene, view, size, n / fps), n, soft[..., k])
                        visible[k][view].append(share)
                        height[k][view].append(tall)
            for name, file in files.items():
                file.write(np.concatenate(rows[name], axis=1))
            clip.write(np.concatenate(rows["clip"], axis=1))
            if after is not None:
                before = after
    digests = {f"{name}.mkv": file.digest.hexdigest() for name, file in sorted(files.items())}
    (folder / "truth.json").write_text(json.dumps({"format": FORMAT, "sha256_of_decoded_frames": digests}, indent=1) + "\n", "utf-8")
    return description(scene, place, shoot, actors, {"visible": visible, "height": height, "gain": gain})


def unit(values: Floats) -> NDArray[np.uint16]:
    """0..1 as 16-bit codes."""
    return np.asarray(np.rint(np.clip(values, 0, 1) * 65535), np.uint16)


def truth_of_points(
    scene: Scene, size: int, now: tuple[int, str], geometry: dict[str, Geometry], after: dict[str, Geometry] | None
) -> dict[str, NDArray[Any]]:
    """Codes of depth, disparity and flow of one eye. now: frame and eye; geometry: of both eyes, in this frame and the next."""
    n, view = now
    here = geometry[view]
    other = VIEWS[1 - VIEWS.index(view)]
    there = eye_of(scene, other, size, n / scene.fps)
    later = eye_of(scene, view, size, (n + 1) / scene.fps)
    far = np.where(here.index > 0, np.linalg.norm(here.point - eye_of(scene, view, size, n / scene.fps).pose[:3, 3], axis=-1), 0)
    return {
        "depth": np.asarray(np.rint(np.clip(far * 1000, 0, 65535)), np.uint16),
        "disparity": shift_codes(*displacement(here, there, here.point, geometry[other])),
        "flow": shift_codes(*displacement(here, later, here.after, after[view] if after else None)),
    }


def shift_codes(shift: Floats, marks: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Pixels and marks as codes (h, w, 3)."""
    codes = np.rint(np.clip((shift + SHIFT_OFFSET) * SHIFT_SCALE, 0, 65535))
    return np.concatenate([np.where(marks[..., None] > 0, codes, 0), np.asarray(MARKS)[marks][..., None]], axis=-1).astype(np.uint16)


def seen(body: Body, eye: Eye, n: int, alpha: Floats) -> tuple[float, float]:
    """(share of a person's outline in the picture that is seen, degrees from its top to its bottom).

    The outline is that of the meshes alone, with nothing before them; hair in strands beyond it is not counted.
    """
    outline = np.zeros(alpha.shape, np.uint8)
    for mesh in body.meshes:
        if not len(mesh.faces):
            continue
        points = mesh.vertices[3 * n + 1].astype(np.float64)
        pixels, far = eye.places(points)
        front = ((points - eye.pose[:3, 3]) @ -eye.pose[:3, 2]) > 0.02 * far
        corners = np.rint(pixels[mesh.faces] * 16 - 8).astype(np.int32)
        for triangle in corners[front[mesh.faces].all(axis=1)]:
            cv2.fillConvexPoly(outline, triangle, 1, cv2.LINE_8, 4)
    area = int(outline.sum())
    rows = np.flatnonzero(outline.any(axis=1))
    tall = (rows[-1] - rows[0] + 1) / eye.size * eye.degrees if len(rows) else 0.0
    return (round(min(1.0, float(alpha.sum()) / area), 4) if area else 0.0), round(float(tall), 2)


def description(scene: Scene, place: Place, shoot: Shoot, actors: Actors, found: dict[str, Any]) -> dict[str, Any]:
    """scene.json."""
    rig = scene.rig
    people = []
    for k, member in enumerate(scene.cast):
        body = actors.bodies[k]
        centre = np.stack(
            [points.mean(axis=0) for points in (np.concatenate([m.vertices[3 * n + 1] for m in body.meshes]) for n in range(shoot.frames))]
        )
        far = np.linalg.norm(centre - [0, rig.height_m, 0], axis=1)
        people.append({
            "name": f"person{k + 1}", "frames": shoot.frames, "distance_m": np.round(far, 3).tolist(), "visible": found["visible"][k],
            "height_degrees": found["height"][k], "years": round(member.person.years, 1), "hair": member.person.hair.style,
            "held": [h.kind for h in member.person.held], "motion": member.person.motion,
        })  # fmt: skip
    return {
        "format": FORMAT, "split": scene.split, "seed": scene.seed, "index": scene.index, "scene": scene.name, "tags": list(scene.tags),
        "layout": "sbs", "projection": "equirectangular 180x180" if rig.projection == "equirect" else "fisheye",
        **({"fov_degrees": rig.degrees} if rig.projection == "fisheye" else {}),
        "eye_size": shoot.size, "frames": shoot.frames, "fps": scene.fps,
        "baseline_mm": round(rig.baseline_m * 1000, 2), "interocular_m": rig.baseline_m,
        "misalignment_degrees": dict(zip(("yaw", "pitch", "roll"), rig.misalignment_degrees, strict=True)),
        "hand_held_degrees": rig.hand_held_degrees,
        "rig": scene.to_json()["rig"], "sensor": scene.to_json()["sensor"], "gain": found["gain"],
        "background": {"place": scene.place, "licences": list(place.licences)},
        "people": people, "distractors": [d.kind for d in scene.distractors],
        "movers": [p.mesh.name for p in place.props if p.role == "mover"],
        "truth": {
            "alpha": "gray16le, 0..65535, visible coverage; gt_personN with what they hold; gt_held: that alone",
            "depth": "gray16le, millimetres along the ray, 0 for nobody",
            "disparity": shift_words("the same point in the other eye"),
            "flow": shift_words("the same point a frame later, in the same eye"),
            "foreground": colour_words("people's colour, not multiplied by alpha"),
            "background": colour_words("what is behind them, with their shadows"),
        },
        "recipe": scene.to_json(),
    }  # fmt: skip


def shift_words(what: str) -> dict[str, Any]:
    """What a file of displacements holds."""
    return {
        "what": f"gbrp16le; red x and green y pixels to {what}; blue {MARKS[1]}: hidden there, {MARKS[2]}: seen there, 0: nobody",
        "scale": SHIFT_SCALE, "offset": SHIFT_OFFSET, "pixels": "code / scale - offset",
    }  # fmt: skip


def colour_words(what: str) -> dict[str, Any]:
    """What a file of colours holds."""
    return {
        "what": f"gbrp16le; {what}; linear BT.709 as exposed, without noise", "power": develop.COLOUR_POWER, "peak": develop.COLOUR_PEAK,
        "light": "(code / 65535) ** (1 / power) * peak",
    }  # fmt: skip

"""python -m bench stills: windows of single people with alpha, for training."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera import develop
from bench.camera.projection import Eye
from bench.compose import foreground
from bench.film import colours, grown, points_of
from bench.people import Course, DataMissing, draw_person, make_actor
from bench.render.films import Film
from bench.render.job import Job, RenderError, times_of
from bench.scenes.contract import Place
from bench.scenes.draw import draw_sensor, generator, spot
from bench.scenes.places import PLACES

#: pictures of one person in one place: to make a person real costs as much as to render a picture
EACH = 8
FPS = 24


@dataclass(frozen=True, slots=True)
class Options:
    """size: pixels of a side. Samples a pixel: cover, colour, plate."""

    size: int = 512
    threads: int = 2
    assets: Path | None = None
    cover: int = 64
    colour: int = 10
    plate: int = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's."""
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for picture/, alpha/ and foreground/")
    parser.add_argument("--count", type=int, default=3000, help="pictures (3000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other people (1)")
    parser.add_argument("--size", type=int, default=512, help="pixels of a side (512)")
    parser.add_argument("--threads", type=int, default=2, help="the renderer's threads (2)")
    parser.add_argument("--assets", type=Path, help="folder of MakeHuman's CC0 assets; plainer clothes without")


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    if arguments.count < 1 or arguments.size < 64 or arguments.size % 16 or arguments.threads < 1:
        words = f"--count is {arguments.count}, --size {arguments.size}, --threads {arguments.threads}"
        print(f"bench stills: {words}; at least 1, a multiple of 16 from 64, and at least 1 are needed", file=sys.stderr)
        return 2
    if arguments.assets is not None and not arguments.assets.is_dir():
        print(f"bench stills: --assets is {arguments.assets}, which is no folder", file=sys.stderr)
        return 2
    options = Options(arguments.size, arguments.threads, arguments.assets)
    for group in range(-(-arguments.count // EACH)):
        wanted = range(group * EACH, min((group + 1) * EACH, arguments.count))
        start = time.perf_counter()
        try:
            done = make_group(arguments.seed, group, wanted, arguments.out, options)
        except (RenderError, DataMissing) as error:
            print(f"bench stills: pictures {wanted[0]} to {wanted[-1]}: {error}", file=sys.stderr)
            return 1
        if done:
            print(json.dumps({"pictures": [wanted[0], wanted[-1]], "seconds": round(time.perf_counter() - start, 1)}), flush=True)
    return 0


def make_group(seed: int, group: int, wanted: Sequence[int], out: Path, options: Options) -> bool:
    """The pictures of one person; False where all of them are there."""
    names = [f"{n:06d}" for n in wanted]
    if all((out / "alpha" / f"{name}.png").exists() for name in names):
        return False
    rng = generator("stills", seed, group, "group")
    place_name = str(rng.choice(list(PLACES)))
    place = PLACES[place_name](np.random.default_rng(int(rng.integers(2**31))))
    person = draw_person(int(rng.integers(2**31)))
    where = spot(rng, place, (1.5, 3.0), 40, [])
    course = Course((0.0,), (where,), (float(rng.uniform(-np.pi, np.pi)),))
    shutter = float(rng.uniform(0.05, 0.6))
    work = out / f".{group:06d}.work"
    job = Job(work, FPS, place.world, place.lamps, options.threads)
    job.scenery([p for p in place.props if p.role == "scenery"])
    # a still every second of what they do: each of its frames is a clip of one frame
    moments = [times_of(1, FPS, shutter, onset_s=1.0 * k) for k in range(len(names))]
    times = np.concatenate([m[:3] for m in moments] + [moments[-1][3:]])
    body = make_actor(person, options.assets).at(times, course)
    job.body("person1", "person", 1, body, frames=len(names), shutter_s=shutter / FPS)
    cameras = [camera(rng, points_of(body, slice(3 * k, 3 * k + 3)), place, options.size) for k in range(len(names))]
    for k, (eye, region) in enumerate(cameras):
        for kind, box, samples in (
            ("plate", (0, 0, options.size, options.size), options.plate),
            ("cover", region, options.cover),
            ("layers", region, options.colour),
        ):
            job.shots.append({
                "file": f"{k}_{kind}.exr", "kind": kind, "frame": k, "projection": "flat", "degrees": eye.degrees,
                "camera": eye.pose.tolist(), "size": options.size, "border": list(box), "samples": samples,
                "denoise": kind != "cover", "shutter": 0.0 if kind == "plate" else shutter, "aperture_m": 0.0, "focus_m": 2.0, "seed": k,
            })  # fmt: skip
    job.write()
    job.run()
    for folder in ("picture", "alpha", "foreground"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for k, name in enumerate(names):
        sensor = draw_sensor(rng, place)
        save(work, out, name, {"k": k, "region": cameras[k][1], "sensor": sensor, "size": options.size, "seed": [seed, group, k]})
    line = {"pictures": names, "place": place_name, "licences": list(place.licences), "person": asdict(person)}
    with (out / "people.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    shutil.rmtree(work)
    return True


def camera(rng: np.random.Generator, points: NDArray[np.float64], scene: Place, size: int) -> tuple[Eye, tuple[int, int, int, int]]:
    """A camera that sees the person, whole or in part, and the box of pixels that they are in."""
    low, high = points.min(0), points.max(0)
    middle, tall = (low + high) / 2, float((high - low).max())
    # from the ground's height to above the head, from any side; half of them nearer than the whole body fits
    aim = middle + rng.normal(0, 0.12, 3) * tall
    if rng.random() < 0.4:
        aim[1] = high[1] - rng.uniform(0.1, 0.4) * tall
    place, far = np.zeros(3), 0.0
    for _ in range(40):
        way, far = rng.uniform(-np.pi, np.pi), float(rng.uniform(1.2, 4.0))
        place = np.array([middle[0] + far * np.sin(way), rng.uniform(0.3, 2.2), middle[2] + far * np.cos(way)])
        # on the ground where people may be, or where the clips' camera is: not in a wall or a shelf
        inside = scene.free[0] <= place[0] <= scene.free[1] and scene.free[2] <= place[2] <= 1.0
        if inside and all(np.hypot(place[0] - x, place[2] - z) > r for x, z, r in scene.solid):
            break
    back = (place - aim) / np.linalg.norm(place - aim)
    side = np.cross([0.0, 1.0, 0.0], back)
    side /= np.linalg.norm(side)
    pose = np.eye(4)
    pose[:3, 0], pose[:3, 1], pose[:3, 2], pose[:3, 3] = side, np.cross(back, side), back, place
    whole = 2 * np.degrees(np.arctan(tall * 0.62 / far))
    eye = Eye("flat", size, float(np.clip(whole * rng.uniform(0.45, 1.4), 12, 100)), pose)
    pixels, _ = eye.places(points)
    ahead = (points - place) @ -back > 0.05
    region = grown(pixels[ahead].min(0), pixels[ahead].max(0), 4, size, 4) if ahead.any() else None
    return eye, region or (0, 0, 16, 16)


def save(work: Path, out: Path, name: str, what: dict[str, Any]) -> None:
    """One picture's three files; its alpha last, which says that the others are there."""
    k, size = what["k"], what["size"]
    x0, y0, x1, y1 = what["region"]
    plate = colours(Film(work / f"{k}_plate.exr"))
    cover = np.zeros((size, size), np.float32)
    front = np.zeros((size, size, 3), np.float32)
    film = Film(work / f"{k}_layers.exr")
    cover[y0:y1, x0:x1] = Film(work / f"{k}_cover.exr").coverage("CryptoAsset", ["person1"])["person1"]
    front[y0:y1, x0:x1] = foreground(colours(film), film.get("Combined.A")[..., 0], cover[y0:y1, x0:x1])
    light = front * cover[..., None] + plate * (1 - cover[..., None])
    gain = develop.exposure_for(light[y0:y1, x0:x1])
    counted = develop.exposed(light * gain, what["sensor"], np.random.default_rng(what["seed"]))
    write(out / "picture" / f"{name}.png", np.rint(develop.signal(counted, "bt709") * 255).astype(np.uint8))
    write(out / "foreground" / f"{name}.png", np.rint(develop.signal(np.clip(front * gain, 0, 1), "bt709") * 255).astype(np.uint8))
    write(out / "alpha" / f"{name}.png", np.rint(cover * 65535).astype(np.uint16))


def write(path: Path, picture: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """A PNG, whole or not at all."""
    partial = path.with_name(f".{path.name}")
    shown = picture if picture.ndim == 2 else picture[..., ::-1]
    good, data = cv2.imencode(".png", np.ascontiguousarray(shown))
    if not good:
        raise RenderError(f"{path} cannot be written as PNG")
    partial.write_bytes(data.tobytes())
    partial.rename(path)

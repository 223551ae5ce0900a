"""python -m bench generate SPLIT: draws the scenes of a split and renders them with their truth."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from bench.people import DataMissing
from bench.produce import Settings, produce
from bench.render.job import RenderError
from bench.scenes.contract import Scene
from bench.scenes.draw import SCENES, draw_scene

#: public seeds; a blind set's is drawn when a release is frozen
SEEDS = {"dev": 1, "test": 2}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's."""
    parser.add_argument("split", choices=["dev", "test", "blind"])
    parser.add_argument("--seed", type=int, help="dev has 1 and test 2 where none is given; blind needs one")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder for the scenes' folders")
    parser.add_argument("--scenes", default=f"0-{SCENES - 1}", help="such as 0-3 or 1,5,7 (all)")
    parser.add_argument("--size", type=int, default=1024, help="pixels of an eye's side (1024)")
    parser.add_argument("--frames", type=int, default=12, help="frames of a clip (12)")
    parser.add_argument("--jobs", type=int, default=1, help="scenes at a time (1)")
    parser.add_argument("--threads", type=int, default=2, help="the renderer's threads for one scene (2)")
    parser.add_argument("--assets", type=Path, help="folder of MakeHuman's CC0 assets; plainer clothes without")
    parser.add_argument("--keep", action="store_true", help="leave the renderer's films beside the scenes")
    parser.add_argument("--list", action="store_true", help="only say what the scenes are")


def main_arguments(words: Sequence[str]) -> argparse.Namespace:
    """Parsed as the command does."""
    parser = argparse.ArgumentParser(prog="bench generate")
    add_arguments(parser)
    return parser.parse_args(words)


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    seed = SEEDS.get(arguments.split) if arguments.seed is None else arguments.seed
    if seed is None:
        return wrong("a blind split needs --seed N, drawn when the release is frozen")
    if arguments.size < 64 or arguments.size % 16:
        return wrong(f"--size is {arguments.size}; a multiple of 16, at least 64, is needed")
    if arguments.frames < 1 or arguments.jobs < 1 or arguments.threads < 1:
        return wrong(f"--frames is {arguments.frames}, --jobs {arguments.jobs}, --threads {arguments.threads}; each has to be 1 or more")
    if arguments.assets is not None and not arguments.assets.is_dir():
        return wrong(f"--assets is {arguments.assets}, which is no folder")
    try:
        numbers = numbers_of(arguments.scenes)
        scenes = [draw_scene(arguments.split, seed, n) for n in numbers]
    except ValueError as error:
        return wrong(str(error))
    # those with nobody cost least, and crowds most
    scenes.sort(key=lambda s: len(s.cast))
    if arguments.list:
        for scene in sorted(scenes, key=lambda s: s.index):
            print(scene.name, " ".join(scene.tags))
        return 0
    settings = Settings(arguments.size, arguments.frames, arguments.threads, assets=arguments.assets, keep=arguments.keep)
    arguments.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    if arguments.jobs == 1:
        failed = sum(not one(scene, arguments.out, settings) for scene in scenes)
    else:
        with ProcessPoolExecutor(arguments.jobs) as pool:
            failed = sum(not done for done in pool.map(one, scenes, [arguments.out] * len(scenes), [replace(settings)] * len(scenes)))
    return 1 if failed else 0


def one(scene: Scene, out: Path, settings: Settings) -> bool:
    """Makes a scene and says so; False where the renderer failed."""
    start = time.perf_counter()
    try:
        seconds = produce(scene, out / scene.name, settings)
    except (RenderError, DataMissing) as error:
        print(f"{scene.name}: {error}", file=sys.stderr, flush=True)
        return False
    if not seconds:
        print(f"{scene.name}: is there", flush=True)
        return True
    line = {
        "scene": scene.name,
        "place": scene.place,
        "people": len(scene.cast),
        "seconds": round(time.perf_counter() - start, 1),
        **seconds,
    }
    print(json.dumps(line), flush=True)
    return True


def numbers_of(words: str) -> list[int]:
    """ "0-3,7" as numbers, each once. ValueError says what is allowed."""
    out: list[int] = []
    for part in words.split(","):
        first, dash, last = part.partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise ValueError(f"--scenes is {words!r}; such as 0-3 or 1,5,7 are allowed, of 0 to {SCENES - 1}")
        out += range(int(first), int(last or first) + 1)
    return sorted(set(out))


def wrong(words: str) -> int:
    """Says what cannot be done; status 2."""
    print(f"bench generate: {words}", file=sys.stderr)
    return 2

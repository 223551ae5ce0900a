"""What settings do and cost, on a clip whose truth is known: JSON on standard output, and a picture.

    python benchmarks/variants.py TRUTH_FOLDER --variant full: --variant half:processing.scale_factor=0.5 [--picture out.jpg]

A variant is a name and settings, with commas between them. All of them run in the same process with the same plan, each frame by one
after the other, so that noise hits all alike; ratios are against the first. Time is the engine's for a frame in order, without writing.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vr180_ofx.engine.plans import find_plan
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.threads import limit_threads
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.evaluate import evaluate
from vr180_ofx.quality.truth import Truth, find_prediction
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import tune_allocator

_KEYS = ("iou", "mad", "band_mad", "dtssd", "grad", "stereo_error", "stereo_error_of_the_truth", "everybody_found")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--clip", type=Path, help="default: clip.mp4 in the truth's folder")
    parser.add_argument("--variant", action="append", required=True, metavar="NAME:KEY=VALUE,KEY=VALUE")
    parser.add_argument("--frames", default="all")
    parser.add_argument("--timed", type=int, default=12, help="frames that are timed")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--index", type=int, help="the frame of the picture; default: the middle one")
    parser.add_argument("--view", default="left")
    parser.add_argument("--crop", type=float, nargs=4, metavar=("X0", "Y0", "X1", "Y1"), help="of the people's box, in shares of it")
    arguments = parser.parse_args()
    path = arguments.clip or arguments.truth / "clip.mp4"
    variants = {}
    for text in arguments.variant:
        name, _, pairs = text.partition(":")
        variants[name] = [p for p in pairs.split(",") if p]
    out: dict[str, Any] = {"clip": path.name, "frames": arguments.frames, "variants": {}}
    folders = {}
    with open_clip(path) as clip, tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        plan = find_plan(clip, clip.settings)
        settings = {name: Settings.from_values({"input": {"frames": arguments.frames}}, pairs) for name, pairs in variants.items()}
        servers = {name: stack.enter_context(FrameServer(clip, plan, s)) for name, s in settings.items()}
        frames = numbering(clip).parse(arguments.frames)[: arguments.timed + 1]
        times: dict[str, list[float]] = {name: [] for name in variants}
        for n in frames:
            for name, server in servers.items():
                start = time.perf_counter()
                server.request(n).result()
                times[name].append(time.perf_counter() - start)
        for name, s in settings.items():
            folders[name] = Path(folder) / name.replace(" ", "_")
            render(clip, plan, s, folders[name])
            overall = evaluate(folders[name], arguments.truth).overall
            stages = {k: round(1000 * v["seconds"] / len(frames), 1) for k, v in servers[name].stages.summary().items()}
            # the first one warms up
            row = {k: overall.get(k) for k in _KEYS} | {"ms": round(1000 * float(np.median(times[name][1:])), 1), "stages_ms": stages}
            out["variants"][name] = row
        first = next(iter(out["variants"].values()))
        for row in out["variants"].values():
            row["time_ratio"] = round(row["ms"] / first["ms"], 3)
        if arguments.picture:
            arguments.index = frames[len(frames) // 2] if arguments.index is None else arguments.index
            picture = pictures(clip.frame(arguments.index).eyes[arguments.view], folders, arguments)
            cv2.imwrite(str(arguments.picture), picture, [cv2.IMWRITE_JPEG_QUALITY, 88])
    json.dump(out, sys.stdout, indent=1)
    print()


def pictures(eye: Any, folders: dict[str, Path], arguments: argparse.Namespace) -> np.ndarray[Any, Any]:
    """The people over grey, by each variant and by the truth, side by side."""
    real = next(f for n, f in enumerate(Truth(arguments.truth).frames()) if n == arguments.index).union(arguments.view)
    ys, xs = np.nonzero(real > 0.3)
    width, height = xs.max() - xs.min(), ys.max() - ys.min()
    x0, y0, x1, y1 = arguments.crop or (-0.05, -0.05, 1.05, 1.05)
    box = Rect(int(xs.min() + x0 * width), int(ys.min() + y0 * height), int(xs.min() + x1 * width), int(ys.min() + y1 * height))
    box = box.clipped(eye.width, eye.height)
    rgb = eye.region(box)
    mattes = {name: find_prediction(f).read(arguments.index + 1)[arguments.view][""] for name, f in folders.items()} | {"truth": real}
    tiles = []
    for name, alpha in mattes.items():
        matte = np.repeat(alpha[box.slices][..., None], 3, axis=-1)
        both = np.concatenate([rgb * matte + 0.5 * (1 - matte), matte], axis=0)
        big = cv2.resize(both.astype(np.float32), (360, round(both.shape[0] * 360 / both.shape[1])), interpolation=cv2.INTER_AREA)
        canvas = Canvas(np.clip(big, 0, 1))
        canvas.text(name, 8, 18)
        tiles.append(np.pad(np.clip(canvas.picture, 0, 1)[..., ::-1] * 255, ((0, 0), (0, 6), (0, 0))).astype(np.uint8))
    return np.concatenate(tiles, axis=1)


if __name__ == "__main__":
    tune_allocator()
    limit_threads(1)
    main()

"""What the modes of stereo consistency do and cost, on a clip whose truth is known: JSON on standard output, and a picture.

    python benchmarks/stereo.py TRUTH_FOLDER [--clip CLIP] [--frames 1-24] [--picture stereo.jpg]

All modes run in the same process with the same plan; ratios are against `independent`. `flat cards` is `joint` with one distance for
each person instead of a measured surface: what a simpler model of people would give.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vr180_ofx.engine.plans import find_plan
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.imaging.threads import limit_threads
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality import metrics
from vr180_ofx.quality.evaluate import evaluate
from vr180_ofx.quality.truth import Truth, find_prediction
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings
from vr180_ofx.stereo import disparity, reconcile
from vr180_ofx.telemetry import tune_allocator

MODES = {
    "independent": {"consistency_mode": "independent"},
    "reference_eye": {"consistency_mode": "reference_eye"},
    "joint, flat cards": {"consistency_mode": "joint"},
    "joint": {"consistency_mode": "joint"},
}
_KEYS = ("iou", "mad", "band_mad", "stereo_error", "stereo_error_of_the_truth", "everybody_found")


def flat(pair: Any, in_left: Any, in_right: Any, parameters: Any) -> Any:
    """The measured surface, replaced by somebody upright and flat at its median distance."""
    found = disparity.measure(pair, in_left, in_right, parameters)
    if found is None:
        return None
    tangents = np.tan(found.laterals_left()) - np.tan(found.right.laterals())[None, :]
    sure = (found.mask > 0.5) & found.sure
    if not sure.any():
        return None
    shift = float(np.median((tangents / np.cos(found.right.elevations())[:, None])[sure]))
    card = disparity.at_distance(pair, in_right, shift, parameters, from_left=False)
    return replace(card, sure=np.ones_like(card.sure), mask=np.ones_like(card.mask))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("truth", type=Path)
    parser.add_argument("--clip", type=Path, help="default: clip.mp4 in the truth's folder")
    parser.add_argument("--frames", default="all")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--index", type=int, default=8, help="the frame of the picture")
    arguments = parser.parse_args()
    path = arguments.clip or arguments.truth / "clip.mp4"
    out: dict[str, Any] = {"clip": path.name, "frames": arguments.frames, "modes": {}}
    tiles = []
    with open_clip(path) as clip, tempfile.TemporaryDirectory() as folder:
        plan = find_plan(clip, clip.settings)
        with FrameServer(clip, plan) as server:
            server.request(0).result()  # what is done once is done
        for name, stereo in MODES.items():
            reconcile.measure = flat if "flat" in name else disparity.measure  # type: ignore[attr-defined, assignment]
            settings = Settings.from_values({"stereo": stereo, "input": {"frames": arguments.frames}})
            target = Path(folder) / name.replace(" ", "_")
            start = time.perf_counter()
            report = render(clip, plan, settings, target)
            seconds = time.perf_counter() - start
            overall = evaluate(target, arguments.truth).overall
            out["modes"][name] = {k: overall.get(k) for k in _KEYS} | {
                "fps": round(report.written / seconds, 3), "corrected": report.corrected,
            }  # fmt: skip
            tiles.append(tile(name, target, arguments.truth, arguments.index, overall["stereo_error"] or 0.0))
    reconcile.measure = disparity.measure  # type: ignore[attr-defined]
    alone = out["modes"]["independent"]
    for row in out["modes"].values():
        row["stereo_error_ratio"] = round(alone["stereo_error"] / row["stereo_error"], 3)
        row["cost_ratio"] = round(alone["fps"] / row["fps"], 3)
    if arguments.picture:
        height = max(t.shape[0] for t in tiles)
        padded = [np.pad(t, ((0, height - t.shape[0]), (0, 6), (0, 0))) for t in tiles]
        cv2.imwrite(str(arguments.picture), np.concatenate(padded, axis=1), [cv2.IMWRITE_JPEG_QUALITY, 88])
    json.dump(out, sys.stdout, indent=1)
    print()


def tile(name: str, folder: Path, truth_folder: Path, index: int, error: float) -> np.ndarray[Any, Any]:
    """Where the left matte, carried to the right eye by the truth, is not the right one: orange too much, blue too little."""
    truth = Truth(truth_folder)
    frame = next(f for n, f in enumerate(truth.frames()) if n == index)
    known = truth.counterpart(frame)
    assert known is not None
    views = find_prediction(folder).read(index + 1)
    right = views["right"][""]
    difference = np.nan_to_num(metrics.warp(views["left"][""], *known)) - np.where(known[1], right, 0)
    picture = np.repeat(right[..., None] * 0.35, 3, axis=-1)
    for sign, colour in ((1, (0.1, 0.6, 1.0)), (-1, (1.0, 0.6, 0.2))):
        picture += np.clip(sign * difference, 0, 1)[..., None] * np.array(colour)
    ys, xs = np.nonzero(frame.union("right") > 0.3)
    part = picture[max(0, ys.min() - 16) : ys.max() + 12, max(0, xs.min() - 12) : xs.max() + 12]
    big = cv2.resize(part.astype(np.float32), (420, round(part.shape[0] * 420 / part.shape[1])), interpolation=cv2.INTER_CUBIC)
    canvas = Canvas(np.clip(big, 0, 1)[..., ::-1].copy())
    canvas.text(f"{name}: {error:.4f}", 8, 18)
    out: np.ndarray[Any, Any] = (np.clip(canvas.picture, 0, 1)[..., ::-1] * 255).astype(np.uint8)
    return out


if __name__ == "__main__":
    tune_allocator()
    limit_threads(1)
    main()

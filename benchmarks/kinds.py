"""Frames made on arrays of NumPy and on tensors of PyTorch: how much they differ, how good both are, and how many steps tensors take.

    python benchmarks/kinds.py CLIP [--truth DIR] [--refiner guided|rvm] [--refiner-weights F] [--frames N] [--json]

Both on the CPU: tensors there are what a graphics card would work on (VR180_OFX_TENSORS=1), in the same steps. One line for each eye of all
frames; "operations" are those of the last frame once its networks have run, and what they cost a card at 7 microseconds a launch.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# files here are called like packages that they measure
ROOT = Path(__file__).resolve().parents[1]
sys.path = [str(ROOT), *[p for p in sys.path if Path(p or ".").resolve() != ROOT / "benchmarks"]]

from vr180_ofx.telemetry import Stages, tune_allocator  # noqa: E402

tune_allocator()  # as the command line does

import numpy as np  # noqa: E402

from benchmarks.support.operations import Operations  # noqa: E402
from vr180_ofx.engine.limits import LEVELS  # noqa: E402
from vr180_ofx.engine.models import Models  # noqa: E402
from vr180_ofx.engine.plans import analyse  # noqa: E402
from vr180_ofx.engine.recipe import load_recipe  # noqa: E402
from vr180_ofx.engine.server import FrameServer  # noqa: E402
from vr180_ofx.media.contract import Clip, SourceFrame  # noqa: E402
from vr180_ofx.media.on_device import on_device  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.quality.metrics import iou, mad  # noqa: E402
from vr180_ofx.quality.truth import Truth  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402

#: What a launch costs an H100, measured over the whole of a frame: from Python, one after the other.
LAUNCH_S = 7e-6


@contextmanager
def tensors(*, on: bool) -> Iterator[None]:
    """Pictures as tensors on the CPU, or as arrays."""
    before = os.environ.pop("VR180_OFX_TENSORS", None)
    if on:
        os.environ["VR180_OFX_TENSORS"] = "1"
    try:
        yield
    finally:
        os.environ.pop("VR180_OFX_TENSORS", None)
        if before is not None:
            os.environ["VR180_OFX_TENSORS"] = before


def made(clip: Clip, plan: Plan, settings: Settings, frames: int, *, as_tensors: bool) -> tuple[list[dict[str, Any]], float]:
    """For each frame: view -> (alpha, confidence), (h, w) float32 each; and seconds a frame."""
    with tensors(on=as_tensors):
        models = Models.of(settings)
        out = []
        with FrameServer(clip, plan, settings, models=models, keep_frames=False, prefetch=0) as server:
            begin = time.perf_counter()
            for n in range(frames):
                views = server.request(n).result().views
                out.append({view: (matte.alpha, matte.confidence) for view, matte in views.items()})
            return out, (time.perf_counter() - begin) / frames


def compared(clip: Clip, plan: Plan, settings: Settings, frames: int, truth: Truth | None = None) -> dict[str, Any]:
    """Both kinds of one clip's first frames: differences, and both beside the truth where there is one."""
    (arrays, array_s), (made_by_tensors, tensor_s) = (made(clip, plan, settings, frames, as_tensors=on) for on in (False, True))
    pairs = [(a[view], b[view]) for a, b in zip(arrays, made_by_tensors, strict=True) for view in a]
    facts: dict[str, Any] = {
        "frames": frames,
        "alpha_mean_difference": float(np.mean([np.abs(a[0] - b[0]).mean() for a, b in pairs])),
        "alpha_worst_frame": float(np.max([np.abs(a[0] - b[0]).mean() for a, b in pairs])),
        "alpha_largest_difference": float(np.max([np.abs(a[0] - b[0]).max() for a, b in pairs])),
        "confidence_mean_difference": float(np.mean([np.abs(a[1] - b[1]).mean() for a, b in pairs])),
        "arrays_s_per_frame": round(array_s, 3), "tensors_s_per_frame": round(tensor_s, 3),
    }  # fmt: skip
    if truth is not None:
        real = [t.union(view) for t, _ in zip(truth.frames(), range(frames), strict=False) for view in arrays[0]]
        for name, k in (("arrays", 0), ("tensors", 1)):
            facts[f"{name}_iou"] = float(np.mean([iou(pair[k][0], r) for pair, r in zip(pairs, real, strict=True)]))
            facts[f"{name}_mad"] = float(np.mean([mad(pair[k][0], r) for pair, r in zip(pairs, real, strict=True)]))
    return facts


def operations(clip: Clip, plan: Plan, settings: Settings, frame: int) -> Operations:
    """What finishing a frame takes, once its networks have run, on tensors."""
    recipe = load_recipe(Models.of(settings), eyes=len(clip.views), pool=None, stages=Stages())
    maker, memory = recipe.maker(plan, LEVELS[0]), recipe.network.begin()

    def shown(n: int) -> SourceFrame | None:
        return on_device(clip.frame(n), "cpu") if n < len(clip) else None

    try:
        for n in range(max(0, frame - 2), frame + 1):
            source = shown(n)
            assert source is not None
            memory, finish = maker.start(source, memory, {}, lambda k, n=n: shown(n + k))  # type: ignore[misc]
        finish()
        counted = Operations()
        with counted:
            finish()
    finally:
        recipe.close()
    return counted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--truth", type=Path, help="a folder with gt_person1.mkv and so on; by default the clip's own")
    parser.add_argument("--refiner", default="guided")
    parser.add_argument("--refiner-weights")
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--callers", type=int, default=0, help="so many functions that ask for the most operations are named")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    given = [f"matting.refiner={a.refiner}", "hardware.device=cpu"]
    if a.refiner_weights:
        given.append(f"matting.refiner_weights={Path(a.refiner_weights).resolve()}")
    settings = Settings.from_values({}, given)
    folder = a.truth or a.clip.parent
    with open_clip(a.clip, settings) as clip:
        plan = Plan.load(a.plan, clip) if a.plan else analyse(clip, settings)
        frames = min(a.frames, len(clip))
        truth = Truth(folder) if list(folder.glob("gt_person*.mkv")) else None
        facts = {"clip": str(a.clip), "refiner": a.refiner, **compared(clip, plan, settings, frames, truth)}
        counted = operations(clip, plan, settings, frames - 1)
    facts |= {"operations": counted.count, "launches_ms": round(1000 * LAUNCH_S * counted.count, 2)}
    facts |= {"most_by": dict(counted.callers.most_common(a.callers))} if a.callers else {}
    print(json.dumps(facts) if a.json else "\n".join(f"{k}: {v}" for k, v in facts.items()))


if __name__ == "__main__":
    main()

"""How many steps each stage asks of a graphics card, and how often it waits for one: counted on the CPU, where tensors take the same way.

    python benchmarks/launches.py CLIP --plan F [--refiner guided|rvm] [--refiner-weights F] [--frames N] [--set K=V] [--names] [--json]

A step is one call of PyTorch's that computes something: on a card each is a kernel or a few, and costs 5 to 10 microseconds of the thread
that asks for it, however small the picture. A wait is a number or an array that is brought down. Views of memory are neither. Masks are
ellipses from the plan's boxes: what networks do inside is not what this counts, apart from those that are asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# files here are called like packages that they measure
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ["VR180_OFX_TENSORS"] = "1"

import torch  # noqa: E402
from torch.overrides import TorchFunctionMode  # noqa: E402

from benchmarks.gpu import Boxes  # noqa: E402
from benchmarks.support.operations import Operations  # noqa: E402
from vr180_ofx.engine.models import Models  # noqa: E402
from vr180_ofx.engine.server import FrameServer  # noqa: E402
from vr180_ofx.imaging.on_torch import transfer  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402
from vr180_ofx.telemetry import Stages  # noqa: E402

#: Calls that wait for what they ask for.
_COLUMNS = ("steps_per_frame", "steps_per_window", "waits_per_frame")
_WAITS = {"cpu", "item", "tolist", "__bool__", "__float__", "__int__", "__array__", "nonzero"}


class _Waits(TorchFunctionMode):
    def __init__(self, count: Counter[str]) -> None:
        super().__init__()
        self.count = count

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in _WAITS:
            self.count["wait"] += 1
        return func(*args, **(kwargs or {}))


def _at_once(tensors: Any) -> Any:
    """`transfer.to_host`, which is one wait and two steps however many there are."""
    for count in _THREAD.__dict__.get("stack", []):
        count.update({"wait": 1, "to_host": 2})
    return [t.detach().numpy() for t in tensors]


class Counting(Stages):
    """Counts the steps of the innermost stage of each thread."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: dict[str, Counter[str]] = defaultdict(Counter)

    @contextlib.contextmanager
    def measure(self, stage: str) -> Iterator[None]:
        own: Counter[str] = Counter()
        outer: list[Counter[str]] = _THREAD.__dict__.setdefault("stack", [])
        outer.append(own)
        try:
            with super().measure(stage), _Waits(own), Operations(own):
                yield
        finally:
            outer.pop()
            with self._lock:
                self.steps[stage].update(own)
                # outer stages saw them, too
                for count in outer:
                    count.subtract(own)


_THREAD = threading.local()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip", type=Path)
    parser.add_argument("--plan", type=Path, required=True)
    parser.add_argument("--refiner", default="guided")
    parser.add_argument("--refiner-weights", type=Path)
    parser.add_argument("--size", type=int, default=512, help="of windows, pixels")
    parser.add_argument("--frames", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="K=V")
    parser.add_argument("--names", action="store_true", help="which calls, too")
    parser.add_argument("--json", action="store_true")
    a = parser.parse_args()
    transfer.to_host = _at_once
    words = ["hardware.device=cpu", "hardware.threads=1", f"matting.refiner={a.refiner}", f"matting.window_size={a.size}", *a.set]
    if a.refiner_weights:
        words.append(f"matting.refiner_weights={a.refiner_weights.resolve()}")
    settings, stages = Settings.from_values({}, words), Counting()
    with open_clip(a.clip, settings) as clip, torch.inference_mode():
        plan = Plan.load(a.plan, clip)
        windows = sum(len(plan.present(n, view)) for n in range(a.frames) for view in clip.views)
        with FrameServer(
            clip, plan, settings, models=Models.of(settings), tracker=Boxes(a.size), stages=stages, keep_frames=False, cache_bytes=64 << 20
        ) as server:
            for n in range(a.frames):
                server.request(n).result()
    facts: dict[str, Any] = {
        "clip": a.clip.name,
        "refiner": a.refiner,
        "size": a.size,
        "frames": a.frames,
        "windows": windows,
        "stages": {},
    }
    for stage, count in sorted(stages.steps.items(), key=lambda s: -sum(s[1].values())):
        waits = count.pop("wait", 0)
        steps = sum(count.values())
        if steps or waits:
            row = zip(_COLUMNS, (steps / a.frames, steps / windows, waits / a.frames), strict=True)
            facts["stages"][stage] = {k: round(v, 1) for k, v in row}
            if a.names:
                facts["stages"][stage]["names"] = {k: round(v / a.frames, 1) for k, v in count.most_common() if v}
    total = {k: round(sum(s[k] for s in facts["stages"].values()), 1) for k in _COLUMNS}
    facts["all"] = total
    if a.json:
        print(json.dumps(facts))
        return
    print(f"{a.clip.name}, {a.refiner}, windows of {a.size}: {windows} windows in {a.frames} frames")
    for stage, row in {**facts["stages"], "all": total}.items():
        numbers = (row[k] for k in _COLUMNS)
        print("{:10s} {:8.1f} steps a frame {:8.1f} a window {:6.1f} waits a frame".format(stage, *numbers))
        for name, times in row.get("names", {}).items():
            print(f"    {times:6.1f} {name}")


if __name__ == "__main__":
    main()

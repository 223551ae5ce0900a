"""How fast RVM is, over resolutions, ratios and types of numbers: JSON on standard output.

    python benchmarks/rvm.py [--weights F] [--device cpu] [--sizes 288x512,512x512,1080x1920] [--ratios 1,0.25] [--dtypes float32,bfloat16]
        [--sequences 2,4,8]

Without weights, random ones: that is as fast. Each row has the ratio to the network as it was published (no folding, default layout of
memory) in the same run, one after the other; on a CPU at ratio 1 there is the compiled network that windows use, too, on its one thread,
and the published one on one thread beside it. ``sequences`` says what a picture takes when several frames in order are given at once, in
milliseconds and of the time that it takes by itself: whether that is faster depends on the device.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from vr180_ofx.matte.rvm.compiled import CompiledRvm
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.matte.rvm.model import Rvm
from vr180_ofx.matte.rvm.network import RvmNetwork


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--variant", default="mobilenetv3", help="of random weights")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--sizes", default="288x512,512x512,1080x1920", help="height x width")
    parser.add_argument("--ratios", default="1,0.25")
    parser.add_argument("--dtypes", default="float32,bfloat16")
    parser.add_argument("--sequences", default="", help="numbers of frames that are given at once")
    parser.add_argument("--frames", type=int, default=5)
    arguments = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        weights = arguments.weights or Path(folder) / "random.pth"
        if arguments.weights is None:
            # graphs of random weights are of no use to anybody later
            os.environ["VR180_OFX_CACHE"] = folder
            torch.save(RvmNetwork(arguments.variant).state_dict(), weights)
        for dtype in arguments.dtypes.split(","):
            networks = {name: Rvm(weights, arguments.device, dtype, plain=name == "published") for name in ("published", "here")}
            for size in arguments.sizes.split(","):
                height, width = (int(v) for v in size.split("x"))
                picture = np.random.default_rng(0).random((1, height, width, 3)).astype(np.float32)
                for ratio in (float(r) for r in arguments.ratios.split(",")):
                    seconds = {name: timed(network, picture, ratio, arguments.frames) for name, network in networks.items()}
                    sequences = {}
                    for count in (int(c) for c in arguments.sequences.split(",") if c):
                        each = timed_sequence(networks["here"], picture, count, ratio, arguments.frames)
                        sequences[str(count)] = {"ms": round(1000 * each, 1), "of_one": round(each / seconds["here"], 3)}
                    compiled = {}
                    if arguments.device == "cpu" and ratio == 1:
                        windows = timed(CompiledRvm(weights, dtype), picture, None, arguments.frames)
                        threads = torch.get_num_threads()
                        torch.set_num_threads(1)
                        one = timed(networks["published"], picture, 1.0, arguments.frames)
                        torch.set_num_threads(threads)
                        compiled = {
                            "compiled_ms": round(1000 * windows, 1),
                            "times_faster_than_published_on_one_thread": round(one / windows, 3),
                        }
                    rows.append(
                        {
                            "size": size, "downsample": ratio, "dtype": dtype, "ms": round(1000 * seconds["here"], 1),
                            "fps": round(1 / seconds["here"], 2),
                            "times_faster_than_published": round(seconds["published"] / seconds["here"], 3),
                            **compiled, **({"sequences": sequences} if sequences else {}),
                        }
                    )  # fmt: skip
    print(json.dumps({"benchmark": "rvm", "device": arguments.device, "torch": torch.__version__, "rows": rows}, indent=1))


def timed(network: Rvm | CompiledRvm, picture: np.ndarray, ratio: float | None, frames: int) -> float:
    """Seconds for a frame, the median; the first one warms up. What comes back is on the CPU, so a GPU is waited for."""
    given = () if ratio is None else (ratio,)
    states: Sequence[State | None] = [None]
    times = []
    for _ in range(frames + 1):
        start = time.perf_counter()
        states = network.step(picture, states, *given)[1]
        times.append(time.perf_counter() - start)
    return float(np.median(times[1:]))


def timed_sequence(network: Rvm, picture: np.ndarray, count: int, ratio: float, frames: int) -> float:
    """Seconds for each of ``count`` frames that are given at once, the median."""
    batch = torch.from_numpy(np.repeat(picture, count, axis=0)).permute(0, 3, 1, 2)
    batch = batch.to(network.device, network.dtype, memory_format=network.layout).reshape(1, count, 3, *picture.shape[1:3])
    memory, times = [None] * 4, []
    for _ in range(frames + 1):
        start = time.perf_counter()
        with torch.inference_mode():
            _, alpha, *memory = network.network(batch, *memory, downsample_ratio=ratio)
            alpha.float().cpu()
        times.append((time.perf_counter() - start) / count)
    return float(np.median(times[1:]))


if __name__ == "__main__":
    main()

"""RVM as people run it: the network as it was published on whole frames at downsample 0.25, with its own filter up to full resolution.

    python benchmarks/rvm_whole_frame.py CLIP WEIGHTS [--frames N] [--ratio R] [--tuned]

One thing after the other, in PyTorch: decoding to 8-bit RGB, the network, and the alpha written as EXR (half, zips) by the OpenEXR library.
Prints JSON: median seconds a frame of the network alone and of the whole job; the first frame warms up and does not count. With --tuned the
process keeps freed memory, as ours do (`telemetry.tune_allocator`): without, a third of the time goes into asking the system for it.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("clip")
parser.add_argument("weights", type=Path)
parser.add_argument("--frames", type=int, default=4)
parser.add_argument("--ratio", type=float, default=0.25)
parser.add_argument("--tuned", action="store_true")
arguments = parser.parse_args()

if arguments.tuned:
    from vr180_ofx.telemetry import tune_allocator

    tune_allocator()
    from vr180_ofx.imaging.threads import limit_threads

    limit_threads(1)

import av  # noqa: E402
import numpy as np  # noqa: E402
import OpenEXR  # noqa: E402
import torch  # noqa: E402

from vr180_ofx.matte.rvm.model import load_network  # noqa: E402


def main() -> None:
    network = load_network(arguments.weights)
    memory, alone, jobs = [None] * 4, [], []
    header = {"compression": OpenEXR.ZIPS_COMPRESSION, "type": OpenEXR.scanlineimage}
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as folder, av.open(arguments.clip) as clip, torch.inference_mode():
        clip.streams.video[0].thread_type = "AUTO"
        frames = clip.decode(video=0)
        for n in range(arguments.frames + 1):
            start = time.perf_counter()
            picture = torch.from_numpy(next(frames).to_ndarray(format="rgb24")).permute(2, 0, 1).contiguous().float().div(255).unsqueeze(0)
            before = time.perf_counter()
            _, alpha, *memory = network(picture, *memory, downsample_ratio=arguments.ratio)
            alone.append(time.perf_counter() - before)
            channels = {"A": alpha[0, 0].half().numpy()}
            OpenEXR.File(header, channels).write(str(Path(folder) / f"{n:04}.exr"))
            jobs.append(time.perf_counter() - start)
    seconds = {"network_alone_s": float(np.median(alone[1:])), "decoded_to_written_s": float(np.median(jobs[1:]))}
    print(json.dumps({"benchmark": "rvm_whole_frame", "downsample": arguments.ratio, "tuned": arguments.tuned, **seconds}))


if __name__ == "__main__":
    main()

"""Frames per second of a whole render at full output resolution, the share of each stage, and the ratio to the floor.

The floor is what stays when no matte is made: decoding every frame and writing the same EXR files by the OpenEXR library, measured
in the same run. Our own writer takes less time, so the ratio to decoding and that is given, too.

    python benchmarks/render.py CLIP [--frames N] [--refiner rvm --refiner-weights F [--whole-frame]] [--json]

With --whole-frame, RVM as people run it beside it, in processes of their own (`rvm_whole_frame.py`): the network as published, on whole
frames at downsample 0.25, with its own filter up to full resolution. As a process is, and with its memory kept as ours keeps it; and of
each the network alone, and the same job as here, one thing after the other. Its first frame, which warms up, does not count; ours does in
"render_alone", and does not in "after_the_first_frame".
With --cores 1,2,4,8,16 the same render in processes that may use so many cores each, one after the other: how it scales, and which stages
take longer when more of them run side by side (the interpreter's lock, memory).
With more frames than the clip has, the clip is repeated by copying its packets: for the memory of long clips.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

from vr180_ofx.telemetry import Stages, resident_bytes, tune_allocator

tune_allocator()  # as the command line does, before anything heavy is loaded

import av  # noqa: E402
import numpy as np  # noqa: E402
import OpenEXR  # noqa: E402

import vr180_ofx  # noqa: E402
from vr180_ofx.engine.plans import analyse  # noqa: E402
from vr180_ofx.engine.server import FrameServer  # noqa: E402
from vr180_ofx.imaging.threads import limit_threads  # noqa: E402
from vr180_ofx.media.contract import Clip  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.output.contract import Job  # noqa: E402
from vr180_ofx.output.formats import make_writer  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.rendering.render import identity, render  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=0, help="repeat the clip up to so many frames")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="K=V")
    parser.add_argument("--refiner", help="matting.refiner")
    parser.add_argument("--refiner-weights", metavar="F")
    parser.add_argument("--whole-frame", type=int, nargs="?", const=4, default=0, metavar="N", help="frames of RVM on whole frames, too")
    parser.add_argument("--cores", metavar="N,N", help="renders by so many cores, for instance 1,2,4,8,16; more than there are is left out")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    if arguments.cores:
        print(json.dumps(scaling([int(n) for n in arguments.cores.split(",")]), indent=None if arguments.json else 1))
        return
    for key in ("refiner", "refiner_weights"):
        if getattr(arguments, key):
            arguments.overrides.append(f"matting.{key}={getattr(arguments, key)}")
    limit_threads(1)  # as the command line does
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as name:
        result = measure(Path(arguments.clip), Path(name), arguments.frames, arguments.overrides)
    if arguments.whole_frame:
        ours = {k.removeprefix("fps_"): v for k, v in result.items() if k.startswith("fps_")}
        result["rvm_on_whole_frames"] = {}
        for name, more in (("as people run it", []), ("with memory kept as here", ["--tuned"])):
            found = whole_frame(arguments.clip, arguments.refiner_weights, arguments.whole_frame, more)
            for what in ("network_alone", "decoded_to_written"):
                seconds = found[f"{what}_s"]
                slower = {f"times_slower_than_{k}": round(seconds * fps, 3) for k, fps in ours.items()}
                result["rvm_on_whole_frames"][f"{name}, {what}"] = {"s_per_frame": round(seconds, 3), **slower}
    print(json.dumps(result, indent=None if arguments.json else 1))


def measure(path: Path, work: Path, frames: int, overrides: list[str]) -> dict[str, Any]:
    # frames of an earlier run would be found in the user's own cache
    settings = Settings.from_values({}, [f"service.cache_dir={work / 'cache'}", *overrides])
    if frames:
        path = repeated(path, work / f"{path.stem}.mkv", frames)
    clip = open_clip(path, settings)
    stages = Stages()
    start = time.perf_counter()
    plan = analyse(clip, settings, stages=stages)
    analysed = time.perf_counter() - start
    out = work / "out"
    memory: dict[int, int] = {}
    peak, times = [0], []
    with Sweeper(out, keep=not frames):

        def progress(done: int, total: int) -> None:
            times.append(time.perf_counter())
            peak[0] = max(peak[0], resident_bytes())
            if done in (100, 200, 500, 1000, 1500, 2000) or done == total:
                memory[done] = resident_bytes()

        start = time.perf_counter()
        report = render(
            clip, plan, settings.with_overrides(["debugging.frame_count_validation=false"]) if frames else settings, out,
            progress=progress, stages=stages,
        )  # fmt: skip
        rendered = time.perf_counter() - start
    floor = measure_floor(clip, plan, settings, work / "floor")
    count = len(clip)
    total = analysed + rendered
    busy = sum(v["seconds"] for v in report.stages.values())
    per_frame = total / count
    return {
        "benchmark": "render",
        "version": vr180_ofx.__version__,
        "machine": {"processor": platform.processor() or platform.machine(), "python": platform.python_version()},
        "clip": {"frames": count, "eye_size": list(clip.eye_size), "people": len(plan.people)},
        "fps_end_to_end": round(count / total, 3),
        "fps_render_alone": round(count / rendered, 3),
        "fps_after_the_first_frame": round((len(times) - 1) / (times[-1] - times[0]), 3),
        "seconds": {"analyse": round(analysed, 2), "render": round(rendered, 2)},
        "floor": {k: round(v, 4) for k, v in floor.items()},
        "ratio_to_floor": round(per_frame / (floor["decode_s_per_frame"] + floor["openexr_write_s_per_frame"]), 3),
        "ratio_to_floor_with_our_writer": round(per_frame / (floor["decode_s_per_frame"] + floor["our_write_s_per_frame"]), 3),
        "share_of_stages": {k: round(v["seconds"] / busy, 3) for k, v in report.stages.items()},
        "ms_per_frame_of_stages": {k: round(1000 * v["seconds"] / count, 1) for k, v in report.stages.items()},
        "resident_mb": {"peak": peak[0] >> 20, **{f"at frame {k}": v >> 20 for k, v in memory.items()}},
    }


def scaling(counts: list[int]) -> dict[str, Any]:
    """The render that the command line describes, by so many cores each time."""
    here = sorted(os.sched_getaffinity(0))
    own = [a for k, a in enumerate(sys.argv) if a != "--cores" and not a.startswith("--cores=") and sys.argv[k - 1] != "--cores"]
    rows: dict[int, dict[str, Any]] = {}
    for count in counts:
        if count > len(here):
            continue
        cores = set(here[:count])
        run = subprocess.run(
            [sys.executable, *own, "--json", "--set", f"hardware.threads={count}"], check=True, stdout=subprocess.PIPE, text=True,
            preexec_fn=partial(os.sched_setaffinity, 0, cores),
        )  # fmt: skip
        rows[count] = json.loads(run.stdout)
    least = min(rows)
    base = rows[least]
    out = {}
    for count, row in rows.items():
        fps, stages = row["fps_after_the_first_frame"], row["ms_per_frame_of_stages"]
        slower = {k: round(v / base["ms_per_frame_of_stages"][k], 2) for k, v in stages.items() if base["ms_per_frame_of_stages"].get(k)}
        out[str(count)] = {
            "fps": fps, "efficiency": round(fps / base["fps_after_the_first_frame"] * least / count, 3),
            "ms_per_frame_of_stages": stages, "stages_times_longer": slower, "resident_mb": row["resident_mb"]["peak"],
        }  # fmt: skip
    return {"benchmark": "render by cores", "cores_here": len(here), "clip": base["clip"], "by_cores": out}


def whole_frame(clip: str, weights: str, frames: int, more: list[str]) -> dict[str, Any]:
    program = Path(__file__).with_name("rvm_whole_frame.py")
    done = subprocess.run(
        [sys.executable, str(program), clip, weights, "--frames", str(frames), *more], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure_floor(clip: Clip, plan: Plan, settings: Settings, folder: Path, limit: int = 24) -> dict[str, float]:
    """Decoding in order, and writing frames that are already there, each by itself: by OpenEXR, and by our writer."""
    count = min(limit, len(clip))
    reader = clip.reopen()
    start = time.perf_counter()
    for n in range(count):
        reader.frame(n)
    decode = (time.perf_counter() - start) / count
    reader.close()
    folder.mkdir()
    with FrameServer(clip, plan, settings) as server:
        frames = [server.request(n).result() for n in range(min(8, count))]
    job = Job(clip, plan, settings, folder, "floor", identity(clip, plan, settings), tuple(range(len(frames))))
    writer = make_writer(job)
    writer.write(frames[0], None)
    start = time.perf_counter()
    for frame in frames:
        writer.write(frame, None)
    ours = (time.perf_counter() - start) / len(frames)
    library = 0.0
    OpenEXR.set_global_thread_count(os.cpu_count() or 1)
    for frame in frames:
        for path in writer.paths(frame.index):
            library += _written_by_openexr(path, folder / "library.exr")
    return {
        "decode_s_per_frame": decode,
        "openexr_write_s_per_frame": library / len(frames),
        "our_write_s_per_frame": ours,
    }


def _written_by_openexr(path: Path, target: Path) -> float:
    """Seconds that the library takes to write what is in ``path``, from memory."""
    with OpenEXR.File(str(path), separate_channels=True) as held:
        parts = []
        for part in held.parts:
            header = {k: v for k, v in part.header.items() if k not in ("channels", "chunkCount", "name")}
            channels = {name: np.ascontiguousarray(channel.pixels) for name, channel in part.channels.items()}
            parts.append(OpenEXR.Part(header, channels, part.header.get("name", "")))
        start = time.perf_counter()
        OpenEXR.File(parts).write(str(target))
        return time.perf_counter() - start


def repeated(path: Path, target: Path, frames: int) -> Path:
    """The video packets of ``path`` again and again, without recoding."""
    done = 0
    with av.open(str(target), "w") as out:
        with av.open(str(path)) as source:
            stream = out.add_stream_from_template(source.streams.video[0])
        offset = 0
        while done < frames:
            with av.open(str(path)) as source:
                video = source.streams.video[0]
                last = 0
                for packet in source.demux(video):
                    if packet.dts is None or packet.pts is None or done >= frames:
                        continue
                    last = max(last, packet.pts + (packet.duration or 1))
                    packet.pts += offset
                    packet.dts += offset
                    packet.stream = stream
                    out.mux(packet)
                    done += 1
                offset += last
    return target


class Sweeper:
    """Removes finished frames of long runs, so that the disk does not fill up; keeps the newest ones."""

    def __init__(self, folder: Path, *, keep: bool) -> None:
        self._folder, self._keep = folder, keep
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Sweeper:
        if not self._keep:
            self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        if not self._keep:
            self._thread.join()
            shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self) -> None:
        while not self._stop.wait(5):
            for old in sorted(p for p in self._folder.glob("*.exr") if not p.name.startswith("."))[:-8]:
                old.unlink(missing_ok=True)


if __name__ == "__main__":
    main()

"""What other edge controls cost on a rendered clip: seconds, network steps, bits; and milliseconds a frame of each control.

    python benchmarks/edges.py CLIP [--frames N] [--set K=V] [--json]

A clip is rendered without controls, then with some into another folder, then the same from nothing (with an empty cache), and the two are
compared pixel by pixel. Beside it, what cannot be saved: reading the frames that are kept and writing them with their edges as they were,
and writing alone. These are done by turns, three times.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vr180_ofx.telemetry import Stages, tune_allocator

tune_allocator()  # as the command line does, before anything heavy is loaded

import numpy as np  # noqa: E402
import OpenEXR  # noqa: E402

from vr180_ofx.engine.controlled import Controls  # noqa: E402
from vr180_ofx.engine.frame import Frame  # noqa: E402
from vr180_ofx.engine.models import Models  # noqa: E402
from vr180_ofx.engine.plans import analyse  # noqa: E402
from vr180_ofx.engine.server import FrameServer  # noqa: E402
from vr180_ofx.engine.store import open_store  # noqa: E402
from vr180_ofx.imaging.threads import limit_threads  # noqa: E402
from vr180_ofx.media.contract import Clip, SourceFrame  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.output.contract import Job  # noqa: E402
from vr180_ofx.output.formats import make_writer  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.rendering.render import identity, render  # noqa: E402
from vr180_ofx.rendering.report import RenderReport  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402

_TURNS = 3
#: What is changed, as a compositor would.
OTHER = {"size": -1.5, "black_clip": 0.05, "feather": 2.0, "despeckle": 40.0, "close_holes": 40.0}
#: Each control by itself, for its milliseconds.
EACH: dict[str, dict[str, Any]] = {
    "size 1": {"size": 1.0}, "size -1.5": {"size": -1.5}, "size 20": {"size": 20.0}, "feather 2": {"feather": 2.0},
    "feather 40": {"feather": 40.0}, "softness": {"softness": -1.0}, "clips": {"black_clip": 0.05, "white_clip": 0.95},
    "gamma": {"gamma": 1.5}, "despeckle": {"despeckle": 40.0}, "close_holes": {"close_holes": 40.0}, "temporal": {"temporal": 1.0},
    "clips, keep_motion_blur": {"black_clip": 0.05, "keep_motion_blur": True}, "size -1.5 mrad": {"size": -1.5, "unit": "milliradians"},
    "size 20 mrad": {"size": 20.0, "unit": "milliradians"}, "together": OTHER,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--frames", type=int, default=8, help="from the first on")
    parser.add_argument("--set", action="append", default=[], dest="overrides", metavar="K=V")
    parser.add_argument("--json", action="store_true", help="one JSON object and nothing else")
    arguments = parser.parse_args()
    limit_threads(1)  # as the command line does
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as name:
        print(json.dumps(measure(arguments.clip, Path(name), arguments.frames, arguments.overrides), indent=1))


def measure(path: str, scratch: Path, count: int, overrides: list[str]) -> dict[str, Any]:
    def settings_with(cache: str, edges: dict[str, Any]) -> Settings:
        values = {"service": {"cache_dir": str(scratch / cache)}, "input": {"frames": f"index:0-{count - 1}"}, "edges": edges}
        return Settings.from_values(values, overrides)

    plain, other, nothing = settings_with("one", {}), settings_with("one", OTHER), settings_with("two", OTHER)
    with open_clip(path, plain) as clip:
        count = min(count, len(clip))
        plan = analyse(clip, plain)
        first = rendered(clip, plan, plain, scratch / "plain")
        entries = [p.stat().st_size for p in (scratch / "one").rglob("*.entry")]
        frames = kept(clip, plan, plain, count)
        # by turns: others may use the cores, too
        again, kept_again, writing = [], [], []
        for k in range(_TURNS):
            again.append(rendered(clip, plan, other, scratch / f"other{k}"))
            kept_again.append(rendered(clip, plan, plain, scratch / f"plain{k}"))
            writing.append(spent(lambda k=k: write(clip, plan, other, frames, scratch / f"written{k}")))  # type: ignore[misc]
        fresh = rendered(clip, plan, nothing, scratch / "nothing")
        return {
            "clip": str(clip.path), "frames": count, "eye": list(clip.eye_size), "people": len(plan.people),
            "machine": f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores",
            "load_before": os.getloadavg()[0],
            "first_render": first, "other_edges": again, "same_edges": kept_again, "from_nothing": fresh,
            "same_bits": all(same(scratch / f"other{k}", scratch / "nothing") for k in range(_TURNS)),
            "writing_alone": [{"seconds": round(s, 3), "cpu_s": round(c, 3)} for s, c in writing],
            "other_edges_over_writing": [round(a["seconds"] / s, 2) for a, (s, _) in zip(again, writing, strict=True)],
            "other_edges_over_writing_cpu": [round(a["cpu_s"] / c, 2) for a, (_, c) in zip(again, writing, strict=True)],
            "kept_frame_mb": round(max(entries, default=0) / 1e6, 2), "kept_mb_of_all": round(sum(entries) / 1e6, 1),
            "frame_mb_in_memory": round(frames[0].nbytes / 1e6, 1),
            "cpu_ms_a_frame": each(clip, plan, plain, frames),
        }  # fmt: skip


def rendered(clip: Clip, plan: Plan, settings: Settings, folder: Path) -> dict[str, Any]:
    """A render as the command line makes it, with the steps of the network counted."""
    stages = Stages()
    with FrameServer(clip, plan, settings, stages=stages, store=open_store(settings), cache_bytes=64 << 20) as server:
        reports: list[RenderReport] = []
        took, cpu = spent(lambda: reports.append(render(clip, plan, settings, folder, server=server, stages=stages)))
        steps, report = server.steps, reports[0]
    wanted = ("cache: write", "cache: read", "controls", "write")
    parts = {name: row["seconds"] for name, row in stages.summary().items() if name in wanted}
    return {"seconds": round(took, 3), "cpu_s": round(cpu, 3), "steps": steps, "written": report.written, "stages_s": parts}


def kept(clip: Clip, plan: Plan, settings: Settings, count: int) -> list[Frame]:
    with FrameServer(clip, plan, settings, store=open_store(settings), cache_bytes=64 << 20) as server:
        return [server.request(n).result() for n in range(count)]


def write(clip: Clip, plan: Plan, settings: Settings, frames: list[Frame], folder: Path) -> None:
    folder.mkdir()
    models = Models.of(settings)
    writer = make_writer(Job(clip, plan, settings, folder, clip.name, identity(clip, plan, settings, models), tuple(range(len(frames)))))
    for frame in frames:
        writer.write(frame, None)
    writer.finish()


def each(clip: Clip, plan: Plan, settings: Settings, frames: list[Frame]) -> dict[str, int]:
    """Each control on a frame in the middle, with pictures that are decoded already; the least CPU time of three."""
    n = len(frames) // 2
    beside = {k: frames[k] for k in (n - 1, n, n + 1) if 0 <= k < len(frames)}
    pictures: dict[int, SourceFrame] = {k: clip.frame(k) for k in beside}
    out = {}
    for name, edges in EACH.items():
        controls = Controls(plan, settings, clip.geometry.layout, edges)
        times = []
        for _ in range(3):
            begin = time.thread_time()
            controls.apply(beside, n, pictures.__getitem__)
            times.append(time.thread_time() - begin)
        out[name] = round(min(times) * 1000)
    return out


def spent(work: Callable[[], Any]) -> tuple[float, float]:
    """(seconds, seconds of all cores together)."""
    begin, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - begin, time.process_time() - cpu


def same(one: Path, other: Path) -> bool:
    """Whether two folders hold the same pixels."""
    names = sorted(p.name for p in one.glob("*.exr"))
    if not names or names != sorted(p.name for p in other.glob("*.exr")):
        return False
    for name in names:
        with OpenEXR.File(str(one / name), separate_channels=True) as a, OpenEXR.File(str(other / name), separate_channels=True) as b:
            for p, q in zip(a.parts, b.parts, strict=True):
                if p.channels.keys() != q.channels.keys():
                    return False
                if not all(np.array_equal(p.channels[c].pixels, q.channels[c].pixels) for c in p.channels):
                    return False
    return True


if __name__ == "__main__":
    main()

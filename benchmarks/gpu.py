"""What a graphics card makes of a clip: whole ways from the file to patches in memory and to EXR files, stages, seeking, and references.

    python benchmarks/gpu.py CLIP --plan F [--refiner-weights F] [--device cuda:0] [--frames N] [--seconds 280] [--only WAY,...] [--json]

Each measurement is one line of JSON as soon as it is there, the most wanted first; what there is no time for is named. SAM 2 has random
weights, which see somebody nearly everywhere: the worst case for all that comes after. "boxes" is a tracker that takes the plan's boxes
for masks and costs nothing: what is left is decoding, windows, RVM, and all that finishes a frame. Load and memory of the card are those
that nvidia-smi shows. References in the same run: SAM 2's own video predictor (two people, one eye), RVM on whole frames.
With --device cpu the same ways run on tensors on the CPU, which shows that they run, and nothing of a card.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# files here are called like packages that they measure
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

from vr180_ofx.telemetry import Stages, resident_bytes, tune_allocator  # noqa: E402

tune_allocator()  # as the command line does
os.environ.setdefault("TQDM_DISABLE", "1")

import numpy as np  # noqa: E402
import torch  # noqa: E402

import vr180_ofx  # noqa: E402
from vr180_ofx.engine.models import Models  # noqa: E402
from vr180_ofx.engine.server import FrameServer  # noqa: E402
from vr180_ofx.engine.store import DiskStore  # noqa: E402
from vr180_ofx.imaging.either import beside  # noqa: E402
from vr180_ofx.imaging.threads import limit_threads  # noqa: E402
from vr180_ofx.media.contract import Clip  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.rendering.render import render  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402
from vr180_ofx.trackers.contract import Key, Mask, Memory, WindowImage  # noqa: E402

#: Frames that warm up: memories are filled, kernels chosen, graphs captured.
WARM = 8
IN_FLIGHT = 3


@dataclass(frozen=True)
class Way:
    """One way through the program. tracker: "boxes", or one of SAM 2. size: of its windows. wanted: frames a second on an H100."""

    name: str
    tracker: str
    size: int
    refiner: str
    wanted: float

    def overrides(self, device: str, weights: Path, refiner_weights: str | None) -> list[str]:
        on = [f"hardware.device={device}", "hardware.max_vram_gb=10", f"matting.refiner={self.refiner}", f"matting.window_size={self.size}"]
        if device.startswith("cuda"):
            on.append("hardware.decoder=gpu")
        if self.refiner == "rvm" and refiner_weights:
            on.append(f"matting.refiner_weights={Path(refiner_weights).resolve()}")
        if self.tracker != "boxes":
            on += [f"matting.tracker={self.tracker}", f"matting.tracker_weights={random_weights(self.tracker, weights)}"]
        return on


WAYS = (
    Way("rvm", "boxes", 512, "rvm", 100),
    Way("sam2.1_t 512 rvm", "sam2.1_t", 512, "rvm", 50),
    Way("sam2.1_t 1024 rvm", "sam2.1_t", 1024, "rvm", 35),
    Way("sam2.1_b+ 1024 rvm", "sam2.1_b+", 1024, "rvm", 25),
    Way("sam2.1_t 512 guided", "sam2.1_t", 512, "guided", 0),
    Way("guided", "boxes", 512, "guided", 0),
)


class Boxes:
    """A tracker that believes the plan: an ellipse in each box. See `trackers.contract.Tracker`."""

    exact_after: int | None = 0
    wants_prompts = True
    looks_ahead = 0

    def __init__(self, size: int) -> None:
        self.window_size = size
        x = np.arange(size, dtype=np.float32) + 0.5
        self._x, self._y = x[None], x[:, None]

    def identity(self) -> str:
        return f"boxes:{self.window_size}"

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        masks = {}
        for key, image in windows.items():
            n = self.window_size
            x0, y0, x1, y1 = image.prompt.box if image.prompt is not None and image.prompt.box else (0.3 * n, 0.1 * n, 0.7 * n, 0.9 * n)
            rx, ry = max(1.0, (x1 - x0) / 2), max(1.0, (y1 - y0) / 2)
            out = ((self._x - (x0 + x1) / 2) / rx) ** 2 + ((self._y - (y0 + y1) / 2) / ry) ** 2
            masks[key] = Mask(beside(((1 - np.sqrt(out)) * 24).astype(np.float32), image.sample.rgb), 1.0)
        return Memory(), masks


def random_weights(name: str, folder: Path) -> Path:
    path = folder / f"{name}.safetensors"
    if not path.exists():
        from safetensors.torch import save_file

        from vr180_ofx.trackers.sam2.checkpoint import build

        torch.manual_seed(1)
        save_file({k: v.contiguous().clone() for k, v in build(name, 1024).state_dict().items()}, path)
    return path


class Load:
    """What nvidia-smi shows while something runs."""

    def __init__(self) -> None:
        self._rows: list[list[int]] = []
        self._smi: subprocess.Popen[str] | None = None

    def __enter__(self) -> Load:
        asked = "--query-gpu=utilization.gpu,utilization.decoder,memory.used"
        if shutil.which("nvidia-smi"):
            self._smi = subprocess.Popen(
                ["nvidia-smi", asked, "--format=csv,noheader,nounits", "-lms", "100"], stdout=subprocess.PIPE, text=True
            )
        return self

    def __exit__(self, *exc: object) -> None:
        if self._smi is not None and self._smi.stdout is not None:
            self._smi.terminate()
            lines = (line.split(",") for line in self._smi.stdout.read().splitlines())
            self._rows = [[int(v) for v in line] for line in lines if len(line) == 3 and all(v.strip().isdigit() for v in line)]

    def facts(self) -> dict[str, int]:
        if not self._rows:
            return {}
        busy, decoder, memory = zip(*self._rows, strict=True)
        return {
            "gpu_busy_percent": round(statistics.mean(busy)), "decoder_busy_percent": round(statistics.mean(decoder)),
            "vram_mb": max(memory),
        }  # fmt: skip


class Bench:
    def __init__(self, arguments: argparse.Namespace, work: Path) -> None:
        self.a = arguments
        self.work = work
        self.begin = time.perf_counter()
        self.results: list[dict[str, Any]] = []

    @property
    def left(self) -> float:
        return float(self.a.seconds) - (time.perf_counter() - self.begin)

    def say(self, what: str, **facts: Any) -> None:
        row = {"what": what, "t": round(time.perf_counter() - self.begin, 1), **facts}
        self.results.append(row)
        print(
            json.dumps(row) if self.a.json else f"{row['t']:7.1f}  {what}: " + ", ".join(f"{k} {v}" for k, v in facts.items()), flush=True
        )

    def part(self, what: str, seconds: float, function: Callable[[], dict[str, Any] | None]) -> None:
        """seconds: about what it takes; with less left it is named and not done."""
        if self.left < seconds:
            self.say(what, left_out=f"{self.left:.0f} s are left of --seconds")
            return
        try:
            facts = function()
        except Exception as error:  # noqa: BLE001 - the rest is worth having
            import traceback

            self.say(what, error=f"{type(error).__name__}: {str(error)[:300]}", at=traceback.format_exc().strip().splitlines()[-3:-1])
        else:
            if facts is not None:
                self.say(what, **facts)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def settings(self, way: Way, *more: str) -> Settings:
        return Settings.from_values({}, [*way.overrides(self.a.device, self.work, self.a.refiner_weights), *more])

    @contextlib.contextmanager
    def opened(self, way: Way, *more: str) -> Iterator[tuple[Clip, Plan, Settings]]:
        settings = self.settings(way, *more)
        with open_clip(self.a.clip, settings) as clip:
            yield clip, Plan.load(self.a.plan, clip), settings

    def server(self, way: Way, clip: Clip, plan: Plan, settings: Settings, **words: Any) -> FrameServer:
        tracker = Boxes(way.size) if way.tracker == "boxes" else None
        return FrameServer(clip, plan, settings, models=Models.of(settings), tracker=tracker, **words)

    def to_patches(self, way: Way) -> dict[str, Any]:
        """All frames in order, into memory."""
        with self.opened(way) as (clip, plan, settings), Load() as load:
            count, stages = min(self.a.frames or len(clip), len(clip)), Stages()
            cuda = self.a.device.startswith("cuda")
            if cuda:
                torch.cuda.reset_peak_memory_stats()
            times = []
            with self.server(way, clip, plan, settings, stages=stages, cache_bytes=64 << 20, keep_frames=False) as server:
                waiting = []
                for n in range(count):
                    waiting.append(server.request(n))
                    if len(waiting) >= IN_FLIGHT:
                        waiting.pop(0).result()
                        times.append(time.perf_counter())
                for future in waiting:
                    future.result()
                    times.append(time.perf_counter())
                given_up = server.ladder.level.name
            warm = times[min(WARM, len(times) - 2) :]
            fps = (len(warm) - 1) / (warm[-1] - warm[0])
            facts = {
                "way": way.name, "frames": count, "fps": round(fps, 2), **({"of_wanted": round(fps / way.wanted, 3)} if way.wanted else {}),
                "ms_per_frame": {k: round(1000 * v["seconds"] / count, 2) for k, v in stages.summary().items()},
                "resident_mb": resident_bytes() >> 20, "given_up": given_up,
            }  # fmt: skip
            if cuda:
                facts["torch_peak_mb"] = torch.cuda.max_memory_allocated() >> 20
                facts["torch_reserved_mb"] = torch.cuda.max_memory_reserved() >> 20
        return {k: v for k, v in {**facts, **load.facts()}.items() if v is not None}

    def to_exr(self, way: Way) -> dict[str, Any]:
        out = self.work / f"exr {way.name}"
        times: list[tuple[float, int]] = []

        def progress(done: int, total: int) -> None:
            if not times or times[-1][1] != done:
                times.append((time.perf_counter(), done))

        last = f"-{self.a.frames}" if self.a.frames else ""
        with self.opened(way, f"input.frames={'1' + last if last else 'all'}") as (clip, plan, settings), Load() as load:
            stages = Stages()
            with self.server(way, clip, plan, settings, stages=stages, cache_bytes=64 << 20, keep_frames=False) as server:
                report = render(clip, plan, settings, out, progress=progress, stages=stages, server=server)
        size = sum(p.stat().st_size for p in out.iterdir()) / max(1, report.written)
        shutil.rmtree(out, ignore_errors=True)
        warm = [x for x in times if x[1] >= min(WARM, max(1, report.written - 2))]
        fps = (warm[-1][1] - warm[0][1]) / (warm[-1][0] - warm[0][0])
        write = report.stages.get("write", {"seconds": 0.0})["seconds"]
        return {
            "way": way.name, "frames": report.written, "fps": round(fps, 2), "cores": os.cpu_count(), "mb_per_frame": round(size / 1e6, 2),
            "write_ms_per_frame_of_all_threads": round(1000 * write / max(1, report.written), 1), **load.facts(),
        }  # fmt: skip

    def seeking(self, way: Way) -> dict[str, Any]:
        """Random frames by a server that finds what the tracker remembered on disk, and no frame."""
        store = DiskStore(self.work / f"store {way.name}", 8 << 30)
        with self.opened(way) as (clip, plan, settings):
            count = min(self.a.frames or len(clip), len(clip))
            with self.server(way, clip, plan, settings, store=store, keep_frames=False) as server:
                for n in range(count):
                    server.request(n).result()
            seconds = []
            order = random.Random(3).sample(range(count), min(8, count))
            with self.server(way, clip, plan, settings, store=store, keep_frames=False) as server:
                server.request(order[0]).result()
                for n in order[1:]:
                    begin = time.perf_counter()
                    server.request(n).result()
                    seconds.append(time.perf_counter() - begin)
                steps = server.steps
        return {
            "way": way.name, "seeks": len(seconds), "median_s": round(statistics.median(seconds), 3), "worst_s": round(max(seconds), 3),
            "network_steps": steps,
        }  # fmt: skip

    def decoding(self) -> dict[str, Any]:
        """Frames decoded and sent where they are worked on, and nothing else."""
        from vr180_ofx.engine.decoding import Decoder

        with self.opened(WAYS[0]) as (clip, _, settings):
            count, stages = min(self.a.frames or len(clip), len(clip)), Stages()
            decoder = Decoder(clip, stages, settings.processing.decode_timeout_s)
            begin = None
            for n in range(count):
                decoder.get(n, ahead=(n + 1, n + 2))
                begin = begin or time.perf_counter()
            seconds = time.perf_counter() - (begin or 0)
            decoder.close()
        return {"frames": count, "fps": round((count - 1) / max(seconds, 1e-9), 1), "decoder": settings.hardware.decoder}

    def sam2_predictor(self) -> dict[str, Any]:
        """SAM 2's own video predictor: two people, one eye at 1024 pixels, random weights."""
        import av
        import cv2
        from sam2.build_sam import build_sam2_video_predictor

        folder = self.work / "jpg"
        folder.mkdir(exist_ok=True)
        count = 40 if self.a.device.startswith("cuda") else 4
        made = 0
        while made < count:
            with av.open(str(self.a.clip)) as source:
                for frame in source.decode(video=0):
                    if made >= count:
                        break
                    half = frame.to_ndarray(format="bgr24")[:, : frame.width // 2]
                    cv2.imwrite(str(folder / f"{made:05d}.jpg"), cv2.resize(half, (1024, 1024), interpolation=cv2.INTER_AREA))
                    made += 1
        out = {}
        kind = self.a.device.partition(":")[0]
        for name, config in (("sam2.1_t", "configs/sam2.1/sam2.1_hiera_t.yaml"), ("sam2.1_b+", "configs/sam2.1/sam2.1_hiera_b+.yaml")):
            predictor = build_sam2_video_predictor(config, None, device=kind)
            with torch.inference_mode(), torch.autocast(kind, dtype=torch.bfloat16, enabled=kind == "cuda"):
                state = predictor.init_state(str(folder))
                predictor.add_new_points_or_box(state, 0, 1, box=np.array([200, 300, 400, 800], np.float32))
                predictor.add_new_points_or_box(state, 0, 2, box=np.array([500, 300, 700, 800], np.float32))
                times = []
                for _ in predictor.propagate_in_video(state):
                    if kind == "cuda":
                        torch.cuda.synchronize()
                    times.append(time.perf_counter())
            first = count // 2
            out[name] = round(1000 * (times[-1] - times[first]) / (len(times) - 1 - first), 1)
            del predictor, state
        return {"people": 2, "eyes": 1, "ms_per_frame": out}

    def rvm_whole_frames(self) -> dict[str, Any] | None:
        """RVM as people run it: whole 6144x3072 frames, downsample 0.25, half precision; the network alone."""
        if not self.a.refiner_weights:
            return None
        from vr180_ofx.matte.rvm.model import Rvm

        cuda = self.a.device.startswith("cuda")
        network = Rvm(Path(self.a.refiner_weights), self.a.device, "float16" if cuda else "float32")
        size = (3072, 6144) if cuda else (384, 768)
        picture = torch.rand(1, 3, *size, device=self.a.device).to(network.dtype)
        times = []
        with torch.inference_mode():
            states: Any = (None, None, None, None)
            for _ in range(12 if cuda else 3):
                begin = time.perf_counter()
                _, _, *states = network.network(picture, *states, downsample_ratio=0.25)
                if cuda:
                    torch.cuda.synchronize()
                times.append(time.perf_counter() - begin)
        return {"size": [size[1], size[0]], "ms_per_frame": round(1000 * statistics.median(times[len(times) // 2 :]), 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--plan", required=True)
    parser.add_argument("--refiner-weights", metavar="F")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--frames", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=280)
    parser.add_argument("--only", help="names of ways, by commas")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.clip = Path(arguments.clip).resolve()
    limit_threads(1)  # as the command line does
    if arguments.device == "cpu":
        os.environ["VR180_OFX_TENSORS"] = "1"
    with tempfile.TemporaryDirectory(prefix="vr180-gpu.") as name:
        work = Path(name)
        bench = Bench(arguments, work)
        card = torch.cuda.get_device_name(0) if torch.cuda.is_available() else None
        bench.say(
            "machine", version=vr180_ofx.__version__, gpu=card, torch=torch.__version__, python=platform.python_version(),
            cores=os.cpu_count(), clip=arguments.clip.name,
        )  # fmt: skip
        ways = [
            w
            for w in WAYS
            if (not arguments.only or w.name in arguments.only.split(",")) and (w.refiner != "rvm" or arguments.refiner_weights)
        ]
        for way in ways:
            bench.part("to patches", 12, partial(bench.to_patches, way))
        for way in ways[:2]:
            bench.part("to EXR", 15, partial(bench.to_exr, way))
        for way in [w for w in ways if w.tracker != "boxes"][:1]:
            bench.part("seeking", 15, partial(bench.seeking, way))
        bench.part("decoding", 8, bench.decoding)
        bench.part("SAM 2's own predictor", 30, bench.sam2_predictor)
        bench.part("RVM on whole frames", 8, bench.rvm_whole_frames)
        summarise(bench)


def summarise(bench: Bench) -> None:
    """Ratios to what else there is, of the same run."""

    def found(what: str, field: str, missing: Any) -> Any:
        return next((r[field] for r in bench.results if r["what"] == what and field in r), missing)

    patches = {r["way"]: r["fps"] for r in bench.results if r["what"] == "to patches" and "fps" in r}
    predictor = found("SAM 2's own predictor", "ms_per_frame", {})
    whole = found("RVM on whole frames", "ms_per_frame", None)
    ratios = {}
    for way in WAYS:
        if way.name in patches and way.tracker in predictor:
            # one eye there, both here
            ratios[f"{way.name} to the predictor on one eye"] = round(patches[way.name] * predictor[way.tracker] / 1000, 3)
    if whole and "rvm" in patches and bench.a.device.startswith("cuda"):
        ratios["rvm to RVM's network on whole frames"] = round(patches["rvm"] * whole / 1000, 3)
    bench.say("ratios", **ratios)


if __name__ == "__main__":
    main()

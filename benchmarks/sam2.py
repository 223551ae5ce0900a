"""SAM 2.1 as a streaming tracker against the package's own video predictor: same random weights, same clip, two people, one eye.

    python benchmarks/sam2.py CLIP [--model sam2.1_t] [--device cpu] [--frames 10] [--memory 100,300,900] [--json]

Speed: the reference on the whole eye at 1024² (windows: of a size that shows each person at least as large), both on the same frames,
taking turns frame by frame, so that a noisy machine is noisy for both. Memory: each in a process of its own; the reference loads as
many frames as it is to follow, which is what makes it grow, and follows the first few.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# this file is called like the package that it measures
sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]

from vr180_ofx.telemetry import resident_bytes, tune_allocator  # noqa: E402

tune_allocator()  # as the command line does
os.environ.setdefault("TQDM_DISABLE", "1")  # the predictor draws bars

import cv2  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402

from vr180_ofx.engine.plans import find_plan  # noqa: E402
from vr180_ofx.imaging.threads import limit_threads  # noqa: E402
from vr180_ofx.media.contract import Clip  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.people.plan import Plan  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402
from vr180_ofx.trackers.contract import Prompt, WindowImage  # noqa: E402
from vr180_ofx.trackers.prompts import prompt_in_window  # noqa: E402
from vr180_ofx.trackers.sam2.checkpoint import CONFIGS  # noqa: E402
from vr180_ofx.trackers.sam2.network import Sam2Network  # noqa: E402
from vr180_ofx.trackers.sam2.tracker import REFERENCE, Behaviour, Sam2Tracker  # noqa: E402
from vr180_ofx.vr180.window import Window  # noqa: E402

WHOLE = 1024
VIEW = "left"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--model", default="sam2.1_t", choices=list(CONFIGS))
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--frames", type=int, default=10, help="frames for the speed; the first seven fill the memory and do not count")
    parser.add_argument("--memory", default="100,300,900", help="frames for the memory; empty for none")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--part", choices=["windows", "reference"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    limit_threads(1)
    if arguments.part:
        part = memory_of_windows if arguments.part == "windows" else memory_of_reference
        print(json.dumps(part(arguments, [int(n) for n in arguments.memory.split(",")])))
        return
    result: dict[str, Any] = {
        "benchmark": "sam2", "model": arguments.model, "weights": "random", "device": arguments.device, "clip": Path(arguments.clip).name,
        "processor": platform.processor() or platform.machine(), "cores": os.cpu_count(), "torch": torch.__version__,
    }  # fmt: skip
    result |= speed(arguments)
    if arguments.memory:
        result["memory"] = memory(arguments)
    print(json.dumps(result, indent=None if arguments.json else 1))


# what is looked at ------------------------------------------------------------------------------------------------


class Scene:
    """Two people of a clip, as windows and as a whole eye. Beyond its end the clip is played backwards and forwards."""

    def __init__(self, path: str) -> None:
        self.settings = Settings()
        self.clip: Clip = open_clip(path, self.settings)
        self.plan: Plan = find_plan(self.clip, self.settings)
        self.people = [p for p in self.plan.active if self.plan.track(p, VIEW).has(0)][:2]
        if len(self.people) < 2:
            raise SystemExit(f"{path} does not show two people in its first frame")

    def index(self, k: int) -> int:
        turn = 2 * (len(self.clip) - 1)
        return min(k % turn, turn - k % turn)

    def size(self) -> int:
        """The least side of windows (a multiple of 64) in which each person is at least as large as in the whole eye at 1024²."""
        scale = WHOLE / self.clip.eye_size[0]
        worst = 0.0
        for n in range(len(self.clip)):
            for p in self.people:
                track = self.plan.track(p, VIEW)
                if not track.has(n):
                    continue
                _, y0, _, y1 = track.boxes[n]
                seen = prompt_in_window(track.boxes[n], self.plan.window(p, VIEW, n, 512), self.clip.projection)
                if seen is not None and seen.box is not None and y1 > y0:
                    worst = max(worst, 512 * (y1 - y0) * scale / (seen.box[3] - seen.box[1]))
        return max(128, 64 * math.ceil(worst / 64))

    def windows(self, k: int, size: int) -> dict[tuple[int, str], WindowImage]:
        n = self.index(k)
        eye = self.clip.frame(n).eyes[VIEW]
        out = {}
        for p in self.people:
            track = self.plan.track(p, VIEW)
            if track.has(n):
                window = self.plan.window(p, VIEW, n, size)
                sample = eye.sample(window.grid(self.clip.projection.resized(eye.width, eye.height)))
                prompt = prompt_in_window(track.boxes[n], window, self.clip.projection)
                out[p.id, VIEW] = WindowImage(sample, window, (), prompt, False, track.scores[n])
        return out

    def whole(self, k: int) -> np.ndarray[Any, Any]:
        """The eye as the reference sees it: (1024, 1024, 3) uint8."""
        rgb = self.clip.read(self.index(k))[VIEW]
        small = cv2.resize(rgb, (WHOLE, WHOLE), interpolation=cv2.INTER_AREA)
        pixels: np.ndarray[Any, Any] = np.round(np.clip(small, 0, 1) * 255).astype(np.uint8)
        return pixels

    def whole_prompts(self) -> dict[int, Prompt]:
        scale = WHOLE / self.clip.eye_size[0]
        return {p.id: Prompt(box=tuple(float(v) * scale for v in self.plan.track(p, VIEW).boxes[0])) for p in self.people}  # type: ignore[arg-type]


def network(arguments: argparse.Namespace, size: int) -> Sam2Network:
    """Random weights; people are mostly there."""
    torch.manual_seed(0)
    made = Sam2Network(arguments.model, None, size, arguments.device, "bfloat16" if arguments.device != "cpu" else "float32")
    with torch.no_grad():
        made.model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias.add_(3.0)
    return made


class Reference:
    """`SAM2VideoPredictor` over frames in memory; ``count`` of them, of which ``given`` are made by a function."""

    def __init__(self, arguments: argparse.Namespace, state: dict[str, Any], frames: list[np.ndarray[Any, Any]], folder: Path) -> None:
        from sam2.build_sam import build_sam2_video_predictor

        quiet = contextlib.redirect_stderr(io.StringIO())
        with quiet, contextlib.redirect_stdout(io.StringIO()):
            extra = [f"++model.image_size={WHOLE}"]
            self.predictor = build_sam2_video_predictor(CONFIGS[arguments.model], device=arguments.device, hydra_overrides_extra=extra)
        self.predictor.load_state_dict(state)
        self.device = arguments.device
        for n, frame in enumerate(frames):
            cv2.imwrite(str(folder / f"{n}.jpg"), cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 95])
        with contextlib.redirect_stderr(io.StringIO()), self.mode():
            self.state = self.predictor.init_state(str(folder))

    def exactly(self, frames: list[np.ndarray[Any, Any]]) -> None:
        """Puts the pixels in that JPEG changed a little, for comparing masks."""
        mean, std = torch.tensor((0.485, 0.456, 0.406))[:, None, None], torch.tensor((0.229, 0.224, 0.225))[:, None, None]
        for n, frame in enumerate(frames):
            with torch.inference_mode():
                self.state["images"][n] = (torch.from_numpy(frame).permute(2, 0, 1).float() / 255 - mean) / std
        self.state["cached_features"].clear()

    def mode(self) -> Any:
        if self.device == "cpu":
            return contextlib.nullcontext()
        return torch.autocast(self.device.partition(":")[0], dtype=torch.bfloat16)

    def follow(self, prompts: dict[int, Prompt], count: int) -> Any:
        import warnings

        warnings.simplefilter("ignore")
        with self.mode():
            for person, prompt in prompts.items():
                self.predictor.add_new_points_or_box(self.state, 0, person, box=prompt.box)
            yield from self.predictor.propagate_in_video(self.state, 0, count)


# speed ------------------------------------------------------------------------------------------------------------


def speed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Seconds a frame of three trackers that take turns."""
    scene = Scene(arguments.clip)
    size = scene.size()
    count = arguments.frames
    windows_net, whole_net = network(arguments, size), network(arguments, WHOLE)
    inputs = [scene.windows(k, size) for k in range(count)]
    eyes = [scene.whole(k) for k in range(count)]
    prompts = scene.whole_prompts()
    whole_window = Window((0.0, 0.0, 1.0), 90.0, 0.0, WHOLE)

    def whole_images(k: int) -> dict[tuple[int, str], WindowImage]:
        from vr180_ofx.media.contract import Sample

        sample = Sample(eyes[k].astype(np.float32) / 255, eyes[k].astype(np.float32) / 255)
        return {(p, VIEW): WindowImage(sample, whole_window, (), prompts[p]) for p in prompts}

    times: dict[str, list[float]] = {"reference": [], "windows": [], "whole": []}
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as folder:
        reference = Reference(arguments, whole_net.model.state_dict(), eyes, Path(folder))
        reference.exactly(eyes)
        running = reference.follow(prompts, count - 1)
        windows, whole = Sam2Tracker(windows_net, "random", Behaviour()), Sam2Tracker(whole_net, "random", REFERENCE)
        memories = {"windows": windows.begin(), "whole": whole.begin()}
        wholes = [whole_images(k) for k in range(count)]
        largest = 0.0
        for k in range(count):
            with contextlib.redirect_stderr(io.StringIO()):
                begin = time.perf_counter()
                _, people, theirs = next(running)
                theirs = theirs.float().cpu().numpy()
                times["reference"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            memories["windows"], _ = windows.step(memories["windows"], inputs[k])
            times["windows"].append(time.perf_counter() - begin)
            begin = time.perf_counter()
            memories["whole"], masks = whole.step(memories["whole"], wholes[k])
            times["whole"].append(time.perf_counter() - begin)
            mine = np.stack([masks[p, VIEW].logits for p in people])
            largest = max(largest, float(np.abs(np.maximum(theirs[:, 0], -32) - mine).max()))
    # memory is full after seven frames: from there on all frames cost the same
    middle = {name: statistics.median(values[7:] or values) for name, values in times.items()}
    per_frame = [r / w for r, w in zip(times["reference"][7:], times["whole"][7:], strict=True)]
    return {
        "people": 2,
        "window_size": size,
        "whole_size": WHOLE,
        "seconds_per_frame": {k: round(v, 3) for k, v in middle.items()},
        "all_seconds": {k: [round(x, 3) for x in v] for k, v in times.items()},
        "speed_ratio_windows_to_reference": round(middle["reference"] / middle["windows"], 2),
        "speed_ratio_same_pixels_to_reference": round(statistics.median(per_frame), 3) if per_frame else None,
        "largest_difference_of_logits_same_pixels": largest,
        "vram_peak_gb": round(torch.cuda.max_memory_allocated() / 2**30, 2) if arguments.device != "cpu" else None,
    }


# memory -----------------------------------------------------------------------------------------------------------


def memory(arguments: argparse.Namespace) -> dict[str, Any]:
    """Peak resident memory, each part in a process of its own."""
    counts = [int(n) for n in arguments.memory.split(",")]
    base = [sys.executable, __file__, arguments.clip, "--model", arguments.model, "--device", arguments.device]
    windows = json.loads(subprocess.check_output([*base, "--part", "windows", "--memory", arguments.memory]))
    reference: dict[str, int] = {}
    for n in counts:
        reference |= json.loads(subprocess.check_output([*base, "--part", "reference", "--memory", str(n)]))
    first, last = str(counts[0]), str(counts[-1])
    return {
        "peak_mb_at_frames": {"windows": windows, "reference": reference},
        "growth_of_windows": round(windows[last] / windows[first] - 1, 4),
        "growth_of_reference_mb_per_frame": round((reference[last] - reference[first]) / max(1, counts[-1] - counts[0]), 2),
    }


def peak_mb() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def memory_of_windows(arguments: argparse.Namespace, counts: list[int]) -> dict[str, float]:
    scene = Scene(arguments.clip)
    size = scene.size()
    tracker = Sam2Tracker(network(arguments, size), "random", Behaviour())
    held, out = tracker.begin(), {}
    for k in range(max(counts)):
        held, _ = tracker.step(held, scene.windows(k, size))
        if k + 1 in counts:
            out[str(k + 1)] = peak_mb()
            print(f"windows: {k + 1} frames, peak {peak_mb()} MB, now {resident_bytes() / 1e6:.0f} MB", file=sys.stderr)
    return out


def memory_of_reference(arguments: argparse.Namespace, counts: list[int]) -> dict[str, float]:
    (count,) = counts
    scene = Scene(arguments.clip)
    made = network(arguments, WHOLE)
    eyes = [scene.whole(k) for k in range(len(scene.clip))]
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as folder:
        reference = Reference(arguments, made.model.state_dict(), [eyes[scene.index(k)] for k in range(count)], Path(folder))
        for _ in reference.follow(scene.whole_prompts(), 3):
            pass
    print(f"reference: {count} frames, peak {peak_mb()} MB", file=sys.stderr)
    return {str(count): peak_mb()}


if __name__ == "__main__":
    main()

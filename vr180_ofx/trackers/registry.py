"""Which trackers there are. Adding one is one module, one line here, one test."""

from __future__ import annotations

import importlib.util
import logging
import math
import sys
from concurrent.futures import Executor
from pathlib import Path

from vr180_ofx.matte.refiner import need_rvm, rvm_network, rvm_weights
from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.telemetry import free_bytes, resident_bytes
from vr180_ofx.trackers.base import Tracker
from vr180_ofx.weights.inference import multiplies_bfloat16
from vr180_ofx.weights.store import WeightsError, file_sha256, is_present, require

log = logging.getLogger(__name__)
#: The best first: what auto looks for.
SAM2 = ("sam2.1_l", "sam2.1_b+", "sam2.1_s", "sam2.1_t")
#: Where Linux has none of these (NVIDIA's, AMD's, Windows' for its guests), PyTorch need not be asked: loading it takes two seconds.
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def make_tracker(settings: Settings, pool: Executor | None = None, eyes: int = 1) -> Tracker:
    """The tracker that ``matting.tracker`` names, with its weights. eyes: how many a frame has."""
    name = chosen(settings)
    if name == "rvm":
        return _rvm(settings, eyes)
    return _sam2(name, settings) if name in SAM2 else _blazepose(settings, pool)


def chosen(settings: Settings) -> str:
    """What ``auto`` stands for on this machine: the best SAM 2.1 whose weights are there where there is CUDA, else blazepose.

    On a CPU SAM 2 costs a second a frame and more; whoever wants it there names it.
    """
    name = settings.matting.tracker
    if name != "auto":
        return name
    present = [n for n in SAM2 if is_present(n)]
    if present and importlib.util.find_spec("sam2") is not None and pick_device(settings).startswith("cuda"):
        log.info("matting.tracker auto: %s", present[0])
        return present[0]
    return "blazepose"


#: What SAM 2 holds at its peak for each window of 1024 pixels, in float32: 0.6 GB were measured, 0.2 of 512 pixels, of any network.
_WINDOW_BYTES = 0.75 * 2**30
#: What its weights, and its code, take in all.
_WEIGHTS_BYTES = 1.5 * 2**30


def weights_of(settings: Settings) -> Path:
    """The file with the chosen tracker's weights. Raises WeightsError when it is not there."""
    own = settings.matting.tracker_weights
    if own:
        if not Path(own).is_file():
            raise WeightsError(f"matting.tracker_weights names {own}, which does not exist")
        return Path(own)
    name = chosen(settings)
    if name == "rvm":
        return rvm_weights(settings)
    return require(name if name in SAM2 else "blazepose_segmenter")


def tracker_identity(settings: Settings) -> str:
    """Which tracker with which weights, without loading them."""
    name, precision = chosen(settings), ""
    device = pick_device(settings) if name in SAM2 else "cpu"
    if name == "rvm":
        device, precision = where(settings)
    return ":".join(filter(None, (name, file_sha256(weights_of(settings)), device.partition(":")[0], precision)))


def pick_device(settings: Settings) -> str:
    """What ``hardware.device`` means here. Raises SettingsError when it names what is not there."""
    wanted = settings.hardware.device
    if wanted == "cpu" or importlib.util.find_spec("torch") is None:
        if wanted not in ("auto", "cpu"):
            raise SettingsError(f"hardware.device is {wanted}, and PyTorch is not installed; install: pip install 'vr180-ofx[sam2]'")
        return "cpu"
    if wanted == "auto" and sys.platform == "linux" and not any(Path(p).exists() for p in _DRIVERS):
        return "cpu"
    import torch

    count = torch.cuda.device_count()
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if wanted.startswith("cuda"):
        number = int(wanted.partition(":")[2] or 0)
        if number >= count:
            there = f"this machine has {count} CUDA devices" if count else "PyTorch sees no CUDA device here"
            raise SettingsError(f"hardware.device is {wanted}; {there}. Use auto or cpu")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("hardware.device is mps, which this machine does not have. Use auto or cpu")
    return wanted


def _rvm(settings: Settings, eyes: int) -> Tracker:
    need_rvm("matting.tracker rvm")
    from vr180_ofx.matte.rvm.whole import WholeFrames

    m = settings.matting
    # the compiled network sees one frame after the other
    threads = max(1, settings.hardware.threads_here // eyes)
    network = rvm_network(weights_of(settings), *where(settings), m.seq_chunk == 1, threads)
    return WholeFrames(network, 0.0 if m.downsample == "auto" else float(m.downsample), m.seq_chunk, eyes)


def where(settings: Settings) -> tuple[str, str]:
    """(device, precision) for networks that are no trackers."""
    device = pick_device(settings)
    if not settings.matting.fp16:
        return device, "float32"
    if device == "cpu":
        # half of the time was measured with AMX, and from 0.6 to 0.8 with AVX512_BF16. Elsewhere it gains little or nothing
        return device, "bfloat16" if multiplies_bfloat16() else "float32"
    return device, _precision(device)


def _blazepose(settings: Settings, pool: Executor | None) -> Tracker:
    from vr180_ofx.trackers.blazepose import BlazePoseTracker

    return BlazePoseTracker(weights_of(settings), settings.matting.stabilise, pool)


def _sam2(name: str, settings: Settings) -> Tracker:
    missing = [m for m in ("torch", "torchvision", "sam2") if importlib.util.find_spec(m) is None]
    if missing:
        raise SettingsError(f"matting.tracker {name} needs {', '.join(missing)}; install: pip install 'vr180-ofx[sam2]'")
    from vr180_ofx.trackers.sam2.memory import Rules
    from vr180_ofx.trackers.sam2.tracker import Behaviour, Sam2Tracker

    matting = settings.matting
    device = pick_device(settings)
    _limit(settings, device)
    size = matting.window_size or (1024 if device.startswith("cuda") else 512)
    behaviour = Behaviour(Rules(reliable=matting.memory_selection == "reliable"), matting.prompt_again_after)
    precision = _precision(device) if matting.fp16 else "float32"
    at_once = settings.processing.batch_size or fitting(size, _room(settings, device))
    return Sam2Tracker.load(name, weights_of(settings), size, device, precision, behaviour, matting.memory_offload, at_once)


def fitting(size: int, room: float) -> int:
    """How many windows of ``size`` pixels SAM 2 can see at once in ``room`` bytes: a power of two, so that a little more or less makes no
    difference, because other batches are other sums and other last bits.
    """
    need = _WINDOW_BYTES * (size / 1024) ** 1.5
    return 1 << max(0, min(4, int(math.log2(max(1.0, room / need)))))


def _room(settings: Settings, device: str) -> float:
    """Bytes that may be had for batches now."""
    if device.startswith("cuda"):
        import torch

        return min(settings.hardware.max_vram_gb * 2**30, float(torch.cuda.mem_get_info(device)[0])) - _WEIGHTS_BYTES
    return min(settings.processing.max_memory_gb * 2**30 - resident_bytes(), float(free_bytes())) - _WEIGHTS_BYTES


def _limit(settings: Settings, device: str) -> None:
    """Holds PyTorch to the threads and the memory of the settings; what does not fit raises, and the engine steps down."""
    import torch

    if settings.hardware.threads:
        torch.set_num_threads(settings.hardware.threads)
    if device.startswith("cuda"):
        total = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, settings.hardware.max_vram_gb * 2**30 / total), device)


def _precision(device: str) -> str:
    """What a GPU computes in: bfloat16 where it has it, because float16 overflows in long sums."""
    if not device.startswith("cuda"):
        return "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"

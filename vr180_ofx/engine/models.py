"""Which detectors, trackers and refiners there are, by name. Adding one is one module, one line here, one test."""

from __future__ import annotations

import importlib.util
import logging
import math
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING

from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.people.blazepose import BlazePose
from vr180_ofx.people.contract import Detector
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import free_bytes, resident_bytes
from vr180_ofx.trackers.contract import Tracker
from vr180_ofx.weights.device import pick_device, precision_of, where
from vr180_ofx.weights.store import file_sha256, is_present, require

if TYPE_CHECKING:
    from vr180_ofx.matte.rvm.compiled import CompiledRvm
    from vr180_ofx.matte.rvm.model import Rvm
    from vr180_ofx.matte.rvm.whole_frame import WholeFrames
    from vr180_ofx.matte.rvm.windows import RvmWindows

log = logging.getLogger(__name__)
#: The best first: what auto looks for.
SAM2 = ("sam2.1_l", "sam2.1_b+", "sam2.1_s", "sam2.1_t")


def make_tracker(settings: Settings, pool: Executor | None = None, eyes: int = 1) -> Tracker | WholeFrames:
    """The tracker that ``matting.tracker`` names, with its weights. eyes: how many a frame has."""
    name = chosen_tracker(settings)
    if name == "rvm":
        return _rvm(settings, eyes)
    return _sam2(name, settings) if name in SAM2 else _blazepose(settings, pool)


def chosen_tracker(settings: Settings) -> str:
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
    name = chosen_tracker(settings)
    if name == "rvm":
        return rvm_weights(settings)
    return require(name if name in SAM2 else "blazepose_segmenter")


def tracker_identity(settings: Settings) -> str:
    """Which tracker with which weights, without loading them."""
    name, precision = chosen_tracker(settings), ""
    device = pick_device(settings) if name in SAM2 else "cpu"
    if name == "rvm":
        device, precision = where(settings)
    return ":".join(filter(None, (name, file_sha256(weights_of(settings)), device.partition(":")[0], precision)))


def _rvm(settings: Settings, eyes: int) -> WholeFrames:
    need_rvm("matting.tracker rvm")
    from vr180_ofx.matte.rvm.whole_frame import WholeFrames

    m = settings.matting
    # the compiled network sees one frame after the other
    threads = max(1, settings.hardware.threads_here // eyes)
    network = rvm_network(weights_of(settings), *where(settings), m.seq_chunk == 1, threads)
    return WholeFrames(network, 0.0 if m.downsample == "auto" else float(m.downsample), m.seq_chunk, eyes)


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
    precision = precision_of(device) if matting.fp16 else "float32"
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


def make_refiner(settings: Settings) -> Refiner:
    """The refiner that ``matting.refiner`` names."""
    name = settings.matting.refiner
    # a matting network has the say, where it has any: see `make_matting_network`
    name = "guided" if name in ("auto", "rvm") else name
    if name not in REFINERS:
        raise SettingsError(f"matting.refiner is {name!r}; this version has {', '.join(REFINERS)}")
    return REFINERS[name]()


def make_matting_network(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> RvmWindows | None:
    """The matting network that ``matting.refiner`` names, with its weights; None when it names none. where: see `trackers.registry`; it
    is asked only if need be.
    """
    m = settings.matting
    if chosen_refiner(settings, where) != "rvm":
        return None
    need_rvm("matting.refiner rvm")
    if m.refiner_size and (m.refiner_size < 64 or m.refiner_size % 16):
        raise SettingsError(f"matting.refiner_size is {m.refiner_size}; it is 0 (384), or a multiple of 16 from 64 on")

    from vr180_ofx.matte.rvm.windows import RvmWindows

    threads = settings.hardware.threads_here
    return RvmWindows(rvm_network(rvm_weights(settings), *where(settings)), m.refiner_size or 384, threads)


def rvm_network(weights: Path, device: str, precision: str, compiled: bool = True, threads: int = 1) -> CompiledRvm | Rvm:
    """RVM with its weights. compiled: on a CPU, which is quicker; then with so many threads for each call."""
    if compiled and device == "cpu":
        from vr180_ofx.matte.rvm.compiled import CompiledRvm

        return CompiledRvm(weights, precision, threads)

    from vr180_ofx.matte.rvm.model import Rvm

    return Rvm(weights, device, precision)


def matting_network_identity(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> str:
    """Which matting network with which weights on what, without loading them; empty when there is none."""
    if chosen_refiner(settings, where) != "rvm":
        return ""
    device, precision = where(settings)
    return f"rvm:{file_sha256(rvm_weights(settings))}:{device.partition(':')[0]}:{precision}"


def rvm_weights(settings: Settings) -> Path:
    """The file with RVM's weights: what the settings name, else what was pulled. Raises WeightsError."""
    m = settings.matting
    own = m.tracker_weights if m.tracker == "rvm" and m.tracker_weights else m.refiner_weights
    if own:
        if not Path(own).is_file():
            key = "tracker_weights" if own == m.tracker_weights else "refiner_weights"
            raise WeightsError(f"matting.{key} names {own}, which does not exist")
        return Path(own)
    return require("rvm_resnet50" if is_present("rvm_resnet50") and not is_present("rvm_mobilenetv3") else "rvm_mobilenetv3")


def need_rvm(what: str) -> None:
    """Raises SettingsError when RVM cannot run here."""
    missing = [name for name in ("torch", "torchvision") if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(f"{what} needs {', '.join(missing)}; install: pip install 'vr180-ofx[rvm]'")


def chosen_refiner(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> str:
    """The refiner's name; what ``auto`` stands for here: RVM where it is quick, on CUDA and on CPUs that multiply bfloat16. Elsewhere it
    takes longer than everything else together.
    """
    m = settings.matting
    if m.tracker == "rvm":
        return "none"
    if m.refiner != "auto":
        return m.refiner
    there = m.refiner_weights is not None or is_present("rvm_mobilenetv3") or is_present("rvm_resnet50")
    torch = all(importlib.util.find_spec(name) for name in ("torch", "torchvision"))
    if not (there and torch):
        return "guided"
    device, precision = where(settings)
    return "rvm" if device.startswith("cuda") or precision == "bfloat16" else "guided"


def _guided() -> Refiner:
    from vr180_ofx.matte.guided import GuidedRefiner

    return GuidedRefiner()


def _closed_form() -> Refiner:
    from vr180_ofx.matte.closed_form import ClosedFormRefiner

    return ClosedFormRefiner()


REFINERS: dict[str, Callable[[], Refiner]] = {"none": NoRefiner, "guided": _guided, "closed_form": _closed_form}

DETECTORS: dict[str, Callable[[Settings], Detector]] = {
    "blazepose": lambda s: BlazePose(Path(s.detection.weights) if s.detection.weights else require("blazepose_detector")),
    "yolov8n": lambda s: _yolo(s),
    "yolov8s": lambda s: _yolo(s),
    "yolov8m": lambda s: _yolo(s),
}


def make_detector(settings: Settings) -> Detector:
    """The detector that ``detection.model`` names: one of those known here, or a model file of ultralytics."""
    name = settings.detection.model
    if name in DETECTORS:
        return DETECTORS[name](settings)
    if name.endswith((".pt", ".onnx")):
        return _yolo(settings, Path(name))
    raise SettingsError(f"detection.model is {name!r}; this version has {', '.join(DETECTORS)}, or the path of a model file (.pt)")


def detector_weights(settings: Settings) -> str:
    """The hash of a detector's own weights file; empty for those of the catalogue, which never change."""
    for own in (settings.detection.weights, settings.detection.model):
        if own and Path(own).is_file():
            return file_sha256(Path(own))
    return ""


def _yolo(settings: Settings, weights: Path | None = None) -> Detector:
    from vr180_ofx.people.yolo import Yolo

    own = settings.detection.weights
    path = weights or (Path(own) if own else require(settings.detection.model))
    return Yolo(path, settings.detection.confidence_threshold, pick_device(settings))

"""How each network is loaded. Which there are says `engine.models`; heavy libraries are imported here, when a network needs them."""

from __future__ import annotations

import importlib.util
import math
from concurrent.futures import Executor
from typing import TYPE_CHECKING

from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.contract import FrameNetwork, MattingNetwork, Refiner
from vr180_ofx.people.blazepose import BlazePose
from vr180_ofx.people.contract import Detector
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import free_bytes, resident_bytes
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.trackers.contract import Tracker
from vr180_ofx.weights.spec import NetworkSpec

if TYPE_CHECKING:
    from vr180_ofx.matte.rvm.compiled import CompiledRvm
    from vr180_ofx.matte.rvm.model import Rvm

#: What SAM 2 holds at its peak for each window of 1024 pixels, in float32: 0.6 GB were measured, 0.2 of 512 pixels, of any network.
_WINDOW_BYTES = 0.75 * 2**30
#: What its weights, and its code, take in all.
_WEIGHTS_BYTES = 1.5 * 2**30


def blazepose_detector(spec: NetworkSpec, settings: Settings) -> Detector:
    return BlazePose(spec.file)


def yolo(spec: NetworkSpec, settings: Settings) -> Detector:
    from vr180_ofx.people.yolo import Yolo

    return Yolo(spec.file, settings.detection.confidence_threshold, spec.placement.device)


def blazepose_segmenter(spec: NetworkSpec) -> BlazePoseSegmenter:
    return BlazePoseSegmenter(spec.file)


def blazepose_tracker(spec: NetworkSpec, settings: Settings, pool: Executor | None) -> Tracker:
    from vr180_ofx.trackers.blazepose import BlazePoseTracker

    return BlazePoseTracker(spec.file, settings.matting.stabilise, pool)


def sam2(spec: NetworkSpec, settings: Settings, pool: Executor | None) -> Tracker:
    _need("torch", "torchvision", "sam2", what=f"matting.tracker {spec.name}", extra="sam2")
    from vr180_ofx.trackers.sam2.memory import Rules
    from vr180_ofx.trackers.sam2.tracker import Behaviour, Sam2Tracker

    matting, where = settings.matting, spec.placement
    _limit(settings, where.device)
    size = matting.window_size or (1024 if where.kind == "cuda" else 512)
    behaviour = Behaviour(Rules(reliable=matting.memory_selection == "reliable"), matting.prompt_again_after)
    at_once = settings.processing.batch_size or fitting(size, _room(settings, where.device))
    return Sam2Tracker.load(
        name=spec.name, weights=spec.file, size=size, device=where.device, precision=where.precision, behaviour=behaviour,
        offload=matting.memory_offload, at_once=at_once,
    )  # fmt: skip


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


def no_refiner() -> Refiner:
    from vr180_ofx.matte.plain import NoRefiner

    return NoRefiner()


def guided() -> Refiner:
    from vr180_ofx.matte.guided import GuidedRefiner

    return GuidedRefiner()


def closed_form() -> Refiner:
    from vr180_ofx.matte.closed_form import ClosedFormRefiner

    return ClosedFormRefiner()


def rvm_windows(spec: NetworkSpec, settings: Settings) -> MattingNetwork:
    """RVM in the windows of people."""
    size = settings.matting.refiner_size
    if size and (size < 64 or size % 16):
        raise SettingsError(f"matting.refiner_size is {size}; it is 0 (384), or a multiple of 16 from 64 on")
    network = _rvm(spec, what="matting.refiner rvm")
    from vr180_ofx.matte.rvm.windows import RvmWindows

    return RvmWindows(network, size or 384, settings.hardware.threads_here)


def rvm_frames(spec: NetworkSpec, settings: Settings, eyes: int) -> FrameNetwork:
    """RVM on whole eyes. eyes: how many a frame has."""
    m = settings.matting
    # the compiled network sees one frame after the other
    network = _rvm(spec, what="matting.tracker rvm", threads=max(1, settings.hardware.threads_here // eyes))
    from vr180_ofx.matte.rvm.whole_frame import WholeFrames

    return WholeFrames(network, 0.0 if m.downsample == "auto" else float(m.downsample), m.seq_chunk, eyes)


def _rvm(spec: NetworkSpec, *, what: str, threads: int = 1) -> CompiledRvm | Rvm:
    """threads: of the compiled network, for each call."""
    _need("torch", "torchvision", what=what, extra="rvm")
    if spec.placement.runtime == "openvino":
        from vr180_ofx.matte.rvm.compiled import CompiledRvm

        return CompiledRvm(spec.file, spec.placement.precision, threads)

    from vr180_ofx.matte.rvm.model import Rvm

    return Rvm(spec.file, spec.placement.device, spec.placement.precision)


def _need(*modules: str, what: str, extra: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(f"{what} needs {', '.join(missing)}; install: pip install 'vr180-ofx[{extra}]'")

"""Which networks there are, by name, and which of them a clip's mattes are made with: decided once, handed down, loaded when needed.

Adding a detector, a tracker or a refiner is one module, one function that loads it and one line in a table here, its name among the
settings, and one test (docs/contributing). Heavy libraries are imported by those functions, when a network needs them.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from vr180_ofx.engine.limits import fitting, hold_pytorch, room_for_batches
from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.contract import FrameNetwork, MattingNetwork, Refiner
from vr180_ofx.people.blazepose import BlazePose
from vr180_ofx.people.contract import Detector, SemanticSegmenter
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.trackers.contract import Tracker
from vr180_ofx.weights.device import Machine, Placement
from vr180_ofx.weights.spec import NetworkSpec, WeightsFile
from vr180_ofx.weights.store import is_present

if TYPE_CHECKING:
    from vr180_ofx.matte.rvm.compiled import CompiledRvm
    from vr180_ofx.matte.rvm.model import Rvm
    from vr180_ofx.matte.student.compiled import CompiledStudent
    from vr180_ofx.matte.student.model import TorchStudent

log = logging.getLogger(__name__)
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Row(Generic[L]):
    """A network that there is.

    load: makes it. weights: their names in the catalogue; the first that is there is taken, or, when none is, asked for; none: it has none.
    place: where it runs.
    """

    load: L
    weights: tuple[str, ...] = ()
    place: Callable[[Machine], Placement] = Machine.embedded

    def spec(self, name: str, machine: Machine, own: Mapping[str, str | None]) -> NetworkSpec:
        """own: settings that may name a file of somebody's own, and what they name; the first one counts."""
        files = [WeightsFile(key, Path(path)) for key, path in own.items() if path]
        if not files and not self.weights:
            return NetworkSpec(name, placement=self.place(machine))
        if not files:
            files = [WeightsFile(next((w for w in self.weights if is_present(w)), self.weights[0]))]
        return NetworkSpec(name, files[0], self.place(machine))


def _blazepose_detector(spec: NetworkSpec, settings: Settings) -> Detector:
    return BlazePose(spec.file)


def _yolo(spec: NetworkSpec, settings: Settings) -> Detector:
    from vr180_ofx.people.yolo import Yolo

    return Yolo(spec.file, settings.detection.confidence_threshold, spec.placement.device)


def _blazepose_tracker(spec: NetworkSpec, settings: Settings, pool: Executor | None) -> Tracker:
    from vr180_ofx.trackers.blazepose import BlazePoseTracker

    return BlazePoseTracker(spec.file, settings.matting.stabilise, pool)


def _sam2(spec: NetworkSpec, settings: Settings, pool: Executor | None) -> Tracker:
    _need("torch", "torchvision", "sam2", what=f"matting.tracker {spec.name}", extra="sam2")
    from vr180_ofx.trackers.sam2.memory import Rules
    from vr180_ofx.trackers.sam2.tracker import Behaviour, Sam2Tracker

    matting, where = settings.matting, spec.placement
    if where.kind != "cuda":
        # a card is where pictures are, too, and is shared out by whoever loads all of it
        hold_pytorch(settings.hardware, where.device)
    size = matting.window_size or (1024 if where.kind == "cuda" else 512)
    behaviour = Behaviour(Rules(reliable=matting.memory_selection == "reliable"), matting.prompt_again_after)
    at_once = settings.processing.batch_size or fitting(size, room_for_batches(settings, where.device))
    return Sam2Tracker.load(
        name=spec.name, weights=spec.file, size=size, device=where.device, precision=where.precision, behaviour=behaviour,
        offload=matting.memory_offload, at_once=at_once, compiled=where.compiled, rehearsed=where.rehearsed,
    )  # fmt: skip


def _no_refiner() -> Refiner:
    from vr180_ofx.matte.plain import NoRefiner

    return NoRefiner()


def _guided() -> Refiner:
    from vr180_ofx.matte.guided import GuidedRefiner

    return GuidedRefiner()


def _closed_form() -> Refiner:
    from vr180_ofx.matte.closed_form import ClosedFormRefiner

    return ClosedFormRefiner()


def _rvm_windows(spec: NetworkSpec, settings: Settings) -> MattingNetwork:
    """RVM in the windows of people."""
    size = settings.matting.refiner_size
    if size and (size < 64 or size % 16):
        raise SettingsError(f"matting.refiner_size is {size}; it is 0 (384), or a multiple of 16 from 64 on")
    network = _rvm(spec, what="matting.refiner rvm")
    from vr180_ofx.matte.rvm.windows import RvmWindows

    return RvmWindows(network, size or 384, settings.hardware.threads_here)


def _student(spec: NetworkSpec, settings: Settings) -> MattingNetwork:
    """The project's own network in the windows of people."""
    size = settings.matting.refiner_size
    if size and (size < 64 or size % 32):
        raise SettingsError(f"matting.refiner_size is {size}; for the refiner student it is 0 (384), or a multiple of 32 from 64 on")
    from vr180_ofx.matte.student.windows import StudentWindows

    return StudentWindows(_student_network(spec), _guided(), size or 384, settings.hardware.threads_here)


def _student_network(spec: NetworkSpec) -> CompiledStudent | TorchStudent:
    if spec.placement.runtime == "openvino":
        from vr180_ofx.matte.student.compiled import CompiledStudent

        return CompiledStudent(spec.file, spec.placement.precision)
    _need("torch", what="matting.refiner student on a GPU", extra="rvm")
    from vr180_ofx.matte.student.model import TorchStudent

    return TorchStudent(spec.file, spec.placement.device, spec.placement.precision)


def _rvm_frames(spec: NetworkSpec, settings: Settings, eyes: int) -> FrameNetwork:
    """RVM on whole eyes. eyes: how many a frame has."""
    m = settings.matting
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

    return Rvm(spec.file, spec.placement.device, spec.placement.precision, rehearsed=spec.placement.rehearsed)


def _need(*modules: str, what: str, extra: str) -> None:
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise SettingsError(f"{what} needs {', '.join(missing)}; install: pip install 'vr180-ofx[{extra}]'")


#: The best first: what auto looks for.
SAM2 = ("sam2.1_l", "sam2.1_b+", "sam2.1_s", "sam2.1_t")
_RVM = ("rvm_mobilenetv3", "rvm_resnet50")

DETECTORS: dict[str, Row[Callable[[NetworkSpec, Settings], Detector]]] = {
    "blazepose": Row(_blazepose_detector, ("blazepose_detector",)),
    "yolov8n": Row(_yolo, ("yolov8n",), Machine.in_full),
    "yolov8s": Row(_yolo, ("yolov8s",), Machine.in_full),
    "yolov8m": Row(_yolo, ("yolov8m",), Machine.in_full),
}
#: Of any other detection model of ultralytics, which is named by its path.
_MODEL_FILE: Row[Callable[[NetworkSpec, Settings], Detector]] = Row(_yolo, place=Machine.in_full)

#: Those that follow people.
TRACKERS: dict[str, Row[Callable[[NetworkSpec, Settings, Executor | None], Tracker]]] = {
    "blazepose": Row(_blazepose_tracker, ("blazepose_segmenter",)),
    **{name: Row(_sam2, (name,), Machine.on_device) for name in SAM2},
}
#: Those that see whole eyes, and nobody in particular.
FRAME_NETWORKS: dict[str, Row[Callable[[NetworkSpec, Settings, int], FrameNetwork]]] = {
    "rvm": Row(_rvm_frames, _RVM, Machine.at_best),
}
REFINERS: dict[str, Callable[[], Refiner]] = {
    "none": _no_refiner,
    "guided": _guided,
    "closed_form": _closed_form,
}
MATTING_NETWORKS: dict[str, Row[Callable[[NetworkSpec, Settings], MattingNetwork]]] = {
    "rvm": Row(_rvm_windows, _RVM, Machine.at_best),
    "student": Row(_student, ("student",), Machine.at_best),
}
#: Those that remember nothing.
_FORGETFUL = ("student",)


#: The segmenter, which is the default tracker's network, too.
_EMBEDDED = NetworkSpec("blazepose", WeightsFile("blazepose_segmenter"))
_OPINION = NetworkSpec("selfie", WeightsFile("selfie_segmenter"))


@dataclass(frozen=True, slots=True)
class Models:
    """Which networks a clip's mattes are made with, with which weights, where and how they run. A value: it loads nothing by itself.

    detector, segmenter: what finds people. tracker: what follows them, or sees whole eyes. refiner: what makes edges. matting_network:
    what has the say about edges where it sees somebody; None: nothing has. settings: how they are used. machine: where pictures are worked
    on; asked when that is needed.
    """

    detector: NetworkSpec
    segmenter: NetworkSpec
    tracker: NetworkSpec
    refiner: NetworkSpec
    matting_network: NetworkSpec | None
    settings: Settings = field(repr=False)
    machine: Machine = field(repr=False, compare=False)

    @classmethod
    def of(cls, settings: Settings, machine: Machine | None = None) -> Models:
        """What the settings name, or what ``auto`` stands for on this machine (by default the one that they name).

        Raises SettingsError when they name what there is not; that weights are missing is said when they are needed.
        """
        machine = machine or Machine.of(settings)
        tracker = _tracker(settings, machine)
        refiner, matting_network = _refiner(settings, machine)
        return cls(_detector(settings, machine), _EMBEDDED, tracker, refiner, matting_network, settings, machine)

    def for_drafts(self) -> Models:
        """With the embedded networks, whatever the final frames are made with."""
        return replace(self, tracker=_EMBEDDED, matting_network=None)

    @property
    def follows_people(self) -> bool:
        """Whether the tracker knows people; else it sees whole eyes, and nobody is told from anybody."""
        return self.tracker.name in TRACKERS

    @property
    def identity(self) -> str:
        """Equal texts mean that mattes are made by the same networks, with the same weights, computing alike. What finds people is in the
        plan. Raises WeightsError when weights are not there.
        """
        networks = [n.identity for n in (self.tracker, self.refiner, self.matting_network) if n is not None]
        return "|".join(networks + ([self.arithmetic] if self.arithmetic else []))

    @property
    def pictures(self) -> str | None:
        """Where pictures are worked on, see `Machine.pictures`. Raises SettingsError when ``hardware.device`` names what is not there."""
        return self.machine.pictures

    @property
    def arithmetic(self) -> str:
        """What computes on pictures, part of what mattes depend on: empty for NumPy and OpenCV, whose last bits PyTorch's are not."""
        return "" if self.pictures is None else f"tensors on {self.pictures.partition(':')[0]}"

    @property
    def forgotten_after(self) -> int | None:
        """After how many frames what is remembered does not depend on where it began (`Tracker.exact_after`), without loading it;
        None: never.
        """
        from vr180_ofx.trackers.blazepose import MEMORY_FRAMES

        remembers = self.matting_network is not None and self.matting_network.name not in _FORGETFUL
        return MEMORY_FRAMES if self.tracker.name == _EMBEDDED.name and not remembers else None

    def load_detector(self) -> Detector:
        """Raises WeightsError and SettingsError when it cannot be had here, as all that load."""
        return DETECTORS.get(self.detector.name, _MODEL_FILE).load(self.detector, self.settings)

    def load_segmenter(self) -> BlazePoseSegmenter:
        return BlazePoseSegmenter(self.segmenter.file)

    def load_opinion(self) -> SemanticSegmenter:
        """The second opinion on who was found."""
        from vr180_ofx.people.selfie import SelfieSegmenter

        return SelfieSegmenter(_OPINION.file)

    def load_tracker(self, pool: Executor | None = None) -> Tracker:
        """pool: where windows may be worked on at once."""
        return TRACKERS[self.tracker.name].load(self.tracker, self.settings, pool)

    def load_frame_network(self, eyes: int) -> FrameNetwork:
        """eyes: how many a frame has."""
        return FRAME_NETWORKS[self.tracker.name].load(self.tracker, self.settings, eyes)

    def load_refiner(self) -> Refiner:
        return REFINERS[self.refiner.name]()

    def load_matting_network(self) -> MattingNetwork | None:
        network = self.matting_network
        return None if network is None else MATTING_NETWORKS[network.name].load(network, self.settings)


def _detector(settings: Settings, machine: Machine) -> NetworkSpec:
    name, own = settings.detection.model, {"detection.weights": settings.detection.weights}
    if name in DETECTORS:
        return DETECTORS[name].spec(name, machine, own)
    if name.endswith((".pt", ".onnx")):
        return _MODEL_FILE.spec(name, machine, {"detection.model": name})
    raise SettingsError(f"detection.model is {name!r}; this version has {', '.join(DETECTORS)}, or the path of a model file (.pt)")


def _tracker(settings: Settings, machine: Machine) -> NetworkSpec:
    m, own = settings.matting, {"matting.tracker_weights": settings.matting.tracker_weights}
    if m.tracker in FRAME_NETWORKS:
        spec = FRAME_NETWORKS[m.tracker].spec(m.tracker, machine, own | {"matting.refiner_weights": m.refiner_weights})
        # the compiled network sees one frame after the other
        return spec if m.seq_chunk == 1 else replace(spec, placement=spec.placement.in_pytorch())
    name = _best_tracker(machine) if m.tracker == "auto" else m.tracker
    return TRACKERS[name].spec(name, machine, own)


def _best_tracker(machine: Machine) -> str:
    """What ``auto`` stands for: the best SAM 2.1 whose weights are there where there is CUDA, else blazepose. On a CPU SAM 2 costs a second
    a frame and more; whoever wants it there names it.
    """
    present = [name for name in SAM2 if is_present(name)]
    if present and importlib.util.find_spec("sam2") is not None and machine.device.startswith("cuda"):
        log.info("matting.tracker auto: %s", present[0])
        return present[0]
    return "blazepose"


def _refiner(settings: Settings, machine: Machine) -> tuple[NetworkSpec, NetworkSpec | None]:
    """The refiner, and the matting network. ``auto`` stands for RVM where it is quick, on CUDA and on CPUs that multiply bfloat16;
    elsewhere it takes longer than everything else together.
    """
    m = settings.matting
    if m.tracker in FRAME_NETWORKS:
        return NetworkSpec("none"), None
    if m.refiner in REFINERS:
        return NetworkSpec(m.refiner), None
    guided, own = NetworkSpec("guided"), {"matting.refiner_weights": m.refiner_weights}
    if m.refiner != "auto":
        return guided, MATTING_NETWORKS[m.refiner].spec(m.refiner, machine, own)
    there = m.refiner_weights is not None or any(is_present(name) for name in _RVM)
    if not there or not all(importlib.util.find_spec(name) for name in ("torch", "torchvision")):
        return guided, None
    network = MATTING_NETWORKS["rvm"].spec("rvm", machine, own)
    quick = network.placement.kind == "cuda" or network.placement.precision == "bfloat16"
    return guided, network if quick else None

"""Which networks there are, by name, and which of them a clip's mattes are made with: decided once, handed down, loaded when needed.

Adding a detector, a tracker or a refiner is one module, a function in `engine.loading`, one line in a table here, and a test.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from vr180_ofx.engine import loading
from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.contract import FrameNetwork, MattingNetwork, Refiner
from vr180_ofx.people.contract import Detector
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
from vr180_ofx.trackers.contract import Tracker
from vr180_ofx.weights.device import Machine, Placement
from vr180_ofx.weights.spec import NetworkSpec, WeightsFile
from vr180_ofx.weights.store import is_present

log = logging.getLogger(__name__)
L = TypeVar("L")


@dataclass(frozen=True, slots=True)
class Row(Generic[L]):
    """A network that there is.

    load: makes it. weights: their names in the catalogue; the first that is there is taken, or, when none is, asked for.
    place: where it runs.
    """

    load: L
    weights: tuple[str, ...] = ()
    place: Callable[[Machine], Placement] = Machine.embedded

    def spec(self, name: str, machine: Machine, own: Mapping[str, str | None]) -> NetworkSpec:
        """own: settings that may name a file of somebody's own, and what they name; the first one counts."""
        files = [WeightsFile(key, Path(path)) for key, path in own.items() if path]
        if not files:
            files = [WeightsFile(next((w for w in self.weights if is_present(w)), self.weights[0]))]
        return NetworkSpec(name, files[0], self.place(machine))


#: The best first: what auto looks for.
SAM2 = ("sam2.1_l", "sam2.1_b+", "sam2.1_s", "sam2.1_t")
_RVM = ("rvm_mobilenetv3", "rvm_resnet50")

DETECTORS: dict[str, Row[Callable[[NetworkSpec, Settings], Detector]]] = {
    "blazepose": Row(loading.blazepose_detector, ("blazepose_detector",)),
    "yolov8n": Row(loading.yolo, ("yolov8n",), Machine.in_full),
    "yolov8s": Row(loading.yolo, ("yolov8s",), Machine.in_full),
    "yolov8m": Row(loading.yolo, ("yolov8m",), Machine.in_full),
}
#: Of any other detection model of ultralytics, which is named by its path.
_MODEL_FILE: Row[Callable[[NetworkSpec, Settings], Detector]] = Row(loading.yolo, place=Machine.in_full)

#: Those that follow people.
TRACKERS: dict[str, Row[Callable[[NetworkSpec, Settings, Executor | None], Tracker]]] = {
    "blazepose": Row(loading.blazepose_tracker, ("blazepose_segmenter",)),
    **{name: Row(loading.sam2, (name,), Machine.on_device) for name in SAM2},
}
#: Those that see whole eyes, and nobody in particular.
FRAME_NETWORKS: dict[str, Row[Callable[[NetworkSpec, Settings, int], FrameNetwork]]] = {
    "rvm": Row(loading.rvm_frames, _RVM, Machine.at_best),
}
REFINERS: dict[str, Callable[[], Refiner]] = {
    "none": loading.no_refiner,
    "guided": loading.guided,
    "closed_form": loading.closed_form,
}
MATTING_NETWORKS: dict[str, Row[Callable[[NetworkSpec, Settings], MattingNetwork]]] = {
    "rvm": Row(loading.rvm_windows, _RVM, Machine.at_best),
}


#: The segmenter, which is the default tracker's network, too.
_EMBEDDED = NetworkSpec("blazepose", WeightsFile("blazepose_segmenter"))


@dataclass(frozen=True, slots=True)
class Models:
    """Which networks a clip's mattes are made with, with which weights, where and how they run. A value: it loads nothing by itself.

    detector, segmenter: what finds people. tracker: what follows them, or sees whole eyes. refiner: what makes edges. matting_network:
    what has the say about edges where it sees somebody; None: nothing has. settings: how they are used.
    """

    detector: NetworkSpec
    segmenter: NetworkSpec
    tracker: NetworkSpec
    refiner: NetworkSpec
    matting_network: NetworkSpec | None
    settings: Settings = field(repr=False)

    @classmethod
    def of(cls, settings: Settings, machine: Machine | None = None) -> Models:
        """What the settings name, or what ``auto`` stands for on this machine (by default the one that they name).

        Raises SettingsError when they name what there is not; that weights are missing is said when they are needed.
        """
        machine = machine or Machine.of(settings)
        tracker = _tracker(settings, machine)
        refiner, matting_network = _refiner(settings, machine)
        return cls(_detector(settings, machine), _EMBEDDED, tracker, refiner, matting_network, settings)

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
        return "|".join(n.identity for n in (self.tracker, self.refiner, self.matting_network) if n is not None)

    def load_detector(self) -> Detector:
        """Raises WeightsError and SettingsError when it cannot be had here, as all that load."""
        return DETECTORS.get(self.detector.name, _MODEL_FILE).load(self.detector, self.settings)

    def load_segmenter(self) -> BlazePoseSegmenter:
        return loading.blazepose_segmenter(self.segmenter)

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

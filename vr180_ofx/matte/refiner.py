"""What a refiner is, and which there are. Adding one is one module, one line here, one test.

A refiner works on a window and describes its alpha as a function of the full-resolution picture, so that the edge is as
sharp as the plate and no full-size image is ever made: alpha = a . guide + b, with a and b smooth (He, Sun, Tang 2013).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from vr180_ofx.settings import Settings, SettingsError
from vr180_ofx.vr180.projection import FloatArray
from vr180_ofx.weights.store import WeightsError, file_sha256, is_present, require

if TYPE_CHECKING:
    from vr180_ofx.matte.rvm.compiled import CompiledRvm
    from vr180_ofx.matte.rvm.model import Rvm
    from vr180_ofx.matte.rvm.windows import RvmWindows


@dataclass(frozen=True, slots=True)
class Refined:
    """Alpha in a window.

    coefficients: (h, w, 4) float32: alpha = c0 * luma + c1 * cb + c2 * cr + c3 of the guide at any resolution, then
        clipped to 0..1. gain: contrast about 0.5 that is applied before clipping.
    """

    coefficients: FloatArray
    gain: float = 1.0
    #: Where in the window's pixels they begin, and how many of them there are for one of those; by default they are the whole window.
    place: tuple[float, float, float] | None = None

    def at(self, window_size: int) -> tuple[float, float, float]:
        return self.place or (0.0, 0.0, self.coefficients.shape[0] / window_size)

    def value(self, guide: FloatArray) -> FloatArray:
        """The alpha at the coefficients' own resolution, (h, w) 0..1. guide: (h, w, 3)."""
        c = self.coefficients
        value = c[..., 0] * guide[..., 0]
        value += c[..., 1] * guide[..., 1]
        value += c[..., 2] * guide[..., 2]
        value += c[..., 3] - np.float32(0.5)
        value *= np.float32(self.gain)
        value += np.float32(0.5)
        out: FloatArray = np.clip(value, 0, 1, out=value)
        return out


class Refiner(Protocol):
    """Edges of one window. A refiner knows nothing of frames, chunks, files or threads."""

    def identity(self) -> str: ...

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        """guide: (h, w, 3) luma and colour differences; mask: (h, w) 0..1."""
        ...


class NoRefiner:
    """The mask as it is."""

    def identity(self) -> str:
        return "none"

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        return constant(mask)


def constant(alpha: FloatArray, gain: float = 1.0) -> Refined:
    """An alpha that does not depend on the picture: (h, w) 0..1."""
    coefficients = np.zeros((*alpha.shape, 4), np.float32)
    coefficients[..., 3] = alpha
    return Refined(coefficients, gain)


def make_refiner(settings: Settings) -> Refiner:
    """The refiner that ``matting.refiner`` names."""
    name = settings.matting.refiner
    # a matting network has the say, where it has any: see `make_matter`
    name = "guided" if name in ("auto", "rvm") else name
    if name not in REFINERS:
        raise SettingsError(f"matting.refiner is {name!r}; this version has {', '.join(REFINERS)}")
    return REFINERS[name]()


def make_matter(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> RvmWindows | None:
    """The matting network that ``matting.refiner`` names, with its weights; None when it names none. where: see `trackers.registry`; it
    is asked only if need be.
    """
    m = settings.matting
    if chosen(settings, where) != "rvm":
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


def matter_identity(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> str:
    """Which matting network with which weights on what, without loading them; empty when there is none."""
    if chosen(settings, where) != "rvm":
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


def chosen(settings: Settings, where: Callable[[Settings], tuple[str, str]]) -> str:
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

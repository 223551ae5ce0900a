"""What this room's parts are to the rest: refiners, matting networks, and the alphas that they give.

A refiner works on a window and describes its alpha as a function of the full-resolution picture, so that edges are as sharp as
the plate and no full-size image is ever made: alpha = a . guide + b, with a and b smooth (He, Sun, Tang 2013). A matting network
sees people together, through windows or in whole eyes, and remembers; its memory is a value, as a tracker's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.imaging.either import namespace, zeros
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.trackers.contract import Key, Mask, Memory, NetworkAlpha, WindowImage


@dataclass(frozen=True, slots=True)
class Refined:
    """Alpha in a window as a linear function of the picture.

    coefficients: (h, w, 4) float32, or (..., h, w, 4) of several windows at once; alpha = c0 * luma + c1 * cb + c2 * cr + c3 of the guide
        (`media.contract.Guide`) at any resolution, then clipped to 0..1.
    gain: contrast about 0.5 that is applied before clipping, above 0.
    place: (x, y, scale), where in the window's pixels the coefficients begin, and how many of them there are for one of those;
        None: they are the whole window.
    colour: whether alpha depends on the colour differences at all: if not, c1 and c2 are 0.
    """

    coefficients: FloatArray
    gain: float = 1.0
    place: tuple[float, float, float] | None = None
    colour: bool = True

    def __post_init__(self) -> None:
        if self.coefficients.ndim < 3 or self.coefficients.shape[-1] != 4:
            raise ValueError(f"coefficients have the shape {tuple(self.coefficients.shape)}; they are (h, w, 4) or (n, h, w, 4)")
        if self.gain <= 0:
            raise ValueError(f"gain is {self.gain}; contrast is above 0")
        if self.place is not None and self.place[2] <= 0:
            raise ValueError(f"place is {self.place}; its scale, the last of the three, is above 0")

    def __repr__(self) -> str:
        return shapes_repr(self)

    def at(self, window_size: int) -> tuple[float, float, float]:
        """(x, y, scale) as ``place``, in a window of so many pixels on a side."""
        return self.place or (0.0, 0.0, self.coefficients.shape[-3] / window_size)

    def value(self, guide: FloatArray) -> FloatArray:
        """The alpha at the coefficients' own resolution, (h, w) 0..1. guide: (h, w, 3), see `media.contract.Sample`."""
        c = self.coefficients
        value = c[..., 0] * guide[..., 0]
        value += c[..., 1] * guide[..., 1]
        value += c[..., 2] * guide[..., 2]
        value += c[..., 3] - 0.5
        value *= self.gain
        value += 0.5
        out: FloatArray = namespace(value).clip(value, 0, 1, out=value)
        return out


def constant(alpha: FloatArray, gain: float = 1.0) -> Refined:
    """An alpha that does not depend on the picture. alpha: (h, w) 0..1."""
    coefficients = zeros((*alpha.shape, 4), alpha)
    coefficients[..., 3] = alpha
    return Refined(coefficients, gain, colour=False)


class Refiner(Protocol):
    """Edges of one window. A refiner knows nothing of frames, chunks, files or threads.

    One whose attribute ``takes_tensors`` is true works on PyTorch's tensors, too, see `imaging.either`, and is given windows of one size
    together there: (n, h, w, 3) and (n, h, w). To others their windows are brought down, and what they make is sent back.
    """

    def identity(self) -> str:
        """Its name and what it was tuned to: equal strings mean equal results."""
        ...

    def refine(self, guide: FloatArray, mask: FloatArray) -> Refined:
        """One window, or a part of one.

        guide: (h, w, 3) float32, luma 0..1 and two colour differences -0.5..0.5, see `media.contract.Sample`. mask: (h, w)
        float32 0..1, a tracker's of the person. Neither is changed. Returns (h, w, 4) coefficients.
        """
        ...


def takes_tensors(refiner: Refiner) -> bool:
    """See `Refiner`."""
    return bool(getattr(refiner, "takes_tensors", False))


class MattingNetwork(Protocol):
    """A matting network that sees people through their windows, and remembers.

    looks_ahead: how many frames after the one that is stepped it looks at; exact_after: after how many steps its memory no longer depends
    on where it began, None when it never forgets; see `trackers.contract.Tracker` for both.
    """

    looks_ahead: int
    exact_after: int | None

    def identity(self) -> str:
        """Name, weights and what it was tuned to: equal strings mean equal results."""
        ...

    def begin(self) -> Memory:
        """The memory before the first frame."""
        ...

    def step(
        self, memory: Memory, windows: Mapping[Key, WindowImage], masks: Mapping[Key, Mask], batch: int = 0
    ) -> tuple[Memory, dict[Key, NetworkAlpha]]:
        """One frame.

        masks: a tracker's, of the same keys as ``windows``: they decide what is cropped, and who is seen together. batch: pictures at once
        when memory is short, 0 for all. Returns the new memory and alphas; who is not to be seen has none, and people who are
        seen together have the same one.
        """
        ...

    def close(self) -> None:
        """Ends its threads. It is not stepped afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class EyeAlpha:
    """A network's alpha of one whole eye.

    alpha: (h, w) float32 0..1, of everybody. luma: (h, w) float32 0..1, of the picture that it saw. scale: (x, y), pixels of the
    eye for one of these.
    """

    alpha: FloatArray
    luma: FloatArray
    scale: tuple[float, float]

    def __post_init__(self) -> None:
        if self.alpha.ndim != 2 or self.alpha.shape != self.luma.shape:
            raise ValueError(f"alpha has the shape {self.alpha.shape} and luma {self.luma.shape}; both are (h, w) of one picture")

    def __repr__(self) -> str:
        return shapes_repr(self)


#: The eyes of the k-th frame after the one that is stepped, by view; None when there is none, or none that can be seen.
EyesAhead = Callable[[int], "Mapping[str, EyeImage] | None"]


def no_eyes_ahead(k: int) -> None:
    """For steps of one frame at a time."""


class FrameNetwork(Protocol):
    """A matting network that sees whole eyes and tells nobody from anybody: what steps a clip where no tracker does.

    exact_after, looks_ahead: see `trackers.contract.Tracker`.
    """

    exact_after: int | None
    looks_ahead: int

    def identity(self) -> str:
        """Name, weights and what it was tuned to: equal strings mean equal results."""
        ...

    def begin(self) -> Memory:
        """The memory before the first frame."""
        ...

    def step_frame(
        self, memory: Memory, eyes: Mapping[str, EyeImage], ahead: EyesAhead = no_eyes_ahead
    ) -> tuple[Memory, dict[str, EyeAlpha]]:
        """One frame, all eyes at once.

        eyes: view -> picture; the same views in every frame. ahead: asked for up to ``looks_ahead`` frames. Returns the new
        memory, and what is seen in each eye.
        """
        ...

    def close(self) -> None:
        """Ends its threads. It is not stepped afterwards."""
        ...

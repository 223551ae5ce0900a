"""What a tracker is: memory is a value, a step never changes its argument."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from vr180_ofx.arrays import Array, BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.either import hosts, is_tensor
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import EyeImage, Sample
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

#: A person in an eye.
Key = tuple[int, str]


@dataclass(frozen=True, slots=True)
class Prompt:
    """Where somebody is, in pixels of their window: a box, points, both, or a mask; or a part of a mask, with a box and points or without.

    box: (x0, y0, x1, y1). points: ((x, y, inside), ...), inside 1 or 0. mask: (size, size), above 0 inside. said: (size, size), where the
    mask counts: elsewhere it is as box, points or memory say; None: it counts everywhere, and stands alone.
    """

    box: tuple[float, float, float, float] | None = None
    points: tuple[tuple[float, float, int], ...] = ()
    mask: BoolArray | None = None
    said: BoolArray | None = None

    def __post_init__(self) -> None:
        if self.mask is not None and self.said is None and (self.box is not None or self.points):
            raise ValueError("a prompt has a mask, or a box and points, not both; a mask that counts in a part says where (said)")
        if self.said is not None and (self.mask is None or self.mask.shape != self.said.shape):
            raise ValueError("a prompt says where a mask counts, and has none of that shape")
        if self.mask is None and self.box is None and not self.points:
            raise ValueError("a prompt is empty; it needs a box, points or a mask")
        if self.box is not None and not (self.box[0] < self.box[2] and self.box[1] < self.box[3]):
            raise ValueError(f"the box {self.box} of a prompt is (left, top, right, bottom) with left < right and top < bottom")
        if self.mask is not None and (self.mask.ndim != 2 or self.mask.shape[0] != self.mask.shape[1]):
            raise ValueError(f"the mask of a prompt is {self.mask.shape}; it is (size, size), as its window")

    def __repr__(self) -> str:
        return shapes_repr(self)

    def points_and_labels(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]]:
        """As SAM takes them: (k, 2) and (k,); a box is two points with the labels 2 and 3."""
        rows = [] if self.box is None else [(self.box[0], self.box[1], 2), (self.box[2], self.box[3], 3)]
        values = np.array([*rows, *self.points], np.float32).reshape(-1, 3)
        return np.ascontiguousarray(values[:, :2]), values[:, 2].astype(np.int32)


@dataclass(frozen=True, slots=True)
class CropSource:
    """A window, and the eye's picture that it looks at. projection: of that picture."""

    window: Window
    eye: EyeImage
    projection: Projection

    def __post_init__(self) -> None:
        own, its = (self.eye.width, self.eye.height), (self.projection.width, self.projection.height)
        if own != its:
            raise ValueError(f"the eye's picture is {own} pixels, and the projection is that of one of {its}")

    def sample(self, crop: Crop) -> Sample:
        """The picture in a rectangle, which may lie beyond the window."""
        window, projection, like = self.window, self.projection, self.eye.like

        def places(pixels: FloatArray) -> FloatArray:
            return projection.project(window.directions(crop.to_window(pixels)))

        grid = smooth_map(places, Rect.of_size(crop.width, crop.height), like=like)
        if not is_tensor(like):
            return self.eye.sample(grid)
        columns, rows = (np.linspace(0.5, n - 0.5, 33) for n in (crop.width, crop.height))
        return self.eye.sample(grid, places(np.stack(np.meshgrid(columns, rows), axis=-1)))


@dataclass(frozen=True, slots=True)
class WindowImage:
    """What a window shows of one person in one eye.

    sample: the pixels, (size, size). window: the camera that took them.
    occluders: the numbers of people who stand before this one.
    prompt: where the plan says they are. anchor: whether that is to be believed over what is remembered: they come into
        sight, or somebody corrected the plan. sure: how sure the plan is that they are there, 0..1.
    covered: what the plan says that they cover, (size, size) float32 0..1, where no network sees them; None where one does.
    eye, projection: where the picture was taken from, both or neither.
    following: the same person in the next frame, for those who look ahead; None where there is no such frame, or the person is not in it.
    """

    sample: Sample
    window: Window
    occluders: tuple[int, ...] = ()
    prompt: Prompt | None = None
    anchor: bool = False
    sure: float = 0.0
    eye: EyeImage | None = None
    projection: Projection | None = None
    following: Callable[[], CropSource | None] = field(default=lambda: None, repr=False)
    covered: FloatArray | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.sure <= 1:
            raise ValueError(f"sure is {self.sure}; it is from 0 to 1")
        if (self.eye is None) != (self.projection is None):
            raise ValueError("a window's picture comes with its eye and that one's projection, or with neither")

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def source(self) -> CropSource:
        """What other rectangles of the picture can be taken from."""
        if self.eye is None or self.projection is None:
            raise ValueError("this window was not taken from an eye")
        return CropSource(self.window, self.eye, self.projection)


@dataclass(frozen=True, slots=True)
class Crop:
    """A rectangle of a window, or beyond it, that a network sees.

    members: the people whom it is made for. x, y: where its first pixel begins, in the window's pixels. scale: its pixels for one of the
    window. width, height: in its own pixels.
    """

    members: tuple[int, ...]
    x: float
    y: float
    scale: float
    width: int
    height: int

    def __post_init__(self) -> None:
        if not (self.scale > 0 and self.width > 0 and self.height > 0):
            raise ValueError(f"a crop of {self.width}x{self.height} pixels at the scale {self.scale} shows nothing; all are above 0")

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) in the window's pixels."""
        return self.x, self.y, self.x + self.width / self.scale, self.y + self.height / self.scale

    def to_window(self, pixels: FloatArray) -> FloatArray:
        """Where continuous pixels of it, (..., 2), lie in the window."""
        out: FloatArray = np.array([self.x, self.y]) + pixels / self.scale
        return out

    def to_array(self) -> npt.NDArray[np.float64]:
        """As numbers, for memories: (5 + members,)."""
        return np.array([self.x, self.y, self.scale, self.width, self.height, *self.members], np.float64)

    @classmethod
    def from_array(cls, numbers: Array) -> Crop:
        """The inverse of `to_array`."""
        x, y, scale, width, height, *members = (float(v) for v in numbers)
        return cls(tuple(int(m) for m in members), x, y, scale, int(width), int(height))


@dataclass(frozen=True, slots=True)
class NetworkAlpha:
    """What a matting network says of people who are seen together, not whose it is.

    alpha: (h, w) float32 0..1. guide: (h, w, 3), see `media.contract.Sample`.
    window, crop: the camera, and the part of its view that the network saw.
    """

    alpha: FloatArray
    guide: FloatArray
    window: Window
    crop: Crop

    def __post_init__(self) -> None:
        if not self.alpha.shape == self.guide.shape[:2] == (self.crop.height, self.crop.width):
            shapes = f"{self.alpha.shape} and {self.guide.shape}, and the crop is {self.crop.width}x{self.crop.height}"
            raise ValueError(f"alpha and guide have the shapes {shapes}; they are of the same pixels")

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True, slots=True)
class Mask:
    """What a tracker says of one window.

    logits: (size, size) float32, above 0 inside the person. score: 0..1, how sure it is that the person is there.
    network_alpha: what a matting network says, where there is one.
    """

    logits: FloatArray
    score: float
    network_alpha: NetworkAlpha | None = None

    def __post_init__(self) -> None:
        if self.logits.ndim != 2:
            raise ValueError(f"logits have the shape {self.logits.shape}; those of a window are (size, size)")
        if not 0 <= self.score <= 1:
            raise ValueError(f"score is {self.score}; it is from 0 to 1")

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True)
class Memory:
    """A tracker's memory: named arrays and nothing else, never changed once made.

    It can be saved (safetensors), hashed, restored, and sent to another process. Where the tracker runs on a graphics card arrays may be
    tensors, which stay there until somebody asks for their value.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in self.arrays.values():
            if not is_tensor(array):
                array.setflags(write=False)

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def nbytes(self) -> int:
        """What the arrays hold, in bytes."""
        return sum(a.nbytes for a in self.arrays.values())

    @property
    def on_device(self) -> bool:
        """Whether some of it are tensors."""
        return any(is_tensor(a) for a in self.arrays.values())

    def on_host(self) -> Memory:
        """The same value in arrays of NumPy alone; what lies on a device comes down in one transfer."""
        there = [name for name, a in self.arrays.items() if is_tensor(a)]
        if not there:
            return self
        # copies: what came down lies in memory that the card writes to, of which there is little
        brought = {name: a.copy() for name, a in zip(there, hosts(*(self.arrays[name] for name in there)), strict=True)}
        return Memory({name: brought.get(name, a) for name, a in self.arrays.items()})

    def to_bytes(self) -> bytes:
        """As a file of safetensors."""
        data: bytes = save({k: np.ascontiguousarray(v) for k, v in self.on_host().arrays.items()})
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Memory:
        """The inverse of `to_bytes`."""
        return cls(dict(load(data)))

    def digest(self) -> str:
        """A hash of names, kinds, shapes and contents."""
        digest = hashlib.sha256()
        arrays = self.on_host().arrays
        for name in sorted(arrays):
            a = arrays[name]
            digest.update(f"{name}|{a.dtype}|{a.shape}|".encode())
            digest.update(np.ascontiguousarray(a).tobytes())
        return digest.hexdigest()


class Tracker(Protocol):
    """Follows people through windows.

    window_size: the side of the windows it wants, in pixels.
    exact_after: after so many steps its memory no longer depends on where it began, so that any frame can be reached by
        so many steps of warm-up with the same result to the last bit; None when memory never forgets.
    wants_prompts: whether windows should come with the plan's boxes.
    looks_ahead: how many frames after the one that is stepped it may look at (`WindowImage.following`): what it remembers depends on them.
    """

    window_size: int
    exact_after: int | None
    wants_prompts: bool
    looks_ahead: int

    def identity(self) -> str:
        """Name and weights: equal strings mean equal results."""
        ...

    def begin(self) -> Memory:
        """The memory before the first frame."""
        ...

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        """One frame. Returns the new memory and a mask for every window. batch: windows at once when memory is short, 0 for all."""
        ...

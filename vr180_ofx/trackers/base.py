"""What a tracker is: memory is a value, a step never changes its argument."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load, save

from vr180_ofx.media.picture import Sample
from vr180_ofx.vr180.projection import FloatArray
from vr180_ofx.vr180.window import Window

#: A person in an eye.
Key = tuple[int, str]
Array = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class WindowImage:
    """What a window shows of one person in one eye.

    sample: the pixels, (size, size). window: the camera that took them.
    behind: the numbers of people who stand before this one.
    """

    sample: Sample
    window: Window
    behind: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """What a tracker says of one window.

    logits: (size, size) float32, above 0 inside the person. score: 0..1, how sure it is that the person is there.
    """

    logits: FloatArray
    score: float


@dataclass(frozen=True)
class Memory:
    """A tracker's memory: named arrays and nothing else, never changed once made.

    It can be saved (safetensors), hashed, restored, and sent to another process.
    """

    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for array in self.arrays.values():
            array.setflags(write=False)

    @property
    def nbytes(self) -> int:
        return sum(a.nbytes for a in self.arrays.values())

    def to_bytes(self) -> bytes:
        data: bytes = save({k: np.ascontiguousarray(v) for k, v in self.arrays.items()})
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> Memory:
        return cls(dict(load(data)))

    def digest(self) -> str:
        digest = hashlib.sha256()
        for name in sorted(self.arrays):
            a = self.arrays[name]
            digest.update(f"{name}|{a.dtype}|{a.shape}|".encode())
            digest.update(np.ascontiguousarray(a).tobytes())
        return digest.hexdigest()


class Tracker(Protocol):
    """Follows people through windows.

    window_size: the side of the windows it wants, in pixels.
    exact_after: after so many steps its memory no longer depends on where it began, so that any frame can be reached by
        so many steps of warm-up with the same result to the last bit; None when memory never forgets.
    """

    window_size: int
    exact_after: int | None

    def identity(self) -> str:
        """Name and weights: equal strings mean equal results."""
        ...

    def begin(self) -> Memory:
        """The memory before the first frame."""
        ...

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage]) -> tuple[Memory, dict[Key, Mask]]:
        """One frame. Returns the new memory and a mask for every window."""
        ...

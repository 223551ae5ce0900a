"""RVM on whole eyes, without knowing anybody: what it was made for, and the fallback where nobody is to be told from anybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol, cast

import cv2
import numpy as np

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.rvm.memory import State, restored, stored
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.trackers.contract import Key, Mask, Memory, WindowImage

#: auto: the longer side that the network sees. It was trained with 512.
_AUTO = 512
#: Of a sequence: the alphas of the frames that come after the one that was stepped.
_COMING = "coming"

#: The eyes of the k-th frame after this one; None when there is none, or none that can be seen.
Ahead = Callable[[int], "Mapping[str, EyeImage] | None"]


@dataclass(frozen=True, slots=True)
class Small:
    """What the network says of one eye. alpha, luma: (h, w) of the small picture, 0..1. scale: (x, y) pixels of the eye for one."""

    alpha: FloatArray
    luma: FloatArray
    scale: tuple[float, float]


class Network(Protocol):
    """`model.Rvm`; or `compiled.CompiledRvm`, which sees no sequences."""

    def identity(self) -> str: ...

    def pool(self, pictures: int) -> Executor | None: ...

    def step(self, pictures: FloatArray, states: Sequence[State | None]) -> tuple[FloatArray, list[State]]: ...


class WholeFrames:
    """ratio: the size of the picture that the network sees, of the eye's; 0 makes its longer side 512 pixels. sequence: frames in a row
    that it sees at once; the memory holds what it said of those to come.
    """

    window_size = 0
    exact_after: int | None = None
    wants_prompts = False

    def __init__(self, network: Network, ratio: float = 0.0, sequence: int = 1, eyes: int = 1) -> None:
        """eyes: on a CPU, so many are worked on at once."""
        self.network = network
        self.ratio = ratio
        self.sequence = sequence
        self.looks_ahead = sequence - 1
        self._pool = network.pool(eyes)

    def identity(self) -> str:
        # other batches are other sums and other last bits
        at_once = f":{self.sequence}" if self.sequence > 1 else ""
        return f"whole:{self.network.identity()}:{self.ratio:g}{at_once}"

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        raise NotImplementedError("RVM on whole frames knows no people; it has `look`")

    def look(self, memory: Memory, eyes: Mapping[str, EyeImage], ahead: Ahead = lambda k: None) -> tuple[Memory, dict[str, Small]]:
        """One frame. All eyes at once. ahead: asked where a sequence begins."""
        views = list(eyes)
        seen = {view: self._shrunk(eye) for view, eye in eyes.items()}
        coming = [memory.arrays.get(f"{view}.{_COMING}") for view in views]
        arrays: dict[str, Array]
        if all(c is not None for c in coming):
            # seen with the frame before; the state is that after the whole sequence already
            alphas = cast("FloatArray", np.stack([c for c in coming if c is not None]))
            arrays = {name: a for name, a in memory.arrays.items() if not name.endswith(f".{_COMING}")}
        else:
            pictures = [np.stack([seen[v][0] for v in views])]
            while len(pictures) < self.sequence and (following := ahead(len(pictures))) is not None:
                pictures.append(np.stack([self._shrunk(following[v])[0] for v in views]))
            alphas, after = self._said(np.stack(pictures, axis=1), [restored(memory, view) for view in views])
            arrays = {name: a for view, state in zip(views, after, strict=True) for name, a in stored(view, state).items()}
        if alphas.shape[1] > 1:
            arrays |= {f"{view}.{_COMING}": rest for view, rest in zip(views, alphas[:, 1:].copy(), strict=True)}
        out = {}
        for view, alpha in zip(views, alphas[:, 0], strict=True):
            eye = eyes[view]
            out[view] = Small(alpha, seen[view][1], (eye.width / alpha.shape[1], eye.height / alpha.shape[0]))
        return Memory(arrays), out

    def _said(self, pictures: FloatArray, states: list[State | None]) -> tuple[FloatArray, list[State]]:
        """What the network says of pictures, (eyes, frames, h, w, 3): alphas (eyes, frames, h, w), and what is to be remembered."""
        if self._pool is None:
            return self.network.step(pictures, states)
        said = list(self._pool.map(lambda p, state: self.network.step(p, [state]), pictures, states))
        return np.stack([alpha for alpha, _ in said]), [state for _, (state,) in said]

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def _shrunk(self, eye: EyeImage) -> tuple[FloatArray, FloatArray]:
        """(picture, luma) as large as the network wants it."""
        ratio = self.ratio or min(1.0, _AUTO / max(eye.width, eye.height))
        size = max(32, round(eye.width * ratio)), max(32, round(eye.height * ratio))
        factor = max(1, int(1 / ratio))
        near = eye.reduced(factor) if factor > 1 else eye
        whole = Rect(0, 0, near.width, near.height)
        rgb, luma = near.region(whole), near.guide(whole).luma
        if (near.width, near.height) != size:
            how = cv2.INTER_AREA if near.width > size[0] else cv2.INTER_LINEAR
            rgb, luma = (cv2.resize(p, size, interpolation=how) for p in (rgb, luma))
        return rgb, luma

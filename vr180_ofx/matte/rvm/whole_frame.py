"""RVM on whole eyes, without knowing anybody: what it was made for, and the fallback where nobody is to be told from anybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.imaging.either import beside, namespace
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.matte.contract import EyeAlpha, EyesAhead, no_eyes_ahead
from vr180_ofx.matte.parameters import WHOLE_FRAME, WholeFrameParameters
from vr180_ofx.matte.rvm.contract import RecurrentNetwork, State
from vr180_ofx.matte.rvm.memory import restored, stored
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.contract import Memory

#: In the memory, of a sequence: the alphas of the frames that come after the one that was stepped.
_COMING = "coming"


class WholeFrames:
    """See `contract.FrameNetwork`."""

    exact_after: int | None = None

    def __init__(
        self, network: RecurrentNetwork, ratio: float = 0.0, sequence: int = 1, eyes: int = 1, *,
        parameters: WholeFrameParameters = WHOLE_FRAME,
    ) -> None:  # fmt: skip
        """ratio: the size of the picture that the network sees, of the eye's; 0: as the parameters say.

        sequence: frames in a row that it sees at once; the memory holds its alphas of those to come. eyes: on a CPU, so many
        are worked on at once. Raises ValueError when the ratio is not in 0..1, or a sequence has no frame.
        """
        if not 0 <= ratio <= 1:
            raise ValueError(f"ratio is {ratio}; it is above 0 and at most 1, or 0 for what suits the network")
        if sequence < 1:
            raise ValueError(f"sequence is {sequence}; it has at least 1 frame")
        self.network = network
        self.ratio = ratio
        self.sequence = sequence
        self.looks_ahead = sequence - 1
        self._parameters = parameters
        self._pool = network.pool(eyes)

    def identity(self) -> str:
        # other batches are other sums and other last bits
        at_once = f":{self.sequence}" if self.sequence > 1 else ""
        return f"whole:{self.network.identity()}:{self.ratio:g}{at_once}:{identity_of(self._parameters)}"

    def begin(self) -> Memory:
        return Memory()

    def step_frame(
        self, memory: Memory, eyes: Mapping[str, EyeImage], ahead: EyesAhead = no_eyes_ahead
    ) -> tuple[Memory, dict[str, EyeAlpha]]:  # fmt: skip
        """One frame, all eyes at once. ahead: called where a sequence begins."""
        views = list(eyes)
        seen = {view: self._shrunk(eye) for view, eye in eyes.items()}
        coming = [memory.arrays.get(f"{view}.{_COMING}") for view in views]
        arrays: dict[str, Array]
        if all(c is not None for c in coming):
            # seen with the frame before; the state is that after the whole sequence already
            like = seen[views[0]][0]
            alphas = cast("FloatArray", namespace(like).stack([beside(c, like) for c in coming if c is not None]))
            arrays = {name: a for name, a in memory.arrays.items() if not name.endswith(f".{_COMING}")}
        else:
            xp = namespace(seen[views[0]][0])
            pictures = [xp.stack([seen[v][0] for v in views])]
            while len(pictures) < self.sequence and (following := ahead(len(pictures))) is not None:
                pictures.append(xp.stack([self._shrunk(following[v])[0] for v in views]))
            alphas, after = self._run(xp.stack(pictures, axis=1), [restored(memory, view) for view in views])
            arrays = {name: a for view, state in zip(views, after, strict=True) for name, a in stored(view, state).items()}
        if alphas.shape[1] > 1:
            arrays |= {f"{view}.{_COMING}": rest for view, rest in zip(views, namespace(alphas).copy(alphas[:, 1:]), strict=True)}
        out = {}
        for view, alpha in zip(views, alphas[:, 0], strict=True):
            eye = eyes[view]
            out[view] = EyeAlpha(alpha, seen[view][1], (eye.width / alpha.shape[1], eye.height / alpha.shape[0]))
        return Memory(arrays), out

    def close(self) -> None:
        """Ends its threads. It is not stepped afterwards."""
        if self._pool is not None:
            self._pool.shutdown()

    def _run(self, pictures: FloatArray, states: list[State | None]) -> tuple[FloatArray, list[State]]:
        """The network on pictures, (eyes, frames, h, w, 3): alphas (eyes, frames, h, w), and what is to be remembered."""
        if self._pool is None:
            return self.network.step(pictures, states)
        made = list(self._pool.map(lambda p, state: self.network.step(p, [state]), pictures, states))
        return namespace(made[0][0]).stack([alpha for alpha, _ in made]), [state for _, (state,) in made]

    def _shrunk(self, eye: EyeImage) -> tuple[FloatArray, FloatArray]:
        """(picture, luma) as large as the network wants it."""
        least = self._parameters.least_side_px
        ratio = self.ratio or min(1.0, self._parameters.auto_side_px / max(eye.width, eye.height))
        size = max(least, round(eye.width * ratio)), max(least, round(eye.height * ratio))
        factor = max(1, int(1 / ratio))
        near = eye.reduced(factor) if factor > 1 else eye
        whole = Rect.of_size(near.width, near.height)
        rgb, luma = near.region(whole), near.guide(whole).luma
        if (near.width, near.height) != size:
            rgb, luma = (resize(p, size, "area" if near.width > size[0] else "linear") for p in (rgb, luma))
        return rgb, luma

"""What SAM 2 remembers of people, as a value: conditioning frames, the last frames' features, object pointers, scores.

Features and pointers are arrays, or tensors where they stay on a device: a ring to which each frame adds one, and from which the oldest
goes. What is kept is never written to, so memories share it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import Array, shapes_repr
from vr180_ofx.imaging.either import namespace
from vr180_ofx.trackers.contract import Key, Memory


@dataclass(frozen=True, slots=True)
class MemoryFrame:
    """One person in one eye at one step.

    step: when, counted from the memory's beginning. anchor: whether a prompt said where they were (a conditioning frame).
    pointer: (256,) float32 object pointer. score: logit of being there. iou: predicted quality of the mask, 0..1.
    features: (64, h, w) uint16, the bits of bfloat16; None when the frame is too far back, or not trusted, to be looked at again.
    """

    step: int
    anchor: bool
    pointer: npt.NDArray[np.float32]
    score: float
    iou: float
    features: npt.NDArray[np.uint16] | None

    def __repr__(self) -> str:
        return shapes_repr(self)


Past = tuple[MemoryFrame, ...]


@dataclass(frozen=True, slots=True)
class Rules:
    """What is kept. recent: frames with features beside the conditioning ones. reach: object pointers reach back so many frames.

    anchors: conditioning frames kept, the newest; 0 keeps all (as the reference does, whose memory grows with them).
    reliable: keep the last ``recent`` frames whose mask could be trusted, instead of the last ones: memory that does not drift.
    forget_after: somebody who has not been seen for so many frames is forgotten; the plan says who they are when they come back.
    """

    recent: int = 6
    reach: int = 15
    anchors: int = 4
    reliable: bool = False
    forget_after: int = 300


@dataclass(frozen=True)
class MemoryBank:
    """The memory of everybody. step: how many frames have been seen. people: what is remembered of each, oldest first."""

    step: int
    people: dict[Key, Past]

    def to_memory(self) -> Memory:
        """As named arrays; features are shared, not copied."""
        arrays: dict[str, Array] = {"step": np.array([self.step], np.int64)}
        for (number, view), past in sorted(self.people.items()):
            name = f"{number}.{view}"
            arrays[f"{name}.facts"] = np.array([[r.step, r.anchor, r.features is not None, r.score, r.iou] for r in past], np.float64)
            arrays[f"{name}.pointers"] = namespace(past[-1].pointer).stack([r.pointer for r in past])
            for r in past:
                if r.features is not None:
                    arrays[f"{name}.features.{r.step}"] = r.features
        return Memory(arrays)

    @classmethod
    def from_memory(cls, memory: Memory) -> MemoryBank:
        """Raises ValueError when the arrays are not of this kind."""
        arrays = memory.arrays
        if not arrays:
            return cls(0, {})
        try:
            people: dict[Key, Past] = {}
            for name in arrays:
                if not name.endswith(".facts"):
                    continue
                number, view, _ = name.split(".")
                past = []
                for facts, pointer in zip(arrays[name], cast(Any, arrays[f"{number}.{view}.pointers"]), strict=True):
                    step, anchor, has_features, score, iou = facts.tolist()
                    features = cast(Any, arrays[f"{number}.{view}.features.{int(step)}"]) if has_features else None
                    past.append(MemoryFrame(int(step), bool(anchor), pointer, float(score), float(iou), features))
                people[int(number), view] = tuple(past)
            return cls(int(arrays["step"][0]), people)
        except KeyError as error:
            raise ValueError(f"this is not a memory of SAM 2: {error} is missing") from None


def trimmed(past: Past, now: int, rules: Rules) -> Past:
    """What is still needed at step ``now``: the same whenever it is called, so that a restored memory equals a kept one."""
    anchors = [r for r in past if r.anchor]
    if rules.anchors:
        anchors = anchors[-rules.anchors :]
    keep = {r.step for r in anchors}
    spatial = [r for r in past if r.features is not None and not r.anchor]
    spatial = spatial[-rules.recent :] if rules.reliable else [r for r in spatial if now - r.step <= rules.recent]
    seen = {r.step for r in spatial}
    out = []
    for r in past:
        if r.step in keep or r.step in seen:
            out.append(r)
        elif not r.anchor and now - r.step <= rules.reach:
            out.append(r if r.features is None else replace(r, features=None))
    return tuple(out)

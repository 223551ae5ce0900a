"""A tracker and a matting network as one: the tracker says who, the network how soft, and one memory holds what both remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vr180_ofx.matte.contract import MattingNetwork
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Key, Mask, Memory, Tracker, WindowImage

_WHO, _HOW = "who/", "how/"


class MattingTracker:
    """See `trackers.base.Tracker`; its masks have `Mask.network_alpha`. Never forgets exactly, as the network does not."""

    exact_after: int | None = None

    def __init__(self, tracker: Tracker, matter: MattingNetwork, stages: Stages | None = None) -> None:
        self._tracker, self._matter = tracker, matter
        self._stages = stages or Stages()
        self.window_size, self.wants_prompts = tracker.window_size, tracker.wants_prompts
        self.looks_ahead = max(tracker.looks_ahead, matter.looks_ahead)

    def close(self) -> None:
        """Ends the network's threads."""
        self._matter.close()

    def identity(self) -> str:
        return f"{self._tracker.identity()}+{self._matter.identity()}"

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        who, masks = self._tracker.step(_part(memory, _WHO), windows, batch)
        with self._stages.measure("matte"):
            how, softs = self._matter.step(_part(memory, _HOW), windows, masks, batch)
        arrays = {_WHO + k: a for k, a in who.arrays.items()} | {_HOW + k: a for k, a in how.arrays.items()}
        return Memory(arrays), {k: replace(m, network_alpha=softs.get(k)) for k, m in masks.items()}


def _part(memory: Memory, prefix: str) -> Memory:
    return Memory({k.removeprefix(prefix): a for k, a in memory.arrays.items() if k.startswith(prefix)})

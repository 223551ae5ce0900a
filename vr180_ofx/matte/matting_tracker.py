"""A tracker and a matting network as one.

The tracker finds who is where, the network how soft their edges are, and one memory holds what both remember.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from vr180_ofx.matte.contract import MattingNetwork
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import Key, Mask, Memory, Tracker, WindowImage

#: In the memory: whose an array is.
_TRACKER, _NETWORK = "tracker/", "network/"


class MattingTracker:
    """See `trackers.contract.Tracker`; its masks have the network's alpha (`Mask.network_alpha`).

    It forgets exactly when both do.
    """

    def __init__(self, tracker: Tracker, network: MattingNetwork, stages: Stages | None = None) -> None:
        """tracker, network: belong to whoever made them, and are closed there. stages: where the network's time is measured."""
        self._tracker, self._network = tracker, network
        self._stages = stages or Stages()
        self.window_size, self.wants_prompts = tracker.window_size, tracker.wants_prompts
        self.looks_ahead = max(tracker.looks_ahead, network.looks_ahead)
        forgets = tracker.exact_after, network.exact_after
        self.exact_after: int | None = None if None in forgets else max(n for n in forgets if n is not None)

    def identity(self) -> str:
        return f"{self._tracker.identity()}+{self._network.identity()}"

    def begin(self) -> Memory:
        return _joined(self._tracker.begin(), self._network.begin())

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        of_tracker, masks = self._tracker.step(_part(memory, _TRACKER), windows, batch)
        with self._stages.measure("matte"):
            of_network, alphas = self._network.step(_part(memory, _NETWORK), windows, masks, batch)
        return _joined(of_tracker, of_network), {k: replace(m, network_alpha=alphas.get(k)) for k, m in masks.items()}


def _joined(of_tracker: Memory, of_network: Memory) -> Memory:
    arrays = {_TRACKER + k: a for k, a in of_tracker.arrays.items()} | {_NETWORK + k: a for k, a in of_network.arrays.items()}
    return Memory(arrays)


def _part(memory: Memory, prefix: str) -> Memory:
    return Memory({k.removeprefix(prefix): a for k, a in memory.arrays.items() if k.startswith(prefix)})

"""Batches, read ahead by threads: decoders let go of Python's lock, and threads share one cache of decoded pictures."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError
from vr180_ofx.training.contract import Batch, Sample, Source
from vr180_ofx.training.order import Draw, Order


@dataclass(frozen=True, slots=True)
class Piece:
    """What one process sees at once of a step. source: its name. tensors: on the CPU, before augmentation."""

    source: str
    draws: Sequence[Draw]
    tensors: Batch


class Loader:
    """Reads the pieces of steps ahead. A context manager that ends its threads.

    rank, world: which of how many processes: of each step, each sees an equal part of the samples, in order.
    """

    def __init__(
        self, order: Order, sources: Mapping[str, Source], at_once: Mapping[str, int], *, workers: int, ahead: int, rank: int = 0,
        world: int = 1,
    ) -> None:  # fmt: skip
        self._order, self._sources, self._at_once = order, sources, at_once
        self._ahead, self._rank, self._world = ahead, rank, world
        self._pool = ThreadPoolExecutor(workers, "data")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def steps(self, begin: int, end: int) -> Iterator[list[Piece]]:
        """The pieces of each step from ``begin`` to before ``end``. Raises MediaError."""
        waiting: deque[tuple[int, list[Draw], list[Future[Sample]]]] = deque()
        following = iter(range(begin, end))
        while True:
            while len(waiting) <= self._ahead and (step := next(following, None)) is not None:
                draws = self._mine(self._order.draws(step))
                waiting.append((step, draws, [self._pool.submit(self._sample, d) for d in draws]))
            if not waiting:
                return
            step, draws, futures = waiting.popleft()
            name = self._order.source(step)
            samples = [f.result() for f in futures]
            most = self._at_once[name]
            yield [
                Piece(name, draws[k : k + most], stacked(samples[k : k + most], name)) for k in range(0, len(draws), most)
            ]  # fmt: skip

    def _mine(self, draws: list[Draw]) -> list[Draw]:
        part = len(draws) // self._world
        return draws[self._rank * part : (self._rank + 1) * part]

    def _sample(self, draw: Draw) -> Sample:
        return self._sources[self._order.names[draw.source]].sample(draw.index, self._order.random(draw))


def stacked(samples: Sequence[Sample], source: str) -> Batch:
    """Samples as a batch on the CPU, channels first, as they are stored: see `floats`. Raises MediaError where they are not alike."""
    made: Batch = {}
    for key in samples[0]:
        arrays = [s.get(key) for s in samples]
        shapes = [None if a is None else a.shape for a in arrays]
        if any(s != shapes[0] for s in shapes):
            raise MediaError(f"samples of {source} differ in {key}: {', '.join('none' if s is None else str(s) for s in shapes[:4])}")
        made[key] = torch.stack([_tensor(a) for a in arrays if a is not None])
    return made


def _tensor(array: Array) -> Tensor:
    """Pictures (T, H, W, 3) -> (T, 3, H, W), planes (T, H, W) -> (T, 1, H, W); the rest as it is."""
    tensor = torch.from_numpy(np.array(array, order="C"))
    if tensor.dim() == 4:
        return tensor.permute(0, 3, 1, 2)
    return tensor[:, None] if tensor.dim() == 3 else tensor


def floats(batch: Batch, device: torch.device) -> Batch:
    """On the device as float32, integers over their range as 0..1."""
    return {key: _float(t.to(device, non_blocking=True)) for key, t in batch.items()}


def _float(tensor: Tensor) -> Tensor:
    if tensor.dtype.is_floating_point or tensor.dim() < 4:
        return tensor.to(torch.float32)
    # exact: 1 / 255 is not, and white would be a little less
    return tensor.to(torch.float32) / float(torch.iinfo(tensor.dtype).max)


def augmented(source: Source, batch: Batch, seeds: Sequence[int], generator: torch.Generator) -> Batch:
    """Sample by sample, so that nothing depends on how many are seen at once."""
    done = []
    for k, seed in enumerate(seeds):
        generator.manual_seed(seed)
        done.append(source.augment({key: t[k : k + 1] for key, t in batch.items()}, generator))
    return {key: torch.cat([d[key] for d in done]) for key in done[0]}

"""Several processes that train one network: each sees its part of a step's samples, and gradients are averaged before the optimiser steps.

Not PyTorch's DistributedDataParallel: a task may call its network several times in a step (images, then videos, then segmentation), with
parts that a call does not use, and with activations that are computed again; averaging once, after all of it, is right for each of these.
"""

# modules are called, and give what they give
# mypy: disable-error-code="no-any-return,no-untyped-call"
from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Self

import torch
import torch.distributed as dist
from torch import Tensor, nn

from vr180_ofx.errors import SettingsError

#: A process that says nothing for so long is lost: checkpoints of large networks and evaluations take less.
_PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Processes:
    """rank: which of ``world`` processes this is. device: its own. A context manager that leaves the group."""

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this one writes files."""
        return self.rank == 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self.world > 1 and dist.is_initialized():
            dist.destroy_process_group()

    def sums(self, values: Iterable[float]) -> list[float]:
        """Of each value, over all processes, in double precision."""
        given = torch.tensor(list(values), dtype=torch.float64, device=self.device)
        if self.world > 1:
            dist.all_reduce(given)
        return [float(v) for v in given.tolist()]

    def equalise(self, network: nn.Module) -> None:
        """All have the first one's weights."""
        if self.world > 1:
            for tensor in [*network.parameters(), *network.buffers()]:
                dist.broadcast(tensor.data, 0)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Gradients become the means over all processes. A parameter that nobody used has none."""
        if self.world == 1:
            return
        trained = [p for p in parameters if p.requires_grad]
        used = torch.tensor([float(p.grad is not None) for p in trained], device=self.device)
        dist.all_reduce(used)
        meant = [p for p, u in zip(trained, used.tolist(), strict=True) if u]
        if not meant:
            return
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in meant])
        dist.all_reduce(flat)
        flat /= self.world
        for p, mean in zip(meant, flat.split([p.numel() for p in meant]), strict=True):
            p.grad = mean.view_as(p).clone()


def join(device: str) -> Processes:
    """As torchrun says in the environment; alone where it says nothing. device: of a recipe. Raises SettingsError."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    cuda = torch.cuda.is_available()
    if device.startswith("cuda") and not cuda:
        raise SettingsError(f"machine.device is {device}, and PyTorch finds no graphics card here; say --set machine.device=cpu")
    kind = "cuda" if device.startswith("cuda") or (device == "auto" and cuda) else "cpu"
    if world == 1:
        return Processes(0, 1, torch.device(device if ":" in device else "cuda:0" if kind == "cuda" else "cpu"))
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    own = torch.device("cpu")
    if kind == "cuda":
        if local >= torch.cuda.device_count():
            raise SettingsError(f"{local + 1} processes run on this machine, which has {torch.cuda.device_count()} graphics cards")
        own = torch.device("cuda", local)
        torch.cuda.set_device(own)
    dist.init_process_group("nccl" if kind == "cuda" else "gloo", timeout=_PATIENCE)
    return Processes(rank, world, own)


class _Norm(nn.modules.batchnorm._BatchNorm):
    """Batch norm over the samples of all processes, with any backend; PyTorch's own works on graphics cards alone."""

    def _check_input_dim(self, input: Tensor) -> None:
        pass

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        from torch.distributed.nn.functional import all_reduce

        axes = [0, *range(2, input.dim())]
        shape = [1, -1, *[1] * (input.dim() - 2)]
        count = float(input.numel() / input.shape[1]) * dist.get_world_size()
        wide = input.float()
        mean = all_reduce(wide.sum(axes)) / count
        # in two passes: the difference of two large sums would have few digits left
        variance = all_reduce((wide - mean.view(shape)).square().sum(axes)) / count
        if self.track_running_stats and self.running_mean is not None and self.running_var is not None:
            with torch.no_grad():
                assert self.num_batches_tracked is not None
                self.num_batches_tracked.add_(1)
                momentum = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
                self.running_mean.lerp_(mean, momentum)
                self.running_var.lerp_(variance * (count / max(count - 1, 1)), momentum)
        out = (wide - mean.view(shape)) * (variance.view(shape) + self.eps).rsqrt()
        if self.weight is not None:
            out = out * self.weight.view(shape) + self.bias.view(shape)
        return out.to(input.dtype)


def synchronised(network: nn.Module, processes: Processes) -> nn.Module:
    """Batch norms see the samples of all processes; names and weights stay. The network itself, or one that takes its place."""
    if processes.world == 1:
        return network
    if processes.device.type == "cuda":
        return nn.SyncBatchNorm.convert_sync_batchnorm(network)
    for module in network.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)):
            module.__class__ = _Norm  # type: ignore[assignment]
    return network

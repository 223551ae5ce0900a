"""What a step is made of besides the network: rates over steps, the mean of weights, activations that are computed again, signals."""

from __future__ import annotations

import contextlib
import copy
import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from vr180_ofx.errors import SettingsError
from vr180_ofx.training.recipe import Optimiser, Stage
from vr180_ofx.training.sections import nearest
from vr180_ofx.wording import short


def rate_at(stage: Stage, step: int) -> float:
    """The rate of learning in a step of a stage, counted from 0: a line up, then half a cosine down (Loshchilov and Hutter 2017, eq. 5)."""
    if step < stage.warm_up:
        return stage.rate * (step + 1) / (stage.warm_up + 1)
    done = (step - stage.warm_up) / max(1, stage.steps - stage.warm_up)
    return stage.final_rate + 0.5 * (stage.rate - stage.final_rate) * (1 + math.cos(math.pi * done))


def make_optimiser(network: nn.Module, how: Optimiser) -> torch.optim.Optimizer:
    """Groups of parameters by their factors of the rate, under "factor"; what is frozen asks for no gradients. Raises SettingsError."""
    named = dict(network.named_parameters())
    for prefix in how.rates:
        if not any(n.startswith(prefix) for n in named):
            tops = sorted({n.partition(".")[0] for n in named})
            raise SettingsError(f"optimiser.rates names {short(prefix)}, with which no parameter begins{nearest(prefix, tops)}")
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in named.items():
        # the longest beginning says
        factor = max(((len(p), f) for p, f in how.rates.items() if name.startswith(p)), default=(0, 1.0))[1]
        parameter.requires_grad_(factor > 0)
        if factor > 0:
            # gains and shifts are not pulled to 0, as is usual, nor what modules mark as their like, as Mamba's code does
            kept = parameter.dim() <= 1 or getattr(parameter, "_no_weight_decay", False)
            decay = 0.0 if kept else how.weight_decay
            groups.setdefault((factor, decay), []).append(parameter)
    if not groups:
        raise SettingsError("optimiser.rates freezes all parameters; nothing would be trained")
    rows = [{"params": p, "factor": f, "weight_decay": d} for (f, d), p in groups.items()]
    if how.name == "sgd":
        return torch.optim.SGD(rows, lr=1.0, momentum=how.momentum)
    return torch.optim.AdamW(rows, lr=1.0, betas=how.betas)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


class Mean:
    """The exponential mean of a network's weights (Polyak and Juditsky 1992); buffers are those of the last step.

    Its first steps count more, or it would long remember the random beginning: decay is at most (1 + n) / (10 + n) after n steps.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).requires_grad_(False).eval()

    @torch.no_grad()
    def update(self, network: nn.Module, step: int) -> None:
        """step: of the whole run, counted from 1."""
        decay = min(self.decay, (1 + step) / (10 + step))
        for mean, now in zip(self.network.parameters(), network.parameters(), strict=True):
            mean.lerp_(now.detach(), 1 - decay)
        for kept, last in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(last)


def recompute(network: nn.Module, names: tuple[str, ...]) -> None:
    """Modules keep no activations for the way back, but compute them again (Chen and others 2016). The same gradients, to the bit.

    Raises SettingsError for names that the network does not have.
    """
    known = [n for n, _ in network.named_modules() if n]
    for name in names:
        if name not in known:
            raise SettingsError(f"checkpointing names {short(name)}, which is no module of the network{nearest(name, known[:200])}")
        module = network.get_submodule(name)
        # of an earlier stage
        module.__dict__.pop("forward", None)
        module.forward = _again(module, module.forward)


def recompute_nothing(network: nn.Module) -> None:
    for module in network.modules():
        module.__dict__.pop("forward", None)


def _again(module: nn.Module, forward: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **words: Any) -> Any:
        if not torch.is_grad_enabled():
            return forward(*arguments, **words)

        def contexts() -> tuple[contextlib.AbstractContextManager[None], contextlib.AbstractContextManager[None]]:
            return contextlib.nullcontext(), _as_seen(module)

        return checkpoint(forward, *arguments, use_reentrant=False, context_fn=contexts, **words)

    return called


@contextlib.contextmanager
def _as_seen(module: nn.Module) -> Iterator[None]:
    """Batch norms take no notice of what they see a second time."""
    norms = [m for m in module.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm) and m.track_running_stats]
    before = [(m.momentum, m.num_batches_tracked) for m in norms]
    for m in norms:
        # a momentum of 0 leaves the running numbers as they are, to the bit; without them other tensors would be kept
        m.momentum, m.num_batches_tracked = 0.0, None if m.num_batches_tracked is None else m.num_batches_tracked.clone()
    try:
        yield
    finally:
        for m, (momentum, tracked) in zip(norms, before, strict=True):
            m.momentum, m.num_batches_tracked = momentum, tracked


class Asked:
    """Whether somebody asked to end, by Ctrl+C or SIGTERM. The first signal is remembered; another one, a second later, interrupts."""

    def __init__(self) -> None:
        self.signal = 0
        self._at = 0.0
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Asked:
        with contextlib.suppress(ValueError):  # not the main thread
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._came)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _came(self, number: int, _: FrameType | None) -> None:
        # launchers send what a terminal has sent already
        if self.signal and time.monotonic() - self._at > 1:
            raise KeyboardInterrupt
        if not self.signal:
            self.signal, self._at = number, time.monotonic()


def total(losses: Mapping[str, Tensor]) -> Tensor:
    """Their sum. Raises ValueError when there are none."""
    if not losses:
        raise ValueError("a task gave no losses; it gives at least one")
    return torch.stack([v.reshape(()) for v in losses.values()]).sum()

"""The selective scan of Mamba (Gu and Dao 2023, arXiv:2312.00752, equation 2 and algorithm 2) in plain PyTorch, and by mamba-ssm on CUDA.

A state for each channel: h[t] = exp(delta[t] A) h[t-1] + delta[t] B[t] x[t], and what is seen of it: y[t] = C[t] h[t] + D x[t]. The
recurrence is linear, so it need not be walked through one position after the other. Positions are cut into chunks: all chunks are walked
through at once, as if each began with nothing; how their ends follow each other is the same recurrence, a chunk's length shorter, and is
solved by the same means; then all are walked through again from what they really begin with. No number is ever divided by a decay, so
nothing can overflow, and for L positions that is 3 L multiplications in 3 CHUNK log L steps.
"""

# mypy: disable-error-code="no-any-return,no-untyped-call,no-untyped-def,attr-defined"
from __future__ import annotations

import contextlib
import importlib.util
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

#: Positions of a chunk. On a CPU 4 to 64 take the same time, within what it varies (9216 positions of 192 channels: 16 to 26 ms). Steps,
#: which are what counts on graphics cards, are the fewest with 4 and 8.
CHUNK = 8
#: What the recurrence is called in graphs that are traced, which have no recurrences: whoever reads them knows one (`scan_in_openvino`).
OPERATION = "vr180_ofx::linear_scan"
_kernel: Any = None


def linear_scan(decay: Tensor, added: Tensor, chunk: int = CHUNK) -> Tensor:
    """h[:, t] = decay[:, t] h[:, t-1] + added[:, t], from h = 0 on. (rows, positions, channels) each, as is what is returned.

    chunk: at least 2.
    """
    factors, terms = [decay], [added]
    # ends of chunks, then ends of chunks of those, down to a single one.
    while factors[-1].shape[1] > 1:
        a, b = _in_chunks(factors[-1], terms[-1], chunk)
        product, end = a[0], b[0]
        for k in range(1, chunk):
            end = torch.addcmul(b[k], a[k], end)
            product = product * a[k]
        factors.append(product)
        terms.append(end)
    state = terms[-1]
    for level in range(len(factors) - 2, -1, -1):
        a, b = _in_chunks(factors[level], terms[level], chunk)
        # what each chunk begins with is what the one before ends with
        h = F.pad(state, [0, 0, 1, 0])[:, :-1]
        walked: list[Tensor] = []
        for k in range(chunk):
            h = torch.addcmul(b[k], a[k], h)
            walked.append(h)
        state = torch.stack(walked, dim=2).flatten(1, 2)[:, : factors[level].shape[1]]
    return state


def doubled_scan(decay: Tensor, added: Tensor) -> Tensor:
    """`linear_scan` by Hillis and Steele 1986: each position takes in what is 1, 2, 4, ... before it. log L passes over everything instead
    of three, but a graph of so few operations that programs can be made of it (ONNX; written out in chunks that took more than 5 minutes).
    """
    step = 1
    while step < decay.shape[1]:
        added = torch.addcmul(added, decay, F.pad(added, [0, 0, step, 0])[:, :-step])
        decay = decay * F.pad(decay, [0, 0, step, 0])[:, :-step]
        step *= 2
    return added


def _in_chunks(decay: Tensor, added: Tensor, chunk: int) -> tuple[list[Tensor], list[Tensor]]:
    """(rows, positions, channels) -> of each place in a chunk (rows, chunks, channels), filled up with nothing."""
    count = (decay.shape[1] + chunk - 1) // chunk
    shape = [decay.shape[0], count, chunk, decay.shape[2]]
    a = F.pad(decay, [0, 0, 0, chunk - 1])[:, : count * chunk]
    b = F.pad(added, [0, 0, 0, chunk - 1])[:, : count * chunk]
    return list(a.reshape(shape).unbind(2)), list(b.reshape(shape).unbind(2))


_LIBRARY = torch.library.Library("vr180_ofx", "FRAGMENT")
_LIBRARY.define("linear_scan(Tensor decay, Tensor added) -> Tensor")
_LIBRARY.impl("linear_scan", lambda decay, added: linear_scan(decay, added), "CompositeExplicitAutograd")


class _LinearScan(torch.autograd.Function):
    """`linear_scan`, whose gradient is a scan from the other end: nothing of the steps between is kept."""

    @staticmethod
    def forward(ctx: Any, decay: Tensor, added: Tensor, chunk: int) -> Tensor:
        states = linear_scan(decay, added, chunk)
        ctx.save_for_backward(decay, states)
        ctx.chunk = chunk
        return states

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        decay, states = ctx.saved_tensors
        # g[t] = gradient[t] + decay[t+1] g[t+1]
        following = F.pad(decay[:, 1:], [0, 0, 0, 1])
        added = linear_scan(following.flip(1), gradient.flip(1), ctx.chunk).flip(1)
        return added * F.pad(states[:, :-1], [0, 0, 1, 0]), added, None


# by place: TorchScript has nothing else
def selective_scan(  # noqa: PLR0917
    x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, chunk: int = CHUNK
) -> Tensor:  # fmt: skip
    """Walks through positions in all groups and batches at once.

    x, delta: (groups, batch, positions, channels), delta above 0. a: (groups, channels, states), below 0. b, c: (groups, batch, positions,
    states). d: (groups, channels). Returns y, as x. Whatever multiplies elsewhere, this is computed in float32 at least: decays near 1 are
    1 in half precision.
    """
    kind = x.dtype
    if kind == torch.float16 or kind == torch.bfloat16:
        x, delta, a, b, c, d = x.float(), delta.float(), a.float(), b.float(), c.float(), d.float()
    if not torch.jit.is_scripting():  # noqa: SIM102 - TorchScript leaves out what stands under this alone
        if _kernel is not None and x.is_cuda and x.dtype == torch.float32:
            return by_kernel(_kernel, x, delta, a, b, c, d).to(kind)
    groups, batch, positions, channels = x.shape
    states = a.shape[2]
    decay = torch.exp(delta.unsqueeze(-1) * a[:, None, None]).reshape(groups * batch, positions, channels * states)
    added = ((delta * x).unsqueeze(-1) * b.unsqueeze(-2)).reshape(groups * batch, positions, channels * states)
    if torch.jit.is_scripting():
        h = linear_scan(decay, added, chunk)
    elif torch.jit.is_tracing():
        h = torch.ops.vr180_ofx.linear_scan(decay, added)
    elif torch.is_grad_enabled() and (decay.requires_grad or added.requires_grad):
        h = _LinearScan.apply(decay, added, chunk)
    elif torch.compiler.is_exporting():
        h = doubled_scan(decay, added)
    else:
        h = linear_scan(decay, added, chunk)
    h = h.reshape(groups, batch, positions, channels, states)
    y = h.squeeze(-1) * c if states == 1 else (h * c.unsqueeze(-2)).sum(-1)
    return (y + d[:, None, None] * x).to(kind)


def look_for_kernel() -> Any:
    """mamba-ssm's function, where that package is installed and can be loaded; else None. From then on `selective_scan` uses it on CUDA.

    Networks look for it when they are made: what runs is compiled and captured, and loads nothing.
    """
    global _kernel
    if _kernel is None and torch.cuda.is_available() and importlib.util.find_spec("mamba_ssm") is not None:
        # a package that was built for another version of PyTorch or of CUDA cannot be loaded
        with contextlib.suppress(ImportError, OSError):
            from mamba_ssm.ops.selective_scan_interface import selective_scan_fn

            _kernel = selective_scan_fn
    return _kernel


# as `selective_scan`
def by_kernel(  # noqa: PLR0917
    function: Any, x: Tensor, delta: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor
) -> Tensor:  # fmt: skip
    """`selective_scan` by a function with the signature of mamba-ssm's ``selective_scan_fn``: channels of all groups in a row, last the
    positions, (batch, groups channels, positions) and (batch, groups, states, positions).
    """
    groups, batch, positions, channels = x.shape

    def flat(t: Tensor) -> Tensor:
        return t.permute(1, 0, 3, 2).reshape(batch, groups * channels, positions).contiguous()

    def grouped(t: Tensor) -> Tensor:
        return t.permute(1, 0, 3, 2).contiguous()

    y = function(flat(x), flat(delta), a.flatten(0, 1).contiguous(), grouped(b), grouped(c), d.flatten().contiguous())
    return y.view(batch, groups, channels, positions).permute(1, 0, 3, 2)

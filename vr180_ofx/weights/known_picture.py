"""A picture that networks are shown when they are loaded on a graphics card: what they say of it is held against the CPU's float32.

Half precision can overflow with weights that it was never tried with, and kernels of a driver or a library can be broken: then mattes
would be wrong, or empty, without a word.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from vr180_ofx.errors import ComputationError

#: A side of it, in pixels: small, because the CPU looks at it, too.
SIDE = 128
#: How far numbers may be from float32's, as a share of their root mean square. On a CPU bfloat16 came to 0.5 to 1.3 % after the encoders of
#: SAM 2 (t and b+, random weights), and to 3 to 8 % in what RVM remembers of two frames (small weights for tests); float16 to a tenth of
#: that. Numbers that are not the network's at all are off by 100 % and more. The limit lies between the two in the logarithm.
FARTHEST = 0.3


def known_picture(side: int = SIDE) -> Tensor:
    """(1, 3, side, side) 0..1 float32 on the CPU: somebody bright before stripes, as flat, as soft and as sharp as pictures are."""
    line = torch.linspace(-1, 1, side)
    y, x = line[:, None], line[None]
    stripes = torch.stack([torch.sin(9 * x + k) * torch.cos(7 * y - k) for k in range(3)])
    body = torch.sigmoid((0.6 - torch.hypot(1.8 * x, y)) * 20)
    tones = torch.tensor([0.9, 0.7, 0.6])[:, None, None] * (0.8 + 0.2 * y)
    return ((0.5 + 0.3 * stripes) * (1 - body) + tones * body).clamp(0, 1)[None]


def hold_against(expected: Sequence[Tensor], found: Sequence[Tensor], *, network: str, device: str, precision: str) -> None:
    """expected: by float32 on the CPU; none where only sense is asked of what was found. Raises ComputationError."""
    numbers = [f.detach().float().cpu() for f in found]
    broken = sum(int((~n.isfinite()).sum()) for n in numbers)
    if broken:
        total = sum(n.numel() for n in numbers)
        _refuse(f"{broken} of {total} numbers are not finite, where all are in float32 on the CPU", network, device, precision)
    for e, n in zip(expected, numbers, strict=False):
        off = float((n - e.float()).norm() / e.float().norm().clamp(min=1e-12))
        if off > FARTHEST:
            what = f"numbers differ from float32 on the CPU by {100 * off:.0f} %, and {100 * FARTHEST:.0f} % are allowed"
            _refuse(what, network, device, precision)


def _refuse(what: str, network: str, device: str, precision: str) -> None:
    half = "set matting.fp16=false, which takes more time and memory; " if precision != "float32" else ""
    raise ComputationError(
        f"{network} on {device} in {precision} computes what cannot be of a known picture: {what}. Mattes would be wrong. To go on, "
        f"{half}try another driver or version of PyTorch, or set hardware.device=cpu"
    )

"""VMamba's visual state space model (Liu and others 2024, arXiv:2401.10166), written from the paper, as an encoder of RVM.

A block (figure 3d): what a picture's places know of each other comes from SS2D, a selective scan along its rows, its columns, and both
backwards (figure 2); then each place thinks for itself. Unlike attention, the work grows with the number of places alone.
"""

# modules are called, and give what they give
# mypy: disable-error-code="no-any-return,no-untyped-call,operator"
from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vr180_ofx.matte.rvm.scan import CHUNK, look_for_kernel, selective_scan

#: As MobileNet's, for 0..1.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
#: Between these steps are drawn that a state forgets in before training (Mamba, section 3.6).
_STEPS = (0.001, 0.1)
_DIRECTIONS = 4


def cross_scan(x: Tensor) -> Tensor:
    """(batch, h, w, channels) -> (4, batch, h w, channels): along rows, along columns, and both from the other end."""
    rows, columns = x.flatten(1, 2), x.transpose(1, 2).flatten(1, 2)
    return torch.stack([rows, columns, rows.flip(1), columns.flip(1)])


def cross_merge(y: Tensor, height: int, width: int) -> Tensor:
    """Undoes `cross_scan`, and sums: (4, batch, h w, channels) -> (batch, h, w, channels)."""
    rows, columns = y[0] + y[2].flip(1), y[1] + y[3].flip(1)
    batch, channels = rows.shape[0], rows.shape[2]
    return rows.reshape(batch, height, width, channels) + columns.reshape(batch, width, height, channels).transpose(1, 2)


class Ss2d(nn.Module):
    """The 2D selective scan, between a projection and one back (figure 3d)."""

    def __init__(self, channels: int, states: int = 1, chunk: int = CHUNK) -> None:
        """states: of each channel, the paper's N; 1 is what VMamba's own small networks have."""
        super().__init__()
        look_for_kernel()
        rank = -(-channels // 16)
        self.states, self.rank, self.chunk = states, rank, chunk
        self.enter = nn.Linear(channels, channels, bias=False)
        self.near = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        bound = channels**-0.5
        #: From each place what it does to the state, in each direction: steps (through a narrow layer), B and C.
        self.select = nn.Parameter(torch.empty(_DIRECTIONS, channels, rank + 2 * states).uniform_(-bound, bound))
        self.widen = nn.Parameter(torch.empty(_DIRECTIONS, rank, channels).uniform_(-(rank**-0.5), rank**-0.5))
        low, high = (math.log(s) for s in _STEPS)
        steps = torch.exp(torch.empty(_DIRECTIONS, channels).uniform_(low, high))
        # softplus gives them back
        self.step_bias = nn.Parameter(steps + torch.log(-torch.expm1(-steps)))
        self.log_a = nn.Parameter(torch.arange(1.0, states + 1).log().repeat(_DIRECTIONS, channels, 1))
        self.through = nn.Parameter(torch.ones(_DIRECTIONS, channels))
        for parameter in (self.step_bias, self.log_a, self.through):
            # optimisers do not pull them to 0, where states would forget at another speed
            parameter._no_weight_decay = True  # type: ignore[attr-defined]
        self.norm = nn.LayerNorm(channels)
        self.leave = nn.Linear(channels, channels, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, h, w, channels)."""
        batch, height, width, channels = x.shape
        x = self.near(self.enter(x).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        along = cross_scan(F.silu(x))
        chosen = torch.bmm(along.flatten(1, 2), self.select)
        steps, b, c = chosen.split([self.rank, self.states, self.states], dim=2)
        delta = F.softplus(torch.bmm(steps, self.widen) + self.step_bias.unsqueeze(1))
        shape = [along.shape[0], batch, height * width, self.states]
        y = selective_scan(
            along, delta.view_as(along), -torch.exp(self.log_a), b.reshape(shape), c.reshape(shape), self.through, self.chunk
        )
        return self.leave(self.norm(cross_merge(y, height, width)))


class VssBlock(nn.Module):
    """The paper's block: both halves are added to what comes in."""

    def __init__(self, channels: int, states: int = 1, expansion: int = 4) -> None:
        super().__init__()
        self.norm1, self.scan = nn.LayerNorm(channels), Ss2d(channels, states)
        self.norm2 = nn.LayerNorm(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, expansion * channels), nn.GELU(), nn.Linear(expansion * channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, h, w, channels)."""
        x = x + self.scan(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class _Down(nn.Module):
    """Half the size, by a convolution: from and to (batch, channels, h, w)."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 3, stride=2, padding=1)
        self.norm = nn.LayerNorm(out)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Vssm(nn.Module):
    """The encoder without a head. VMamba's stem divides by 4 in two steps, of which the first is RVM's finest feature; its fourth stage,
    at 1/32, is left out, as RVM sees nothing coarser than 1/16. Of pictures 0..1.
    """

    def __init__(self, width: int = 48, depths: tuple[int, int, int] = (2, 2, 6), states: int = 1) -> None:
        """width: channels at 1/4. depths: blocks at 1/4, 1/8 and 1/16."""
        super().__init__()
        #: Of the features at 1/2, 1/4, 1/8 and 1/16.
        self.channels = (width // 2, width, 2 * width, 4 * width)
        self.stem = _Down(3, width // 2)
        self.downs = nn.ModuleList(_Down(self.channels[k], self.channels[k + 1]) for k in range(3))
        self.stages = nn.ModuleList(
            nn.Sequential(*(VssBlock(self.channels[k + 1], states) for _ in range(depth))) for k, depth in enumerate(depths)
        )
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = F.gelu(self.stem((x - self.mean) / self.std))
        found = [x]
        for down, stage in zip(self.downs, self.stages):  # noqa: B905 - TorchScript knows no strict
            x = stage(down(x).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
            found.append(x)
        return found

"""MobileOne (Vasu, Gabriel, Zhu, Tuzel, Ranjan 2022, arXiv:2206.04040), written from the paper, as an encoder of RVM.

While it is trained each layer is a sum of branches: convolutions of the same kind, one of a single pixel, and the picture as it is, each
with a batch normalisation of its own. All of that is linear once the statistics are fixed, so that a trained network becomes one of plain
convolutions with the same values (section 3.2): `reparameterize_model`.
"""

# modules are called, and give what they give
# mypy: disable-error-code="no-any-return,no-untyped-call,operator,arg-type"
from __future__ import annotations

import copy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Model = TypeVar("Model", bound=nn.Module)
#: Channels and blocks of stages 2 to 6 at a width of 1, and by how much each divides the picture (table 2). Stages 4 and 5 are one here:
#: they differ in nothing but the stride at the beginning.
_STAGES = ((64, 2, 2), (128, 8, 2), (256, 10, 2), (512, 1, 1))
#: Size -> widths of those stages, and branches of each kind (table 3). S4 has squeeze-and-excitation, and is not here.
SIZES: dict[str, tuple[tuple[float, float, float, float], int]] = {
    "s0": ((0.75, 1.0, 1.0, 2.0), 4),
    "s1": ((1.5, 1.5, 2.0, 2.5), 1),
    "s2": ((1.5, 2.0, 2.5, 4.0), 1),
    "s3": ((2.0, 2.5, 3.0, 4.0), 1),
}
#: What encoders of RVM are shown, for 0..1: as MobileNet's.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


class _ConvNorm(nn.Module):
    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.conv = convolution
        self.norm = nn.BatchNorm2d(convolution.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.conv(x))


class MobileOneBlock(nn.Module):
    """A layer as it is trained (figure 3): convolutions, one of 1x1 beside larger ones, and, where the shape stays, x itself."""

    def __init__(
        self, channels: int, out: int, kernel: int, *, stride: int = 1, dilation: int = 1, groups: int = 1, branches: int = 1
    ) -> None:  # fmt: skip
        """kernel: odd. branches: the paper's k, at least 1."""
        super().__init__()
        if kernel % 2 != 1 or branches < 1:
            raise ValueError(f"kernel is {kernel} and branches {branches}; a kernel is odd, and there is at least one branch")

        def convolution(side: int) -> nn.Conv2d:
            padding = dilation * (side // 2)
            return nn.Conv2d(
                channels, out, side, stride=stride, padding=padding, dilation=dilation if side > 1 else 1, groups=groups, bias=False
            )

        self.branches = nn.ModuleList(_ConvNorm(convolution(kernel)) for _ in range(branches))
        self.scale = _ConvNorm(convolution(1)) if kernel > 1 else None
        self.skip = nn.BatchNorm2d(channels) if out == channels and stride == 1 else None

    def forward(self, x: Tensor) -> Tensor:
        y = torch.zeros(1, dtype=x.dtype, device=x.device)
        for branch in self.branches:
            y = y + branch(x)
        if self.scale is not None:
            y = y + self.scale(x)
        if self.skip is not None:
            y = y + self.skip(x)
        return F.relu(y)


class MobileOneLayer(nn.Module):
    """The same layer as it is used: one convolution."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.conv = convolution

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.conv(x))


def reparameterize_block(block: MobileOneBlock) -> MobileOneLayer:
    """The layer that gives what ``block`` gives in evaluation mode. Sums are made in float64, and kept in the block's type."""
    first = block.branches[0].conv
    assert isinstance(first, nn.Conv2d)
    side = first.kernel_size[0]
    weight, bias = torch.zeros_like(first.weight, dtype=torch.float64), first.weight.new_zeros(first.out_channels, dtype=torch.float64)
    for branch in [*block.branches, *([block.scale] if block.scale is not None else [])]:
        gain, offset = _affine(branch.norm)
        kernel = branch.conv.weight.double() * gain.view(-1, 1, 1, 1)
        # one pixel stands in the middle of a larger kernel, dilated or not
        edge = (side - kernel.shape[-1]) // 2
        weight, bias = weight + F.pad(kernel, [edge] * 4), bias + offset
    if block.skip is not None:
        gain, offset = _affine(block.skip)
        # of each group the input channels are counted anew
        out = torch.arange(first.out_channels, device=weight.device)
        weight[out, out % weight.shape[1], side // 2, side // 2] += gain
        bias = bias + offset
    fused = nn.Conv2d(
        first.in_channels, first.out_channels, side, stride=first.stride, padding=first.padding, dilation=first.dilation,
        groups=first.groups, device=first.weight.device, dtype=first.weight.dtype,
    )  # fmt: skip
    assert fused.bias is not None
    with torch.no_grad():
        fused.weight.copy_(weight)
        fused.bias.copy_(bias)
    return MobileOneLayer(fused).train(block.training)


@torch.no_grad()
def _affine(norm: nn.Module) -> tuple[Tensor, Tensor]:
    """What a batch normalisation does in evaluation mode: (factor, what is added), float64, for each channel."""
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    gain = norm.weight.double() / torch.sqrt(norm.running_var.double() + norm.eps)
    return gain, norm.bias.double() - norm.running_mean.double() * gain


@torch.no_grad()
def reparameterize_model(model: Model) -> Model:
    """A copy of ``model`` whose `MobileOneBlock` are single convolutions: in evaluation mode the same values, within rounding."""
    model = copy.deepcopy(model)
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            if isinstance(child, MobileOneBlock):
                setattr(parent, name, reparameterize_block(child))
    return model


class MobileOne(nn.Module):
    """The encoder without its head, its last stage dilated instead of strided, as RVM does with its own. Of pictures 0..1."""

    def __init__(self, size: str = "s0") -> None:
        """size: s0 to s3."""
        super().__init__()
        widths, branches = SIZES[size]
        # never wider than at a width of 1 (section 3.2.2)
        before = min(64, int(64 * widths[0]))
        self.stem = MobileOneBlock(3, before, 3, stride=2, branches=1)
        stages: list[nn.Sequential] = []
        channels = [before]
        for (at_one, blocks, stride), width in zip(_STAGES, widths, strict=True):
            out, layers = int(at_one * width), list[nn.Module]()
            for k in range(blocks):
                step = stride if k == 0 else 1
                # the last stage divides by nothing, and looks as far as if it did
                dilation = 2 if stride == 1 else 1
                layers.append(
                    MobileOneBlock(before, before, 3, stride=step, dilation=dilation, groups=before, branches=branches)
                )  # fmt: skip
                layers.append(MobileOneBlock(before, out, 1, branches=branches))
                before = out
            stages.append(nn.Sequential(*layers))
            channels.append(out)
        self.stages = nn.ModuleList(stages)
        #: Of the features at 1/2, 1/4 and 1/8, and of the last layer, at 1/16.
        self.channels = (channels[0], channels[1], channels[2], channels[4])
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        found = [self.stem((x - self.mean) / self.std)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return [found[0], found[1], found[2], found[4]]

"""The student: one person's alpha from a person window and a guide, however crude, at the window's full resolution.

An encoder of inverted residuals (Sandler et al. 2018) sees the window at strides 2 to 32, a light decoder comes back up beside its features
(Ronneberger et al. 2015), and two layers see the pixels themselves: hair. What it gives is a correction of the guide
after a guided filter (He, Sun, Tang 2013), which is one of its inputs: an untrained network is that filter, and all that it learns is
better than it.
"""

# modules are called, and give what they give
# mypy: disable-error-code="no-any-return,no-untyped-call"
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vr180_ofx.matte.student.contract import STRETCH

#: Planes of the input: picture, guide, guide after the guided filter, others' guides.
PLANES = 6
#: Channels of the features at strides 2, 4, 8, 16 and 32, and how many blocks make them.
WIDTHS = (16, 24, 40, 96, 192)
DEPTHS = (1, 2, 2, 4, 3)
#: Channels of the decoder at strides 16, 8, 4, and of the layer that sees the pixels themselves.
DECODER = (96, 48, 32)
DETAIL = 32
#: Planes of the answer: alpha's logit, foreground (3), confidence.
_ANSWERS = 5


class Answer(NamedTuple):
    """What the student says of n windows.

    alpha: (n, 1, h, w) 0..1, this person's. logits: the same before the logistic function. foreground: (n, 3, h, w), what is to be added to
    the picture where it is partly somebody. confidence: (n, 1, h, w) 0..1, 1 less the error of alpha that it expects. presence: (n,), the
    logit of whether whom the guide means is there.
    """

    alpha: Tensor
    logits: Tensor
    foreground: Tensor
    confidence: Tensor
    presence: Tensor


def _conv(inputs: int, outputs: int, size: int = 3, stride: int = 1, groups: int = 1, *, active: bool = True) -> nn.Sequential:
    conv = Pointwise(inputs, outputs) if size == 1 else nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs, momentum=0.05), *([nn.ReLU(inplace=True)] if active else []))


class Pointwise(nn.Conv2d):
    """A convolution of single pixels. While it learns on a CPU it is a product of matrices: a third of the time there."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = False) -> None:
        super().__init__(inputs, outputs, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.training and x.device.type == "cpu":
            return F.linear(x.permute(0, 2, 3, 1), self.weight[:, :, 0, 0], self.bias).permute(0, 3, 1, 2)
        return super().forward(x)


class Inverted(nn.Module):
    """An inverted residual: wider by ``expand`` in between, where each channel is filtered alone."""

    def __init__(self, inputs: int, outputs: int, stride: int, expand: int) -> None:
        super().__init__()
        inner = inputs * expand
        self.layers = nn.Sequential(
            _conv(inputs, inner, 1), _conv(inner, inner, 3, stride, inner), _conv(inner, outputs, 1, active=False)
        )  # fmt: skip
        self.same = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        return x + self.layers(x) if self.same else self.layers(x)


class Overview(nn.Module):
    """What the whole window says decides how much of each of the deepest channels goes on (squeeze and excitation, Hu et al. 2018)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2 * channels, channels // 2), nn.ReLU(inplace=True), nn.Linear(channels // 2, channels))

    def forward(self, x: Tensor) -> Tensor:
        seen = torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1)
        return x * self.layers(seen).sigmoid()[..., None, None]


class Up(nn.Module):
    """Coarse features, doubled, beside those of the encoder."""

    def __init__(self, coarse: int, beside: int, outputs: int, *, light: bool) -> None:
        super().__init__()
        self.reduce = _conv(coarse, outputs, 1)
        both = outputs + beside
        self.layers = nn.Sequential(_conv(both, both, 3, groups=both), _conv(both, outputs, 1)) if light else _conv(both, outputs)

    def forward(self, coarse: Tensor, beside: Tensor) -> Tensor:
        x = F.interpolate(self.reduce(coarse), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.layers(torch.cat([x, beside], 1))


class Student(nn.Module):
    """See this module. Of any windows whose sides are multiples of `contract.STRIDE`."""

    def __init__(
        self, widths: Sequence[int] = WIDTHS, depths: Sequence[int] = DEPTHS, decoder: Sequence[int] = DECODER, detail: int = DETAIL
    ) -> None:
        super().__init__()
        self.stem = _conv(4 * PLANES, widths[0], 3)
        stages: list[nn.Module] = []
        for k in range(1, 5):
            blocks: list[nn.Module] = [Inverted(widths[k - 1], widths[k], 2, 3 if k == 1 else 4)]
            blocks += [Inverted(widths[k], widths[k], 1, 4 if k > 2 else 3) for _ in range(depths[k] - 1)]
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.ModuleList(stages)
        self.overview = Overview(widths[4])
        self.presence = nn.Linear(2 * widths[4], 1)
        coarse = [widths[4], *decoder[:2]]
        self.ups = nn.ModuleList(Up(coarse[k], widths[3 - k], decoder[k], light=k < 2) for k in range(3))
        self.reduce = _conv(decoder[2], widths[0], 1)
        # four pixels are channels of one: convolutions of few channels leave most of a processor idle
        self.detail = _conv(2 * widths[0] + 4 * PLANES, detail)
        self.out = nn.Conv2d(detail, 4 * _ANSWERS, 3, padding=1)
        for parameter in self.out.parameters():
            nn.init.zeros_(parameter)
        #: How much the filtered guide counts as a logit.
        self.trust = nn.Parameter(torch.tensor(4.0))

    def forward(self, planes: Tensor) -> Answer:
        """planes: (n, 6, h, w): sRGB 0..1, guide, filtered guide and others' guides, 0..1 each."""
        quarters = F.pixel_unshuffle(planes - 0.5, 2)
        features = [self.stem(quarters)]
        for stage in self.stages:
            features.append(stage(features[-1]))
        deep = self.overview(features[-1])
        presence = self.presence(torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1))[:, 0]
        x = deep
        for k, up in enumerate(self.ups):
            x = up(x, features[3 - k])
        x = F.interpolate(self.reduce(x), scale_factor=2.0, mode="bilinear", align_corners=False)
        found = F.pixel_shuffle(self.out(self.detail(torch.cat([x, features[0], quarters], 1))), 2)
        logits = found[:, :1] + self.trust * (2 * planes[:, 4:5] - 1)
        return Answer(self.alpha(logits), logits, found[:, 1:4], (found[:, 4:] + 3).sigmoid(), presence)

    @staticmethod
    def alpha(logits: Tensor) -> Tensor:
        """0..1, both of which are reached."""
        return (logits.sigmoid() * (1 + 2 * STRETCH) - STRETCH).clamp(0, 1)

"""Robust Video Matting (Lin, Yang, Saleemi, Sengupta 2021, arXiv:2108.11515), written from the paper.

An encoder gives features at 1/2, 1/4, 1/8 and 1/16 of the picture (figure 2), LR-ASPP (Howard et al. 2019) what the scene is about, and a
decoder goes back up, half of whose channels pass through a ConvGRU (Cho et al. 2014, equation 1) at each of four scales: that is all the
network remembers. For large pictures all of this sees a small one, and a deep guided filter (Wu et al. 2018) or a fast guided filter (He
and Sun 2015) carries alpha and foreground to the large one.

Modules are named as in the authors' checkpoints, which load as they are. MobileOne and VMamba are encoders that the authors had not:
everything after them is the same.
"""

# modules are called, and give what they give
# mypy: disable-error-code="no-any-return,no-untyped-call,import-untyped,operator"
from __future__ import annotations

import itertools
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vr180_ofx.matte.rvm.mobileone import MobileOne
from vr180_ofx.matte.rvm.vssm import Vssm

Variant = Literal["mobilenetv3", "resnet50", "mobileone_rvm", "mamba_rvm"]
RefinerName = Literal["deep_guided_filter", "fast_guided_filter"]
#: What MobileNet was trained with, ImageNet's, for 0..1.
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)
#: variant -> channels of the features at 1/2, 1/4, 1/8, of the encoder's last layer, after LR-ASPP, and of the decoder from 1/8 upwards
#: (its own at 1/16 are those after LR-ASPP).
_CHANNELS = {
    "mobilenetv3": ((16, 24, 40), 960, 128, (80, 40, 32, 16)),
    "resnet50": ((64, 256, 512), 2048, 256, (128, 64, 32, 16)),
    "mobileone_rvm": ((48, 48, 128), 1024, 128, (80, 40, 32, 16)),
    "mamba_rvm": ((24, 48, 96), 192, 128, (80, 40, 32, 16)),
}
VARIANTS: tuple[Variant, ...] = ("mobilenetv3", "resnet50", "mobileone_rvm", "mamba_rvm")


def _upsampled(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False)


def _flat(x: Tensor) -> Tensor:
    """(batch, time, ...) or (batch, ...) -> (batch * time, ...)."""
    return x.flatten(0, 1) if x.dim() == 5 else x


def _like(x: Tensor, other: Tensor) -> Tensor:
    """Undoes `_flat`, as it was done to ``other``."""
    return x.unflatten(0, (other.shape[0], other.shape[1])) if other.dim() == 5 else x


class MobileNetV3(nn.Module):
    """MobileNetV3-Large without its head, its last stage dilated instead of strided. Of pictures 0..1."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import mobilenet_v3_large

        self.features = mobilenet_v3_large(weights=None, dilated=True).features
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> list[Tensor]:
        x = (x - self.mean) / self.std
        found: list[Tensor] = []
        for k, layer in enumerate(self.features):
            x = layer(x)
            if k == 1 or k == 3 or k == 6 or k == 16:
                found.append(x)
        return found


class ResNet50(nn.Module):
    """ResNet-50 without its head, its last stage dilated instead of strided. The authors trained this one on pictures as they are."""

    def __init__(self) -> None:
        super().__init__()
        from torchvision.models import resnet50

        whole = resnet50(weights=None, replace_stride_with_dilation=[False, False, True])
        self.conv1, self.bn1, self.maxpool = whole.conv1, whole.bn1, whole.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = whole.layer1, whole.layer2, whole.layer3, whole.layer4

    def forward(self, x: Tensor) -> list[Tensor]:
        first = F.relu(self.bn1(self.conv1(x)))
        second = self.layer1(self.maxpool(first))
        third = self.layer2(second)
        return [first, second, third, self.layer4(self.layer3(third))]


class LrAspp(nn.Module):
    """Local features, weighed by a summary of the whole picture for each channel."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.aspp1 = nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU(True))
        self.aspp2 = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, out, 1, bias=False), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return self.aspp1(x) * self.aspp2(x)


class ConvGru(nn.Module):
    """A gated recurrent unit whose products are convolutions."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.ih = nn.Sequential(nn.Conv2d(2 * channels, 2 * channels, 3, padding=1), nn.Sigmoid())
        self.hh = nn.Sequential(nn.Conv2d(2 * channels, channels, 3, padding=1), nn.Tanh())

    def step(self, x: Tensor, h: Tensor) -> Tensor:
        # memory may be finer than what multiplies: what is added to it in a frame may be less than a step of bfloat16
        seen = h if h.dtype == x.dtype else h.to(x.dtype)
        reset, update = self.ih(torch.cat([x, seen], dim=1)).split(self.channels, dim=1)
        candidate = self.hh(torch.cat([x, reset * seen], dim=1))
        if h.dtype != x.dtype:
            update, candidate = update.to(h.dtype), candidate.to(h.dtype)
        return (1 - update) * h + update * candidate

    def forward(self, x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        """x: (batch, channels, h, w), or (batch, time, channels, h, w) frames in order."""
        if x.dim() == 5:
            h = torch.zeros_like(x[:, 0]) if h is None else h
            out: list[Tensor] = []
            for now in x.unbind(1):
                h = self.step(now, h)
                out.append(h)
            return torch.stack(out, dim=1), h
        h = self.step(x, torch.zeros_like(x) if h is None else h)
        return h, h


class Recurrent(nn.Module):
    """Half of the channels remember."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gru = ConvGru(channels // 2)

    def forward(self, x: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
        plain, remembering = x.chunk(2, dim=-3)
        remembering, h = self.gru(remembering, h)
        if remembering.dtype != plain.dtype:
            remembering = remembering.to(plain.dtype)
        return torch.cat([plain, remembering], dim=-3), h


class Up(Recurrent):
    """Twice the resolution, with the encoder's features and the picture there."""

    def __init__(self, channels: int, skip: int, picture: int, out: int) -> None:
        super().__init__(out)
        self.conv = nn.Sequential(nn.Conv2d(channels + skip + picture, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(True))

    def up(self, x: Tensor, skip: Tensor, picture: Tensor) -> Tensor:
        """(batch * time, channels, h, w) each."""
        large = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        # blocks at the right and lower border may be incomplete
        large = large[:, :, : picture.shape[2], : picture.shape[3]]
        return self.conv(torch.cat([large, skip, picture], dim=1))


class Output(nn.Module):
    def __init__(self, channels: int, picture: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(channels + picture, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(True),
            nn.Conv2d(out, out, 3, padding=1, bias=False), nn.BatchNorm2d(out), nn.ReLU(True),
        )  # fmt: skip

    def forward(self, x: Tensor, picture: Tensor) -> Tensor:
        large = F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.conv(torch.cat([large[:, :, : picture.shape[2], : picture.shape[3]], picture], dim=1))


class Decoder(nn.Module):
    def __init__(self, skips: tuple[int, int, int], deepest: int, channels: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.halve = nn.AvgPool2d(2, 2, count_include_pad=False, ceil_mode=True)
        self.decode4 = Recurrent(deepest)
        self.decode3 = Up(deepest, skips[2], 3, channels[0])
        self.decode2 = Up(channels[0], skips[1], 3, channels[1])
        self.decode1 = Up(channels[1], skips[0], 3, channels[2])
        self.decode0 = Output(channels[2], 3, channels[3])

    def forward(
        self, picture: Tensor, features: list[Tensor], *, r1: Tensor | None, r2: Tensor | None, r3: Tensor | None, r4: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """picture: (batch[, time], 3, h, w). features: (batch * time, channels, h, w) each, the finest first."""
        p0 = _flat(picture)
        p1 = self.halve(p0)
        p2 = self.halve(p1)
        p3 = self.halve(p2)
        x4, r4 = self.decode4(_like(features[3], picture), r4)
        x3, r3 = self.decode3(_like(self.decode3.up(_flat(x4), features[2], p3), picture), r3)
        x2, r2 = self.decode2(_like(self.decode2.up(_flat(x3), features[1], p2), picture), r2)
        x1, r1 = self.decode1(_like(self.decode1.up(_flat(x2), features[0], p1), picture), r1)
        return self.decode0(_flat(x1), p0), r1, r2, r3, r4


class Projection(nn.Module):
    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


class FastGuidedFilter(nn.Module):
    """Each channel of the result is a linear function of the same channel of the picture, solved for in the small picture."""

    def __init__(self, radius: int = 1, epsilon: float = 1e-5) -> None:
        super().__init__()
        self.side = 2 * radius + 1
        self.radius = radius
        self.epsilon = epsilon

    def mean(self, x: Tensor) -> Tensor:
        # beyond the border there is black
        return F.avg_pool2d(x, self.side, 1, self.radius)

    def forward(self, large: Tensor, small: Tensor, foreground: Tensor, alpha: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        guide = torch.cat([large, large.mean(1, keepdim=True)], dim=1)
        x = torch.cat([small, small.mean(1, keepdim=True)], dim=1)
        y = torch.cat([foreground, alpha], dim=1)
        mean_x, mean_y = self.mean(x), self.mean(y)
        slope = (self.mean(x * y) - mean_x * mean_y) / (self.mean(x * x) - mean_x * mean_x + self.epsilon)
        size = (large.shape[2], large.shape[3])
        out = _upsampled(slope, size) * guide + _upsampled(mean_y - slope * mean_x, size)
        return out[:, :3], out[:, 3:]


class DeepGuidedFilter(nn.Module):
    """As the guided filter, but what is solved for there is learned here."""

    def __init__(self, hidden: int = 16) -> None:
        super().__init__()
        self.box_filter = nn.Conv2d(4, 4, 3, padding=1, bias=False, groups=4)
        nn.init.constant_(self.box_filter.weight, 1 / 9)
        self.conv = nn.Sequential(
            nn.Conv2d(4 * 2 + hidden, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(True),
            nn.Conv2d(hidden, hidden, 1, bias=False), nn.BatchNorm2d(hidden), nn.ReLU(True), nn.Conv2d(hidden, 4, 1),
        )  # fmt: skip

    def forward(self, large: Tensor, small: Tensor, foreground: Tensor, alpha: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        guide = torch.cat([large, large.mean(1, keepdim=True)], dim=1)
        x = torch.cat([small, small.mean(1, keepdim=True)], dim=1)
        y = torch.cat([foreground, alpha], dim=1)
        mean_x, mean_y = self.box_filter(x), self.box_filter(y)
        covariance = self.box_filter(x * y) - mean_x * mean_y
        variance = self.box_filter(x * x) - mean_x * mean_x
        slope = self.conv(torch.cat([covariance, variance, hidden], dim=1))
        size = (large.shape[2], large.shape[3])
        out = _upsampled(slope, size) * guide + _upsampled(mean_y - slope * mean_x, size)
        return out[:, :3], out[:, 3:]


_ENCODERS: dict[str, type[nn.Module]] = {
    "mobilenetv3": MobileNetV3,
    "resnet50": ResNet50,
    "mobileone_rvm": MobileOne,
    "mamba_rvm": Vssm,
}


class RvmNetwork(nn.Module):
    """(picture, memory) -> (foreground, alpha, memory). See `forward`."""

    def __init__(self, variant: Variant = "mobilenetv3", refiner: RefinerName = "deep_guided_filter") -> None:
        super().__init__()
        if variant not in _CHANNELS:
            raise ValueError(f"variant is {variant!r}; allowed are {', '.join(_CHANNELS)}")
        if refiner not in ("deep_guided_filter", "fast_guided_filter"):
            raise ValueError(f"refiner is {refiner!r}; allowed are deep_guided_filter, fast_guided_filter")
        skips, last, deepest, channels = _CHANNELS[variant]
        #: What the network is called in tables, in files and in ``torch.hub``.
        self.variant: str = variant
        self.backbone = _ENCODERS[variant]()
        self.aspp = LrAspp(last, deepest)
        self.decoder = Decoder(skips, deepest, channels)
        self.project_mat = Projection(channels[3], 4)
        self.project_seg = Projection(channels[3], 1)
        self.refiner = DeepGuidedFilter(channels[3]) if refiner == "deep_guided_filter" else FastGuidedFilter()

    def decode(
        self, picture: Tensor, r1: Tensor | None, r2: Tensor | None, r3: Tensor | None, r4: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """(batch[, time], 3, h, w) -> hidden features (batch * time, 16, h, w), and the memory."""
        features = self.backbone(_flat(picture))
        found = [features[0], features[1], features[2], self.aspp(features[3])]
        return self.decoder(picture, found, r1=r1, r2=r2, r3=r3, r4=r4)

    # by place, as in the authors' code
    def forward(  # noqa: PLR0917
        self, src: Tensor, r1: Tensor | None = None, r2: Tensor | None = None, r3: Tensor | None = None, r4: Tensor | None = None,
        downsample_ratio: float = 1.0, segmentation_pass: bool = False,  # noqa: FBT001, FBT002
    ) -> list[Tensor]:  # fmt: skip
        """src: (batch, 3, h, w), or (batch, time, 3, h, w) frames in order, sRGB 0..1.

        r1 to r4: what the last call returned, finest first; None before the first frame. downsample_ratio: of the picture that the network
        sees. Parameters are by place as in the authors' code, so that what was written for that works with this; TorchScript has none by
        name with defaults, either.

        Returns [foreground, alpha, r1, r2, r3, r4]: (..., 3, h, w) and (..., 1, h, w) 0..1; with ``segmentation_pass`` [logits (..., 1, h,
        w), r1, r2, r3, r4] at the small picture's size.
        """
        large = _flat(src)
        small = large
        if downsample_ratio != 1:
            small = F.interpolate(large, scale_factor=downsample_ratio, mode="bilinear", align_corners=False, recompute_scale_factor=False)
        hidden, r1, r2, r3, r4 = self.decode(_like(small, src), r1, r2, r3, r4)
        if segmentation_pass:
            return [_like(self.project_seg(hidden), src), r1, r2, r3, r4]
        # what is seen in the end may be finer than what it was made with: see `Rvm`
        fine = self.project_mat.conv.weight.dtype
        large, hidden = large.to(fine), hidden.to(fine)
        rest, alpha = self.project_mat(hidden).split([3, 1], dim=1)
        if downsample_ratio != 1:
            small = small.to(fine)
            rest, alpha = self.refiner(large, small, rest, alpha, hidden)
        foreground = (rest + large).clamp(0, 1)
        return [_like(foreground, src), _like(alpha.clamp(0, 1), src), r1, r2, r3, r4]


def folded(network: nn.Module) -> nn.Module:
    """Batch normalisation multiplied into the convolutions before it, in place: the same sums, a fifth less time. For inference alone."""
    network.eval()
    for module in network.modules():
        names = list(module._modules)
        for before, after in itertools.pairwise(names):
            convolution, norm = module._modules[before], module._modules[after]
            follows = isinstance(module, nn.Sequential) or after == before.replace("conv", "bn")
            if follows and isinstance(convolution, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                module._modules[before] = torch.nn.utils.fuse_conv_bn_eval(convolution, norm)
                module._modules[after] = nn.Identity()
    return network

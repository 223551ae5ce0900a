"""What happens to pictures, as functions of tensors on any device: (B, T, C, H, W), 0..1. Nothing here is random."""

# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

#: ITU-T T.81, tables K.1 and K.2: how coarsely JPEG stores luma and chroma at quality 50.
_LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
_CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99,
    18, 21, 26, 66, 99, 99, 99, 99,
    24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99,
)  # fmt: skip


def to_light(signal: Tensor) -> Tensor:
    """sRGB 0..1 (IEC 61966-2-1) as linear light."""
    return torch.where(signal <= 0.04045, signal / 12.92, ((signal + 0.055) / 1.055).clamp(min=0) ** 2.4)


def to_signal(light: Tensor) -> Tensor:
    """Linear light as sRGB 0..1."""
    light = light.clamp(0, 1)
    # the root's slope at 0 is infinite
    return torch.where(light <= 0.0031308, 12.92 * light, 1.055 * light.clamp(min=1e-6) ** (1 / 2.4) - 0.055)


def over(foreground: Tensor, background: Tensor, alpha: Tensor, *, linear: bool) -> Tensor:
    """A picture over another one, mixed in linear light or as it is shown."""
    if not linear:
        return alpha * foreground + (1 - alpha) * background
    return to_signal(alpha * to_light(foreground) + (1 - alpha) * to_light(background))


def similarity(*, zoom: float, degrees: float, x: float, y: float, aspect: float) -> list[list[float]]:
    """Rows of a matrix for `moved`: what a picture shows, larger by ``zoom``, turned, and shifted by parts of its width and height.

    aspect: width over height.
    """
    c, s = math.cos(math.radians(degrees)) / zoom, math.sin(math.radians(degrees)) / zoom
    # grid_sample's coordinates are -1..1 on both sides, whatever their lengths
    rows = [[c, s / aspect, 0.0], [-s * aspect, c, 0.0]]
    for row in rows:
        row[2] = -(row[0] * 2 * x + row[1] * 2 * y)
    return rows


def moved(x: Tensor, matrices: Sequence[list[list[float]]], *, beyond: str) -> Tensor:
    """Each frame by its own matrix. beyond: "reflection" goes on mirrored, "zeros" is black, "border" is the last pixel."""
    if all(m == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] for m in matrices):
        return x
    batch, frames = x.shape[:2]
    theta = torch.tensor([list(m) for m in matrices], dtype=x.dtype, device=x.device).repeat(batch, 1, 1)
    grid = F.affine_grid(theta, [batch * frames, *x.shape[2:]], align_corners=False)
    out = F.grid_sample(x.flatten(0, 1), grid, mode="bilinear", padding_mode=beyond, align_corners=False)
    return out.unflatten(0, (batch, frames))


def coloured(x: Tensor, *, gains: Sequence[float], contrast: float, saturation: float, gamma: float) -> Tensor:
    """gains: of red, green and blue, in light. contrast: about the middle. saturation: 0 is grey. gamma: of the signal."""
    x = to_signal(to_light(x) * torch.tensor(list(gains), dtype=x.dtype, device=x.device).view(3, 1, 1))
    x = (x - 0.5) * contrast + 0.5
    # ITU-R BT.709
    grey = (x * torch.tensor([0.2126, 0.7152, 0.0722], dtype=x.dtype, device=x.device).view(3, 1, 1)).sum(-3, keepdim=True)
    x = (grey + (x - grey) * saturation).clamp(0, 1)
    return x if gamma == 1 else x.clamp(min=1e-6) ** gamma


def noisy(x: Tensor, *, shot: float, read: float, grain: int, noise: Tensor) -> Tensor:
    """Noise whose variance grows with light, as a sensor's (Foi and others 2008): sqrt(shot x + read²).

    noise: standard normal, as ``x``. grain: pixels of a side that have one value, as behind a filter that denoised.
    """
    if grain > 1:
        small = F.avg_pool2d(noise.flatten(0, 1), grain, ceil_mode=True) * grain
        noise = F.interpolate(small, x.shape[-2:], mode="bilinear", align_corners=False).unflatten(0, x.shape[:2])
    return (x + (shot * x + read * read).sqrt() * noise).clamp(0, 1)


def blurred(x: Tensor, kernel: Tensor) -> Tensor:
    """Each channel by a kernel (h, w) of sum 1, odd on each side; borders are mirrored."""
    channels, (h, w) = x.shape[2], kernel.shape
    flat = F.pad(x.flatten(0, 1), [w // 2, w // 2, h // 2, h // 2], mode="reflect")
    out = F.conv2d(flat, kernel.to(x).expand(channels, 1, h, w), groups=channels)
    return out.unflatten(0, x.shape[:2])


def gaussian(sigma: float) -> Tensor:
    """A kernel for `blurred`."""
    radius = max(1, math.ceil(3 * sigma))
    t = torch.arange(-radius, radius + 1, dtype=torch.float32)
    g = torch.exp(-(t**2) / (2 * sigma**2))
    g = g / g.sum()
    return g[:, None] * g


def streak(length: float, degrees: float) -> Tensor:
    """A kernel for `blurred`: what moves ``length`` pixels while the shutter is open."""
    radius = max(1, math.ceil(length / 2))
    side = 2 * radius + 1
    kernel = torch.zeros(side, side)
    for k in range(4 * side):
        t = ((k + 0.5) / (4 * side) - 0.5) * length
        x, y = radius + t * math.cos(math.radians(degrees)), radius + t * math.sin(math.radians(degrees))
        x0, y0 = min(int(x), side - 2), min(int(y), side - 2)
        for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
            kernel[y0 + dy, x0 + dx] += abs(1 - dx - (x - x0)) * abs(1 - dy - (y - y0))
    return kernel / kernel.sum()


def ellipse(
    *, height: int, width: int, x: float, y: float, across: float, down: float, degrees: float, soft: float, like: Tensor
) -> Tensor:
    """(H, W), 1 inside an ellipse, 0 outside, with an edge of about ``soft`` pixels. x, y, across, down: pixels."""
    ys = torch.arange(height, dtype=like.dtype, device=like.device)[:, None] + 0.5 - y
    xs = torch.arange(width, dtype=like.dtype, device=like.device) + 0.5 - x
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    r = (((c * xs + s * ys) / across) ** 2 + ((c * ys - s * xs) / down) ** 2).sqrt()
    return ((1 - r) * min(across, down) / max(soft, 0.5) + 0.5).clamp(0, 1)


@functools.cache
def _cosines() -> Tensor:
    """The orthonormal DCT-II of eight samples (ITU-T T.81, A.3.3), a row for each frequency."""
    k, n = torch.arange(8.0)[:, None], torch.arange(8.0)
    rows = torch.cos(math.pi * (2 * n + 1) * k / 16) / 2
    rows[0] /= math.sqrt(2)
    return rows


def jpeg(x: Tensor, quality: float) -> Tensor:
    """What JPEG keeps (ITU-T T.81) at a quality of 1 to 100 as the Independent JPEG Group counts it, chroma at half the size."""
    scale = 50 / quality if quality < 50 else 2 - quality / 50
    flat = x.flatten(0, 1) * 255
    r, g, b = flat.unbind(1)
    # ITU-T T.871
    luma = 0.299 * r + 0.587 * g + 0.114 * b
    blue, red = (b - luma) / 1.772, (r - luma) / 1.402
    luma = _quantised(luma[:, None] - 128, _LUMA, scale) + 128
    size = x.shape[-2:]
    chroma = F.avg_pool2d(torch.stack([blue, red], 1), 2, ceil_mode=True)
    chroma = F.interpolate(_quantised(chroma, _CHROMA, scale), size=size, mode="bilinear", align_corners=False)
    blue, red = chroma.unbind(1)
    luma = luma[:, 0]
    out = torch.stack([luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue], 1)
    return (out / 255).clamp(0, 1).unflatten(0, x.shape[:2])


def _quantised(x: Tensor, table: Sequence[int], scale: float) -> Tensor:
    """(n, c, h, w), in blocks of eight."""
    h, w = x.shape[-2:]
    padded = F.pad(x, [0, -w % 8, 0, -h % 8], mode="replicate")
    steps = (torch.tensor(table, dtype=x.dtype, device=x.device).view(8, 8) * scale).round().clamp(1, 255)
    d = _cosines().to(x)
    blocks = padded.unflatten(-1, (-1, 8)).unflatten(-3, (-1, 8)).transpose(-3, -2)
    blocks = d.T @ ((d @ blocks @ d.T / steps).round() * steps) @ d
    return blocks.transpose(-3, -2).flatten(-4, -3).flatten(-2)[..., :h, :w]

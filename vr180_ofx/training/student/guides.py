"""Guides for training: the truth, made wrong in the ways in which masks are wrong. All on the device, for a whole batch.

Lengths are shares of the window's side, so that they mean the same at any size: 30 pixels of 384 are 0.078.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

#: What a guide is made of, and how often. Most masks in the program are right but for their edges. With two fifths of that (near and eighth
#: together 0.2, faults twice as often) a network learnt to mend what is gravely wrong, and to distrust what was right.
KINDS = {"tracker": 0.35, "near": 0.25, "eighth": 0.15, "polygon": 0.08, "thirtysecond": 0.04, "thick": 0.04, "thin": 0.04, "none": 0.05}
#: What is done to it besides, each with its own chance.
FAULTS = {"shift": 0.08, "holes": 0.06, "limb": 0.08, "merge": 0.08, "extra": 0.06}
LARGEST_SHIFT = 30 / 384
#: Who covers less of the window than this is not there.
LEAST_AREA = 0.002


class Dice:
    """Chance on a device."""

    def __init__(self, generator: torch.Generator) -> None:
        self.generator = generator
        self.device = generator.device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Float32 in [low, high)."""
        return torch.rand(shape, generator=self.generator, device=self.device) * (high - low) + low

    def normal(self, *shape: int) -> Tensor:
        """Of standard deviation 1."""
        return torch.randn(shape, generator=self.generator, device=self.device)

    def chance(self, share: float, n: int) -> Tensor:
        """(n,) bool, true with the chance ``share``."""
        return torch.rand(n, generator=self.generator, device=self.device) < share

    def choice(self, weights: Tensor, n: int) -> Tensor:
        """(n,) int, drawn with these weights."""
        return torch.multinomial(weights, n, replacement=True, generator=self.generator)

    def below(self, high: int, n: int) -> Tensor:
        """(n,) int in [0, high)."""
        return torch.randint(high, (n,), generator=self.generator, device=self.device)


def smooth(x: Tensor, sigma: float) -> Tensor:
    """A Gaussian of ``sigma`` pixels."""
    if sigma < 0.2:
        return x
    radius = max(1, int(2.5 * sigma + 0.5))
    t = torch.arange(-radius, radius + 1, device=x.device, dtype=x.dtype)
    k = torch.exp(-0.5 * (t / sigma) ** 2)
    k = (k / k.sum())[None, None]
    planes = x.flatten(0, 1)[:, None]
    planes = F.conv2d(F.pad(planes, (radius, radius, 0, 0), mode="replicate"), k[:, :, None])
    planes = F.conv2d(F.pad(planes, (0, 0, radius, radius), mode="replicate"), k[..., None])
    return planes.view(x.shape)


def coarse(alpha: Tensor, cells: int, *, sharp: bool) -> Tensor:
    """As a mask of so many cells on a side says it."""
    size = alpha.shape[-1]
    small = F.adaptive_avg_pool2d(alpha, (cells, max(1, round(cells * size / alpha.shape[-2]))))
    small = (small > 0.5).to(alpha.dtype) if sharp else small
    large = F.interpolate(small, alpha.shape[-2:], mode="bilinear", align_corners=False)
    return ((large - 0.5) * 6 + 0.5).clamp(0, 1) if sharp else large


def grown(alpha: Tensor, radius: int) -> Tensor:
    """Dilated by a square; eroded by one where ``radius`` is below 0."""
    if radius == 0:
        return alpha
    size = 2 * abs(radius) + 1
    # squares in two steps; two of them, the second turned into a cross, are near enough to a disc
    way = F.max_pool2d(alpha if radius > 0 else 1 - alpha, (size, 1), 1, (abs(radius), 0))
    way = F.max_pool2d(way, (1, size), 1, (0, abs(radius)))
    return way if radius > 0 else 1 - way


def discs(dice: Dice, like: Tensor, near: Tensor, low: float, high: float) -> Tensor:
    """(1, h, w): an ellipse of a size between ``low`` and ``high`` of the side, about a pixel where ``near`` is true, or any."""
    height, width = like.shape[-2:]
    spots = near.flatten().nonzero()[:, 0]
    at = spots[dice.below(len(spots), 1)] if len(spots) else dice.below(height * width, 1)
    y, x = at // width, at % width
    radii = dice.uniform(low, high, 2) * width
    rows = (torch.arange(height, device=like.device)[:, None] - y) / radii[0]
    columns = (torch.arange(width, device=like.device)[None] - x) / radii[1]
    return (rows**2 + columns**2 < 1).to(like.dtype)[None]


def shifted(alpha: Tensor, dx: int, dy: int) -> Tensor:
    """Moved by whole pixels; what comes in is 0."""
    height, width = alpha.shape[-2:]
    padded = F.pad(alpha, (max(dx, 0), max(-dx, 0), max(dy, 0), max(-dy, 0)))
    y, x = max(-dy, 0), max(-dx, 0)
    return padded[..., y : y + height, x : x + width]


def base_of(kind: str, alpha: Tensor, tracked: Tensor, dice: Dice) -> Tensor:
    """A guide of one kind, (1, h, w), of one person's alpha."""
    size = alpha.shape[-1]
    a, one = alpha[None], float(dice.uniform(0, 1, 1))
    if kind == "tracker":
        return tracked
    if kind == "eighth":
        return coarse(a, max(4, size // 8), sharp=one < 0.5)[0]
    if kind == "thirtysecond":
        return coarse(a, max(4, size // 32), sharp=one < 0.5)[0]
    if kind == "polygon":
        return coarse(a, max(6, int(size * (0.04 + 0.08 * one))), sharp=True)[0]
    if kind in ("thick", "thin"):
        radius = max(1, round(size * (0.006 + 0.034 * one)))
        return smooth(grown((a > 0.5).to(a.dtype), radius if kind == "thick" else -radius), 1.0)[0]
    if kind == "near":
        return smooth(a, size * (0.001 + 0.01 * one))[0]
    if kind == "none":
        return torch.zeros_like(alpha)
    raise ValueError(f"guides of the kind {kind!r} are not known; there are {', '.join(KINDS)}")


def fault(kind: str, guide: Tensor, alpha: Tensor, others: Tensor, dice: Dice) -> Tensor:
    """The guide (1, h, w) with one fault more."""
    size = alpha.shape[-1]
    if kind == "shift":
        way = dice.uniform(-LARGEST_SHIFT, LARGEST_SHIFT, 2) * size
        return shifted(guide, round(float(way[0])), round(float(way[1])))
    if kind == "holes":
        for _ in range(1 + int(dice.below(3, 1))):
            guide = guide * (1 - discs(dice, alpha, alpha > 0.5, 0.02, 0.1))
        return guide
    if kind == "limb":
        # away from the middle of the person: hands, feet and heads more often than bellies
        inside = (alpha > 0.5).flatten().nonzero()[:, 0]
        if len(inside) < 20:
            return guide
        y, x = inside // size, inside % size
        far = (y - y.float().mean()) ** 2 + (x - x.float().mean()) ** 2
        ends = torch.zeros_like(alpha, dtype=torch.bool).flatten()
        ends[inside[far > torch.quantile(far.float()[:: max(1, len(far) // 4000)], 0.7)]] = True
        return guide * (1 - discs(dice, alpha, ends.view_as(alpha), 0.06, 0.2))
    if kind == "merge":
        if float(others.max()) < 0.5:
            return guide
        part = others * discs(dice, alpha, others > 0.5, 0.06, 0.25)
        return torch.maximum(guide, part)
    if kind == "extra":
        around = grown((alpha > 0.5)[None].to(alpha.dtype), max(1, size // 24))[0] > 0.5
        return torch.maximum(guide, discs(dice, alpha, around, 0.03, 0.12))
    raise ValueError(f"the fault {kind!r} is not known; there are {', '.join(FAULTS)}")


def guide_of(alpha: Tensor, tracked: Tensor, others: Tensor, dice: Dice, *, known: bool) -> tuple[Tensor, bool]:
    """(guide (1, h, w), whether it says nothing at all) of one person. alpha, others: (1, h, w), what is seen of them, and of other people.

    What says less of this person than of anything else is not a guide, but another question: such ones are made again, less wrong.
    """
    kinds = list(KINDS)
    weights = torch.tensor([KINDS[k] if k != "tracker" or known else 0.0 for k in kinds], device=alpha.device)
    kind = kinds[int(dice.choice(weights, 1))]
    if kind == "none":
        return torch.zeros_like(alpha), True
    guide = base_of(kind, alpha, tracked, dice)
    faults = [name for name, share in FAULTS.items() if bool(dice.chance(share, 1))]
    for name in faults:
        guide = fault(name, guide, alpha, others, dice)
    said = float(guide.sum())
    if said < 1 or float((guide * alpha).sum()) < 0.4 * said:
        guide = base_of("eighth", alpha, tracked, dice)
    return guide, False


def nobodys_guide(like: Tensor, free: Tensor, dice: Dice) -> Tensor:
    """(1, h, w): a mask on something that is nobody. free: (1, h, w) bool, where nobody is."""
    blob = discs(dice, like, free, 0.06, 0.2)
    for _ in range(int(dice.below(3, 1))):
        blob = torch.maximum(blob, discs(dice, like, free & (grown(blob[None], max(1, like.shape[-1] // 16))[0] > 0.5), 0.04, 0.16))
    return smooth((blob * free)[None], 1.5)[0]

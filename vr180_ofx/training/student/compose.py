"""Windows for training, made on the device: people pasted into places in linear light, seen by a camera, with guides.

Everything happens for a whole batch on whatever device the pack is on: the same code feeds two CPU cores and a graphics card.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.training.student.guides import LEAST_AREA, Dice, coarse, grown, guide_of, nobodys_guide, smooth
from vr180_ofx.training.student.pack import Pack

#: Of the signal, near enough to BT.709's and sRGB's to mix light by.
GAMMA = 2.2
#: What a window is: the still's own picture, a person pasted into another place, or a place with nobody in it; and how often.
MODES = (0.5, 0.4, 0.1)
NATIVE, PASTED, NOBODY = range(3)
#: Of windows with somebody in them, so many have a guide on what is nobody: the answer is nothing.
ELSEWHERE = 0.04
#: Most people pasted beside the one who is meant.
OTHERS = 2


@dataclass(frozen=True, slots=True)
class _Layer:
    """What lies over a picture. light: (n, 3, h, w) linear, not premultiplied. cover: (n, 1, h, w)."""

    light: Tensor
    cover: Tensor


@dataclass(frozen=True, slots=True)
class Scene:
    """n windows. picture, foreground: (n, 3, h, w) signals 0..1. alpha: (n, 1, h, w), what is to be seen of whom a window is of; others: of
    everybody else; tracked: what the tracker says, as far as the person is to be seen.
    """

    picture: Tensor
    foreground: Tensor
    alpha: Tensor
    others: Tensor
    tracked: Tensor


@dataclass(slots=True)
class Composer:
    """Makes batches of windows of ``size`` pixels from a pack."""

    pack: Pack
    size: int
    #: People who are whole in their pictures: those can stand anywhere.
    _whole: Tensor = field(init=False, repr=False)

    def __post_init__(self) -> None:
        b, p = self.pack.boxes, self.pack.size
        whole = (b[:, 0] > 2) & (b[:, 1] > 2) & (b[:, 2] < p - 2) & (b[:, 3] < p - 2)
        self._whole = whole if bool(whole.any()) else torch.ones_like(whole)

    def batch(self, which: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """which: (n,) int, whom the windows are of. Returns pictures (n, 1, 3, h, w) and masks (n, 1, 1, h, w), 0..1, and presence (n,)."""
        shown = self.scene(which, generator)
        return self._with_guides(Dice(generator), shown, known=self.pack.known[which])

    def scene(self, which: Tensor, generator: torch.Generator, mode: Tensor | None = None) -> Scene:
        """What is seen, before anybody is pointed out. mode: (n,) int of `NATIVE`, `PASTED`, `NOBODY`; None: by chance."""
        dice, n, pack = Dice(generator), len(which), self.pack
        mode = dice.choice(torch.tensor(MODES, device=which.device), n) if mode is None else mode
        if not len(pack.places):
            mode = torch.where(mode == NOBODY, torch.full_like(mode, NATIVE), mode)
        theta, shrink = self._windows(which, mode, dice)
        own = torch.cat([pack.pictures[which], pack.foregrounds[which], pack.alphas[which], pack.tracked[which]], 1)
        own = warped(own, theta, shrink, self.size, "reflection")
        native, front, alpha, tracked = own[:, :3], own[:, 3:6], own[:, 6:7], own[:, 7:]
        base, behind = self._base(native, mode, dice)
        light = base
        somebody = (mode != NOBODY).view(-1, 1, 1, 1)
        alpha, tracked = alpha * somebody, tracked * somebody
        gain = self._light_of(dice, n)
        front_light = torch.where((mode == NATIVE).view(-1, 1, 1, 1), front**GAMMA, (front**GAMMA * gain).clamp(0, 1))
        # in their own picture they are there already
        paste = alpha * (mode == PASTED).view(-1, 1, 1, 1)
        layers = [self._other(which, dice) for _ in range(OTHERS)]
        before = [dice.chance(0.5, n).view(-1, 1, 1, 1) for _ in layers]
        shown = self._how_many(mode, dice)
        others = behind
        for k, layer in enumerate(layers):
            # nobody stands behind those who are in their own picture
            cover = layer.cover * shown[k] * ~before[k] * (mode != NATIVE).view(-1, 1, 1, 1)
            light, others = light + (layer.light - light) * cover, torch.maximum(others * (1 - cover), cover)
        light, others = light + (front_light - light) * paste, others * (1 - alpha)
        seen, seen_tracked = alpha, tracked
        for k, layer in enumerate(layers):
            cover = layer.cover * shown[k] * before[k]
            light, others = light + (layer.light - light) * cover, torch.maximum(others * (1 - cover), cover)
            seen, seen_tracked = seen * (1 - cover), seen_tracked * (1 - cover)
        picture, foreground = self._camera(light, front_light, dice)
        return Scene(picture, foreground, seen, others, seen_tracked)

    def _windows(self, which: Tensor, mode: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
        """(theta (n, 2, 3), pixels of the pictures for one of the window (n,))."""
        pack, n = self.pack, len(which)
        boxes, p = pack.boxes[which], pack.size
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        longest = (boxes[:, 2:] - boxes[:, :2]).amax(1)
        # from a head to twice the body's size; the middle of it is a body a little larger than the window, as large as the program's crops,
        # which are twice as high as windows for training, show it
        side = longest * torch.exp(0.45 * dice.normal(n) + math.log(0.85)).clamp(0.35, 2.2)
        side = torch.maximum(side, torch.full_like(side, self.size / 2.5))
        # any part of the body
        beyond = (boxes[:, 2:] - boxes[:, :2] - side[:, None]).clamp(min=0)
        middle = middle + dice.uniform(-0.5, 0.5, n, 2) * beyond + dice.normal(n, 2) * 0.07 * side[:, None]
        free = self._whole[which] & (mode == PASTED)
        side = torch.where(free, side, side.clamp(max=float(p)))
        half = side[:, None] / 2
        middle = torch.where(free[:, None], middle, torch.minimum(torch.maximum(middle, half), p - half))
        turn = dice.normal(n) * torch.where(free, 0.2, 0.06)
        theta = _theta(middle, side, turn, flipped=dice.chance(0.5, n), stretch=1 + 0.06 * dice.normal(n), size=p)
        return theta, side / self.size

    def _base(self, native: Tensor, mode: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
        """(linear light of what is behind everybody, who else is in it already)."""
        pack, n = self.pack, len(native)
        p, ones = pack.size, torch.ones(n, device=native.device)
        middle = p / 2 + dice.uniform(-0.25, 0.25, n, 2) * p
        side = dice.uniform(0.35, 1.0, n) * p
        side = torch.minimum(side, 2 * torch.minimum(middle, p - middle).amin(1))
        theta = _theta(middle, side, 0.1 * dice.normal(n), flipped=dice.chance(0.5, n), stretch=ones, size=p)
        if len(pack.places):
            place = warped(pack.places[dice.below(len(pack.places), n)], theta, side / self.size, self.size, "reflection")
        else:
            place = native
        # a picture of somebody else is a place, too
        theirs = dice.below(len(pack), n)
        stranger = warped(torch.cat([pack.pictures[theirs], pack.alphas[theirs]], 1), theta, side / self.size, self.size, "reflection")
        inhabited = (dice.chance(0.3, n) & (mode == PASTED)).view(-1, 1, 1, 1)
        place = torch.where(inhabited, stranger[:, :3], place)
        place = (place**GAMMA * self._light_of(dice, n)).clamp(0, 1)
        is_native = (mode == NATIVE).view(-1, 1, 1, 1)
        return torch.where(is_native, native**GAMMA, place), stranger[:, 3:] * inhabited * ~is_native

    def _other(self, which: Tensor, dice: Dice) -> _Layer:
        """Somebody else, beside whom the window is of."""
        pack, n = self.pack, len(which)
        candidates = self._whole.nonzero()[:, 0]
        who = candidates[dice.below(len(candidates), n)]
        boxes = pack.boxes[who]
        longest = (boxes[:, 2:] - boxes[:, :2]).amax(1)
        side = longest * torch.exp(0.35 * dice.normal(n) + math.log(1.3)).clamp(0.6, 3)
        offset = dice.uniform(0.12, 0.42, n) * torch.where(dice.chance(0.5, n), 1.0, -1.0)
        middle = (boxes[:, :2] + boxes[:, 2:]) / 2
        middle = middle - torch.stack([offset, 0.08 * dice.normal(n)], 1) * side[:, None]
        theta = _theta(middle, side, 0.1 * dice.normal(n), flipped=dice.chance(0.5, n), stretch=torch.ones_like(side), size=pack.size)
        found = warped(torch.cat([pack.foregrounds[who], pack.alphas[who]], 1), theta, side / self.size, self.size, "zeros")
        # nobody stands before themselves
        same = (pack.people[who] == pack.people[which]).view(-1, 1, 1, 1)
        return _Layer((found[:, :3] ** GAMMA * self._light_of(dice, n)).clamp(0, 1), found[:, 3:] * ~same)

    def _how_many(self, mode: Tensor, dice: Dice) -> list[Tensor]:
        """For each of the others whether they are there, (n, 1, 1, 1)."""
        n = len(mode)
        first = dice.chance(0.4, n)
        there = [first, first & dice.chance(0.35, n)]
        return [(t & (mode != NOBODY)).view(-1, 1, 1, 1) for t in there[:OTHERS]]

    def _light_of(self, dice: Dice, n: int) -> Tensor:
        """Gains of linear light, (n, 3, 1, 1)."""
        return torch.exp(0.35 * dice.normal(n, 1, 1, 1) + 0.08 * dice.normal(n, 3, 1, 1))

    def _camera(self, light: Tensor, front: Tensor, dice: Dice) -> tuple[Tensor, Tensor]:
        """(picture, foreground) as signals: exposure, colour, contrast, blur, noise, compression, 8 bits."""
        n = len(light)
        gain = torch.exp(0.25 * dice.normal(n, 1, 1, 1) + 0.05 * dice.normal(n, 3, 1, 1))
        gamma = torch.exp(0.12 * dice.normal(n, 1, 1, 1)) / GAMMA
        # cameras bend highlights instead of cutting them: pasted light and exposure go beyond 1
        signals = [(x * gain).clamp(1e-6, 1) ** gamma for x in (light, front)]
        saturation = (1 + 0.2 * dice.normal(n, 1, 1, 1)).clamp(0.2, 1.6)
        grey = [x.mean(1, keepdim=True) for x in signals]
        picture, foreground = ((g + (x - g) * saturation).clamp(0, 1) for x, g in zip(signals, grey, strict=True))
        out = []
        for k in range(n):
            one = picture[k : k + 1]
            if bool(dice.chance(0.35, 1)):
                one = smooth(one, float(dice.uniform(0.3, 1.2, 1)))
            if bool(dice.chance(0.6, 1)):
                one = one + float(dice.uniform(0.002, 0.03, 1)) * grain(one, dice)
            if bool(dice.chance(0.4, 1)):
                one = compressed(one, float(dice.uniform(0.01, 0.06, 1)))
            out.append(one)
        picture = torch.cat(out).clamp(0, 1)
        return (picture * 255).round() / 255, foreground

    def _with_guides(self, dice: Dice, shown: Scene, *, known: Tensor) -> dict[str, Tensor]:
        """The batch: guides are made of what is to be seen."""
        picture = shown.picture
        guides, masks, truths, presence = [], [], [], []
        for k in range(len(picture)):
            own, theirs = shown.alpha[k], shown.others[k]
            there = float(own.mean()) > LEAST_AREA
            elsewhere = not there or bool(dice.chance(ELSEWHERE, 1))
            free = (torch.maximum(own, theirs) < 0.05) if float(torch.maximum(own, theirs).min()) < 0.05 else own < 2
            sees_others = bool(dice.chance(0.75, 1))
            if elsewhere and bool(dice.chance(0.75 if there else 0.6, 1)):
                guide, truth = nobodys_guide(own, free, dice), torch.zeros_like(own)
                if there and bool(dice.chance(0.5, 1)):
                    theirs = torch.maximum(theirs, own)
            elif not there or elsewhere:
                # no guide: nobody is there, or the one who is has a guide of their own
                guide, truth = torch.zeros_like(own), torch.zeros_like(own)
                theirs, sees_others = torch.maximum(theirs, own), True
            else:
                guide, nothing = guide_of(own, shown.tracked[k], theirs, dice, known=bool(known[k]))
                truth, sees_others = own, sees_others or nothing
            guides.append(guide)
            truths.append(truth)
            presence.append(float(truth.mean()) > LEAST_AREA)
            masks.append(others_guide(theirs, dice) if sees_others else torch.zeros_like(theirs))
        return {
            "source": picture[:, None], "foreground": shown.foreground[:, None], "alpha": torch.stack(truths)[:, None],
            "guide": torch.stack(guides)[:, None].clamp(0, 1), "others": torch.stack(masks)[:, None].clamp(0, 1),
            "presence": torch.tensor(presence, dtype=torch.float32, device=picture.device),
        }  # fmt: skip


def others_guide(theirs: Tensor, dice: Dice) -> Tensor:
    """What trackers say of other people."""
    if float(theirs.max()) < 0.5:
        return torch.zeros_like(theirs)
    size = theirs.shape[-1]
    way = float(dice.uniform(0, 1, 1))
    if way < 0.4:
        return coarse(theirs[None], max(4, size // 8), sharp=True)[0]
    if way < 0.7:
        return coarse(theirs[None], max(6, int(size * float(dice.uniform(0.04, 0.12, 1)))), sharp=True)[0]
    radius = round(size * float(dice.uniform(-0.02, 0.02, 1)))
    return smooth(grown((theirs[None] > 0.5).to(theirs.dtype), radius), 1.0)[0]


def _theta(middle: Tensor, side: Tensor, turn: Tensor, *, flipped: Tensor, stretch: Tensor, size: int) -> Tensor:
    """(n, 2, 3) of `affine_grid`: windows of ``side`` pixels about ``middle`` in pictures of ``size``, turned, mirrored, wider."""
    across = torch.where(flipped, -1.0, 1.0) * stretch
    c, s, scale = turn.cos(), turn.sin(), side / size
    at = middle * 2 / size - 1
    rows = [torch.stack([scale * c * across, -scale * s, at[:, 0]], 1), torch.stack([scale * s * across, scale * c, at[:, 1]], 1)]
    return torch.stack(rows, 1)


def warped(pictures: Tensor, theta: Tensor, shrink: Tensor, size: int, beyond: str) -> Tensor:
    """(n, c, size, size) float 0..1 of bytes (n, c, p, p). shrink: pixels of those for one of these: halved before, as mip maps."""
    grid = F.affine_grid(theta, [len(theta), 1, size, size], align_corners=False)
    levels = shrink.clamp(min=1).log2().round().clamp(0, 2).long().tolist()
    out = []
    for k, level in enumerate(levels):
        one = pictures[k : k + 1].float() / 255
        one = F.avg_pool2d(one, 2**level) if level else one
        out.append(F.grid_sample(one, grid[k : k + 1], mode="bilinear", padding_mode=beyond, align_corners=False))
    return torch.cat(out)


def grain(like: Tensor, dice: Dice) -> Tensor:
    """Noise of standard deviation 1 or so, more where there is less light, some of it as coarse as video coding leaves it."""
    noise = dice.normal(*like.shape)
    if bool(dice.chance(0.5, 1)):
        noise = 1.6 * smooth(noise, 0.7)
    return noise * (1.2 - 0.7 * like)


def compressed(picture: Tensor, step: float) -> Tensor:
    """As JPEG and intra frames lose it: cosine coefficients of blocks of 8 pixels, rounded, the higher the coarser (ITU-T T.81 annex K's
    table is nearly linear in frequency). Colour differences lose three times as much.
    """
    n, _, height, width = picture.shape
    k = torch.arange(8, device=picture.device, dtype=picture.dtype)
    basis = torch.cos((2 * k[None] + 1) * k[:, None] * math.pi / 16) * 0.5
    basis[0] *= math.sqrt(0.5)
    luma = picture.mean(1, keepdim=True)
    planes = torch.cat([luma, picture[:, :1] - luma, picture[:, 2:] - luma], 1)
    blocks = planes.view(n, 3, height // 8, 8, width // 8, 8)
    found = torch.einsum("ui,ncyixj,vj->ncyuxv", basis, blocks, basis)
    weight = step * (1 + (k[:, None] + k[None]) * 0.7)
    scale = torch.stack([weight, 3 * weight, 3 * weight]).view(1, 3, 1, 8, 1, 8)
    back = torch.einsum("ui,ncyuxv,vj->ncyixj", basis, (found / scale).round() * scale, basis).reshape(n, 3, height, width)
    red, blue = back[:, 1:2], back[:, 2:]
    return torch.cat([back[:, :1] + red, back[:, :1] - red - blue, back[:, :1] + blue], 1)

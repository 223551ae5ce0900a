"""Samples changed by chance, on their device. Every number that chance decides is drawn at once: asking a card for one waits for it."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from vr180_ofx.training.contract import Batch
from vr180_ofx.training.data import effects
from vr180_ofx.training.data.options import Augmentation

#: More than all that is drawn.
_NUMBERS = 128


class _Chance:
    """Numbers in the order in which they are asked for. They are asked for whether something happens or not: another share changes no other
    effect.
    """

    def __init__(self, generator: torch.Generator) -> None:
        self._numbers: Iterator[float] = iter(torch.rand(_NUMBERS, generator=generator, device=generator.device).tolist())

    def happens(self, share: float) -> bool:
        return next(self._numbers) < share

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * next(self._numbers)

    def way(self, frames: int, *, aspect: float, reach: float) -> list[list[list[float]]]:
        """A matrix for each frame, from one place to another: zooms of 0.85 to 1.25, turns of 10 degrees, shifts of ``reach``."""
        ends = []
        for _ in range(2):
            zoom, degrees = self.between(0.85, 1.25), self.between(-10, 10)
            ends.append((zoom, degrees, self.between(-reach, reach), self.between(-reach, reach)))
        out = []
        for n in range(frames):
            part = n / max(1, frames - 1)
            # slow at both ends, as hands are
            part = part * part * (3 - 2 * part)
            zoom, degrees, x, y = (a + (b - a) * part for a, b in zip(*ends, strict=True))
            out.append(effects.similarity(zoom=zoom, degrees=degrees, x=x, y=y, aspect=aspect))
        return out


def augmented(batch: Batch, generator: torch.Generator, how: Augmentation) -> Batch:
    """The batch, all of it changed in one way. Where foreground and background are known the picture is made of them anew."""
    chance = _Chance(generator)
    out = dict(batch)
    layered = "foreground" in out and "background" in out
    frames, (height, width) = out["source"].shape[1], out["source"].shape[-2:]
    _move(out, chance, how, layered=layered, frames=frames, aspect=width / height)
    _colour(out, chance, how)
    casts, shadow = chance.happens(how.shadows), [chance.between(*r) for r in ((0.2, 0.7), (-0.2, 0.2), (0.02, 0.25), (2, 12))]
    linear = how.light == "linear"
    apart = chance.between(0.0, 0.01), chance.between(0.005, 0.06)
    if layered:
        if casts:
            out["background"] = _shadowed(out["background"], out["alpha"], shadow)
        if how.stereo:
            _other_eye(out, apart, linear=linear, aspect=width / height)
        # of what moved, or was lit otherwise, only the layers know
        out["source"] = effects.over(out["foreground"], out["background"], out["alpha"], linear=linear)
    _occlude(out, chance, generator, share=how.occluders, height=height, width=width)
    _lens(out, chance, how.blur)
    _sensor(out, chance, how.noise, generator)
    if chance.happens(how.jpeg):
        quality = chance.between(30, 95)
        for name in ("source", "source_right"):
            if name in out:
                out[name] = effects.jpeg(out[name], quality)
    return out


def _move(out: Batch, chance: _Chance, how: Augmentation, *, layered: bool, frames: int, aspect: float) -> None:
    person, itself = chance.happens(how.motion), chance.happens(how.apart)
    way, other = chance.way(frames, aspect=aspect, reach=0.08), chance.way(frames, aspect=aspect, reach=0.1)
    for name, values in out.items():
        if values.dim() != 5:
            continue
        if layered and name == "background":
            if itself:
                out[name] = effects.moved(values, other, beyond="reflection")
        elif person:
            # a person who is cut off by the picture's side must not end in front of a background
            out[name] = effects.moved(values, way, beyond="reflection")


def _colour(out: Batch, chance: _Chance, how: Augmentation) -> None:
    """One camera for everything; then the person by themselves."""
    for share, names in ((how.colour, ("source", "foreground", "background")), (how.relight, ("foreground",))):
        happens = chance.happens(share)
        # two thirds of a stop, and some hundred kelvins
        gain, warm = 2 ** chance.between(-0.66, 0.66), chance.between(-0.12, 0.12)
        contrast, saturation, gamma = chance.between(0.8, 1.2), chance.between(0.6, 1.3), chance.between(0.85, 1.2)
        if happens and (len(names) > 1 or "background" in out):
            for name in names:
                if name in out:
                    gains = (gain * (1 + warm), gain, gain * (1 - warm))
                    out[name] = effects.coloured(out[name], gains=gains, contrast=contrast, saturation=saturation, gamma=gamma)


def _shadowed(background: Tensor, alpha: Tensor, how: list[float]) -> Tensor:
    """how: depth, shift to the right and down in parts of the picture, pixels of softness."""
    depth, right, down, soft = how
    aspect = background.shape[-1] / background.shape[-2]
    matrix = effects.similarity(zoom=1.0, degrees=0.0, x=right, y=down, aspect=aspect)
    shade = effects.moved(alpha, [matrix] * alpha.shape[1], beyond="zeros")
    soft = min(soft, min(alpha.shape[-2:]) / 8)
    return effects.to_signal(effects.to_light(background) * (1 - depth * effects.blurred(shade, effects.gaussian(soft))))


def _other_eye(out: Batch, apart: tuple[float, float], *, linear: bool, aspect: float) -> None:
    """What an eye to the right sees: everything lies further left, the person more so. apart: parts of the width, of both."""
    frames = out["source"].shape[1]
    behind, front = (
        [effects.similarity(zoom=1.0, degrees=0.0, x=-x, y=0.0, aspect=aspect)] * frames for x in (apart[0], apart[0] + apart[1])
    )  # fmt: skip
    background = effects.moved(out["background"], behind, beyond="reflection")
    foreground = effects.moved(out["foreground"], front, beyond="reflection")
    alpha = effects.moved(out["alpha"], front, beyond="zeros")
    out["source_right"] = effects.over(foreground, background, alpha, linear=linear)
    out["alpha_right"] = alpha


def _occlude(out: Batch, chance: _Chance, generator: torch.Generator, *, share: float, height: int, width: int) -> None:
    """Something with an edge of its own before everything, which moves: no part of the person."""
    happens = chance.happens(share)
    place = [chance.between(0, 1) for _ in range(4)]
    across, down, degrees = chance.between(0.05, 0.25) * width, chance.between(0.05, 0.4) * height, chance.between(0, 180)
    soft, colour, grain = chance.between(1, 4), [chance.between(0, 1) for _ in range(3)], chance.between(0, 0.25)
    if not happens:
        return
    source = out["source"]
    frames = source.shape[1]
    masks = []
    for n in range(frames):
        part = n / max(1, frames - 1)
        x, y = (width * (place[0] + (place[2] - place[0]) * part), height * (place[1] + (place[3] - place[1]) * part))
        masks.append(
            effects.ellipse(height=height, width=width, x=x, y=y, across=across, down=down, degrees=degrees, soft=soft, like=source)
        )  # fmt: skip
    mask = torch.stack(masks)[None, :, None]
    pattern = torch.rand(source.shape[:1] + source.shape[2:], generator=generator, device=source.device)[:, None]
    colours = torch.tensor(colour, dtype=source.dtype, device=source.device).view(3, 1, 1)
    thing = (colours + grain * (effects.blurred(pattern, effects.gaussian(1.5)) - 0.5) * 4).clamp(0, 1)
    out["source"] = source + (thing - source) * mask
    for name, values in out.items():
        # what is hidden is not there for whoever mattes
        if name.startswith("alpha") and name != "alpha_right":
            out[name] = values * (1 - mask)


def _lens(out: Batch, chance: _Chance, share: float) -> None:
    """Out of focus, or moved while the shutter was open: coverage is blurred with the light."""
    happens, streaks = chance.happens(share), chance.happens(0.5)
    sigma, length, degrees = chance.between(0.4, 2.0), chance.between(2, 9), chance.between(0, 180)
    if not happens:
        return
    kernel = effects.streak(length, degrees) if streaks else effects.gaussian(sigma)
    for name in ("source", "source_right"):
        if name in out:
            out[name] = effects.to_signal(effects.blurred(effects.to_light(out[name]), kernel))
    for name in ("alpha", "alpha_right"):
        if name in out:
            out[name] = effects.blurred(out[name], kernel).clamp(0, 1)


def _sensor(out: Batch, chance: _Chance, share: float, generator: torch.Generator) -> None:
    happens = chance.happens(share)
    # of a signal 0..1: what cameras have between base sensitivity and the highest
    shot, read, grain = chance.between(0.0, 0.004), chance.between(0.002, 0.02), 1 + int(chance.between(0, 3))
    if happens:
        for name in ("source", "source_right"):
            if name in out:
                noise = torch.randn(out[name].shape, generator=generator, device=generator.device, dtype=out[name].dtype)
                out[name] = effects.noisy(out[name], shot=shot, read=read, grain=grain, noise=noise)

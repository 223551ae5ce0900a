"""What all sources share: which frames a sample has, which part of them it shows, and what stands behind the person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol, Self

import numpy as np
from annotated_types import Ge, Gt, Le
from pydantic import model_validator

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.settings.traits import Section
from vr180_ofx.training.contract import Batch, Sample, Shape
from vr180_ofx.training.data.backgrounds import Backgrounds
from vr180_ofx.training.data.light import composed
from vr180_ofx.training.data.options import Augmentation, Compression
from vr180_ofx.training.data.reading import above
from vr180_ofx.training.sections import checked

if TYPE_CHECKING:
    import torch

Share = Annotated[float, Ge(0), Le(1)]


class WindowOptions(Section):
    """How a source's pictures become samples.

    scale: the side of what is shown, of the largest that fits, drawn from here. follow: share of samples that are around the person, the
    others lie anywhere. flip: half of them are mirrored. backgrounds: folder of pictures, folders of frames and videos that stand behind
    the person. empty: share of samples in which nobody is, before these. first, last: of items, as parts of all of them, 0..1.
    """

    scale: tuple[Annotated[float, Gt(0), Le(1)], Annotated[float, Gt(0), Le(1)]] = (0.5, 1.0)
    follow: Share = 0.8
    flip: bool = True
    backgrounds: str | None = None
    empty: Share = 0.0
    first: Share = 0.0
    last: Share = 1.0
    compression: Compression = Compression()
    augment: Augmentation = Augmentation()

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.scale[0] > self.scale[1]:
            raise ValueError(f"scale is {list(self.scale)}; the first is the smaller one")
        if self.first >= self.last:
            raise ValueError(f"first is {self.first} and last {self.last}; nothing is between them")
        if self.empty and not self.backgrounds:
            raise ValueError("empty asks for pictures of nobody; name backgrounds for them")
        return self


class Item(Protocol):
    """A clip, or a picture, with a truth.

    name: for messages. count: frames. soft: whether its alpha is one, or only the mask of a segmentation.
    """

    @property
    def name(self) -> str: ...

    @property
    def count(self) -> int: ...

    @property
    def soft(self) -> bool: ...

    def read(self, numbers: Sequence[int], least: int) -> Layers:
        """These frames, their sides at least ``least`` pixels where the files have so many. Raises MediaError."""


@dataclass(frozen=True, slots=True)
class Layers:
    """Frames of an item, each of one size. pictures: (h, w, 3) uint8, None where there are only layers. alphas: (h, w) uint8 or uint16.
    foregrounds: (h, w, 3) uint8, colours without alpha, None where nobody knows.
    """

    pictures: list[Array] | None
    alphas: list[Array]
    foregrounds: list[Array] | None = None


class WindowSource:
    """Windows of items. See `contract.Source`. what: for messages."""

    def __init__(self, items: Sequence[Item], options: WindowOptions, shape: Shape, what: str) -> None:
        begin, end = (round(part * len(items)) for part in (options.first, options.last))
        self.items = list(items[begin:end])
        if not self.items:
            raise MediaError(f"{what} has {len(items)} items, and none of them between {options.first} and {options.last}")
        self.options, self.shape = options, shape
        self.backgrounds = Backgrounds(Path(options.backgrounds)) if options.backgrounds else None
        #: Whole sequences of each item; one of every item that is shorter.
        self._starts = [(k, n * shape.frames) for k, item in enumerate(self.items) for n in range(max(1, item.count // shape.frames))]

    def __len__(self) -> int:
        return len(self._starts)

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """See `contract.Source`."""
        number, start = self._starts[index]
        item, shape, options = self.items[number], self.shape, self.options
        numbers = frame_numbers(item.count, start, shape.frames, random)
        # pixels of a window that shows the smallest part
        least = round(max(shape.height, shape.width) / options.scale[0])
        layers = item.read(numbers, least)
        box = self._box(layers.alphas, random)
        mirrored = options.flip and random.random() < 0.5
        alpha = np.stack([cut(a, box, shape, mirrored=mirrored) for a in layers.alphas])
        sample: Sample = {"alpha": alpha, "matte": np.float32(item.soft) * np.ones((), np.float32)}
        if layers.foregrounds is not None:
            sample["foreground"] = np.stack([cut(f, box, shape, mirrored=mirrored) for f in layers.foregrounds])
        if self.backgrounds is not None and "foreground" in sample:
            sample["background"] = self.backgrounds.frames(shape, random)
            if random.random() < options.empty:
                sample["alpha"] = np.zeros_like(alpha)
            sample["source"] = composed(sample["foreground"], sample["background"], sample["alpha"])
        elif layers.pictures is not None:
            sample["source"] = np.stack([cut(p, box, shape, mirrored=mirrored) for p in layers.pictures])
        else:
            raise MediaError(f"{item.name} has a foreground and no picture; name backgrounds for it")
        return options.compression.applied(sample, random)

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """See `contract.Source`."""
        from vr180_ofx.training.data.augment import augmented

        return augmented(batch, generator, self.options.augment)

    def _box(self, alphas: Sequence[Array], random: np.random.Generator) -> Rect:
        height, width = alphas[0].shape
        fits = min(height / self.shape.height, width / self.shape.width)
        scale = fits * random.uniform(*self.options.scale)
        w, h = max(1, round(scale * self.shape.width)), max(1, round(scale * self.shape.height))
        w, h = min(w, width), min(h, height)
        x, y = int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1))
        there = bounds(above(alphas[0], 0))
        if random.random() < self.options.follow and not there.empty:
            # somewhere on the person is in the middle
            cx, cy = random.uniform(there.x0, there.x1), random.uniform(there.y0, there.y1)
            x, y = int(np.clip(cx - w / 2, 0, width - w)), int(np.clip(cy - h / 2, 0, height - h))
        return Rect(x, y, x + w, y + h)


def frame_numbers(count: int, start: int, wanted: int, random: np.random.Generator) -> list[int]:
    """Which frames a sequence has: one after the other from about ``start``, forwards or backwards; shorter clips go back and forth."""
    if count < wanted:
        there_and_back = [*range(count), *range(count - 2, 0, -1)] or [0]
        offset = int(random.integers(0, len(there_and_back)))
        return [there_and_back[(offset + k) % len(there_and_back)] for k in range(wanted)]
    first = min(start + int(random.integers(0, wanted)), count - wanted)
    numbers = list(range(first, first + wanted))
    return numbers[::-1] if wanted > 1 and random.random() < 0.5 else numbers


def cut(picture: Array, box: Rect, shape: Shape, *, mirrored: bool) -> Array:
    """What a box shows, at the size of samples."""
    part = np.ascontiguousarray(picture[box.slices])
    if part.shape[:2] != (shape.height, shape.width):
        part = np.asarray(resize(part, (shape.width, shape.height), "area" if box.width >= shape.width else "linear"))
    return part[:, ::-1] if mirrored else part


def options_of(kind: type[Any], options: Mapping[str, Any], what: str) -> Any:
    """A source's options, checked. Raises SettingsError."""
    return checked(kind, options, f"data ({what})")

"""What a contact sheet is made of: parts of an eye beside their mattes, with rulers in the eye's pixels. 8-bit pictures (h, w, 3)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import ViewMatte
from vr180_ofx.imaging.draw import Canvas, Colour
from vr180_ofx.imaging.outlines import outlines_of
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.vr180.body import Box

Bytes = NDArray[np.uint8]

#: One for each person by their number, and again from the first.
PALETTE: tuple[Colour, ...] = (
    (1.0, 0.35, 0.3),
    (0.3, 0.9, 0.4),
    (0.35, 0.6, 1.0),
    (1.0, 0.85, 0.25),
    (0.9, 0.4, 1.0),
    (0.3, 0.95, 0.95),
    (1.0, 0.6, 0.2),
    (0.75, 0.75, 0.75),
)
EXCLUDED: Colour = (0.45, 0.45, 0.45)
PAPER = 0.12
#: Room for the rulers' numbers: five digits, and one line.
LEFT, TOP = 46, 16
#: A closed line, (n, 2) pixels of the picture that it is drawn on, and its colour.
Line = tuple[FloatArray, Colour]
#: What an outline encloses at least, pixels of the sheet: less is a speck that its own line would cover.
_LEAST_LINE = 9.0
#: Numbers of a ruler are no nearer than this: five digits and some room.
_APART = 52


def colour_of(number: int) -> Colour:
    """Of a person by their number."""
    return PALETTE[(number - 1) % len(PALETTE)]


@dataclass(frozen=True, slots=True)
class Mark:
    """Where somebody is said to be. box: pixels of the eye. words: beside it, or none. outline: (n, 2) pixels, thin, or none."""

    box: Box
    colour: Colour
    words: str = ""
    strong: bool = True
    outline: FloatArray | None = None


def ticks(first: float, last: float, scale: float) -> list[int]:
    """Round numbers for a ruler from ``first`` to ``last``, ``scale`` pixels of the sheet for each one: steps of 1, 2 or 5 times a power
    of 10.
    """
    least = max(1.0, _APART / scale)
    power = 10.0 ** math.floor(math.log10(least))
    step = next(round(power * k) for k in (1, 2, 5, 10) if power * k >= least)
    return list(range(math.ceil(first / step) * step, math.floor(last) + 1, step))


def cropped(eye: EyeImage, rect: Rect, size: tuple[int, int]) -> FloatArray:
    """What an eye shows in ``rect``, (height, width, 3) of ``size`` (width, height); paper where the eye has nothing."""
    width, height = size
    out = np.full((height, width, 3), PAPER, np.float32)
    inside = rect.clipped(eye.width, eye.height)
    if inside.empty:
        return out
    shrink = max(1, math.floor(rect.height / height))
    part = eye.region(inside, shrink)
    scale = width / rect.width
    shown = (max(1, round(part.shape[1] * shrink * scale)), max(1, round(part.shape[0] * shrink * scale)))
    part = resize(part, shown, "area" if scale * shrink <= 1 else "linear")
    x, y = round((inside.x0 - rect.x0) * scale), round((inside.y0 - rect.y0) * scale)
    # a block of pixels that is not whole goes beyond the eye
    room = out[y : round((inside.y1 - rect.y0) * scale), x : round((inside.x1 - rect.x0) * scale)]
    room[: part.shape[0], : part.shape[1]] = part[: room.shape[0], : room.shape[1]]
    return out


def matte_picture(view: ViewMatte, person: int, rect: Rect, size: tuple[int, int]) -> FloatArray:
    """One person's matte in ``rect`` in white, with everybody else's dim and in their colour. As `cropped`."""
    whole = np.zeros((rect.height, rect.width, 3), np.float32)
    for number, alpha in _alphas(view, rect):
        tint = (1.0, 1.0, 1.0) if number == person else tuple(0.5 * c for c in colour_of(number))
        whole += alpha[..., None] * np.array(tint, np.float32)
    return resize(whole, size, "area" if rect.width >= size[0] else "linear")


def matte_lines(view: ViewMatte, rect: Rect, size: tuple[int, int]) -> list[Line]:
    """Where everybody's matte in ``rect`` is half there, as lines in their colour on a picture of ``size`` (width, height)."""
    found: list[Line] = []
    for number, alpha in _alphas(view, rect):
        shown = resize(alpha, size, "area" if rect.width >= size[0] else "linear")
        found += [(points, colour_of(number)) for points in outlines_of(shown > 0.5, off=0.5, least=_LEAST_LINE)]
    return found


def _alphas(view: ViewMatte, rect: Rect) -> Iterator[tuple[int, FloatArray]]:
    """(person, (rect.height, rect.width) alpha) of whoever has a matte there."""
    for layer in view.layers:
        both = layer.rect.intersection(rect)
        if not both.empty:
            whole = np.zeros((rect.height, rect.width), np.float32)
            whole[both.shifted(-rect.x0, -rect.y0).slices] = layer.alpha[both.shifted(-layer.rect.x0, -layer.rect.y0).slices]
            yield layer.person, whole


def ruled(
    picture: FloatArray,
    rect: Rect,
    marks: Iterable[Mark] = (),
    caption: str = "",
    colour: Colour = (1, 1, 1),
    *,
    lines: Iterable[Line] = (),
) -> Bytes:
    """A picture of ``rect`` with rulers at its top and left, boxes, and a line of words below. lines: on the picture, below the boxes."""
    height, width = picture.shape[:2]
    scale = width / rect.width
    inner = Canvas(picture)
    for points, own in lines:
        inner.outline(points, own)
    for mark in marks:
        x0, x1 = ((v - rect.x0) * scale for v in mark.box[0::2])
        y0, y1 = ((v - rect.y0) * scale for v in mark.box[1::2])
        inner.rectangle(x0, y0, x1, y1, colour=mark.colour, thickness=2 if mark.strong else 1)
        if mark.outline is not None:
            inner.outline((mark.outline - (rect.x0, rect.y0)) * scale, mark.colour)
        if mark.words:
            inner.text(
                mark.words, min(max(3, x0), max(3, width - 9 * len(mark.words))), min(max(13, y0 - 5), height - 5), mark.colour, 0.45
            )
    sheet = Canvas(np.full((TOP + height + 22, LEFT + width, 3), PAPER, np.float32))
    sheet.put(inner.pixels, LEFT, TOP)
    for x in ticks(rect.x0, rect.x1, scale):
        at = LEFT + (x - rect.x0) * scale
        sheet.line(at, TOP - 4, at, TOP + 5)
        sheet.text(str(x), min(at - 4 * len(str(x)), LEFT + width - 8 * len(str(x))), TOP - 5, (0.8, 0.8, 0.8), 0.36)
    for y in ticks(rect.y0, rect.y1, scale):
        at = TOP + (y - rect.y0) * scale
        sheet.line(LEFT - 4, at, LEFT + 5, at)
        sheet.text(str(y), LEFT - 7 - 8 * len(str(y)), at + 4, (0.8, 0.8, 0.8), 0.36)
    sheet.text(caption, LEFT, TOP + height + 15, colour, 0.42)
    return sheet.pixels


def worded(lines: Iterable[tuple[str, Colour]], width: int) -> Bytes:
    """Lines of words, broken where they do not fit into ``width``."""
    letters = max(20, (width - 16) // 8)
    broken: list[tuple[str, Colour]] = []
    for text, colour in lines:
        words, line = text.encode("ascii", "backslashreplace").decode().split(" "), ""
        for word in words:
            if line and len(line) + 1 + len(word) > letters:
                broken.append((line, colour))
                line = "   " + word
            else:
                line = f"{line} {word}" if line else word
        broken.append((line[: 4 * letters], colour))
    sheet = Canvas(np.full((8 + 18 * len(broken), width, 3), PAPER, np.float32))
    for k, (line, colour) in enumerate(broken):
        sheet.text(line, 8, 18 + 18 * k, colour, 0.45)
    return sheet.pixels


def beside(parts: Iterable[Bytes], gap: int = 6) -> Bytes:
    """Pictures next to each other, from the top."""
    return _joined([*parts], 1, gap)


def below(parts: Iterable[Bytes], gap: int = 6) -> Bytes:
    """Pictures below each other, from the left."""
    return _joined([*parts], 0, gap)


def _joined(parts: list[Bytes], axis: int, gap: int) -> Bytes:
    other = 1 - axis
    shape = [0, 0, 3]
    shape[axis] = sum(p.shape[axis] for p in parts) + gap * (len(parts) - 1)
    shape[other] = max(p.shape[other] for p in parts)
    out = np.full(shape, round(255 * PAPER), np.uint8)
    at = 0
    for p in parts:
        place = (slice(at, at + p.shape[0]), slice(0, p.shape[1])) if axis == 0 else (slice(0, p.shape[0]), slice(at, at + p.shape[1]))
        out[place] = p
        at += p.shape[axis] + gap
    return out

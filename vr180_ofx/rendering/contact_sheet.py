"""The contact sheet: who was found where, in pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import FrameError
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.png import write_png
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings

PALETTE = (
    (1.0, 0.35, 0.3),
    (0.3, 0.9, 0.4),
    (0.35, 0.6, 1.0),
    (1.0, 0.85, 0.25),
    (0.9, 0.4, 1.0),
    (0.3, 0.95, 0.95),
    (1.0, 0.6, 0.2),
    (0.75, 0.75, 0.75),
)
_CELL = 420


def contact_sheet(clip: Clip, plan: Plan, path: Path, settings: Settings | None = None, cells: int = 12) -> None:
    """Frames spread over the clip, both eyes, with each person's box (solid), window (thin) and name. settings: of the frames' numbers."""
    numbers = numbering(clip, settings)
    count = min(cells, len(clip))
    chosen = sorted({round(k * (len(clip) - 1) / max(1, count - 1)) for k in range(count)})
    tiles = []
    for n in chosen:
        try:
            tiles.append(_tile(clip, plan, n, numbers.number(n)))
        except FrameError:
            continue
    if not tiles:
        return
    columns = 2 if len(clip.views) == 2 else 4
    while len(tiles) % columns:
        tiles.append(np.zeros_like(tiles[0]))
    rows = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
    write_png(path, np.concatenate(rows, axis=0))


def _tile(clip: Clip, plan: Plan, n: int, number: int) -> FloatArray:
    width, height = clip.eye_size
    factor = max(1, round(max(width, height) / (2 * _CELL)))
    frame = clip.frame(n)
    eyes = []
    for view, eye in frame.eyes.items():
        picture = eye.region(Rect(0, 0, eye.width, eye.height), factor).copy()
        scale = _CELL / max(picture.shape[:2])
        picture = resize(picture, (round(picture.shape[1] * scale), round(picture.shape[0] * scale)), "area")
        k = picture.shape[1] / width
        canvas = Canvas(picture)
        for person in plan.people:
            track = plan.track(person, view)
            if not track.has(n):
                continue
            colour = PALETTE[(person.id - 1) % len(PALETTE)] if not person.exclude else (0.4, 0.4, 0.4)
            x0, y0, x1, y1 = (v * k for v in track.boxes[n])
            canvas.rectangle(x0, y0, x1, y1, colour=colour)
            window = track.bodies[n].window(64)
            t = np.linspace(0, 64, 17)
            ring = np.concatenate(
                [np.stack(pair, axis=-1) for pair in ((t, 0 * t), (0 * t + 64, t), (t[::-1], 0 * t + 64), (0 * t, t[::-1]))]
            )
            points = clip.projection.project(window.directions(ring)) * k
            canvas.outline(points[np.isfinite(points).all(axis=-1)], colour)
            canvas.text(person.name + (" excluded" if person.exclude else ""), max(2, x0), max(12, y0 - 4), colour, 0.42)
        canvas.text(f"{number} {view}" if len(frame.eyes) > 1 else str(number), 5, picture.shape[0] - 7)
        eyes.append(canvas.picture)
    tile: FloatArray = np.concatenate(eyes, axis=1)
    return tile

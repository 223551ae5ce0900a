"""Draws docs/images/edges.jpg, the edge controls on the demo clip: python docs/edge_pictures.py

For whoever works on a checkout; the program itself does not need it.
"""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip

OUT = Path(__file__).resolve().parent / "images" / "edges.jpg"
FRAME = 12
FRAMES = range(0, 24, 4)
VIEW = "left"
#: Pixels of the eye on a side of each picture, how often each is drawn, and how many stand in a row.
SIDE, ENLARGED, ACROSS = 72, 3, 4
#: What is shown: on one edge of somebody, or, where a control acts somewhere else, where it changes most.
SHOWN: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("as it is", {}, {}),
    ("size 3", {}, {"size": 3}),
    ("size -3", {}, {"size": -3}),
    ("feather 12", {}, {"feather": 12}),
    ("softness -3", {}, {"softness": -3}),
    ("softness 1", {}, {"softness": 1}),
    ("black_clip 0.4", {}, {"black_clip": 0.4}),
    ("white_clip 0.6", {}, {"white_clip": 0.6}),
    ("gamma 2.5", {}, {"gamma": 2.5}),
    ("gamma 0.4", {}, {"gamma": 0.4}),
]
#: (before, its controls, after, its controls): a pair each.
PAIRS: list[tuple[str, dict[str, Any], str, dict[str, Any]]] = [
    ("as it is", {}, "despeckle 150", {"despeckle": 150}),
    ("as it is", {}, "close_holes 400", {"close_holes": 400}),
    ("as it is", {}, "temporal 1", {"temporal": 1}),
    ("softness -4", {"softness": -4}, "keep_motion_blur", {"softness": -4, "keep_motion_blur": True}),
    ("size 12 pixels", {"size": 12}, "12 milliradians", {"size": 12, "unit": "milliradians"}),
]


def main() -> None:
    clip_file = importlib.resources.files("vr180_ofx.demo") / "walk3d.mp4"
    with importlib.resources.as_file(clip_file) as path, open_clip(path) as clip:
        plan = analyse(clip)
        plate = clip.read(FRAME)[VIEW]
        with FrameServer(clip, plan) as server:

            def alpha(edges: dict[str, Any], n: int = FRAME) -> np.ndarray:
                frame: Frame = server.request(n, edges=edges).result()
                return frame.views[VIEW].alpha

            plain = alpha({})
            place = detailed(plain)
            tiles = [drawn(label, alpha(edges), plate, place) for label, _, edges in SHOWN]
            for before, less, after, more in PAIRS:
                # islands and holes are rare: of several frames that one in which there is most to see
                n = max(FRAMES if less == {} else (FRAME,), key=lambda k: most(np.abs(alpha(less, k) - alpha(more, k))))
                one, other, there = alpha(less, n), alpha(more, n), clip.read(n)[VIEW]
                where = fullest(np.abs(one - other))
                tiles += [drawn(before, one, there, where), drawn(after, other, there, where)]
    rows = [np.hstack(tiles[k : k + ACROSS]) for k in range(0, len(tiles), ACROSS)]
    cv2.imwrite(str(OUT), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    print(OUT, OUT.stat().st_size)


def window(x: float, y: float, shape: tuple[int, ...]) -> Rect:
    x0 = int(np.clip(round(x - SIDE / 2), 0, shape[1] - SIDE))
    y0 = int(np.clip(round(y - SIDE / 2), 0, shape[0] - SIDE))
    return Rect(x0, y0, x0 + SIDE, y0 + SIDE)


def detailed(alpha: np.ndarray) -> Rect:
    """Where an eye has most of what is half covered."""
    return fullest(np.minimum(alpha, 1 - alpha))


def most(values: np.ndarray) -> float:
    """What the fullest place holds."""
    return float(values[fullest(values).slices].sum())


def fullest(values: np.ndarray) -> Rect:
    sums = cv2.boxFilter(values.astype(np.float32), -1, (SIDE, SIDE), normalize=False)
    y, x = np.unravel_index(int(sums.argmax()), sums.shape)
    return window(float(x), float(y), values.shape)


def drawn(label: str, alpha: np.ndarray, plate: np.ndarray, place: Rect) -> np.ndarray:
    """The matte above, the person over grey below, with a label: (h, w, 3) uint8."""
    a = alpha[place.slices][..., None]
    over = plate[place.slices] * a + 0.5 * (1 - a)
    both = np.vstack([np.repeat(a, 3, axis=2), over])
    size = (SIDE * ENLARGED, 2 * SIDE * ENLARGED)
    large = cv2.resize((np.clip(both, 0, 1) * 255).astype(np.uint8), size, interpolation=cv2.INTER_NEAREST)
    head = np.full((24, size[0], 3), 32, np.uint8)
    cv2.putText(head, label, (5, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
    tile = np.vstack([head, large])
    tile[:, -2:] = 32
    return tile


if __name__ == "__main__":
    main()

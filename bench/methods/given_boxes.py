"""RVM shown everybody where the truth says they are, and nothing else of this program: what its network can do with perfect detection.

Each person has a window of their own in each eye, which stays where it is as long as they fit into it, as RVM remembers pictures.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.sample import sample
from vr180_ofx.matte.rvm.compiled import CompiledRvm
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings
from vr180_ofx.storage import atomic_path
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import MAX_WINDOW_FOV_DEGREES, Window, angles_from_direction, direction_from_angles

#: Pixels on a side: what RVM's authors show it of a frame.
SIZE = 512
#: How much of a window a box fills when the window is made, and the least and most that it may fill later.
_FILLED, _LEAST, _MOST = 0.75, 0.45, 0.95
#: What is kept around a box, of its size: people's hair and hands reach beyond boxes of what is half covered.
_AROUND = 0.1


def matte_in_boxes(scene: Path, folder: Path, weights: Path, settings: Settings) -> int:
    """Mattes of everybody as PNG of 16 bits in ``folder``/left and /right. settings: how the clip is read. Returns frames."""
    truth = Truth(scene)
    network = CompiledRvm(weights)
    followed: dict[tuple[int, str], _Followed] = {}
    with open_clip(scene / "clip.mp4", settings) as clip:
        for index, frame in enumerate(truth.frames()):
            eyes = clip.frame(index).eyes
            for view in truth.layout.views:
                everybody = np.zeros(truth.layout.eye_size[::-1], np.float32)
                for k, body in frame.people[view].items():
                    box = bounds(body > 0.5)
                    if box.empty:
                        followed.pop((k, view), None)
                        continue
                    own = followed.setdefault((k, view), _Followed())
                    rect, alpha = own.step(network, eyes[view], truth.projection, box)
                    np.maximum(everybody[rect.slices], alpha, out=everybody[rect.slices])
                path = folder / view / f"{index + 1:04d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                with atomic_path(path) as part:
                    part.write_bytes(cv2.imencode(".png", np.round(everybody * 65535).astype(np.uint16))[1].tobytes())
    return len(truth)


class _Followed:
    """Somebody in an eye: their window, and what the network remembers of it."""

    def __init__(self) -> None:
        self._window: Window | None = None
        self._state: State | None = None

    def step(self, network: CompiledRvm, eye: EyeImage, projection: Projection, box: Rect) -> tuple[Rect, FloatArray]:
        """(the box with room around, alpha there)."""
        if self._window is None or not _LEAST <= filled(self._window, projection, box) <= _MOST:
            self._window, self._state = window_around(projection, box), None
        picture = eye.sample(self._window.grid(projection)).rgb
        pictures = np.ascontiguousarray(picture[None], np.float32)
        if self._state is None:
            # whom it never saw it sees twice, as in the program
            self._state = network.step(pictures, [None])[1][0]
        alphas, states = network.step(pictures, [self._state])
        self._state = states[0]
        room = math.ceil(_AROUND * max(box.width, box.height))
        rect = box.grown(room).clipped(projection.width, projection.height)
        return rect, np.clip(sample(alphas[0], self._window.inverse_map(projection, rect)), 0, 1)


def window_around(projection: Projection, box: Rect) -> Window:
    """The window in which a box of the eye's picture fills three quarters."""
    centre = projection.unproject(np.array([[(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2]], np.float64))[0]
    direction = direction_from_angles(*angles_from_direction(centre))
    tangent = filled(Window(direction, 90.0, size=SIZE), projection, box)
    fov = 2 * math.degrees(math.atan(tangent / _FILLED))
    return Window(direction, min(max(fov, 5.0), MAX_WINDOW_FOV_DEGREES - 1), size=SIZE)


def filled(window: Window, projection: Projection, box: Rect) -> float:
    """How far a box reaches from a window's middle, of the way to its border: above 1 outside of it."""
    t = np.linspace(0, 1, 9)
    xs, ys = box.x0 + t * box.width, box.y0 + t * box.height
    border = np.concatenate(
        [np.stack([xs, np.full(9, y)], -1) for y in (box.y0, box.y1)] + [np.stack([np.full(9, x), ys], -1) for x in (box.x0, box.x1)]
    )
    points = window.points(projection.unproject(border))
    half = window.size / 2
    # behind the camera is NaN, and farther than anything
    return float(np.nan_to_num(np.abs(points - half) / half, nan=1e3).max())

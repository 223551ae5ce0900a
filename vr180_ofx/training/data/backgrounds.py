"""What stands behind people: pictures, folders of frames, and videos."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.data.reading import VIDEOS, Video, image, images_in, rgb

#: A folder of so few pictures is one of scenes; more in one folder may be a clip, which its name's digits tell.
_LEAST_CLIP = 2


class Backgrounds:
    """folder: pictures in it are stills; folders of pictures below it are clips, and so are videos. Raises MediaError when it has none."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise MediaError(f"backgrounds is {folder}, which is no folder")
        self.stills = images_in(folder)
        folders = sorted(d for d in folder.rglob("*") if d.is_dir())
        self.clips = [frames for d in folders if len(frames := images_in(d)) >= _LEAST_CLIP]
        videos = sorted(f for f in folder.rglob("*") if f.suffix.lower() in VIDEOS and not f.name.startswith("."))
        # of a scene, what the camera saw when nobody was there: its background.mkv is black where somebody hides it
        self.videos = [f for f in videos if _shows_nobody(f)]
        if not len(self):
            raise MediaError(f"backgrounds is {folder}, in which are neither pictures nor videos without people")
        self._opened = functools.lru_cache(maxsize=64)(Video)

    def __len__(self) -> int:
        return len(self.stills) + len(self.clips) + len(self.videos)

    def frames(self, shape: Shape, random: np.random.Generator) -> Array:
        """(T, h, w, 3) uint8: a part of a still, again and again, or frames of a clip."""
        k = int(random.integers(0, len(self)))
        least = 2 * max(shape.height, shape.width)
        if k < len(self.stills):
            pictures = [rgb(image(self.stills[k], least))] * shape.frames
        elif k < len(self.stills) + len(self.clips):
            clip = self.clips[k - len(self.stills)]
            pictures = [rgb(image(clip[n], least)) for n in _numbers(len(clip), shape.frames, random)]
        else:
            video = self._opened(self.videos[k - len(self.stills) - len(self.clips)])
            pictures = [rgb(f) for f in video.frames(_numbers(len(video), shape.frames, random), least)]
        height, width = pictures[0].shape[:2]
        fits = min(height / shape.height, width / shape.width)
        scale = fits * random.uniform(0.5, 1.0)
        w, h = max(1, round(scale * shape.width)), max(1, round(scale * shape.height))
        x, y = int(random.integers(0, width - w + 1)), int(random.integers(0, height - h + 1))
        box, mirrored = Rect(x, y, x + w, y + h), random.random() < 0.5
        parts = []
        for picture in pictures:
            part = np.ascontiguousarray(picture[box.slices])
            part = np.asarray(resize(part, (shape.width, shape.height), "area" if w >= shape.width else "linear"))
            parts.append(part[:, ::-1] if mirrored else part)
        return np.stack(parts)


def _numbers(count: int, wanted: int, random: np.random.Generator) -> list[int]:
    first = int(random.integers(0, max(1, count - wanted + 1)))
    there_and_back = [*range(count), *range(count - 2, 0, -1)] or [0]
    return [there_and_back[(first + k) % len(there_and_back)] for k in range(wanted)]


def _shows_nobody(video: Path) -> bool:
    """Of the benchmark's scenes (docs/bench/scenes.md), the clip where nobody is; any other video that lies in no scene."""
    scene = video.parent / "scene.json"
    if not scene.is_file():
        return True
    try:
        return video.stem == "clip" and not json.loads(scene.read_bytes()).get("people")
    except ValueError:
        return False

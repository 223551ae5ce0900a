"""The worst frames of a result, as pictures: what the method says and what is true, on the plate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from bench.run import clip_settings
from bench.score.outputs import open_output
from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.page import Picture
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings

#: Colours of outlines: the truth's and the method's.
TRUE, SAID = (0.35, 1.0, 0.45), (1.0, 0.25, 0.8)
_TILE = 560


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame worth a look. why: in words."""

    scene: str
    frame: int
    why: str


def worst_frames(result: dict[str, Any], most: int = 8) -> list[Shown]:
    """One frame of each scene that fails, the worst scenes first: by ghosts, people who are missed, then IoU."""
    found: list[tuple[float, Shown]] = []
    for name, scene in result["scenes"].items():
        frames: dict[int, list[str]] = {}
        weight: dict[int, float] = {}
        for row in scene["per_frame"]:
            ious = {k.split(".")[0]: v for k, v in row.items() if k.endswith(".iou")}
            weight[row["frame"]] = 1 - min(ious.values(), default=1.0)
            frames[row["frame"]] = [f"IoU {v:.3f} {view}" for view, v in ious.items()]
        for eye in scene["eyes"]:
            if eye["ghosts"]:
                weight[eye["frame"]] = weight.get(eye["frame"], 0) + eye["ghosts"]
                frames[eye["frame"]].append(f"{eye['ghosts']} ghosts {eye['view']}")
        for s in scene["sightings"]:
            if s["counts"] and not s["found"]:
                weight[s["frame"]] = weight.get(s["frame"], 0) + 1
                frames[s["frame"]].append(f"person {s['person']} missed {s['view']}")
        if weight:
            index = max(weight, key=lambda n: weight[n])
            found.append((weight[index], Shown(name, index, ", ".join(frames[index]))))
    return [shown for _, shown in sorted(found, key=lambda pair: -pair[0])[:most]]


def pictures(shown: list[Shown], scenes: dict[str, Path], mattes: Path) -> Iterator[Picture]:
    """Both eyes of each frame, of scenes that are here and whose mattes are in ``mattes``; raises MediaError."""
    for s in shown:
        folder, output = scenes.get(s.scene), mattes / s.scene
        if folder is not None and output.is_dir():
            yield Picture(picture(folder, output, s.frame), f"{s.scene}, frame {s.frame + 1}: {s.why}")


def picture(scene: Path, output: Path, index: int) -> FloatArray:
    """(h, w, 3) 0..1: for each eye the plate with both outlines, and the difference: green is missing, red is too much."""
    truth = Truth(scene)
    written = open_output(output, truth.layout, len(truth))
    frame = next(islice(truth.frames(), index, None))
    read = written.read(index + written.first)
    values = [f"{key}={value}" for key, value in clip_settings(scene).items()]
    with open_clip(scene / "clip.mp4", Settings.from_values({}, values)) as clip:
        plates = clip.read(index)
    box = _around([np.maximum(read[v][""], frame.union(v)) for v in truth.layout.views])
    rows = []
    for view in truth.layout.views:
        alpha, real = read[view][""][box], frame.union(view)[box]
        plate = np.clip(plates[view][box], 0, 1).astype(np.float32)
        outlined = plate.copy()
        outlined[_outline(real)] = TRUE
        outlined[_outline(alpha)] = SAID
        difference = np.stack([np.clip(alpha - real, 0, 1), np.clip(real - alpha, 0, 1), np.zeros_like(alpha)], axis=-1)
        rows.append(
            np.concatenate([_tile(outlined, f"{view}: green true, pink said"), _tile(difference + 0.12 * plate, "difference")], axis=1)
        )
    whole: FloatArray = np.clip(np.concatenate(rows, axis=0), 0, 1).astype(np.float32)
    return whole


def _outline(alpha: FloatArray) -> BoolArray:
    inside = alpha > 0.5
    line: BoolArray = dilate(inside, square(1)) & ~inside
    return line


def _around(alphas: list[FloatArray]) -> tuple[slice, slice]:
    """The part of the eyes with people, and room; all of it where there is nobody."""
    height, width = alphas[0].shape
    ys, xs = np.nonzero(np.max(alphas, axis=0) > 0.1)
    if not len(xs):
        return slice(0, height), slice(0, width)
    room = int(0.15 * max(np.ptp(xs), np.ptp(ys), height / 16))
    return slice(max(0, ys.min() - room), ys.max() + room + 1), slice(max(0, xs.min() - room), xs.max() + room + 1)


def _tile(rgb: FloatArray, title: str) -> FloatArray:
    scale = _TILE / max(rgb.shape[:2])
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    canvas = Canvas(np.clip(resize(np.ascontiguousarray(rgb, np.float32), size, "area" if scale < 1 else "cubic"), 0, 1))
    canvas.text(title, 7, 17)
    out: FloatArray = canvas.picture
    return out

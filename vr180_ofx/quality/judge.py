"""Judging a folder of rendered frames without a truth."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.jumps import BOTH, EVERYBODY
from vr180_ofx.quality.blind import METRICS, Judge, Judgement
from vr180_ofx.quality.page import Picture, outlined, over_grey, write_page
from vr180_ofx.quality.truth import Prediction, find_prediction
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Projection, make_projection

Progress = Callable[[int, int], None]


def clip_of(folder: Path) -> Path | None:
    """The clip that the frames in a folder were made of, when the folder says so and the clip is still there."""
    try:
        renders = json.loads((folder / MANIFEST).read_text())["renders"]
        found = [Path(r["clip"]) for r in renders.values()]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return found[0] if len({str(f) for f in found}) == 1 and found[0].exists() else None


def judge(
    prediction: Path, clip: Clip | None, start_frame: int = 1, limits: dict[str, float] | None = None, progress: Progress | None = None
) -> Judgement:
    """prediction: a folder of EXR frames. clip: what they were made of; None leaves out what needs the picture (flicker, stereo).

    start_frame: the number of the file that shows the clip's first frame. Frames are called by their files' numbers. Raises MediaError.
    """
    found = find_prediction(prediction)
    only = found.eye
    if clip is not None and only not in (None, *clip.views):
        raise MediaError(f"{prediction} holds the {only} eye alone, and {clip.path} has {', '.join(clip.views)}")
    worker: Judge | None = None
    for k, number in enumerate(sorted(found.files)):
        views = found.read(number)
        mattes = {view: people_of(layers) for view, layers in views.items()}
        index = number - start_frame
        if clip is not None and not 0 <= index < len(clip):
            raise MediaError(
                f"frame {number} of {prediction} has no counterpart in {clip.path}, whose {len(clip)} frames begin at number "
                f"{start_frame}; --start-frame N says otherwise"
            )
        height, width = next(iter(next(iter(views.values())).values())).shape
        eyes = None
        if clip is not None:
            eyes = {view: eye for view, eye in clip.frame(index).eyes.items() if only in (None, view)}
            factor = max(1, round(next(iter(eyes.values())).width / width))
            eyes = {view: eye.reduced(factor) if factor > 1 else eye for view, eye in eyes.items()}
            if set(eyes) != set(mattes) or next(iter(eyes.values())).width != width:
                raise MediaError(f"{prediction} was not made of {clip.path}: its frames are {width}x{height}, with {', '.join(mattes)}")
        if worker is None:
            projection = clip.projection.resized(width, height) if clip is not None else _projection_of(width, height)
            worker = Judge(projection, limits)
        worker.add(number, mattes, eyes)
        if progress:
            progress(k + 1, len(found.files))
    assert worker is not None
    return worker.finish()


def people_of(layers: dict[str, FloatArray]) -> dict[str, FloatArray]:
    """The layers of single people; everybody where there are none."""
    people = {name: alpha for name, alpha in layers.items() if name}
    return people or {EVERYBODY: layers[""]}


def _projection_of(width: int, height: int) -> Projection:
    """What pictures of this size are as a rule."""
    return make_projection("flat" if width != height else "equirect180", width, height)


def report(path: Path, prediction: Path, clip: Clip | None, judgement: Judgement, start_frame: int = 1) -> None:
    """Writes the page: figures, plots, the worst frames, and both eyes in one picture."""
    found = find_prediction(prediction)
    frames = sorted(found.files)
    facts = {"clip": clip.path.name if clip else prediction.name, "frames": len(frames), "folder": prediction.name}
    if clip is None:
        write_page(path, judgement, facts=facts)
        return
    pictures = []
    for name in METRICS:
        rows = [r for r in judgement.rows if name in r.values]
        if not rows:
            continue
        worst = max(rows, key=lambda r: r.values[name])
        shown = _seen(clip, found, worst.frame, start_frame)
        plate, layers = shown.get(worst.view) or shown[RIGHT]
        alpha = _matte(layers, worst.person)
        box = _around(alpha)
        who = "" if worst.person == EVERYBODY else f"{worst.person}, "
        figures = f"{name} {worst.values[name]:.3g} (limit {judgement.limits[name]:.3g})"
        pictures.append(Picture(outlined(plate, alpha)[box.slices], f"{figures}: {who}{_eye(worst.view)}, frame {worst.frame}"))
    anaglyph = wiggle = None
    if set(clip.views) == {LEFT, RIGHT} and found.eye is None:
        middle = frames[len(frames) // 2]
        eyes = {view: (plate, _matte(layers, EVERYBODY)) for view, (plate, layers) in _seen(clip, found, middle, start_frame).items()}
        box = _around(np.maximum(eyes[LEFT][1], eyes[RIGHT][1]))
        left, right = (over_grey(*eyes[view])[box.slices] for view in (LEFT, RIGHT))
        anaglyph = Picture(np.concatenate([left[..., :1], right[..., 1:]], axis=-1), f"red left, cyan right, frame {middle}")
        caption = f"left and right in turn, frame {middle}: people jump with their distance, edges must not"
        wiggle = Picture(left, caption), Picture(right, caption)
    write_page(path, judgement, facts=facts, worst=pictures, anaglyph=anaglyph, wiggle=wiggle)


def _eye(view: str) -> str:
    return "both eyes" if view == BOTH else f"{view} eye"


def _seen(clip: Clip, found: Prediction, number: int, start_frame: int) -> dict[str, tuple[FloatArray, dict[str, FloatArray]]]:
    """view -> (plate at the size of the mattes, layers)."""
    mattes, out = found.read(number), {}
    for view, eye in clip.frame(number - start_frame).eyes.items():
        if view not in mattes:
            continue
        width = next(iter(mattes[view].values())).shape[1]
        factor = max(1, round(eye.width / width))
        small = eye.reduced(factor) if factor > 1 else eye
        out[view] = small.region(Rect(0, 0, small.width, small.height)), mattes[view]
    return out


def _matte(layers: dict[str, FloatArray], person: str) -> FloatArray:
    people = people_of(layers)
    if person in people:
        return people[person]
    out: FloatArray = np.max(list(people.values()), axis=0)
    return out


def _around(alpha: FloatArray) -> Rect:
    height, width = alpha.shape
    ys, xs = np.nonzero(alpha > 0.2)
    if not len(xs):
        return Rect(0, 0, width, height)
    room = max(12, round(0.1 * max(np.ptp(xs), np.ptp(ys))))
    return Rect(int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1).grown(room).clipped(width, height)


def opened(folder: Path, named: str | None) -> Clip | None:
    """The clip that was named, or that the folder names; None when there is none."""
    path = Path(named) if named else clip_of(folder)
    return open_clip(path, Settings()) if path is not None else None

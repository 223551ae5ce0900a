"""Pictures of results: for the demo, and for comparing with the truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.draw import Canvas
from vr180_ofx.imaging.filter import box_blur
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.colour import unmixed
from vr180_ofx.output.measures import is_measure
from vr180_ofx.output.png import write_png
from vr180_ofx.quality.truth import Truth, find_prediction, read_views

_TILE = 380


def showcase(clip: Clip, frames: Path, path: Path, index: int, start_frame: int = 1) -> None:
    """Plate, alpha, confidence, composite over a new background, for each eye; and an anaglyph of the composite."""
    prediction = find_prediction(frames)
    channels: dict[str, dict[str, FloatArray]] = {}
    for file in prediction.files[index + start_frame]:
        channels |= read_views(file)
    plates = clip.read(index)
    box = _crop({v: channels[v]["A"] for v in clip.views})
    rows, composites = [], []
    for view in clip.views:
        alpha = channels[view]["A"]
        plate = plates[view]
        if plate.shape[:2] != alpha.shape:
            plate = resize(plate, (alpha.shape[1], alpha.shape[0]), "area")
        composite = unmixed(plate, alpha) * alpha[..., None] + _backdrop(alpha.shape) * (1 - alpha[..., None])
        composites.append(composite)
        pictures = [plate, np.repeat(alpha[..., None], 3, -1), _heat(channels[view]["confidence.A"]), np.clip(composite, 0, 1)]
        titles = ["plate", "alpha", "confidence", "over a new background"]
        rows.append([_tile(p, box, f"{view}: {t}") for p, t in zip(pictures, titles, strict=True)])
    grid = [np.concatenate(r, axis=1) for r in rows]
    if len(composites) == 2:
        left, right = (c.clip(0, 1) for c in composites)
        anaglyph = np.concatenate([left[..., :1], right[..., 1:]], axis=-1)
        last = [_tile(anaglyph, box, "anaglyph (red left, cyan right)")]
        people = [name for name in channels[clip.views[0]] if name.endswith(".A") and not is_measure(name.removesuffix(".A"))]
        colours = np.zeros((*composites[0].shape[:2], 3), np.float32)
        palette = ((1.0, 0.4, 0.3), (0.3, 0.8, 1.0), (0.5, 1.0, 0.4), (1.0, 0.8, 0.2))
        for k, name in enumerate(people):
            colours += channels[clip.views[0]][name][..., None] * np.array(palette[k % 4], np.float32)
        last.append(_tile(colours.clip(0, 1), box, "a layer per person"))
        edge = _edge_detail(channels[clip.views[0]]["A"], composites[0])
        last += [_label(resize(e, (_TILE, _TILE), "cubic"), t) for e, t in zip(edge, ("edge, composite", "edge, alpha"), strict=True)]
        grid.append(np.concatenate([_fit(t, rows[0][0].shape) for t in last], axis=1))
    write_png(path, np.clip(np.concatenate(grid, axis=0), 0, 1))


def picture(prediction: Path, truth_folder: Path, path: Path, start_frame: int = 1, clip_path: str | None = None) -> None:
    """Rows of frames: plate, matte, truth, and difference (green is missing, red is too much)."""
    truth, found = Truth(truth_folder), find_prediction(prediction)
    source = clip_path or next((str(p) for p in sorted(truth_folder.glob("clip.*"))), None)
    clip = open_clip(source) if source else None
    frames = [(index, frame) for index, frame in enumerate(truth.frames()) if index + start_frame in found.files]
    if not frames:
        raise MediaError(f"no frame of {prediction} has a counterpart in {truth_folder}")
    shown = [frames[k] for k in sorted({0, len(frames) // 3, 2 * len(frames) // 3, len(frames) - 1})]
    rows = []
    for index, frame in shown:
        views = found.read(index + start_frame)
        for view in (v for v in truth.layout.views if v in views):
            alpha, real = views[view][""], frame.union(view)
            box = _crop({view: np.maximum(alpha, real)})
            difference = np.stack([np.clip(alpha - real, 0, 1), np.clip(real - alpha, 0, 1), np.zeros_like(alpha)], -1)
            tiles = [np.repeat(alpha[..., None], 3, -1), np.repeat(real[..., None], 3, -1), difference]
            titles = [f"{view} {index + start_frame}: matte", "truth", "green: missing, red: too much"]
            if clip is not None:
                tiles.insert(0, clip.read(index)[view])
                titles.insert(0, "plate")
            rows.append(np.concatenate([_fit(_tile(t, box, s), (_TILE, _TILE, 3)) for t, s in zip(tiles, titles, strict=True)], axis=1))
    if clip is not None:
        clip.close()
    write_png(path, np.clip(np.concatenate(rows, axis=0), 0, 1))


def _crop(alphas: dict[str, FloatArray]) -> tuple[int, int, int, int]:
    """The part of the picture with people, with some room around them; the same for both eyes."""
    height, width = next(iter(alphas.values())).shape
    ys, xs = np.nonzero(np.max(list(alphas.values()), axis=0) > 0.2)
    if len(xs) == 0:
        return 0, 0, width, height
    room = 0.12 * max(int(xs.max() - xs.min()), int(ys.max() - ys.min()), 16)
    x0, x1 = max(0, int(xs.min() - room)), min(width, int(xs.max() + room))
    y0, y1 = max(0, int(ys.min() - room)), min(height, int(ys.max() + room))
    return x0, y0, x1, y1


def _tile(picture: FloatArray, box: tuple[int, int, int, int], title: str) -> FloatArray:
    x0, y0, x1, y1 = box
    part = picture[y0:y1, x0:x1].astype(np.float32)
    scale = _TILE / max(part.shape[1], 1)
    size = (_TILE, max(1, round(part.shape[0] * scale)))
    return _label(resize(part, size, "area" if scale < 1 else "cubic"), title)


def _fit(tile: FloatArray, shape: tuple[int, ...]) -> FloatArray:
    out = np.zeros((shape[0], shape[1], 3), np.float32)
    h, w = min(shape[0], tile.shape[0]), min(shape[1], tile.shape[1])
    out[:h, :w] = tile[:h, :w]
    return out


def _label(picture: FloatArray, text: str) -> FloatArray:
    canvas = Canvas(picture)
    canvas.text(text, 7, 17)
    return canvas.picture


def _heat(confidence: FloatArray) -> FloatArray:
    """Sure is dark blue-grey, unsure is bright orange."""
    sure, unsure = np.array([0.07, 0.1, 0.16], np.float32), np.array([1.0, 0.62, 0.18], np.float32)
    t = confidence[..., None].astype(np.float32)
    out: FloatArray = t * sure + (1 - t) * unsure
    return out


def _backdrop(shape: tuple[int, ...]) -> FloatArray:
    """A studio backdrop, lighter in the middle."""
    ys, xs = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    glow = np.exp(-(((xs / shape[1] - 0.5) / 0.35) ** 2 + ((ys / shape[0] - 0.55) / 0.3) ** 2))[..., None]
    low, high = np.array([0.10, 0.16, 0.30], np.float32), np.array([0.55, 0.68, 0.88], np.float32)
    out: FloatArray = low + glow * (high - low)
    return out


def _edge_detail(alpha: FloatArray, composite: FloatArray) -> tuple[FloatArray, FloatArray]:
    """A close look at the softest edge: where most pixels are neither in nor out."""
    soft = ((alpha > 0.05) & (alpha < 0.95)).astype(np.float32)
    side = max(24, alpha.shape[1] // 14)
    density = box_blur(soft, (side, side))
    y, x = np.unravel_index(int(np.argmax(density)), density.shape)
    y0 = int(np.clip(y - side // 2, 0, alpha.shape[0] - side))
    x0 = int(np.clip(x - side // 2, 0, alpha.shape[1] - side))
    part = np.s_[y0 : y0 + side, x0 : x0 + side]
    return composite[part].clip(0, 1).astype(np.float32), np.repeat(alpha[part][..., None], 3, -1).astype(np.float32)

"""Matting benchmarks on disk: folders of clips, each with ``pha`` (alpha), ``fgr`` (foreground) and ``com`` (composite) as numbered images.

The layout and the measures that papers on video matting report; clips are compared at once, in processes of their own.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.imaging.threads import limit_threads
from vr180_ofx.media.files import check_file
from vr180_ofx.quality import metrics

_IMAGES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".exr")
#: measure -> what it is multiplied by to become what papers print.
MEASURES = {
    "pha_mad": 1e3, "pha_mse": 1e3, "pha_sad": 1.0, "pha_grad": 1.0, "pha_conn": 1.0, "pha_dtssd": 1.0, "fgr_mad": 1e3, "fgr_mse": 1e3,
}  # fmt: skip

Progress = Callable[[int, int], None]


def is_layout(folder: Path) -> bool:
    """Whether a folder holds clips in this layout."""
    return any(p.is_dir() for p in folder.rglob("pha"))


def compare(prediction: Path, truth: Path, progress: Progress | None = None, processes: int = 0) -> dict[str, Any]:
    """Every clip of ``truth`` against the same of ``prediction``: {clips: name -> measures, mean: measures, frames}.

    Raises MediaError when a clip, or a frame of it, is missing or of another size.
    """
    clips = sorted(p.parent.relative_to(truth) for p in truth.rglob("pha") if p.is_dir())
    if not clips:
        raise MediaError(f"{truth} holds no clips: folders with pha/0000.png, ... in them are looked for")
    missing = [c for c in clips if not (prediction / c / "pha").is_dir()]
    if missing:
        raise MediaError(f"{prediction / missing[0]} has no folder pha; {len(missing)} of {len(clips)} clips of {truth} are missing")
    found: dict[str, dict[str, float]] = {}
    jobs = [(prediction / c, truth / c) for c in clips]
    # threads of OpenCV's own in each process would only be in each other's way
    workers = min(len(jobs), processes or os.cpu_count() or 1)
    with contextlib.ExitStack() as stack:
        compared: Iterator[dict[str, float]] = map(_clip, jobs)
        if workers > 1:
            pool = stack.enter_context(ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), limit_threads, (1,)))
            compared = pool.map(_clip, jobs)
        for k, (clip, row) in enumerate(zip(clips, compared, strict=True)):
            found[clip.as_posix()] = row
            if progress:
                progress(k + 1, len(clips))
    mean = {m: round(float(np.mean([r[m] for r in found.values() if m in r])), 6) for m in MEASURES if any(m in r for r in found.values())}
    return {"clips": found, "mean": mean, "frames": int(sum(r["frames"] for r in found.values()))}


def _clip(folders: tuple[Path, Path]) -> dict[str, float]:
    theirs, real = folders
    rows: dict[str, list[float]] = {}
    before: tuple[FloatArray, FloatArray] | None = None
    files = _images(real / "pha")
    mine = _images(theirs / "pha")
    missing = [name for name in files if name not in mine]
    if missing:
        raise MediaError(f"{theirs / 'pha'} lacks {missing[0]}, and {len(missing) - 1} more of {len(files)} frames")
    colours = _images(real / "fgr"), _images(theirs / "fgr")
    for name, path in files.items():
        truth, alpha = _alpha(path), _alpha(mine[name])
        if truth.shape != alpha.shape:
            raise MediaError(f"{mine[name]} is {alpha.shape[1]}x{alpha.shape[0]} and {path} {truth.shape[1]}x{truth.shape[0]}")
        row = {
            "pha_mad": metrics.mad(alpha, truth), "pha_mse": metrics.mse(alpha, truth), "pha_sad": metrics.sad(alpha, truth),
            "pha_grad": metrics.gradient_error(alpha, truth), "pha_conn": metrics.connectivity_error(alpha, truth),
        }  # fmt: skip
        if before is not None:
            row["pha_dtssd"] = metrics.dtssd(alpha, before[0], truth, before[1])
        before = alpha, truth
        if name in colours[0] and name in colours[1]:
            inside = truth > 0
            difference = (_colour(colours[1][name]) - _colour(colours[0][name]))[inside]
            row |= {"fgr_mad": float(np.abs(difference).mean()), "fgr_mse": float(np.square(difference).mean())} if inside.any() else {}
        for key, value in row.items():
            rows.setdefault(key, []).append(value)
    return {k: round(float(np.mean(v)), 6) for k, v in rows.items()} | {"frames": len(files)}


def _images(folder: Path) -> dict[str, Path]:
    """Name without its ending -> file: predictions may be PNG where the truth is JPEG."""
    if not folder.is_dir():
        return {}
    return {p.stem: p for p in sorted(folder.iterdir()) if p.suffix.lower() in _IMAGES}


def _alpha(path: Path) -> FloatArray:
    """(h, w), 0..1 float32: an image's transparency where it has one; else all of its channels are the same."""
    values = _read(path)
    return values if values.ndim == 2 else np.ascontiguousarray(values[..., 3] if values.shape[2] == 4 else values[..., 0])


def _colour(path: Path) -> FloatArray:
    """(h, w, 3), 0..1 float32."""
    values = _read(path)
    three: FloatArray = values[..., :3] if values.ndim == 3 else np.repeat(values[..., None], 3, axis=-1)
    return three


def _read(path: Path) -> FloatArray:
    """(h, w) or (h, w, channels), 0..1 float32."""
    check_file(path)
    pixels = read_image(path)
    scale = 1 / float(np.iinfo(str(pixels.dtype)).max) if np.issubdtype(pixels.dtype, np.integer) else 1.0
    return pixels.astype(np.float32) * np.float32(scale)

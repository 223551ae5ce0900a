"""Small data sets, written as those that they stand for are laid out."""

from __future__ import annotations

import json
from pathlib import Path

import av
import cv2
import numpy as np


def write(path: Path, picture) -> None:
    """picture: (h, w) or (h, w, 3), red first."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture if picture.ndim == 2 else np.ascontiguousarray(picture[..., ::-1]))


def video(path: Path, frames, codec="ffv1", pixels="gray16le") -> None:
    """frames: (h, w) uint16, or (h, w, 3) uint8 with pixels rgb24 or yuv420p."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixels
        for f in frames:
            kind = "gray16le" if f.ndim == 2 else "rgb24"
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(f), format=kind)
            container.mux(stream.encode(frame if pixels == kind else frame.reformat(format=pixels, dst_colorspace="itu709")))
        container.mux(stream.encode(None))


def person(height=48, width=64, at=(20, 12)):
    """(alpha uint8, foreground, picture): a block with a soft edge before a slope of colours."""
    alpha = np.zeros((height, width), np.uint8)
    x, y = at
    alpha[y : y + 20, x : x + 12] = 128
    alpha[y + 1 : y + 19, x + 1 : x + 11] = 255
    foreground = np.full((height, width, 3), (200, 120, 40), np.uint8)
    ground = np.zeros((height, width, 3), np.uint8)
    ground[..., 1] = np.linspace(0, 255, width).astype(np.uint8)
    part = alpha[..., None] / 255
    return alpha, foreground, np.rint(foreground * part + ground * (1 - part)).astype(np.uint8)


def scene(folder: Path, *, people=1, frames=3, foreground=True) -> None:
    """As docs/bench/scenes.md has it, 32 pixels an eye."""
    rng = np.random.default_rng(frames)
    alphas = np.zeros((frames, 32, 64), np.uint16)
    if people:
        for n in range(frames):
            alphas[n, 8:24, 6 + n : 14 + n] = alphas[n, 8:24, 36 + n : 44 + n] = 65535
    video(folder / "gt_everybody.mkv", alphas)
    clip = rng.integers(60, 190, (32, 64, 3)).astype(np.uint8)
    pictures = [np.where(a[..., None] > 0, np.uint8(230), clip) for a in alphas]
    video(folder / "clip.mp4", pictures, "libx264", "yuv420p")
    if foreground:
        # 8 * x ** 2.4 is white where x is 8 ** (-1 / 2.4)
        code = round(65535 * 8 ** (-1 / 2.4))
        with av.open(str(folder / "foreground.mkv"), "w") as container:
            stream = container.add_stream("ffv1", rate=10)
            stream.height, stream.width, stream.pix_fmt = 32, 64, "gbrp16le"
            for a in alphas:
                frame = av.VideoFrame(64, 32, "gbrp16le")
                for plane in frame.planes:
                    rows = np.zeros((32, plane.line_size // 2), "<u2")
                    rows[:, :64] = np.where(a > 0, code, 0)
                    plane.update(rows.tobytes())
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    facts = {"layout": "sbs", "projection": "equirectangular 180x180", "people": [{"name": f"person{k}"} for k in range(people)]}
    (folder / "scene.json").write_text(json.dumps(facts))

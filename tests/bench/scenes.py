"""Small scenes whose truth is made here, written as the benchmark's scenes are."""

import json
from fractions import Fraction

import av
import numpy as np
from av.video.frame import VideoFrame

#: Pixels of an eye's side.
SIDE = 128
DEPTH_M = 2.0
BASELINE_M = 0.064
FRAMES = 6


def ellipse(x, y, rx, ry, side=SIDE):
    """A soft disc, (side, side) 0..1: a pixel wide from inside to outside."""
    ys, xs = np.mgrid[0:side, 0:side] + 0.5
    r = np.hypot((xs - x) / rx, (ys - y) / ry)
    return np.clip(0.5 - (r - 1) * min(rx, ry), 0, 1)


def video(path, frames, pix_fmt, codec="ffv1"):
    """frames: arrays in the format ``pix_fmt``."""
    with av.open(str(path), "w") as container:
        height, width = frames[0].shape[:2]
        stream = container.add_stream(codec, rate=24)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p" if codec != "ffv1" else pix_fmt
        stream.time_base = Fraction(1, 24)
        for k, picture in enumerate(frames):
            frame = (
                three_planes(picture) if pix_fmt == "gbrp16le" else VideoFrame.from_ndarray(np.ascontiguousarray(picture), format=pix_fmt)
            )
            frame.pts, frame.time_base = k, Fraction(1, 24)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def three_planes(codes):
    """(h, w, 3) uint16 of red, green and blue."""
    frame = VideoFrame(codes.shape[1], codes.shape[0], "gbrp16le")
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        rows = np.zeros((codes.shape[0], plane.line_size // 2), "<u2")
        rows[:, : codes.shape[1]] = codes[..., channel]
        plane.update(rows.tobytes())
    return frame


def bodies(index):
    """view -> people's alphas: two who walk, in front of a far wall, at 2 m (seen apart by the baseline)."""
    apart = np.degrees(BASELINE_M / DEPTH_M) * SIDE / 180
    places = {"left": 0.0, "right": -apart}
    return {v: [ellipse(40 + index + d, 64, 9, 24), ellipse(84 - index / 2 + d, 66, 8, 22)] for v, d in places.items()}


def write_scene(folder, people=2, frames=FRAMES, tags=("calm",), depth=True, plate=False):
    """A scene with so many of the two people; the truth has 16 bits. plate: with a clip of grey."""
    folder.mkdir(parents=True)
    alphas = [bodies(n) for n in range(frames)]
    both = [[np.concatenate([a[v][k] for v in ("left", "right")], axis=1) for k in range(people)] for a in alphas]

    def sixteen(picture):
        return np.round(picture * 65535).astype(np.uint16)

    for k in range(people):
        video(folder / f"gt_person{k + 1}.mkv", [sixteen(b[k]) for b in both], "gray16le")
    empty = np.zeros((SIDE, 2 * SIDE))
    everybody = [np.clip(np.sum(b, axis=0), 0, 1) if people else empty for b in both]
    video(folder / "gt_everybody.mkv", [sixteen(e) for e in everybody], "gray16le")
    if depth and people:
        video(folder / "depth.mkv", [np.where(e > 0, round(DEPTH_M * 1000), 0).astype(np.uint16) for e in everybody], "gray16le")
    if plate:
        video(folder / "clip.mp4", [np.full((SIDE, 2 * SIDE, 3), 90, np.uint8)] * frames, "rgb24", codec="libx264")
    scene = {"layout": "sbs", "projection": "equirectangular 180x180", "baseline_mm": 1000 * BASELINE_M, "tags": list(tags)}
    (folder / "scene.json").write_text(json.dumps(scene))
    return folder

"""Ground truth on disk, and predictions to hold against it.

A truth folder holds ``gt_person1.mkv``, ``gt_person2.mkv``, ...: the visible alpha of each person, grey of 8 or 16 bits, laid out like
the clip; optionally ``gt_everybody.mkv`` (of everybody at once: alone where nobody is in the clip), ``gt_held.mkv`` (of what people hold),
``depth.mkv`` (16-bit grey, millimetres along the ray, people only, 0 elsewhere), ``disparity.mkv`` (three channels of 16 bits: how far to
the right and down a pixel's point lies in the other eye, and whether it is seen there) and ``scene.json`` (layout, projection,
fov_degrees, interocular_m or baseline_mm, and for billboards the depth_m of each person).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.parts import spread_outwards
from vr180_ofx.media.container import first_video, open_container
from vr180_ofx.media.files import picture_limit
from vr180_ofx.media.images import open_image, read_pixels
from vr180_ofx.output.measures import is_measure
from vr180_ofx.vr180.layout import Layout
from vr180_ofx.vr180.projection import Projection, make_projection

#: Digits of a frame's place in a clip: more than a clip of a year has frames.
_DIGITS = 12
#: In the third channel of ``disparity.mkv``: the other eye sees this point of somebody.
_SEEN = 65535


@dataclass(frozen=True, slots=True)
class TruthFrame:
    """One frame of truth.

    people: view -> person number -> alpha (h, w) 0..1. depth: view -> metres (h, w), 0 for nobody. everybody: view -> alpha of all people,
    where the truth says it by itself. held: view -> alpha of what people hold. shift: view -> (h, w, 3) codes of ``disparity.mkv``.
    """

    people: dict[str, dict[int, FloatArray]]
    depth: dict[str, FloatArray] | None
    everybody: dict[str, FloatArray] | None = None
    held: dict[str, FloatArray] | None = None
    shift: dict[str, npt.NDArray[np.uint16]] | None = None

    def union(self, view: str) -> FloatArray:
        """(h, w), 0..1: everybody's alpha in a view."""
        if self.everybody is not None:
            return self.everybody[view]
        total = np.zeros_like(next(iter(self.people[view].values())))
        for alpha in self.people[view].values():
            total = total + alpha
        clipped: FloatArray = np.clip(total, 0, 1)
        return clipped


class Truth:
    """The truth of a clip, read frame by frame."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = {int(m.group(1)): f for f in sorted(folder.glob("gt_person*.mkv")) if (m := re.fullmatch(r"gt_person(\d+)", f.stem))}
        named = ("gt_everybody", "gt_held", "depth", "disparity")
        self._everybody, self._held, self._depth_file, self._shift_file = (_there(folder / f"{name}.mkv") for name in named)
        first = next(iter(self.files.values()), self._everybody)
        if first is None:
            raise MediaError(f"{folder} holds no truth: files gt_person1.mkv, gt_person2.mkv, ..., or gt_everybody.mkv, are looked for")
        self._first = first
        self.scene: dict[str, Any] = {}
        scene = folder / "scene.json"
        if scene.exists():
            try:
                self.scene = json.loads(scene.read_text())
            except ValueError as error:
                raise MediaError(f"{scene} is not JSON: {error}") from None
        with open_container(first) as container:
            context = first_video(container, first).codec_context
            name = self.scene.get("layout", "sbs" if context.width >= 2 * context.height else "mono")
            self.layout = Layout(name, context.width, context.height)
        self.interocular_m = float(self.scene.get("interocular_m", self.scene.get("baseline_mm", 64.0) / 1000))
        billboards = [p.get("depth_m") for p in self.scene.get("people", [])]
        self.billboards_m = {k + 1: float(d) for k, d in enumerate(billboards) if d is not None}

    @property
    def projection(self) -> Projection:
        width, height = self.layout.eye_size
        said, fov = str(self.scene.get("projection", "")), self.scene.get("fov_degrees")
        if "fisheye" in said:
            return make_projection("fisheye", width, height, fov)
        name = "equirect180" if "equirect" in said or width == height else "flat"
        return make_projection(name, width, height, fov)

    def __len__(self) -> int:
        """How many frames there are: the packets of the first file, which is not decoded."""
        with open_container(self._first) as container:
            return sum(1 for packet in container.demux(first_video(container, self._first)) if packet.size)

    def frames(self) -> Iterator[TruthFrame]:
        """In order."""
        readers = {k: _grey_frames(f) for k, f in self.files.items()}
        others = [_grey_frames(f) if f else None for f in (self._everybody, self._held, self._depth_file, self._shift_file)]
        while True:
            try:
                pictures = {k: next(r) for k, r in readers.items()}
                everybody, held, depth, shift = [next(r) if r is not None else None for r in others]
            except StopIteration:
                return
            people = {v: {k: _coverage(p, self.layout, v) for k, p in pictures.items()} for v in self.layout.views}
            metres: dict[str, FloatArray] | None = None
            if depth is not None:
                metres = {v: _eye(depth, self.layout, v).astype(np.float32) / 1000 for v in self.layout.views}
            moved = None if shift is None else {v: _eye(shift, self.layout, v) for v in self.layout.views}
            yield TruthFrame(people, metres, self._in_eyes(everybody), self._in_eyes(held), moved)

    def _in_eyes(self, picture: npt.NDArray[Any] | None) -> dict[str, FloatArray] | None:
        return None if picture is None else {v: _coverage(picture, self.layout, v) for v in self.layout.views}

    def counterpart(self, frame: TruthFrame) -> tuple[FloatArray, BoolArray] | None:
        """For the right eye's pixels near people: (h, w, 2) where the left eye sees the same point, in continuous pixels (its row differs,
        too: far from the horizon equirectangular rows are no epipolar lines); and where that is known.

        From the truth's disparities or its depth map, spread outwards by nearest neighbour; or from the distance of the billboards.
        """
        if len(self.layout.views) < 2:
            return None
        radius = max(2, round(8 * self.layout.eye_size[0] / 1024))
        if frame.shift is not None:
            return self._shifted(frame.shift["right"], radius)
        if frame.depth is not None:
            depth, known = _spread(frame.depth["right"], radius)
            lonely = np.ones_like(known)
        elif self.billboards_m:
            depth, known, lonely = self._billboards(frame, radius)
        else:
            return None
        projection = self.projection
        height, width = depth.shape
        xs, ys = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        rays = projection.unproject(np.stack([xs, ys], axis=-1))
        distance = depth / rays[..., 2].clip(1e-3) if frame.depth is None else depth
        points = rays * distance[..., None] + np.array([self.interocular_m, 0, 0])
        return projection.project(points).astype(np.float32), known & lonely

    def _shifted(self, codes: npt.NDArray[np.uint16], radius: int) -> tuple[FloatArray, BoolArray]:
        said = self.scene.get("truth", {}).get("disparity", {})
        scale, offset = float(said.get("scale", 64.0)), float(said.get("offset", 512.0))
        known, near = codes[..., 2] == _SEEN, np.zeros(codes.shape[:2], bool)
        moves = codes[..., :2].astype(np.float32) / np.float32(scale) - np.float32(offset)
        if known.any():
            across, distance = spread_outwards(np.ascontiguousarray(moves[..., 0]), known)
            down, _ = spread_outwards(np.ascontiguousarray(moves[..., 1]), known)
            moves, near = np.stack([across, down], axis=-1), distance <= radius
        # of a point that the other eye does not see nothing can be said, nor of its edge
        near &= ~dilate((codes[..., 2] > 0) & ~known, square(1))
        ys, xs = np.mgrid[0 : codes.shape[0], 0 : codes.shape[1]].astype(np.float32)
        places: FloatArray = np.stack([xs + 0.5, ys + 0.5], axis=-1) + moves
        return places.astype(np.float32), near

    def _billboards(self, frame: TruthFrame, radius: int) -> tuple[FloatArray, BoolArray, BoolArray]:
        near = {k: dilate(alpha > 0.02, square(radius)) for k, alpha in frame.people["right"].items()}
        shape = next(iter(near.values())).shape
        depth = np.full(shape, 1.0, np.float32)
        known = np.zeros(shape, bool)
        crowd = np.zeros(shape, int)
        for k in sorted(near, key=lambda k: -self.billboards_m.get(k, 1e9)):
            if k in self.billboards_m:
                depth[near[k]] = self.billboards_m[k]
                known |= near[k]
            crowd += near[k]
        # where two people meet, one eye sees what the other does not
        return depth, known, crowd < 2


def _spread(depth: FloatArray, radius: int) -> tuple[FloatArray, BoolArray]:
    known = depth > 0
    if not known.any():
        return np.ones_like(depth), known
    spread, distance = spread_outwards(depth, known)
    return spread, distance <= radius


def _eye(picture: npt.NDArray[Any], layout: Layout, view: str) -> npt.NDArray[Any]:
    x, y = layout.origin(view)
    width, height = layout.eye_size
    return picture[y : y + height, x : x + width]


def _coverage(picture: npt.NDArray[Any], layout: Layout, view: str) -> FloatArray:
    """An eye's part as coverage: full scale of the file's own bits is 1."""
    return _eye(picture, layout, view).astype(np.float32) / np.float32(np.iinfo(picture.dtype).max)


def _there(path: Path) -> Path | None:
    return path if path.exists() else None


def _grey_frames(path: Path) -> Iterator[npt.NDArray[Any]]:
    """Grey (h, w) of 8 or 16 bits; of three channels (h, w, 3) of 16."""
    with open_container(path) as container:
        try:
            for frame in container.decode(first_video(container, path)):
                if frame.format.name.startswith("gbrp16"):
                    yield _three(frame)
                else:
                    yield frame.to_ndarray(format="gray16le" if "16" in frame.format.name else "gray")
        except av.error.FFmpegError as error:
            raise MediaError(f"{path} is damaged: {error.strerror}") from None


def _three(frame: av.VideoFrame) -> npt.NDArray[np.uint16]:
    """Planes of green, blue and red as (h, w, 3) of red, green and blue, as they are: no conversion of colours touches them."""
    out = np.empty((frame.height, frame.width, 3), np.uint16)
    for plane, channel in zip(frame.planes, (1, 2, 0), strict=True):
        rows = np.frombuffer(bytes(plane), "<u2").reshape(frame.height, plane.line_size // 2)
        out[..., channel] = rows[:, : frame.width]
    return out


class Mattes(Protocol):
    """Mattes to be held against a truth, by the numbers of their frames.

    files: number -> where its frame comes from. eye: the only one that there is; None: all that the clip has.
    """

    @property
    def files(self) -> Mapping[int, list[Path]]: ...

    @property
    def eye(self) -> str | None: ...

    def read(self, number: int) -> dict[str, dict[str, FloatArray]]:
        """view -> layer name ('' for everybody) -> alpha (h, w) float32."""
        ...

    def first_number(self, count: int, of: str) -> tuple[int, str]:
        """The number of the frame that shows the first of ``count`` frames, and how that is known. of: whose they are, for messages."""
        ...


@dataclass(frozen=True, slots=True)
class Prediction:
    """Rendered EXR frames: numbers and files. See `Mattes`."""

    files: dict[int, list[Path]]

    def read(self, number: int) -> dict[str, dict[str, FloatArray]]:
        """view -> layer name ('' for everybody) -> alpha (h, w) float32."""
        views: dict[str, dict[str, FloatArray]] = {}
        for path in self.files[number]:
            for view, channels in read_views(path).items():
                views[view] = {
                    name.rpartition(".")[0]: values
                    for name, values in channels.items()
                    if name.rpartition(".")[2] == "A" and not is_measure(name.rpartition(".")[0])
                }
        return views

    @property
    def eye(self) -> str | None:
        """The only eye that was written (`output.eye`); None: all that the clip has."""
        return _said(next(iter(self.files.values()))[0], "eye") or None

    def first_number(self, count: int, of: str) -> tuple[int, str]:
        """The number of the file that shows the first of ``count`` frames, and how that is known: from the files' headers (this program
        writes where in its clip a frame lies), else from their numbers, where these leave no choice.

        of: whose frames they are held against, for messages. Raises MediaError where neither tells.
        """
        numbers = sorted(self.files)
        ends = [(n, _index_in_clip(self.files[n][0])) for n in dict.fromkeys((numbers[0], numbers[-1]))]
        told = {n - index for n, index in ends if index is not None}
        if len(told) == 1:
            return told.pop(), "as the files' headers say"
        if told:
            (a, i), (b, k) = ends
            raise MediaError(
                f"frame {a} says that it is number {i} of its clip, counted from 0, and frame {b} number {k}: they are not of one render; "
                "--start-frame N says which one is the first"
            )
        return first_by_numbers(numbers, count, of)


def first_by_numbers(numbers: Sequence[int], count: int, of: str) -> tuple[int, str]:
    """`Mattes.first_number` where the files' numbers, ascending, are all that is known. Raises MediaError where they leave a choice."""
    if list(numbers) == list(range(numbers[0], numbers[0] + count)):
        return numbers[0], "as there are as many files as frames"
    # some frames of a render that was numbered as this program does by itself, or from 0
    first = min(1, numbers[0])
    if numbers[-1] < first + count:
        return first, f"as files are numbered from {first} as a rule"
    raise MediaError(
        f"the files are numbered {numbers[0]} to {numbers[-1]}, and {of} has {count} frames: which of them is the first is not known; "
        "say its number with --start-frame N"
    )


def _said(path: Path, what: str) -> str:
    """What this program says in a file's header; empty in those of others."""
    with open_image(path) as source:
        return str(source.spec().getattribute(f"vr180ofx:{what}") or "")


def _index_in_clip(path: Path) -> int | None:
    """Where in its clip the frame of a file lies, counted from 0; None in files of other programs, and of former versions."""
    text = _said(path, "index")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def read_views(path: Path) -> dict[str, dict[str, FloatArray]]:
    """Every channel of every view of an EXR, (h, w) float32, whichever of the layouts it has."""
    views: dict[str, dict[str, FloatArray]] = {}
    with open_image(path) as source:
        part = 0
        while source.seek_subimage(part, 0):
            spec = source.spec()
            if any(a.name.startswith("cryptomatte/") for a in spec.extra_attribs):
                # the same people once more, as ids
                part += 1
                continue
            pixels = read_pixels(source, path, part, (0, spec.nchannels), kind="float", limit=picture_limit())
            several = spec.getattribute("multiView") if spec.getattribute("view") is None else None
            names = list(several) if several else []
            for k, name in enumerate(spec.channelnames):
                view = spec.getattribute("view") or (names[0] if names else spec.getattribute("vr180ofx:eye") or "left")
                words = name.split(".")
                if len(words) > 1 and words[-2] in names[1:]:
                    view = words.pop(-2)
                views.setdefault(view, {})[".".join(words)] = np.ascontiguousarray(pixels[..., k])
            part += 1
    return views


def find_prediction(path: Path) -> Prediction:
    """EXR frames in a folder, or one file; frames are known by the last number in their name."""
    files = [path] if path.is_file() else sorted(p for p in path.glob("*.exr") if not p.name.startswith(".")) if path.is_dir() else []
    if not files:
        raise MediaError(f"{path} holds no EXR frames; name the folder that was rendered to")
    numbered: dict[int, list[Path]] = {}
    for f in files:
        match = re.search(r"(\d+)\.exr$", f.name)
        if match:
            numbered.setdefault(int(match.group(1)), []).append(f)
    if not numbered:
        raise MediaError(f"{path} holds no frames: {files[0].name} has no number before .exr, as in clip.0001.exr")
    return Prediction(numbered)

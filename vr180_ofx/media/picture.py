"""One eye's picture inside a decoded frame, read only where somebody asks.

A 6144x3072 frame is mostly not people: these classes keep the decoder's planes as they are and convert only the
windows and regions that are asked for. Planes are NumPy's arrays, or tensors of PyTorch on any device: what is made of
them is of the same kind, see `imaging.either`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vr180_ofx.arrays import Array, BoolArray, FloatArray, shapes_repr
from vr180_ofx.imaging.either import as_float, is_tensor, namespace, zeros
from vr180_ofx.imaging.planes import colour_transform, interleaved, rescaled
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import block_means, resize
from vr180_ofx.imaging.sample import sample
from vr180_ofx.imaging.warp import warp_affine
from vr180_ofx.media.colour import Transform, rgb_matrix, yuv_to_rgb
from vr180_ofx.media.contract import ColourTags, EyeImage, Guide, Sample
from vr180_ofx.media.grid_plan import grid_plan

#: BT.709 luma and colour differences from RGB.
_LUMA_CHROMA = np.array([[0.2126, 0.7152, 0.0722], [-0.1146, -0.3854, 0.5], [0.5, -0.4542, -0.0458]], np.float32)

#: Of pictures that nothing is known of.
_PICTURE = ColourTags("rgb", True, "srgb")


def _sampled(plane: Array, grid: FloatArray, origin: tuple[float, float], pixel: tuple[float, float]) -> FloatArray:
    """A plane at places of the eye, float32. origin: where its first pixel begins; pixel: how large one is, both in the eye's pixels."""
    made: FloatArray = as_float(sample(plane, grid, border="edge", origin=origin, pixel=pixel))
    return made


def _nothing(like: Array) -> FloatArray:
    """A picture without pixels, (0, 0, 3)."""
    made: FloatArray = zeros((0, 0, 3), like)
    return made


def _black(grid: FloatArray, like: Array) -> Sample:
    nothing = zeros((*grid.shape[:2], 3), like)
    return Sample(nothing, nothing)


def _scaled(codes: Array, gain: float, offset: float) -> FloatArray:
    """An array of its own, float32."""
    if is_tensor(codes):
        made: FloatArray = as_float(codes) * gain + offset
        return made
    values: FloatArray = codes.astype(np.float32)
    values *= gain
    values += offset
    return values


def _within(values: FloatArray, inside: BoolArray | None) -> FloatArray:
    """0 where it is not inside. values: (h, w, 3), which may be changed."""
    if inside is None:
        return values
    if is_tensor(values):
        # without asking where: that would wait for the graphics card
        zeroed: FloatArray = namespace(values).where(inside[..., None], values, 0.0)
        return zeroed
    values[~inside] = 0
    return values


def _exact(block: Array) -> Array:
    """Tensors are worked on in float32, where nothing is rounded in between: PyTorch knows little of integers of 16 bits."""
    return as_float(block) if is_tensor(block) else block


@dataclass(frozen=True, slots=True)
class YuvEye:
    """An eye inside planar YUV of any subsampling.

    y, u, v: planes of the whole frame, (rows, columns), 8 or 16 bits a sample; u and v are None for grey.
    subsampling: (horizontal, vertical) luma samples for each chroma sample. bits: of a sample, in its lower ones.
    origin, width, height: the eye's place in the luma plane.
    transform: from the file's RGB to what networks see; None where they are the same.
    chroma_x: position of the first chroma sample in luma coordinates beyond the centred one (-0.5 when left-sited 4:2:x).
    """

    y: Array
    u: Array | None
    v: Array | None
    subsampling: tuple[int, int]
    bits: int
    tags: ColourTags
    origin: tuple[int, int]
    width: int
    height: int
    transform: Transform | None = None
    chroma_x: float = 0.0

    def __post_init__(self) -> None:
        if (self.u is None) != (self.v is None):
            raise ValueError("a picture has both planes of chroma or none")
        if self.u is not None and self.v is not None and self.u.shape != self.v.shape:
            raise ValueError(f"the planes of chroma are {self.u.shape} and {self.v.shape}; they have one shape")
        _check_place(self.y, self.origin, self.width, self.height)

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def like(self) -> Array:
        return self.y

    def moved(self, move: Callable[[Array], Any]) -> YuvEye:
        return replace(self, y=move(self.y), u=None if self.u is None else move(self.u), v=None if self.v is None else move(self.v))

    def _luma(self, rect: Rect) -> Array:
        ox, oy = self.origin
        return _exact(self.y[oy + rect.y0 : oy + rect.y1, ox + rect.x0 : ox + rect.x1])

    def _chroma(self, plane: Array, rect: Rect) -> tuple[Array, float, float]:
        """The chroma samples of ``rect`` and where the first one begins, in the eye's pixels."""
        sx, sy = self.subsampling
        ox, oy = self.origin
        c0, r0 = (ox + rect.x0) // sx, (oy + rect.y0) // sy
        c1, r1 = -(-(ox + rect.x1) // sx), -(-(oy + rect.y1) // sy)
        # a chroma sample that straddles the seam between the eyes goes to the eye that holds most of it
        c0, r0 = max(c0, -(-ox // sx)), max(r0, -(-oy // sy))
        block = plane[r0 : max(r1, r0 + 1), c0 : max(c1, c0 + 1)]
        return _exact(block), c0 * sx - ox + self.chroma_x, float(r0 * sy - oy)

    def _each_chroma(self, rect: Rect, made: Callable[[Array, float, float], FloatArray], like: FloatArray) -> list[FloatArray]:
        """Both planes' samples of ``rect`` as ``made`` of (samples, x, y), x and y being where they begin; nothing but grey as large as
        ``like`` where there are none.
        """
        grey = 128 << (self.bits - 8)
        if is_tensor(like) and self.u is not None and self.v is not None:
            # both at once: on a graphics card steps cost, and not pixels
            u, x, y = self._chroma(self.u, rect)
            both = made(interleaved([u, self._chroma(self.v, rect)[0]]), x, y)
            return [both[..., 0], both[..., 1]]
        xp = namespace(like)
        return [xp.full_like(like, grey) if plane is None else made(*self._chroma(plane, rect)) for plane in (self.u, self.v)]

    def _rgb(self, y: FloatArray, u: FloatArray, v: FloatArray, guide: FloatArray | None = None, *, display: bool) -> FloatArray:
        """guide: what `_guide` makes of the same, where it is known."""
        if is_tensor(y):
            # as `yuv_to_rgb`, in one step
            differences = self._guide(y, u, v) if guide is None else guide
            rgb = namespace(y).clip(colour_transform(differences, rgb_matrix(self.tags.matrix)), 0, 1)
        else:
            rgb = yuv_to_rgb(y, u, v, self.tags, self.bits)
        return self.transform(rgb) if display and self.transform is not None else rgb

    def _guide(self, y: FloatArray, u: FloatArray, v: FloatArray) -> FloatArray:
        """Luma 0..1 and colour differences -0.5..0.5, (h, w, 3), of code values."""
        gain, offset, chroma_gain, chroma_offset = self._scales()
        if is_tensor(y):
            return rescaled(interleaved([y, u, v]), (gain, chroma_gain, chroma_gain), (offset, chroma_offset, chroma_offset))
        return interleaved([y * gain + offset, u * chroma_gain + chroma_offset, v * chroma_gain + chroma_offset])

    def _scales(self) -> tuple[float, float, float, float]:
        """luma gain, luma offset, chroma gain, chroma offset that bring code values to 0..1 and -0.5..0.5."""
        unit = 1 << (self.bits - 8)
        if self.tags.full_range:
            peak = (1 << self.bits) - 1.0
            return 1 / peak, 0.0, 1 / peak, -128.0 * unit / peak
        return 1 / (219.0 * unit), -16 / 219, 1 / (224.0 * unit), -128 / 224

    def sample(self, grid: FloatArray, rough: FloatArray | None = None) -> Sample:
        plan = grid_plan(grid, self.y, self.width, self.height, rough)
        rect, factor = plan.rect, plan.factor
        if rect.empty:
            return _black(grid, self.y)
        y = _sampled(block_means(self._luma(rect), factor, factor), plan.grid, (rect.x0, rect.y0), (factor, factor))
        sx, sy = self.subsampling
        fx, fy = max(1, factor // sx), max(1, factor // sy)

        def chroma(block: Array, x0: float, y0: float) -> FloatArray:
            return _sampled(block_means(block, fx, fy), plan.grid, (x0, y0), (fx * sx, fy * sy))

        u, v = self._each_chroma(rect, chroma, y)
        guide = self._guide(y, u, v)
        rgb = self._rgb(y, u, v, guide, display=True)
        return Sample(_within(rgb, plan.inside), _within(guide, plan.inside))

    def _region(self, rect: Rect, shrink: int, *, display: bool) -> FloatArray:
        rect = rect.clipped(self.width, self.height)
        if rect.empty:
            return _nothing(self.y)
        y = as_float(block_means(self._luma(rect), shrink, shrink))
        height, width = y.shape
        sx, sy = self.subsampling
        fx, fy = max(1, shrink // sx), max(1, shrink // sy)
        step_x, step_y = fx * sx, fy * sy

        def chroma(block: Array, x0: float, y0: float) -> FloatArray:
            small: FloatArray = as_float(block_means(block, fx, fy))
            if (step_x, step_y) == (shrink, shrink) and small.shape[:2] == y.shape:
                return small
            # from output pixel i to the chroma sample: picture coordinate rect.x0 + (i + 0.5) * shrink
            matrix = np.array(
                [
                    [shrink / step_x, 0, (rect.x0 + 0.5 * shrink - x0) / step_x - 0.5],
                    [0, shrink / step_y, (rect.y0 + 0.5 * shrink - y0) / step_y - 0.5],
                ]
            )
            return warp_affine(small, matrix, (width, height), border="edge")

        u, v = self._each_chroma(rect, chroma, y)
        return self._rgb(y, u, v, display=display)

    def region(self, rect: Rect, shrink: int = 1) -> FloatArray:
        return self._region(rect, shrink, display=True)

    def reduced(self, factor: int) -> EyeImage:
        whole = Rect(0, 0, self.width, self.height)
        xp = namespace(self.y)
        y = xp.ascontiguousarray(block_means(self._luma(whole), factor, factor))
        planes: list[Array | None] = []
        sub = tuple(max(1, s // factor) for s in self.subsampling)
        for plane in (self.u, self.v):
            if plane is None:
                planes.append(None)
                continue
            block = self._chroma(plane, whole)[0]
            fx, fy = (max(1, factor // s) for s in self.subsampling)
            small = block_means(block, fx, fy)
            size = (-(-y.shape[1] // sub[0]), -(-y.shape[0] // sub[1]))
            if (small.shape[1], small.shape[0]) != size:
                # by less than two, where linear is as good and takes a quarter of the time
                small = resize(small, size, "linear")
            planes.append(xp.ascontiguousarray(small))
        shift = self.chroma_x if factor == 1 else 0.0
        return YuvEye(
            y, planes[0], planes[1], (sub[0], sub[1]), self.bits, self.tags, (0, 0), y.shape[1], y.shape[0], self.transform, shift
        )

    def native(self, rect: Rect) -> FloatArray:
        return self._region(rect, 1, display=False)

    def guide(self, rect: Rect) -> Guide:
        gain, offset, chroma_gain, chroma_offset = self._scales()
        luma = _scaled(self._luma(rect), gain, offset)
        if self.u is None or self.v is None:
            return Guide(luma, zeros((1, 1, 2), luma), np.zeros((2, 3)))
        sx, sy = self.subsampling
        block, x0, y0 = self._chroma(self.u, rect)
        chroma = _scaled(interleaved([block, self._chroma(self.v, rect)[0]]), chroma_gain, chroma_offset)
        # luma pixel i has its centre at rect.x0 + i + 0.5
        matrix = np.array([[1 / sx, 0, (rect.x0 + 0.5 - x0) / sx - 0.5], [0, 1 / sy, (rect.y0 + 0.5 - y0) / sy - 0.5]])
        return Guide(luma, chroma, matrix)


@dataclass(frozen=True, slots=True)
class RgbEye:
    """An eye inside an RGB or grey array.

    pixels: the whole frame, (rows, columns, 3), uint8, uint16, half or float. origin, width, height: the eye's place in it.
    transform: from the file's RGB to what networks see; None where they are the same. tags: what is known of the file's RGB.
    """

    pixels: Array
    origin: tuple[int, int]
    width: int
    height: int
    transform: Transform | None = None
    tags: ColourTags = _PICTURE

    def __post_init__(self) -> None:
        if self.pixels.ndim != 3 or self.pixels.shape[2] != 3:
            raise ValueError(f"pixels of shape {self.pixels.shape} are no RGB picture, which is (rows, columns, 3)")
        _check_place(self.pixels, self.origin, self.width, self.height)

    def __repr__(self) -> str:
        return shapes_repr(self)

    @property
    def like(self) -> Array:
        return self.pixels

    def moved(self, move: Callable[[Array], Any]) -> RgbEye:
        return replace(self, pixels=move(self.pixels))

    @property
    def _peak(self) -> float:
        # PyTorch's names are NumPy's: torch.uint16
        kind = str(self.pixels.dtype).removeprefix("torch.")
        return float(np.iinfo(kind).max) if "int" in kind else 1.0

    def _block(self, rect: Rect) -> Array:
        ox, oy = self.origin
        block = self.pixels[oy + rect.y0 : oy + rect.y1, ox + rect.x0 : ox + rect.x1]
        return block.astype(np.float32) if block.dtype == np.float16 else _exact(block)

    def _display(self, values: FloatArray) -> FloatArray:
        rgb = as_float(values) * (1 / self._peak)
        if self.transform is not None:
            return self.transform(rgb)
        xp = namespace(rgb)
        clean: FloatArray = xp.clip(xp.nan_to_num(rgb), 0, 1)
        return clean

    def sample(self, grid: FloatArray, rough: FloatArray | None = None) -> Sample:
        plan = grid_plan(grid, self.pixels, self.width, self.height, rough)
        rect, factor = plan.rect, plan.factor
        if rect.empty:
            return _black(grid, self.pixels)
        block = namespace(self.pixels).ascontiguousarray(self._block(rect))
        values = _sampled(block_means(block, factor, factor), plan.grid, (rect.x0, rect.y0), (factor, factor))
        rgb = _within(self._display(values), plan.inside)
        return Sample(rgb, _luma_chroma(rgb))

    def region(self, rect: Rect, shrink: int = 1) -> FloatArray:
        rect = rect.clipped(self.width, self.height)
        if rect.empty:
            return _nothing(self.pixels)
        return self._display(as_float(block_means(namespace(self.pixels).ascontiguousarray(self._block(rect)), shrink, shrink)))

    def reduced(self, factor: int) -> EyeImage:
        xp = namespace(self.pixels)
        block = xp.ascontiguousarray(self._block(Rect(0, 0, self.width, self.height)))
        small = xp.ascontiguousarray(block_means(block, factor, factor))
        if is_tensor(small):
            # of floats 1 is the peak; and this is a copy
            small = small * (1 / self._peak)
        elif factor == 1:
            small = xp.copy(small)
        return RgbEye(small, (0, 0), small.shape[1], small.shape[0], self.transform, self.tags)

    def native(self, rect: Rect) -> FloatArray:
        rect = rect.clipped(self.width, self.height)
        values: FloatArray = as_float(self._block(rect)) * (1 / self._peak)
        return values

    def guide(self, rect: Rect) -> Guide:
        values = _luma_chroma(self.region(rect))
        xp = namespace(values)
        return Guide(xp.ascontiguousarray(values[..., 0]), xp.ascontiguousarray(values[..., 1:]), np.eye(2, 3))


def _luma_chroma(rgb: FloatArray) -> FloatArray:
    """BT.709 luma and colour differences, (h, w, 3) float32."""
    return colour_transform(rgb, _LUMA_CHROMA)


def _check_place(plane: Array, origin: tuple[int, int], width: int, height: int) -> None:
    if origin[0] < 0 or origin[1] < 0 or origin[0] + width > plane.shape[1] or origin[1] + height > plane.shape[0]:
        raise ValueError(f"an eye of {width}x{height} at {origin} lies outside of a picture of {plane.shape[1]}x{plane.shape[0]}")

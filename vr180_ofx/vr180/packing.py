"""How VR players are told what is where: tags in file names, and mattes packed into the corners of a fisheye picture.

What is known of the packing (DeoVR and HereSphere read it; neither publishes a specification): each eye's matte, as the same fisheye,
shrunk to 40 % of the eye, is cut into its four quarters, and each quarter lies in the corner of its name, red on black. The circle leaves
those corners free but for their innermost tips. The layout is data (`PACKED_ALPHA_1`), so a correction of it is one edit, and `pack` and
`unpack` follow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.lattice import smooth_map
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.imaging.resize import resize
from vr180_ofx.imaging.sample import sample
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Projection


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the shrunk matte and where it goes. source: (x, y) of its corner in the matte, in shares of the matte; target: (x, y) of
    its corner in the eye, in shares of the eye; a negative target counts from the right or the bottom edge. size: in shares of the matte.
    """

    source: tuple[float, float]
    target: tuple[float, float]
    size: tuple[float, float]


@dataclass(frozen=True, slots=True)
class PackedAlpha:
    """version: of the layout. scale: of the matte against the eye. channel: 0 red, 1 green, 2 blue; the other ones are 0 there."""

    version: int
    scale: float
    channel: int
    pieces: tuple[Piece, ...]


PACKED_ALPHA_1 = PackedAlpha(
    version=1,
    scale=0.4,
    channel=0,
    pieces=(
        Piece((0.0, 0.0), (0.0, 0.0), (0.5, 0.5)),
        Piece((0.5, 0.0), (-0.0, 0.0), (0.5, 0.5)),
        Piece((0.0, 0.5), (0.0, -0.0), (0.5, 0.5)),
        Piece((0.5, 0.5), (-0.0, -0.0), (0.5, 0.5)),
    ),
)


def pack(picture: FloatArray, alpha: FloatArray, layout: PackedAlpha = PACKED_ALPHA_1) -> FloatArray:
    """One eye with its matte in the corners. picture: (n, n, 3) 0..1, fisheye; alpha: (n, n) of the same fisheye. A new picture."""
    out = picture.copy()
    side = packed_side(picture.shape[0], layout)
    small = resize(alpha.astype(np.float32), (side, side), "area")
    for (y, x), (v, u), (h, w) in _places(picture.shape[0], layout):
        out[v : v + h, u : u + w] = 0
        out[v : v + h, u : u + w, layout.channel] = small[y : y + h, x : x + w]
    return out


def unpack(picture: FloatArray, layout: PackedAlpha = PACKED_ALPHA_1) -> FloatArray:
    """The inverse: the matte of one eye, (n, n), as sharp as 40 % of the eye allows."""
    n = picture.shape[0]
    side = packed_side(n, layout)
    small = np.zeros((side, side), np.float32)
    for (y, x), (v, u), (h, w) in _places(n, layout):
        small[y : y + h, x : x + w] = picture[v : v + h, u : u + w, layout.channel]
    return np.clip(resize(small, (n, n), "cubic"), 0, 1)


def packed_side(n: int, layout: PackedAlpha = PACKED_ALPHA_1) -> int:
    """Pixels of the shrunk matte's side: even, so that its quarters are equal, and aligned to chroma samples."""
    return max(4, round(n * layout.scale / 4) * 4)


def _places(n: int, layout: PackedAlpha) -> list[tuple[tuple[int, int], tuple[int, int], tuple[int, int]]]:
    """((row, column) in the shrunk matte, (row, column) in the eye, (height, width)) of each piece."""
    side, out = packed_side(n, layout), []
    for p in layout.pieces:
        w, h = round(p.size[0] * side), round(p.size[1] * side)
        u, v = (
            n - size + round(t * n) if math.copysign(1, t) < 0 else round(t * n)
            for t, size in zip(p.target, (w, h), strict=True)
        )  # fmt: skip
        out.append(((round(p.source[1] * side), round(p.source[0] * side)), (v, u), (h, w)))
    return out


def reprojected(picture: FloatArray, source: Projection, target: Projection, around: FloatArray | None = None) -> FloatArray:
    """One eye's picture as another projection shows it: (target.height, target.width[, c]). 0, or ``around``, where the source shows
    nothing.
    """
    grid = smooth_map(lambda p: source.project(target.unproject(p)), Rect.of_size(target.width, target.height))
    inside = np.isfinite(grid).all(axis=-1) & (grid >= 0).all(axis=-1) & (grid <= (source.width, source.height)).all(axis=-1)
    out = sample(np.ascontiguousarray(picture, np.float32), grid, border="edge", interpolation="cubic")
    np.clip(out, 0, 1, out=out)
    out[~inside] = 0 if around is None else around
    return out


#: Field of view -> the tag that players know it by.
_FISHEYE_TAGS = {180.0: "F180", 190.0: "FISHEYE190", 200.0: "MKX200", 220.0: "MKX220"}
_LAYOUT_TAGS = {"sbs": "LR", "tb": "TB", "mono": "MONO"}


def name_tags(layout: str, projection: Projection, *, packed: bool = False) -> str:
    """What a player wants to read in a file's name, such as ``LR_180``, ``TB_360``, ``FISHEYE190_alpha``; empty for flat pictures.

    layout: sbs, tb or mono. packed: whether the mattes lie in the corners.
    """
    words = []
    if isinstance(projection, Fisheye):
        # side by side is what these tags mean by themselves
        words += [_LAYOUT_TAGS[layout]] if layout != "sbs" else []
        words.append(_FISHEYE_TAGS.get(projection.fov_degrees, f"FISHEYE{projection.fov_degrees:g}"))
    elif isinstance(projection, Equirectangular):
        words += [_LAYOUT_TAGS[layout], f"{projection.span_degrees[0]:g}"]
    return "_".join([*words, *(["alpha"] if packed else [])])

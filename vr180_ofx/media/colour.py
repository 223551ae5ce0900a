"""Colour: from what a file holds to display-referred sRGB, which is what the networks were trained on.

Only windows are converted, never a whole 6K frame. Coefficients: ITU-T H.273 (matrices), SMPTE ST 2084 (PQ),
ITU-R BT.2100 (HLG), IEC 61966-2-1 (sRGB).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import ColourError
from vr180_ofx.imaging.either import is_tensor, namespace
from vr180_ofx.imaging.planes import colour_transform
from vr180_ofx.media.colour_table import TableOnDevices, baked
from vr180_ofx.media.contract import ColourTags

Transform = Callable[[FloatArray], FloatArray]

# H.273 code points, as FFmpeg numbers them
MATRIX_NAMES = {0: "rgb", 1: "bt709", 4: "fcc", 5: "bt601", 6: "bt601", 7: "smpte240m", 8: "ycgco", 9: "bt2020", 10: "bt2020"}
TRANSFER_NAMES = {
    1: "bt709",
    4: "gamma22",
    5: "gamma28",
    6: "bt709",
    8: "linear",
    13: "srgb",
    14: "bt709",
    15: "bt709",
    16: "pq",
    18: "hlg",
}
PRIMARIES_NAMES = {1: "bt709", 5: "bt601", 6: "bt601", 9: "bt2020", 11: "p3", 12: "p3"}
_LUMA = {
    "bt709": (0.2126, 0.0722),
    "bt601": (0.299, 0.114),
    "fcc": (0.30, 0.11),
    "smpte240m": (0.212, 0.087),
    "bt2020": (0.2627, 0.0593),
}
_TO_BT709 = {
    # linear RGB to linear RGB, both D65 (BT.2087; SMPTE EG 432-1)
    "bt2020": np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]),
    "p3": np.array([[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]),
}
#: BT.2408: the luminance in cd/m² that a diffuse white has in PQ and HLG programmes.
REFERENCE_WHITE_NITS = 203.0


def tags_from_codes(*, matrix: int, range_: int, transfer: int, primaries: int, height: int, rgb: bool) -> ColourTags:
    """From FFmpeg's numbers. Untagged video is BT.709 from 720 lines on and BT.601 below, as players assume.

    height: lines of the frame. rgb: whether its pixels are RGB, which need no matrix.
    """
    assumed = []
    default = "bt709" if height >= 720 else "bt601"
    matrix_name = "rgb" if rgb else MATRIX_NAMES.get(matrix, "")
    if not matrix_name or (matrix_name == "rgb" and not rgb):
        matrix_name = default
        assumed.append("matrix")
    if range_ not in (1, 2) and not rgb:
        assumed.append("range")
    transfer_name = TRANSFER_NAMES.get(transfer, "")
    if not transfer_name:
        transfer_name = "srgb" if rgb else "bt709"
        assumed.append("transfer")
    primaries_name = PRIMARIES_NAMES.get(primaries, "")
    if not primaries_name:
        primaries_name = "bt2020" if matrix_name == "bt2020" else "bt709"
        assumed.append("primaries")
    return ColourTags(matrix_name, range_ == 2 or rgb, transfer_name, primaries_name, None, tuple(assumed))


def with_colorspace(tags: ColourTags, name: str) -> ColourTags:
    """The tags with ``input.colorspace`` applied: auto, srgb, rec709, pq, hlg, linear, or any OpenColorIO name."""
    key = name.strip().lower()
    if key == "auto":
        return tags
    simple = {"srgb": "srgb", "rec709": "bt709", "bt709": "bt709", "pq": "pq", "hlg": "hlg", "linear": "linear"}
    if key in simple:
        primaries = "bt2020" if key in ("pq", "hlg") else "bt709"
        return replace(tags, transfer=simple[key], primaries=primaries, colorspace=None, assumed=(), interop_id="", chromaticities=())
    _ocio_processor(name)
    return replace(tags, colorspace=name, assumed=(), interop_id="", chromaticities=())


def display_transform(tags: ColourTags) -> Transform | None:
    """The function from the file's RGB (0..1, or scene-linear) to sRGB 0..1; None when they are the same thing.

    BT.709 and sRGB pictures are both meant to be shown as they are, so nothing is done to them.
    """
    if tags.colorspace:
        return _ocio_transform(tags.colorspace)
    gamut = _TO_BT709.get(tags.primaries)
    if tags.transfer in ("bt709", "srgb", "gamma22", "gamma28") and gamut is None:
        return None
    decode: dict[str, Transform] = {
        "pq": lambda v: pq_to_nits(v) / REFERENCE_WHITE_NITS,
        "hlg": lambda v: hlg_to_nits(v) / REFERENCE_WHITE_NITS,
        "linear": lambda v: v,
    }
    to_linear = decode.get(tags.transfer, srgb_to_linear)
    high_range = tags.transfer in ("pq", "hlg", "linear")

    def transform(rgb: FloatArray) -> FloatArray:
        xp = namespace(rgb)
        linear = to_linear(rgb)
        if gamut is not None:
            linear = _times(linear, gamut)
        linear = xp.nan_to_num(xp.maximum(linear, 0), nan=0.0, posinf=64.0)
        if high_range:
            linear = compress_highlights(linear)
        shown: FloatArray = xp.astype(linear_to_srgb(xp.clip(linear, 0, 1)), xp.float32, copy=False)
        return shown

    return transform


def _times(values: FloatArray, matrix: FloatArray) -> FloatArray:
    """The last axis times a matrix, (m, 3)."""
    if is_tensor(values):
        return colour_transform(values, matrix)
    made: FloatArray = values @ matrix.T.astype(values.dtype)
    return made


def compress_highlights(linear: FloatArray, knee: float = 0.8, peak: float = 16.0) -> FloatArray:
    """Linear light with diffuse white at 1 -> 0..1: unchanged up to the knee, a smooth shoulder up to ``peak``.

    Done on the largest channel so that hues stay. For the networks' eyes alone: no output is tone-mapped.
    """
    xp = namespace(linear)
    top = xp.max(linear, axis=-1, keepdims=True)
    over = xp.clip((top - knee) / (peak - knee), 0, 1)
    # log shoulder: slope at the knee is close to 1, the value at the peak is 1
    strength = 200.0
    shoulder = knee + (1 - knee) * xp.log1p(strength * over) / np.log1p(strength)
    scale = xp.where(top > knee, shoulder / xp.maximum(top, 1e-6), 1.0)
    out: FloatArray = linear * scale
    return out


def srgb_to_linear(v: FloatArray) -> FloatArray:
    xp = namespace(v)
    v = xp.clip(v, 0, None)
    linear: FloatArray = xp.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)
    return linear


def linear_to_srgb(v: FloatArray) -> FloatArray:
    xp = namespace(v)
    coded: FloatArray = xp.where(v <= 0.0031308, v * 12.92, 1.055 * xp.maximum(v, 1e-9) ** (1 / 2.4) - 0.055)
    return coded


def pq_to_nits(v: FloatArray) -> FloatArray:
    """SMPTE ST 2084 EOTF: 0..1 -> cd/m²."""
    xp = namespace(v)
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    p = xp.clip(v, 0, 1) ** (1 / m2)
    nits: FloatArray = 10000.0 * (xp.maximum(p - c1, 0) / (c2 - c3 * p)) ** (1 / m1)
    return nits


def hlg_to_nits(v: FloatArray, peak: float = 1000.0) -> FloatArray:
    """BT.2100 HLG: inverse OETF, then the OOTF for a display of ``peak`` cd/m² (system gamma 1.2 at 1000)."""
    xp = namespace(v)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    v = xp.clip(v, 0, 1)
    scene = xp.where(v <= 0.5, v * v / 3, (xp.exp((v - c) / a) + b) / 12)
    weights = (0.2627, 0.6780, 0.0593)
    luminance = sum(scene[..., k] * w for k, w in enumerate(weights)) if is_tensor(scene) else scene @ np.array(weights)
    nits: FloatArray = peak * scene * xp.maximum(luminance, 1e-6)[..., None] ** 0.2
    return nits


def rgb_matrix(name: str) -> FloatArray:
    """(3, 3): from luma and the differences of blue and red to non-linear RGB, as `yuv_to_rgb` has it."""
    if name == "ycgco":
        return np.array([[1.0, -1.0, 1.0], [1.0, 1.0, 0.0], [1.0, -1.0, -1.0]], np.float32)
    kr, kb = _LUMA.get(name, _LUMA["bt709"])
    red, blue = np.array([1.0, 0.0, 2 * (1 - kr)]), np.array([1.0, 2 * (1 - kb), 0.0])
    green = (np.array([1.0, 0.0, 0.0]) - kr * red - kb * blue) / (1 - kr - kb)
    return np.stack([red, green, blue]).astype(np.float32)


def yuv_to_rgb(y: FloatArray, u: FloatArray, v: FloatArray, tags: ColourTags, bits: int) -> FloatArray:
    """Code values (any float dtype, same shapes) -> non-linear RGB 0..1, shape (..., 3) float32."""
    scale = 1 << (bits - 8)
    if tags.full_range:
        peak = (1 << bits) - 1
        luma, blue, red = y / peak, (u - 128 * scale) / peak, (v - 128 * scale) / peak
    else:
        luma = (y - 16 * scale) / (219 * scale)
        blue, red = (u - 128 * scale) / (224 * scale), (v - 128 * scale) / (224 * scale)
    if tags.matrix == "ycgco":
        base = luma - blue
        rgb = np.stack([base + red, luma + blue, base - red], axis=-1)
    else:
        kr, kb = _LUMA.get(tags.matrix, _LUMA["bt709"])
        r = luma + 2 * (1 - kr) * red
        b = luma + 2 * (1 - kb) * blue
        g = (luma - kr * r - kb * b) / (1 - kr - kb)
        rgb = np.stack([r, g, b], axis=-1)
    out: FloatArray = np.clip(rgb, 0, 1, out=rgb).astype(np.float32, copy=False)
    return out


@cache
def ocio_config() -> Any:
    """OpenColorIO's built-in studio config."""
    import PyOpenColorIO as ocio

    return ocio.Config.CreateFromBuiltinConfig("studio-config-latest")


def ocio_space(name: str, setting: str, *others: str) -> Any:
    """A colour space of the studio config by its name, an alias or a role. Raises ColourError that says what ``setting`` may be:
    ``others``, and these names.
    """
    import difflib

    config = ocio_config()
    space = config.getColorSpace(name)
    if space is None:
        names = list(config.getColorSpaceNames())
        near = difflib.get_close_matches(name, names, 3, 0.3)
        raise ColourError(
            f"{setting} is {name!r}, which OpenColorIO's built-in studio config does not have; "
            f"allowed are {', '.join(others)} and {len(names)} names such as {', '.join(near or names[:3])}"
        )
    return space


@cache
def _ocio_processor(name: str) -> Any:
    import PyOpenColorIO as ocio

    config = ocio_config()
    ocio_space(name, "input.colorspace", "auto", "srgb", "rec709", "pq", "hlg", "linear")
    display = "sRGB - Display"
    view = config.getDefaultView(display)
    transform = ocio.DisplayViewTransform(src=name, display=display, view=view)
    return config.getProcessor(transform).getDefaultCPUProcessor()


@cache
def _ocio_table(name: str) -> TableOnDevices:
    """For tensors."""
    space = ocio_config().getColorSpace(name)
    return TableOnDevices(baked(_ocio_processor(name), linear=space.getEncoding() == "scene-linear"))


def _ocio_transform(name: str) -> Transform:
    processor = _ocio_processor(name)

    def transform(rgb: FloatArray) -> FloatArray:
        if is_tensor(rgb):
            made: FloatArray = _ocio_table(name)(rgb)
            return made
        pixels = np.ascontiguousarray(rgb, dtype=np.float32).copy()
        processor.applyRGB(pixels)
        return np.clip(pixels, 0, 1)

    return transform

"""The colour space of what EXR files show: from a plate's encoding to light, and from light to what is asked for.

Sources: ITU-T H.273 (transfer characteristics), ITU-R BT.709, BT.2020, BT.2100, BT.2408, IEC 61966-2-1, SMPTE ST 2084; names and
chromaticities: Color Interop Forum, "An ID for Color Interop" 1.0.0 and "Identifying the Color Space of OpenEXR Files", annex A.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import SettingsError
from vr180_ofx.imaging.planes import colour_transform
from vr180_ofx.media.colour import REFERENCE_WHITE_NITS, Transform, ocio_config, ocio_space, pq_to_nits
from vr180_ofx.media.contract import ColourTags
from vr180_ofx.settings import OutputSettings

SCENE_LINEAR, AS_SOURCE = "scene_linear", "as_source"
#: Of primaries, by the names of `media.colour`. The two of BT.601, which its tags do not tell apart, are taken for BT.709's, as everywhere
#: here: they lie within 0.02 of them.
_LINEAR = {"bt709": "lin_rec709_scene", "bt601": "lin_rec709_scene", "bt2020": "lin_rec2020_scene", "p3": "lin_p3d65_scene"}
#: Camera logs and other encodings by name are decoded to these primaries, which hold what cameras see without negative values.
_WIDE = "lin_ap1_scene"
_REC709 = "lin_rec709_scene"
_D65, _D60 = (0.3127, 0.3290), (0.32168, 0.33767)
#: x and y of red, green, blue and white: annex A of the Color Interop Forum's recommendation for OpenEXR.
CHROMATICITIES: Mapping[str, tuple[float, ...]] = {
    "lin_rec709_scene": (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65),
    "lin_ap0_scene": (0.7347, 0.2653, 0.0, 1.0, 0.0001, -0.0770, *_D60),
    "lin_ap1_scene": (0.713, 0.293, 0.165, 0.830, 0.128, 0.044, *_D60),
    "lin_p3d65_scene": (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    "lin_rec2020_scene": (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    "lin_adobergb_scene": (0.640, 0.330, 0.210, 0.710, 0.150, 0.060, *_D65),
}
#: The tolerance of annex A.
_SAME_XY = 0.001
#: (transfer, primaries) of encoded plates -> what the Forum and OpenColorIO call them.
_ENCODED = {
    ("bt709", "bt709"): "ocio:itu709_rec709_scene",
    ("bt709", "bt601"): "ocio:itu709_rec709_scene",
    ("srgb", "bt709"): "srgb_rec709_scene",
    ("srgb", "p3"): "srgb_p3d65_scene",
    ("gamma22", "bt709"): "g22_rec709_scene",
    ("pq", "bt2020"): "pq_rec2020_display",
    ("hlg", "bt2020"): "hlg_rec2020_display",
}
#: Values of a table: of 8 to 16 bits each code has its own, and what lies between 10-bit codes is met to a 64th of one.
_CODES = 1 << 16


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """What R, G and B of a file are.

    name: for people. interop_id: the Color Interop Forum's; empty when it is not known. chromaticities: x and y of red, green, blue and
    white of light; empty when they are not known, or when it is no light.
    """

    name: str
    interop_id: str = ""
    chromaticities: tuple[float, ...] = ()

    def attributes(self) -> dict[str, Any]:
        """Of an EXR header."""
        out: dict[str, Any] = {"vr180ofx:colour": self.name}
        if self.interop_id:
            out["colorInteropID"] = self.interop_id
        if self.chromaticities:
            out["chromaticities"] = self.chromaticities
        return out


#: Of files without colour.
DATA = ColourSpace("none; all channels are data", "data")


@dataclass(frozen=True, slots=True)
class Conversion:
    """How colours get from a plate into a file; (h, w, 3) float32 in, the same out; None changes nothing.

    to_light: from the plate's RGB to where colours are unmixed: light, in the plate's own primaries where they are known. to_file: from
    there to ``space``.
    """

    to_light: Transform | None
    to_file: Transform | None
    space: ColourSpace


def check_colorspace(settings: OutputSettings) -> None:
    """Raises ColourError for a name that is none, SettingsError where it cannot be what is written."""
    wanted = settings.colorspace
    if wanted in (SCENE_LINEAR, AS_SOURCE):
        return
    space = ocio_space(wanted, "output.colorspace", SCENE_LINEAR, AS_SOURCE)
    if space.isData():
        raise SettingsError(
            f"output.colorspace is {wanted!r}, which is for data, not for colours; as_source writes the plate's own values, scene_linear "
            "their light"
        )
    if settings.rgb == "premultiplied" and space.getEncoding() != "scene-linear":
        raise SettingsError(
            f"output.rgb is premultiplied and output.colorspace {wanted!r}, which is not linear: what is multiplied by alpha there is no "
            "light; use output.rgb=foreground, or a linear colour space such as scene_linear or ACEScg"
        )


@cache
def conversion(tags: ColourTags, wanted: str) -> Conversion:
    """From a plate of these tags to ``output.colorspace``."""
    if wanted == AS_SOURCE:
        return Conversion(None, None, _as_it_is(tags))
    to_light, light = _decoded(tags)
    if wanted == SCENE_LINEAR:
        if to_light is None:
            return Conversion(None, None, _as_it_is(tags))
        target = _REC709
    else:
        target = ocio_space(wanted, "output.colorspace", SCENE_LINEAR, AS_SOURCE).getName()
    return Conversion(to_light, _between(light, target), _named(target, f"{_words(target)}, from {tags.describe()}{_how(tags)}"))


def _decoded(tags: ColourTags) -> tuple[Transform | None, str]:
    """What decodes the plate to light, None when it is light; and the name of that light."""
    named = _name_of(tags)
    if named:
        space = ocio_space(named, "input.colorspace")
        if space.isData() or space.getEncoding() == "scene-linear":
            return None, named
        return _between(named, _WIDE), _WIDE
    if tags.transfer == "linear":
        # OpenEXR: a file that does not say its primaries has those of BT.709
        return None, _by_chromaticities(tags) or _REC709
    return _table(tags.transfer), _LINEAR.get(tags.primaries, _REC709)


def _name_of(tags: ColourTags) -> str:
    """The colour space that a plate is in by name, of the settings or of its files; empty when there is none that is known."""
    if tags.colorspace:
        return tags.colorspace
    return tags.interop_id if tags.interop_id and ocio_config().getColorSpace(tags.interop_id) is not None else ""


def _by_chromaticities(tags: ColourTags) -> str:
    """The interop id of light with the file's chromaticities; empty for others."""
    near = (k for k, xy in CHROMATICITIES.items() if tags.chromaticities and np.allclose(tags.chromaticities, xy, rtol=0, atol=_SAME_XY))
    return next(near, "")


def _as_it_is(tags: ColourTags) -> ColourSpace:
    """What the plate's own values are. Nothing is guessed: a wrong name is worse than none."""
    words = f"as the plate: {tags.describe()}"
    named = _name_of(tags)
    if named:
        return _named(named, words)
    if tags.interop_id:
        return ColourSpace(words, tags.interop_id, tags.chromaticities)
    if tags.transfer == "linear":
        return ColourSpace(words, _by_chromaticities(tags), tags.chromaticities)
    return ColourSpace(words, _ENCODED.get((tags.transfer, tags.primaries), ""))


def _named(name: str, words: str) -> ColourSpace:
    space = ocio_space(name, "output.colorspace")
    found = str(space.getInteropID())
    return ColourSpace(words, found, CHROMATICITIES.get(found, ()))


def _words(name: str) -> str:
    return str(ocio_space(name, "output.colorspace").getName())


def _how(tags: ColourTags) -> str:
    """By what a transfer was undone, for people."""
    if tags.colorspace or _name_of(tags) or tags.transfer not in _CURVES:
        return ""
    return f"; decoded by {_CURVES[tags.transfer][1]}"


@cache
def _between(source: str, target: str) -> Transform | None:
    """From one colour space of OpenColorIO to another; None when they are the same."""
    config = ocio_config()
    if config.getColorSpace(source).getName() == config.getColorSpace(target).getName():
        return None
    processor = config.getProcessor(source, target)
    if processor.isNoOp():
        return None
    cpu = processor.getDefaultCPUProcessor()
    if all(config.getColorSpace(n).getEncoding() == "scene-linear" for n in (source, target)):
        # between two kinds of light: a matrix, whose columns are what becomes of red, green and blue
        columns = np.eye(3, dtype=np.float32)
        cpu.applyRGB(columns)
        matrix = np.ascontiguousarray(columns.T)
        return lambda rgb: colour_transform(rgb, matrix)

    def transform(rgb: FloatArray) -> FloatArray:
        pixels = np.array(rgb, np.float32, order="C")
        cpu.applyRGB(pixels)
        return np.nan_to_num(pixels, copy=False)

    return transform


def bt709_to_light(v: FloatArray) -> FloatArray:
    """The inverse of the OETF of BT.709, BT.601 and BT.2020, with the constants of H.273 that make it continuous."""
    a, b = 1.099296826809442, 0.018053968510807
    out: FloatArray = np.where(v < 4.5 * b, v / 4.5, (np.maximum(v, 0) + (a - 1)) ** (1 / 0.45) / a ** (1 / 0.45))
    return out


def srgb_to_light(v: FloatArray) -> FloatArray:
    """IEC 61966-2-1."""
    out: FloatArray = np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4)
    return out


def hlg_to_light(v: FloatArray) -> FloatArray:
    """The inverse of HLG's OETF (BT.2100): light of the scene, without any display's OOTF; 1 is the signal of diffuse white, 0.75."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073

    def scene(x: FloatArray) -> FloatArray:
        out: FloatArray = np.where(x <= 0.5, x * x / 3, (np.exp((np.maximum(x, 0.5) - c) / a) + b) / 12)
        return out

    # BT.2408, table 1: HDR reference white is a signal of 75 %
    return scene(np.maximum(v, 0)) / scene(np.array(0.75))


def _power(gamma: float) -> Callable[[FloatArray], FloatArray]:
    return lambda v: np.maximum(v, 0) ** gamma


#: Transfer -> its decoder, and what that is.
_CURVES: dict[str, tuple[Callable[[FloatArray], FloatArray], str]] = {
    "bt709": (bt709_to_light, "the inverse of the OETF of ITU-R BT.709"),
    "srgb": (srgb_to_light, "IEC 61966-2-1"),
    "gamma22": (_power(2.2), "a power of 2.2"),
    "gamma28": (_power(2.8), "a power of 2.8"),
    "pq": (lambda v: pq_to_nits(v) / REFERENCE_WHITE_NITS, f"SMPTE ST 2084, {REFERENCE_WHITE_NITS:g} cd/m² are 1"),
    "hlg": (hlg_to_light, "the inverse of the OETF of ITU-R BT.2100 HLG, a signal of 75 % is 1"),
}


@cache
def _table(transfer: str) -> Transform:
    """A decoder that looks up values of 0..1, and computes others, which floats have."""
    # an unknown word for a transfer is read as sRGB, as networks are shown it (`media.colour.display_transform`)
    curve = _CURVES.get(transfer, _CURVES["srgb"])[0]
    table = curve(np.arange(_CODES, dtype=np.float64) / (_CODES - 1)).astype(np.float32)

    def transform(rgb: FloatArray) -> FloatArray:
        if rgb.size and not (rgb.min() >= 0 and rgb.max() <= 1):
            return curve(rgb).astype(np.float32)
        return table[(rgb * np.float32(_CODES - 1) + np.float32(0.5)).astype(np.uint16)]

    return transform

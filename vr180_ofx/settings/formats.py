"""The formats of `output.format`: a row each. Adding one is a module in output/ and a row here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Literal


@dataclass(frozen=True, slots=True)
class OutputFormat:
    """One format.

    writer: the class that writes it, ``module:class`` in `vr180_ofx.output`. kind: of files: EXR or other images, one for each frame, or
    a video. shows: what they hold: layers (alpha, confidence, people), or a picture: of the alpha, of the plate or the people's own colour
    with the alpha beside it, of people over a colour, or the plate with the alpha packed into its corners.
    suffix: of a video's name. word: what its name says after the clip's. matte: by which output's name `vr180-ofx matte`
    chooses it among those of its kind.
    """

    name: str
    description: str
    _: KW_ONLY
    kind: Literal["exr", "images", "video"]
    shows: Literal["layers", "alpha", "plate", "foreground", "composite", "packed"]
    writer: str
    suffix: str = ""
    word: str = ""
    matte: str | None = None

    @property
    def needs_source(self) -> bool:
        """Whether a picture cannot be made without the plate."""
        return self.shows not in ("layers", "alpha")


_EXR, _PNG, _VIDEO = "exr_output:ExrOutput", "png:PngOutput", "video:VideoOutput"
_ROWS = (
    OutputFormat("exr", "multi-view EXR", kind="exr", shows="layers", writer=_EXR, matte="exr"),
    OutputFormat("alpha", "RGBA PNG", kind="images", shows="plate", writer=_PNG, matte="alpha"),
    OutputFormat("greenscreen", "video over the background colour", kind="video", shows="composite", writer=_VIDEO,
                 suffix=".mp4", word="greenscreen", matte="composite"),
    OutputFormat("foreground", "PNG with unmixed colour", kind="images", shows="foreground", writer=_PNG, matte="foreground"),
    OutputFormat("video", "the alpha as grey video", kind="video", shows="alpha", writer=_VIDEO,
                 suffix=".mp4", word="alpha", matte="alpha"),
    OutputFormat("greenscreen_png", "PNG over the background colour", kind="images", shows="composite", writer=_PNG, matte="composite"),
    OutputFormat("prores4444", "video with transparency (MOV)", kind="video", shows="foreground", writer=_VIDEO,
                 suffix=".mov", word="foreground", matte="foreground"),
    OutputFormat("webm_alpha", "video with transparency (WebM with VP9)", kind="video", shows="foreground", writer=_VIDEO,
                 suffix=".webm", word="foreground"),
    OutputFormat("vr_alpha", "fisheye video with packed alpha, for passthrough in VR players", kind="video", shows="packed",
                 writer=_VIDEO, suffix=".mp4"),
)  # fmt: skip
#: By name.
FORMATS: Mapping[str, OutputFormat] = {row.name: row for row in _ROWS}

if TYPE_CHECKING:
    FormatName = str
else:
    # what is allowed, in words and in schemas
    FormatName = Literal[tuple(FORMATS)]

#: What `vr180-ofx matte` writes, by the names that people who know RVM use.
MATTE_OUTPUTS = ("alpha", "foreground", "composite", "exr")


def matte_format(output: str, *, images: bool) -> OutputFormat:
    """The format of one of `MATTE_OUTPUTS`, as images or as a video; EXR is always images."""
    kinds = ("images", "exr") if images else ("video", "exr")
    return next(f for f in FORMATS.values() if f.matte == output and f.kind in kinds)


def described() -> str:
    """All formats in one sentence each."""
    return " ".join(f"{f.name}: {f.description}." for f in FORMATS.values())

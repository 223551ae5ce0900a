"""The sections that decide what is written: output, audio."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, field_validator, model_validator

from vr180_ofx.settings.formats import FormatName, described
from vr180_ofx.settings.mattes import LEAST_FOV_DEGREES
from vr180_ofx.settings.traits import Section, setting


def _as_colour(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class OutputSettings(Section):
    """What is written."""

    path: str | None = setting(None, pixels="no", http=False, description="The output folder; the command line's -o wins.")
    format: FormatName = setting("exr", pixels="yes", http=True, description=described())
    video_codec: Literal["h264", "hevc"] = setting("h264", pixels="yes", http=True, description="Codec of video outputs.")
    video_quality: int = setting(16, pixels="yes", http=True, ge=0, le=51, description="CRF of video outputs; lower is better.")
    video_bits: Literal[8, 10] = setting(8, pixels="yes", http=True, description="Bits of H.264 and HEVC; ProRes always has 10, WebM 8.")
    eyes: Literal["same", "sbs", "tb", "separate"] = setting(
        "same", pixels="yes", http=True, description="How the eyes lie in videos; same: as in the clip."
    )
    projection: Literal["same", "equirect180", "fisheye"] = setting(
        "same", pixels="yes", http=True, description="What videos show the sphere as."
    )
    fov_degrees: float | None = setting(
        None,
        pixels="yes",
        http=True,
        ge=LEAST_FOV_DEGREES,
        le=360,
        description="Field of view of output.projection; by default 180, or 190 for a fisheye.",
    )
    background_color: Annotated[tuple[int, int, int], BeforeValidator(_as_colour)] = setting(
        (0, 255, 0), pixels="yes", http=True, description="Red, green and blue, 0..255."
    )
    eye: Literal["both", "left", "right"] = setting(
        "both", pixels="yes", http=True, description="Which eye is written. Mattes are made from both of them all the same."
    )
    scale: float = setting(
        1.0, pixels="yes", http=True, description="Size of what is written: 0.25, 0.5 or 1.0 of the clip's. Mattes are made at "
        "processing.scale_factor all the same.",
    )  # fmt: skip
    maintain_sbs: bool = setting(True, pixels="yes", http=True, description="Keep both eyes in one picture; false writes them apart.")
    # which frame a file of some number shows
    start_frame: int | None = setting(
        None,
        pixels="yes",
        http=True,
        ge=0,
        le=9_999_999,
        description="Number of the clip's first frame, in file names and wherever frames are named; by default an image sequence's own, "
        "and 1 for videos.",
    )
    exr_preset: Literal["generic", "nuke", "resolve", "blender"] = setting(
        "generic", pixels="yes", http=True, description="What the EXR is made for."
    )
    exr_layout: Literal["auto", "multipart", "single", "per_view_files", "whole"] = setting(
        "auto",
        pixels="yes",
        http=True,
        description="auto takes what the preset needs. whole: the eyes in one picture, as they lie in the clip.",
    )
    compression: Literal["none", "zips", "zip", "piz", "dwaa", "dwab", "htj2k", "zstd"] = setting(
        "zips", pixels="yes", http=True, description="Compression of the EXR files."
    )
    rgb: Literal["none", "foreground", "premultiplied"] = setting(
        "none", pixels="yes", http=True, description="Colour beside the alpha in EXR files."
    )
    colorspace: str = setting(
        "scene_linear",
        pixels="yes",
        http=True,
        description="What R, G and B of EXR files are. scene_linear: light, of Rec.709 primaries, or as it is when the plate is light "
        "already. as_source: the plate's own encoding. Else a colour space of OpenColorIO's studio config, such as ACEScg.",
    )
    foreground_method: Literal["blur_fusion", "multilevel"] = setting(
        "blur_fusion",
        pixels="yes",
        http=True,
        description="How the background's share is taken out of colours at edges. multilevel: PyMatting's, a little better; it needs the "
        "extra closed_form.",
    )
    despill: Literal["none", "green", "blue"] = setting(
        "none",
        pixels="yes",
        http=True,
        description="Takes the light of a green or blue screen off people, in all outputs that carry their colour.",
    )
    despill_amount: float = setting(
        1.0, pixels="yes", http=True, ge=0, le=1, description="How much of it; 1 leaves no more of the colour than the mean of the others."
    )
    people: bool = setting(True, pixels="yes", http=True, description="A layer for each person.")
    cryptomatte: bool = setting(
        False,
        pixels="yes",
        http=True,
        description="Beside the EXR files, a file of Cryptomatte for each eye, CLIP_crypto_EYE.0001.exr: people to be picked by name or "
        "by clicking.",
    )
    cryptomatte_levels: Literal[2, 4, 6, 8, 10, 12, 14, 16] = setting(
        4, pixels="yes", http=True, description="How many people can share one pixel in files of Cryptomatte; two make a layer of the file."
    )
    overwrite: bool = setting(False, pixels="no", http=True, description="Render frames again that are already there.")

    @field_validator("scale")
    @classmethod
    def _scale(cls, value: float) -> float:
        if value not in (0.25, 0.5, 1.0):
            raise ValueError("allowed are 0.25, 0.5, 1.0")
        return value

    @model_validator(mode="after")
    def _cryptomatte_is_exr(self) -> OutputSettings:
        if self.cryptomatte and self.format != "exr":
            raise ValueError(f"output.cryptomatte is true and output.format {self.format}; ids fit into EXR files alone: use exr, or false")
        return self

    @field_validator("colorspace")
    @classmethod
    def _own_words(cls, value: str) -> str:
        # as roles of OpenColorIO, in other letters, they would mean something else
        return value.lower() if value.lower() in ("scene_linear", "as_source") else value

    @field_validator("background_color")
    @classmethod
    def _colour_range(cls, value: tuple[int, int, int]) -> tuple[int, int, int]:
        if any(not 0 <= v <= 255 for v in value):
            raise ValueError("each of red, green and blue is 0..255")
        return value


class AudioSettings(Section):
    """What happens to sound in outputs that carry it. No pixels, but videos know what they were made with."""

    preserve_audio: bool = setting(True, pixels="no", http=True, description="Videos keep the clip's sound, all of its tracks.")
    verify_sync: bool = setting(True, pixels="no", http=True, description="A video whose timing is off by half a frame is not kept.")
    audio_codec: Literal["copy", "aac", "opus", "pcm"] = setting(
        "copy",
        pixels="no",
        http=True,
        description="copy: bit for bit where the container takes it, else converted; the others: always converted.",
    )

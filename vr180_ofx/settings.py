"""Everything that can be set: one pydantic model per section of the config file.

Unknown keys, wrong types and values out of range are errors that name the key, the value, what is allowed and the
closest valid key.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import tomllib
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import frame_ranges


class Section(BaseModel):
    """Settings are values: two equal ones give equal results."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, str_strip_whitespace=True)


class InputSettings(Section):
    """What is read."""

    video_path: str | None = Field(None, description="The clip; the command line's CLIP wins.")
    layout: Literal["auto", "sbs", "tb", "mono"] = Field("auto", description="Where the eyes lie in the frame.")
    projection: Literal["auto", "equirect180", "fisheye", "flat"] = Field("auto", description="How an eye's picture samples the sphere.")
    fov_degrees: float | None = Field(
        None, gt=0, lt=360, description="Field of view of one eye; by default what the projection or the file name says."
    )
    colorspace: str = Field("auto", description="auto, srgb, rec709, pq, hlg, linear, or a colour space of OpenColorIO's studio config.")
    frames: str = Field("all", description="all, or ranges counted from 0 such as 1-48,100.")
    frame_rate: float | None = Field(
        None, gt=0, le=1000, description="Frames per second of an image sequence; by default what its files say, else 24."
    )
    swap_eyes: bool = Field(False, description="The left eye lies where the right one is expected.")
    interocular_m: float | None = Field(
        None, gt=0, lt=10, description="Metres between the cameras, for distances; by default what the file says, else 0.064."
    )

    @field_validator("frames", mode="before")
    @classmethod
    def _frames_text(cls, value: Any) -> Any:
        value = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if isinstance(value, str):
            frame_ranges(value)
        return value


class ProcessingSettings(Section):
    """How the work is divided."""

    scale_factor: float = Field(1.0, description="Resolution at which mattes are made: 0.25, 0.5 or 1.0 of the input.")
    upsampling: Literal["edge_aware", "cubic", "none"] = Field(
        "edge_aware",
        description="How mattes made at less come to full resolution: with the picture's edges, interpolated, or not at all.",
    )
    chunk_size: int = Field(600, ge=0, le=1_000_000, description="Frames that a chunk steps through; 0 is the whole shot.")
    overlap_frames: int = Field(
        60, ge=0, le=10_000, description="Frames at a chunk's beginning that warm it up; neighbours are cross-faded."
    )
    streaming_output: bool = Field(True, description="Write each frame as soon as it is finished.")
    memory_pipeline: bool = Field(False, description="Kept for older config files; the engine always streams.")
    parallel_eyes: bool = Field(True, description="Work on both eyes at once.")
    decode_timeout_s: float = Field(120, gt=0, le=86_400, description="A frame whose decoding takes longer is given up.")
    batch_size: int = Field(0, ge=0, le=256, description="Windows that SAM 2 sees at once; 0 is what memory has room for, at most 16.")
    max_memory_gb: float = Field(40, gt=0.5, le=4096, description="Memory the program may use.")

    @field_validator("scale_factor")
    @classmethod
    def _scale(cls, value: float) -> float:
        if value not in (0.25, 0.5, 1.0):
            raise ValueError("allowed are 0.25, 0.5, 1.0")
        return value


class DetectionSettings(Section):
    """Who is in the picture."""

    model: str = Field("blazepose", description="blazepose; with the extra `yolo` also yolov8n, yolov8s, yolov8m, or a model file.")
    weights: str | None = Field(None, description="A weights file of your own.")
    confidence_threshold: float = Field(0.7, gt=0, lt=1, description="How sure the detector must be before somebody is a person.")
    every: int = Field(8, ge=1, le=1000, description="Frames between two searches of the whole field of view.")
    max_people: int = Field(8, ge=1, le=99, description="At most so many people at once, the largest first.")
    boxes: str | None = Field(None, description="A plan file whose people are used instead of searching.")


class MattingSettings(Section):
    """How masks become mattes."""

    tracker: Literal["auto", "blazepose", "sam2.1_t", "sam2.1_s", "sam2.1_b+", "sam2.1_l", "rvm"] = Field(
        "auto",
        description="Who follows the people. auto: the best SAM 2.1 on CUDA whose weights are there, else blazepose. rvm: whole eyes.",
    )
    refiner: Literal["auto", "none", "guided", "closed_form", "rvm"] = Field(
        "auto",
        description="How edges are made at full resolution. auto: rvm on CUDA and on CPUs with bfloat16, when its weights are there; else "
        "guided.",
    )
    tracker_weights: str | None = Field(None, description="A weights file of your own.")
    refiner_weights: str | None = Field(None, description="A weights file of your own.")
    downsample: Literal["auto", "1", "0.5", "0.375", "0.25", "0.125"] = Field(
        "auto", description="Tracker rvm: the size of the picture that the network sees, of the eye's; auto makes it 512 pixels."
    )
    seq_chunk: int = Field(
        1,
        ge=1,
        le=32,
        description="Tracker rvm: frames in a row that the network sees at once. On CPUs 1 is the fastest; more fill a large GPU, and hold "
        "as many decoded frames.",
    )
    refiner_size: int = Field(0, ge=0, le=2048, description="Side of the windows that RVM sees, a multiple of 16; 0 is 384.")
    window_size: int = Field(
        0, ge=0, le=2048, description="Side of the windows that SAM 2 sees, a multiple of 64; 0 is 1024 on CUDA and 512 on the CPU."
    )
    memory_selection: Literal["recent", "reliable"] = Field(
        "recent",
        description="Which frames SAM 2 looks back at: the last ones, or the last ones whose mask can be trusted, which drifts less.",
    )
    prompt_again_after: int = Field(
        4,
        ge=0,
        le=1000,
        description="Frames without a sign of somebody of whom the plan is sure before SAM 2 is shown them again; 0 is never.",
    )
    use_disparity_mapping: bool = Field(
        True, description="Let each eye confirm the other along the disparity; without it each is for itself."
    )
    memory_offload: bool = Field(
        True, description="Keep the tracker's memory outside the GPU between uses; false spends up to 20 MB of it per person and eye."
    )
    fp16: bool = Field(True, description="Half precision where that is quicker: on CUDA, and for RVM on CPUs that multiply bfloat16.")
    stabilise: float = Field(
        0.7, ge=0, le=0.95, description="Tracker blazepose: how much the frame before counts, carried along the motion of the picture."
    )


class StereoSettings(Section):
    """How the eyes are kept alike."""

    consistency_mode: Literal["independent", "master_slave", "joint"] = Field(
        "master_slave",
        description="independent: each eye alone. master_slave: the eyes are compared, and an eye that does not agree is corrected. "
        "joint: the same, and both eyes decide on each edge together, by measured disparity.",
    )
    validation_threshold: float = Field(
        0.8,
        ge=0,
        le=1,
        description="Eyes that agree less than this on a person in a frame: the weaker one is corrected; 0 corrects nothing.",
    )
    correction_method: Literal["transfer", "reprocess", "ensemble"] = Field(
        "transfer",
        description="transfer: the better eye's matte as the weaker eye sees it. reprocess: the weaker eye is looked at again where the "
        "better one points; transfer when that does not help. ensemble: both eyes, weighted by confidence.",
    )
    master: Literal["left", "right"] = Field("left", description="The eye that is believed when both are as sure as each other.")


def _as_colour(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


class OutputSettings(Section):
    """What is written."""

    path: str | None = Field(None, description="The output folder; the command line's -o wins.")
    format: Literal[
        "exr", "alpha", "greenscreen", "foreground", "video", "greenscreen_png", "prores4444", "webm_alpha", "vr_alpha"
    ] = Field(
        "exr",
        description="exr: multi-view EXR. alpha: RGBA PNG. greenscreen: video over the background colour. "
        "greenscreen_png: the same as PNG. foreground: PNG with unmixed colour. video: the alpha as grey video. prores4444, webm_alpha: "
        "video with transparency (MOV, WebM with VP9). vr_alpha: fisheye video with packed alpha, for passthrough in VR players.",
    )  # fmt: skip
    video_codec: Literal["h264", "hevc"] = Field("h264", description="Codec of video outputs.")
    video_quality: int = Field(16, ge=0, le=51, description="CRF of video outputs; lower is better.")
    video_bits: Literal[8, 10] = Field(8, description="Bits of H.264 and HEVC; ProRes always has 10, WebM 8.")
    eyes: Literal["same", "sbs", "tb", "separate"] = Field("same", description="How the eyes lie in videos; same: as in the clip.")
    projection: Literal["same", "equirect180", "fisheye"] = Field("same", description="What videos show the sphere as.")
    fov_degrees: float | None = Field(
        None, gt=0, le=360, description="Field of view of output.projection; by default 180, or 190 for a fisheye."
    )
    background_color: Annotated[tuple[int, int, int], BeforeValidator(_as_colour)] = Field(
        (0, 255, 0), description="Red, green and blue, 0..255."
    )
    maintain_sbs: bool = Field(True, description="Keep both eyes in one picture; false writes them apart.")
    start_frame: int = Field(1, ge=0, le=9_999_999, description="Number of the first file.")
    exr_preset: Literal["generic", "nuke", "resolve", "blender"] = Field("generic", description="What the EXR is made for.")
    exr_layout: Literal["auto", "multipart", "single", "per_view_files", "whole"] = Field(
        "auto", description="auto takes what the preset needs. whole: the eyes in one picture, as they lie in the clip."
    )
    compression: Literal["none", "zips", "zip", "piz", "dwaa", "dwab", "htj2k", "zstd"] = Field(
        "zips", description="Compression of the EXR files."
    )
    rgb: Literal["none", "foreground", "premultiplied"] = Field("none", description="Colour beside the alpha in EXR files.")
    foreground_method: Literal["blur_fusion", "multilevel"] = Field(
        "blur_fusion",
        description="How the background's share is taken out of colours at edges. multilevel: PyMatting's, a little better; it needs the "
        "extra closed_form.",
    )
    despill: Literal["none", "green", "blue"] = Field(
        "none", description="Takes the light of a green or blue screen off people, in all outputs that carry their colour."
    )
    despill_amount: float = Field(
        1.0, ge=0, le=1, description="How much of it; 1 leaves no more of the colour than the mean of the others."
    )
    people: bool = Field(True, description="A layer for each person.")
    cryptomatte: Literal[False] = Field(False, description="Cryptomatte layers; not in this version.")
    overwrite: bool = Field(False, description="Render frames again that are already there.")

    @field_validator("background_color")
    @classmethod
    def _colour_range(cls, value: tuple[int, int, int]) -> tuple[int, int, int]:
        if any(not 0 <= v <= 255 for v in value):
            raise ValueError("each of red, green and blue is 0..255")
        return value


class AudioSettings(Section):
    """What happens to sound in outputs that carry it."""

    preserve_audio: bool = Field(True, description="Videos keep the clip's sound, all of its tracks.")
    verify_sync: bool = Field(True, description="A video whose timing is off by half a frame is not kept.")
    audio_codec: Literal["copy", "aac", "opus", "pcm"] = Field(
        "copy", description="copy: bit for bit where the container takes it, else converted; the others: always converted."
    )


class HardwareSettings(Section):
    """What the work runs on."""

    device: str = Field(
        "auto",
        pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$",
        description="auto, cpu, cuda, cuda:1, mps: what SAM 2 and YOLO run on. The embedded models run on the CPU.",
    )
    decoder: Literal["cpu", "gpu"] = Field(
        "cpu",
        description="gpu: decode with the graphics card (NVDEC, VideoToolbox, Direct3D, VA-API) where it can; else the CPU takes over.",
    )
    max_vram_gb: float = Field(10, gt=0, le=4096, description="Memory of the GPU that may be used.")
    threads: int = Field(0, ge=0, le=1024, description="0 is one per core.")

    @property
    def threads_here(self) -> int:
        """``threads``, with one per core counted."""
        return self.threads or os.cpu_count() or 1


class PerformanceSettings(Section):
    """Measuring."""

    profile_enabled: bool = True
    price_per_hour: float | None = Field(None, ge=0, description="What an hour of this machine costs, for `estimate`.")
    preserve_intermediates: bool = False


class DebuggingSettings(Section):
    """Looking inside."""

    log_intermediate_workflow: bool = False
    save_detection_visualization: bool = Field(False, description="Leave a contact sheet of boxes, ids and windows beside the output.")
    frame_count_validation: bool = Field(True, description="Check after rendering that output frames equal input frames.")


class ServiceSettings(Section):
    """The frame server and its caches."""

    host: str = Field("127.0.0.1", description="The address to listen on; anything but loopback lets other machines in.")
    port: int = Field(0, ge=0, le=65535, description="0 takes a free one.")
    token_file: str | None = Field(None, description="Where the access token is kept, for the user alone; by default in the cache folder.")
    allowed_roots: tuple[str, ...] = Field((), description="Folders that clips may be read from and renders written to.")
    cache_dir: str | None = Field(None, description="Where frames and checkpoints are kept; by default the user's cache folder.")
    cache_gb: float = Field(50, ge=0, le=100_000, description="What may be kept there.")
    max_clips: int = Field(8, ge=1, le=1000, description="Clips open at once; the one that was not asked for longest is closed first.")
    max_requests_per_second: float = Field(500, gt=0, le=1e6, description="What one client may ask, on average over ten seconds.")
    prefetch: int = Field(4, ge=0, le=1000, description="Frames made ahead in the direction of scrubbing.")


class Settings(Section):
    """All settings. ``Settings(detection={"max_people": 2})`` sets some, ``Settings.load`` reads a file."""

    input: InputSettings = InputSettings()
    processing: ProcessingSettings = ProcessingSettings()
    detection: DetectionSettings = DetectionSettings()
    matting: MattingSettings = MattingSettings()
    stereo: StereoSettings = StereoSettings()
    output: OutputSettings = OutputSettings()
    audio: AudioSettings = AudioSettings()
    hardware: HardwareSettings = HardwareSettings()
    performance: PerformanceSettings = PerformanceSettings()
    debugging: DebuggingSettings = DebuggingSettings()
    service: ServiceSettings = ServiceSettings()

    def __init__(self, **data: Any) -> None:
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise SettingsError(_explain(error)) from None

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Settings:
        """Reads YAML or TOML (by the file's ending). ``overrides`` are ``section.key=value`` as on the command line."""
        return cls.from_values(_read(Path(path)), overrides, str(path))

    @classmethod
    def from_values(cls, values: Mapping[str, Any], overrides: Iterable[str] = (), source: str = "settings") -> Settings:
        """From nested dictionaries. Keys of older files that stand outside a section are put into theirs."""
        nested = _nest(values, source)
        for text in overrides:
            _override(nested, text)
        return cls(**nested)

    def save(self, path: str | Path) -> None:
        """Writes YAML or TOML, by the file's ending, whole or not at all."""
        from vr180_ofx.storage import write_atomic

        path = Path(path)
        data = self.model_dump(mode="json", exclude_none=True)
        if path.suffix == ".toml":
            import tomli_w

            text = tomli_w.dumps(data)
        else:
            text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
        write_atomic(path, text.encode())

    def with_overrides(self, overrides: Iterable[str]) -> Settings:
        return Settings.from_values(self.model_dump(mode="json"), overrides)

    def digest(self, *sections: str) -> str:
        """A hash of the named sections (all when none is named): equal settings, equal hash."""
        data = self.model_dump(mode="json", include=set(sections) if sections else None)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


#: Keys that are understood, so that config files load, and that this version does nothing with.
WITHOUT_EFFECT = (
    "processing.memory_pipeline", "processing.streaming_output",
    "performance.preserve_intermediates", "debugging.log_intermediate_workflow",
)  # fmt: skip


def without_effect(settings: Settings) -> list[str]:
    """What was set to something else than its default although it changes nothing yet: to be said, not to be swallowed."""
    said = []
    defaults = Settings()
    for path in WITHOUT_EFFECT:
        section, _, key = path.partition(".")
        value = getattr(getattr(settings, section), key)
        if value != getattr(getattr(defaults, section), key):
            said.append(f"{path} is {value!r}, which has no effect in this version")
    return said


def sections() -> dict[str, type[Section]]:
    """The sections by name."""
    return {name: typing.cast(type[Section], f.annotation) for name, f in Settings.model_fields.items()}


def _read(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(f"the config file {path} does not exist") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"the config file {path} cannot be read: {error}") from None
    try:
        data = tomllib.loads(text) if path.suffix.lower() == ".toml" else yaml.safe_load(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} is not TOML: {error}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SettingsError(f"{path} holds {type(data).__name__}; a config file holds sections such as 'input:'")
    return data


def _nest(values: Mapping[str, Any], source: str) -> dict[str, Any]:
    known = sections()
    owner: dict[str, str] = {}
    for name, section in known.items():
        for key in section.model_fields:
            owner[key] = "" if key in owner else name
    nested: dict[str, Any] = {}
    for key, value in values.items():
        if key in known:
            if value is None:
                value = {}
            if not isinstance(value, Mapping):
                raise SettingsError(f"{source}: {key} is {value!r}; it is a section and holds keys")
            nested[key] = {**nested.get(key, {}), **value}
        elif owner.get(str(key)):
            nested.setdefault(owner[str(key)], {}).setdefault(key, value)
        else:
            raise SettingsError(f"{source}: {key!r} is not a setting{_closest(str(key))}")
    return nested


def _override(nested: dict[str, Any], text: str) -> None:
    path, equals, value = text.partition("=")
    section, dot, key = path.strip().partition(".")
    if not equals or not dot:
        raise SettingsError(f"--set {text!r} is not understood; write it as section.key=value, for instance processing.chunk_size=300")
    known = sections()
    if section not in known or key not in known[section].model_fields:
        raise SettingsError(f"--set {text!r}: {path.strip()!r} is not a setting{_closest(path.strip())}")
    try:
        parsed = yaml.safe_load(value) if value.strip() else ""
    except yaml.YAMLError:
        parsed = value
    holder = nested.setdefault(section, {})
    holder[key] = parsed


def _closest(key: str) -> str:
    names = [f"{name}.{k}" for name, s in sections().items() for k in s.model_fields]
    last = key.rpartition(".")[2]
    by_last = {n.partition(".")[2]: n for n in names}
    near = []
    if "." not in key:
        near = difflib.get_close_matches(key, list(sections()), 1, 0.7)
    if not near:
        near = difflib.get_close_matches(key, names, 1, 0.6)
    if not near:
        near = [by_last[m] for m in difflib.get_close_matches(last, list(by_last), 1, 0.6)]
    return f"; did you mean {near[0]!r}?" if near else f"; sections are {', '.join(sections())}"


def _explain(error: ValidationError) -> str:
    lines = []
    for problem in error.errors():
        where = ".".join(str(p) for p in problem["loc"])
        given = problem.get("input")
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where} is not a setting{_closest(where)}")
            continue
        message = problem["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        if message.startswith("input.frames"):
            lines.append(message)
        else:
            lines.append(f"{where} is {given!r}: {message}")
    return "\n".join(lines)

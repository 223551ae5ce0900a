"""The sections that decide what mattes look like: input, processing, detection, matting, stereo."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator

from vr180_ofx.frame_ranges import frame_ranges
from vr180_ofx.settings.traits import Section, setting

#: Detectors whose weights are in the catalogue; any other name is a file's.
DETECTORS = ("blazepose", "yolov8n", "yolov8s", "yolov8m")


#: No lens that films people shows less; a typing error, a fraction of one, makes a picture of nothing.
LEAST_FOV_DEGREES = 1.0
#: A frame in 100 seconds: time lapse. Fractions that containers hold have denominators up to 1001 and cannot say much less.
_LEAST_FRAME_RATE = 0.01


class InputSettings(Section):
    """What is read."""

    video_path: str | None = setting(None, pixels="clip", http=False, description="The clip; the command line's CLIP wins.")
    layout: Literal["auto", "sbs", "tb", "mono"] = setting("auto", pixels="clip", http=True, description="Where the eyes lie in the frame.")
    projection: Literal["auto", "equirect180", "fisheye", "flat"] = setting(
        "auto", pixels="clip", http=True, description="How an eye's picture samples the sphere."
    )
    fov_degrees: float | None = setting(
        None,
        pixels="clip",
        http=True,
        ge=LEAST_FOV_DEGREES,
        lt=360,
        description="Field of view of one eye; by default what the projection or the file name says.",
    )
    colorspace: str = setting(
        "auto",
        pixels="clip",
        http=True,
        description="auto, srgb, rec709, pq, hlg, linear, or a colour space of OpenColorIO's studio config.",
    )
    frames: str = setting(
        "all", pixels="no", http=True, description="all, ranges of output frame numbers such as 1010-1020x2,1030, or timecodes."
    )
    frame_rate: float | None = setting(
        None,
        pixels="yes",
        http=True,
        ge=_LEAST_FRAME_RATE,
        le=1000,
        description="Frames per second of an image sequence; by default what its files say, else 24.",
    )
    swap_eyes: bool = setting(False, pixels="clip", http=True, description="The left eye lies where the right one is expected.")
    interocular_m: float | None = setting(
        None,
        pixels="plan",
        http=True,
        ge=0.001,
        lt=10,
        description="Metres between the cameras, for distances; by default what the file says, else 0.064.",
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

    scale_factor: float = setting(
        1.0,
        pixels="yes",
        http=True,
        description="Resolution at which mattes are made: 0.25, 0.5 or 1.0 of the input. Files keep the clip's size; output.scale makes "
        "them smaller.",
    )
    upsampling: Literal["edge_aware", "cubic", "none"] = setting(
        "edge_aware",
        pixels="yes",
        http=True,
        description="How mattes made at less come to full resolution: with the picture's edges, interpolated, or not at all.",
    )
    chunk_size: int = setting(
        600, pixels="yes", http=True, ge=0, le=1_000_000, description="Frames that a chunk steps through; 0 is the whole shot."
    )
    overlap_frames: int = setting(
        60,
        pixels="yes",
        http=True,
        ge=0,
        le=10_000,
        description="Frames at a chunk's beginning that warm it up; neighbours are cross-faded.",
    )
    streaming_output: bool = setting(
        True,
        pixels="no",
        http=True,
        effect=False,
        description="Kept for older config files; each frame is always written as soon as it is finished.",
    )
    memory_pipeline: bool = setting(
        False, pixels="no", http=True, effect=False, description="Kept for older config files; the engine always streams."
    )
    parallel_eyes: bool = setting(True, pixels="no", http=True, description="Work on both eyes at once.")
    decode_timeout_s: float = setting(
        120, pixels="no", http=False, gt=0, le=86_400, description="A frame whose decoding takes longer is given up."
    )
    # other batches are other sums, and other last bits
    batch_size: int = setting(
        0, pixels="yes", http=False, ge=0, le=256, description="Windows that SAM 2 sees at once; 0 is what memory has room for, at most 16."
    )
    max_memory_gb: float = setting(40, pixels="no", http=False, gt=0.5, le=4096, description="Memory the program may use.")

    @field_validator("scale_factor")
    @classmethod
    def _scale(cls, value: float) -> float:
        if value not in (0.25, 0.5, 1.0):
            raise ValueError("allowed are 0.25, 0.5, 1.0")
        return value


class DetectionSettings(Section):
    """Who is in the picture."""

    model: str = setting(
        "blazepose",
        pixels="plan",
        http=DETECTORS,
        description="blazepose; with the extra `yolo` also yolov8n, yolov8s, yolov8m, or a model file.",
    )
    weights: str | None = setting(None, pixels="plan", http=False, description="A weights file of your own.")
    confidence_threshold: float = setting(
        0.7,
        pixels="plan",
        http=True,
        gt=0,
        lt=1,
        description="What the detector's guesses at somebody must add up to before they are a person.",
    )
    every: int = setting(8, pixels="plan", http=True, ge=1, le=1000, description="Frames between two searches of the whole field of view.")
    max_people: int = setting(8, pixels="plan", http=True, ge=1, le=99, description="At most so many people at once, the largest first.")
    boxes: str | None = setting(None, pixels="plan", http=False, description="A plan file whose people are used instead of searching.")


class MattingSettings(Section):
    """How masks become mattes."""

    tracker: Literal["auto", "blazepose", "sam2.1_t", "sam2.1_s", "sam2.1_b+", "sam2.1_l", "rvm"] = setting(
        "auto",
        pixels="networks",
        http=True,
        description="Who follows the people. auto: the best SAM 2.1 on CUDA whose weights are there, else blazepose. rvm: whole eyes.",
    )
    refiner: Literal["auto", "none", "guided", "closed_form", "rvm", "student"] = setting(
        "auto",
        pixels="networks",
        http=True,
        description="How edges are made at full resolution. auto: rvm on CUDA and on CPUs with bfloat16, when its weights are there; else "
        "guided. student: this project's own network, which is still learning.",
    )
    tracker_weights: str | None = setting(None, pixels="networks", http=False, description="A weights file of your own.")
    refiner_weights: str | None = setting(None, pixels="networks", http=False, description="A weights file of your own.")
    downsample: Literal["auto", "1", "0.5", "0.375", "0.25", "0.125"] = setting(
        "auto",
        pixels="yes",
        http=True,
        description="Tracker rvm: the size of the picture that the network sees, of the eye's; auto makes it 512 pixels.",
    )
    seq_chunk: int = setting(
        1,
        pixels="yes",
        http=True,
        ge=1,
        le=32,
        description="Tracker rvm: frames in a row that the network sees at once. On CPUs 1 is the fastest; more fill a large GPU, and hold "
        "as many decoded frames.",
    )
    refiner_size: int = setting(
        0,
        pixels="yes",
        http=True,
        ge=0,
        le=2048,
        description="Side of the windows that RVM and the student see, a multiple of 16, or of 32 for the student; 0 is 384.",
    )
    window_size: int = setting(
        0,
        pixels="yes",
        http=True,
        ge=0,
        le=2048,
        description="Side of the windows that SAM 2 sees, a multiple of 64; 0 is 1024 on CUDA and 512 on the CPU.",
    )
    memory_selection: Literal["recent", "reliable"] = setting(
        "recent",
        pixels="yes",
        http=True,
        description="Which frames SAM 2 looks back at: the last ones, or the last ones whose mask can be trusted, which drifts less.",
    )
    prompt_again_after: int = setting(
        4,
        pixels="yes",
        http=True,
        ge=0,
        le=1000,
        description="Frames without a sign of somebody of whom the plan is sure before SAM 2 is shown them again; 0 is never.",
    )
    use_disparity_mapping: bool = setting(
        True, pixels="yes", http=True, description="Let each eye confirm the other along the disparity; without it each is for itself."
    )
    memory_offload: bool = setting(
        False,
        pixels="no",
        http=True,
        description="Keep SAM 2's memory outside the GPU between frames, which costs time; else up to 20 MB per person and eye stay there.",
    )
    fp16: bool = setting(
        True,
        pixels="networks",
        http=True,
        description="Half precision where that is quicker: on CUDA, and for RVM on CPUs that multiply bfloat16.",
    )
    stabilise: float = setting(
        0.7,
        pixels="yes",
        http=True,
        ge=0,
        le=0.95,
        description="Tracker blazepose: how much the frame before counts, carried along the motion of the picture.",
    )


class StereoSettings(Section):
    """How the eyes are kept alike."""

    consistency_mode: Literal["independent", "reference_eye", "joint"] = setting(
        "reference_eye",
        pixels="yes",
        http=True,
        description="independent: each eye alone. reference_eye: the eyes are compared, and an eye that does not agree is corrected. "
        "joint: the same, and both eyes decide on each edge together, by measured disparity.",
    )
    validation_threshold: float = setting(
        0.8,
        pixels="yes",
        http=True,
        ge=0,
        le=1,
        description="Eyes that agree less than this on a person in a frame: the weaker one is corrected; 0 corrects nothing.",
    )
    correction_method: Literal["transfer", "reprocess", "ensemble"] = setting(
        "transfer",
        pixels="yes",
        http=True,
        description="transfer: the better eye's matte as the weaker eye sees it. reprocess: the weaker eye is looked at again where the "
        "better one points; transfer when that does not help. ensemble: both eyes, weighted by confidence.",
    )
    reference: Literal["left", "right"] = setting(
        "left", pixels="yes", http=True, description="The eye that is believed when both are as sure as each other."
    )

"""What the VR180Matte node has: parameters, actions, inputs, outputs. The one place where they are said.

`nodes/generate.py` writes from it what hosts and documents hold of it; `node_file` is what bridges get.
"""

from __future__ import annotations

import importlib.resources
import typing
from dataclasses import asdict, dataclass
from importlib.resources.abc import Traversable
from typing import Any, Literal

import annotated_types

from vr180_ofx.settings import sections

#: Sliders include their ends: where a setting allows all but its limit, they end so far before it. It is the last digit that hosts show.
_STEP = 0.001

Kind = Literal["bool", "int", "float", "choice", "text", "file", "folder", "message"]
Value = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One knob.

    name: letters, digits and underscores, the same in every host. setting: the key of the configuration that it stands for, None for
    what is the node's own affair. minimum, maximum: what is allowed, inclusive. animatable: may change over time.
    absent: the hosts (nuke, resolve, ofx, blender) that have no use or another way for it.
    """

    name: str
    label: str
    kind: Kind
    default: Value
    help: str
    group: str
    setting: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    animatable: bool = False
    absent: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.kind == "choice" and self.default not in self.choices:
            raise ValueError(f"{self.name}: {self.default!r} is not among {self.choices}")
        if self.minimum is not None and self.maximum is not None and not self.minimum <= float(self.default) <= self.maximum:
            raise ValueError(f"{self.name}: {self.default!r} is outside {self.minimum}..{self.maximum}")


@dataclass(frozen=True, slots=True)
class Action:
    """One button. absent: as for parameters."""

    name: str
    label: str
    help: str
    group: str
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output. channels: what flows."""

    name: str
    label: str
    channels: str
    optional: bool
    help: str


@dataclass(frozen=True, slots=True)
class Node:
    """The node."""

    name: str
    label: str
    help: str
    groups: tuple[tuple[str, str], ...]
    parameters: tuple[Parameter, ...]
    actions: tuple[Action, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def parameter(self, name: str) -> Parameter:
        return next(p for p in self.parameters if p.name == name)

    def of(self, host: str) -> tuple[list[Parameter], list[Action]]:
        """What this host shows."""
        return [p for p in self.parameters if host not in p.absent], [a for a in self.actions if host not in a.absent]

    def to_data(self) -> dict[str, Any]:
        return asdict(self)


def node_file() -> Traversable:
    """node.json, the definition as bridges read it: `nodes/` of the project, which is installed as a package of its own."""
    return importlib.resources.files("vr180_ofx.nodes") / "node.json"


def _of_setting(
    name: str,
    label: str,
    group: str,
    setting: str,
    *,
    kind: Kind | None = None,
    choices: tuple[str, ...] = (),
    animatable: bool = False,
    absent: tuple[str, ...] = (),
) -> Parameter:
    """A parameter that stands for a key of the configuration, with its default, limits and description."""
    section, key = setting.split(".")
    field = sections()[section].model_fields[key]
    annotation = field.annotation
    optional = type(None) in typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        choices = typing.get_args(annotation)
    kinds: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}
    plain = next((a for a in typing.get_args(annotation) if a is not type(None)), annotation) if optional else annotation
    found = kind or ("choice" if choices else kinds[plain])
    low = high = None
    for limit in field.metadata:
        if isinstance(limit, annotated_types.Ge):
            low = float(typing.cast(float, limit.ge))
        elif isinstance(limit, annotated_types.Gt):
            low = float(typing.cast(float, limit.gt)) + _STEP
        elif isinstance(limit, annotated_types.Le):
            high = float(typing.cast(float, limit.le))
        elif isinstance(limit, annotated_types.Lt):
            high = float(typing.cast(float, limit.lt)) - _STEP
    default: Any = field.default
    if optional and default is None:
        # a host's number cannot be nothing: 0 stands for it
        default, low = 0.0 if found == "float" else "", 0.0 if found == "float" else None
    if found == "choice":
        default = _short(default)
    return Parameter(name, label, found, default, field.description or "", group, setting, low, high, choices, animatable, absent)


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


#: Keys of the section edges, all of them, as hosts show them. They go with each frame that is asked for, and may change over time.
_EDGES = {
    "size": "Size", "feather": "Feather", "softness": "Softness", "black_clip": "Black clip", "white_clip": "White clip",
    "gamma": "Gamma", "despeckle": "Despeckle", "close_holes": "Close holes", "temporal": "Temporal",
    "keep_motion_blur": "Keep motion blur", "unit": "Unit",
}  # fmt: skip

NODE = Node(
    name="VR180Matte",
    label="VR180 Matte",
    help="Mattes of the people in stereo VR180 footage, the same in both eyes, from a frame server beside the host.",
    groups=(
        ("input", "Clip"), ("matte", "Matte"), ("edges", "Edges"), ("people", "People"), ("output", "Render"), ("server", "Server"),
    ),
    parameters=(
        Parameter("clip", "Clip", "file", "", "The video, or one image of a sequence, of both eyes. Where the host knows the file of "
                  "the input, empty means that one.", "input"),
        Parameter("first_frame", "First frame", "int", 1, "The frame of the host that shows the clip's first one.", "input",
                  minimum=-9_999_999, maximum=9_999_999),
        Parameter("find_frame", "Find frame", "bool", True, "As long as First frame is 1: take the clip's frame from what the host says of "
                  "the input. Off: First frame counts, whatever the host says.", "input", absent=("nuke", "resolve", "blender")),
        _of_setting("layout", "Layout", "input", "input.layout"),
        _of_setting("projection", "Projection", "input", "input.projection"),
        _of_setting("fov_degrees", "Field of view", "input", "input.fov_degrees"),
        _of_setting("swap_eyes", "Swap eyes", "input", "input.swap_eyes"),
        _of_setting("colorspace", "Colour space", "input", "input.colorspace"),
        Parameter("view", "Eye", "choice", "auto", "auto: the eye that the host asks for, where it knows eyes; else both, as they lie in "
                  "the clip.", "matte", choices=("auto", "left", "right", "both")),
        Parameter("layer", "Layer", "text", "A", "A: everybody. confidence.A: how sure the matte is. A person's name: that person "
                  "alone.", "matte"),
        Parameter("quality", "Quality", "choice", "draft_then_final", "draft: from each frame alone, at once. final: stable in time. "
                  "draft_then_final: a draft while the final is being made; renders always wait for the final.",
                  "matte", choices=("draft_then_final", "final", "draft")),
        Parameter("live", "Live", "bool", True, "Ask for the current frame in the background, and show it when it is there.",
                  "matte", absent=("resolve", "ofx")),
        Parameter("invert", "Invert", "bool", False, "Show where nobody is.", "matte", animatable=True),
        Parameter("mix", "Mix", "float", 1.0, "0 leaves the input's alpha as it is, 1 replaces it by the matte.", "matte",
                  minimum=0, maximum=1, animatable=True),
        Parameter("mask_mode", "Mask", "choice", "remove", "What the second input does where its alpha is 1. remove: nobody is there (a "
                  "garbage matte). keep: it is wholly covered (a holdout matte). In between it does so in part.", "matte",
                  choices=("remove", "keep"), absent=("resolve", "blender")),
        _of_setting("tracker", "Tracker", "matte", "matting.tracker"),
        _of_setting("refiner", "Refiner", "matte", "matting.refiner"),
        _of_setting("scale", "Scale", "matte", "processing.scale_factor", kind="choice", choices=("1", "0.5", "0.25")),
        *(_of_setting(f"edge_{key}", label, "edges", f"edges.{key}", animatable=True) for key, label in _EDGES.items()),
        _of_setting("detector", "Detector", "people", "detection.model", kind="choice",
                    choices=("blazepose", "yolov8n", "yolov8s", "yolov8m")),
        _of_setting("confidence", "Confidence", "people", "detection.confidence_threshold"),
        _of_setting("detect_every", "Search every", "people", "detection.every"),
        _of_setting("max_people", "Most people", "people", "detection.max_people"),
        Parameter("person", "Person", "int", 1, "The number of the person that is edited; 0 adds somebody.", "people",
                  minimum=0, maximum=9999, absent=("resolve", "ofx")),
        Parameter("people_list", "Found", "message", "", "Who was found, by number and name.", "people"),
        Parameter("folder", "Folder", "folder", "", "Where EXR files are written, as the server sees it.", "output"),
        Parameter("frames", "Frames", "text", "all", "all, or ranges in the host's numbers such as 1-48,100.", "output"),
        _of_setting("exr_preset", "Made for", "output", "output.exr_preset"),
        # Resolve's panel makes mattes for its clips, which have their own colour
        _of_setting("rgb", "Colour", "output", "output.rgb", absent=("resolve",)),
        _of_setting("output_colorspace", "Colour as", "output", "output.colorspace", absent=("resolve",)),
        _of_setting("cryptomatte", "Cryptomatte", "output", "output.cryptomatte"),
        _of_setting("compression", "Compression", "output", "output.compression"),
        _of_setting("overwrite", "Overwrite", "output", "output.overwrite"),
        Parameter("address", "Address", "text", "", "http://127.0.0.1:PORT of a frame server; empty is the one that you run.", "server"),
        Parameter("token_file", "Token file", "file", "", "The file with that server's token; empty is your own.", "server"),
        Parameter("start_server", "Start it", "bool", True, "Start a frame server when none is running.", "server"),
        Parameter("status", "Status", "message", "", "What is going on.", "server"),
    ),
    actions=(
        Action("set_project", "Set project", "Size, rate, range and views of the host's project as the clip has them.", "input",
               ("resolve", "ofx")),
        Action("analyse", "Analyse", "Find the people in the clip.", "people"),
        Action("edit_people", "Edit people", "Put the box of a person right at the current frame, or add somebody.", "people",
               ("resolve", "ofx")),
        Action("forget_corrections", "Forget corrections", "Back to the people that were found automatically.", "people"),
        Action("render", "Render range", "Write the matte as EXR files; goes on where an earlier render stopped.", "output"),
        Action("cancel", "Cancel", "Stop what is running, between two frames.", "output", ("ofx",)),
        Action("clear_cache", "Clear cache", "Forget the finished frames of this clip on the server.", "server"),
        Action("reconnect", "Reconnect", "Look for the frame server again, and start it when there is none.", "server"),
    ),
    inputs=(
        Port("Source", "Source", "RGBA", True, "The picture that the matte belongs to; its colour goes through."),
        Port("Mask", "Mask", "A", True, "A garbage or holdout matte of the same picture, as `mask_mode` says. In Nuke, and in OpenFX hosts "
             "with a general context."),
    ),
    outputs=(Port("Output", "Output", "RGBA", False, "The input's colour, with the matte as alpha."),),
)  # fmt: skip

"""What requests and answers look like. Fields are checked here; what they mean is the engine's affair."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Box = Annotated[list[float], Field(min_length=4, max_length=4, description="[left, top, right, bottom] in pixels of one eye")]
Point = Annotated[list[float], Field(min_length=2, max_length=2, description="[x, y] in pixels of one eye")]
Points = Annotated[list[Point], Field(max_length=200)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,62}$", description="Becomes a layer's name.")]
Index = Annotated[int, Field(ge=0, le=100_000_000)]
PersonId = Annotated[int, Field(ge=1, le=9999)]
View = Literal["left", "right", "main"]
#: both: all eyes; in EXR as views, else in one picture, as they lie in the clip. whole: in one picture in EXR, too.
Shown = Literal["left", "right", "main", "both", "whole"]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Health(Model):
    status: Literal["ok", "closing"]
    name: Literal["vr180-ofx"] = "vr180-ofx"
    version: str
    api: Literal[1] = 1


class Proof(Model):
    proof: str = Field(description="64 hexadecimal digits: HMAC-SHA-256 with the token as its key.")


class StopServer(Model):
    pid: int = Field(ge=1, description="Of the process that is to end, from `GET /v1/server`: no other one does.")


class OpenClip(Model):
    """Opens a clip, or finds it open. Analysing begins at once unless a plan is there."""

    path: str = Field(min_length=1, max_length=4096, description="Absolute, under one of the server's allowed roots.")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="Sections as in a config file; keys that name files, hardware or the service are not taken."
    )


class PersonFacts(Model):
    id: PersonId
    name: str
    exclude: bool
    frames: dict[str, int] = Field(description="View -> in how many frames they are there.")


class ClipFacts(Model):
    clip: str
    path: str
    frames: int
    first_number: int = Field(description="The number of an image sequence's first file; 1 for videos.")
    timecode: str | None = Field(None, description="SMPTE timecode of frame 0, with a ; before the frames for drop-frame.")
    fps: float
    views: list[str]
    eye_size: list[int]
    layout: Literal["sbs", "tb", "mono"]
    origins: dict[str, list[int]] = Field(description="View -> [x, y] of its upper left pixel in the clip's frames.")
    frame_size: list[int] = Field(description="[width, height] of the clip's frames, which hold all eyes.")
    projection: str
    state: Literal["analysing", "ready", "failed"]
    error: str | None = None
    corrected: bool = Field(description="Whether somebody corrected the plan.")
    people: list[PersonFacts]
    notes: list[str]
    start_frame: int = Field(description="The number that frame 0 has in file names, and that notes and reports call it by.")
    job: str | None = Field(None, description="The job that analyses, while it does.")
    progress: list[int] | None = Field(None, description="How far that is: [frames done, frames in all]; 0 in all until it is known.")


class Clips(Model):
    clips: list[ClipFacts]


class Move(Model):
    op: Literal["move"]
    person: PersonId
    view: View
    frame: Index
    box: Box


class Add(Model):
    """By a box around them, or by points on them (and beside them, ``minus``)."""

    op: Literal["add"]
    view: View
    frame: Index
    box: Box | None = None
    points: Points = Field([], description="On the person; the body to which they belong is looked for.")
    minus: Points = Field([], description="Beside the person.")
    name: Name | None = None
    into: PersonId | None = Field(None, description="Who they are, of those in the plan who are missing there.")
    follow: bool = True
    carry: bool = Field(True, description="Through frames in which the network loses them, as far as it can be told.")
    seconds: float = Field(30, ge=0, le=600, description="How far they are followed, before and after.")


class Carry(Model):
    """Somebody who is lost behind others, through those frames, as far as it can be told; see `carried` in the plan."""

    op: Literal["carry"]
    person: PersonId
    first: Index | None = None
    last: Index | None = None


class Remove(Model):
    op: Literal["remove"]
    person: PersonId
    first: Index | None = None
    last: Index | None = None


class Absent(Model):
    op: Literal["absent"]
    person: PersonId
    first: Index | None = None
    last: Index | None = None
    view: View | None = Field(None, description="Without it, all eyes.")
    absent: bool = Field(True, description="false: they are there again, where they were found.")


class Merge(Model):
    op: Literal["merge"]
    person: PersonId
    into: PersonId


class Split(Model):
    op: Literal["split"]
    person: PersonId
    frame: Index
    name: Name | None = None


class Rename(Model):
    op: Literal["rename"]
    person: PersonId
    name: Name


class PointOut(Model):
    """What is somebody's at a frame, and what is not; frames beside it follow as far as it fits there."""

    op: Literal["point"]
    person: PersonId
    view: View
    frame: Index
    plus: Points = []
    minus: Points = []


class Unpoint(Model):
    op: Literal["unpoint"]
    person: PersonId
    view: View | None = None
    frame: Index | None = None


class PaintIn(Model):
    """A painted matte of somebody at a frame: grey where it is opaque, white is theirs. The file lies under the allowed roots."""

    op: Literal["paint"]
    person: PersonId
    view: View
    frame: Index
    file: str = Field(min_length=1, max_length=4096, description="The picture, absolute; as large as one eye's, or half of it.")


class Unpaint(Model):
    op: Literal["unpaint"]
    person: PersonId
    view: View | None = None
    frame: Index | None = None


class Exclude(Model):
    op: Literal["exclude"]
    person: PersonId
    exclude: bool = True


class Confirm(Model):
    op: Literal["confirm"]
    person: PersonId


class MatteImage(Model):
    path: str = Field(
        min_length=1, max_length=4096, description="Absolute, under one of the server's allowed roots; %04d, #### and %V vary."
    )
    channel: str | None = Field(None, min_length=1, max_length=4096)
    view: View | None = None
    first: int | None = Field(None, ge=0, le=1_000_000_000, description="The number of the file of frame 0.")


class Matte(Model):
    """A garbage or holdout matte that is new, or that of this name changed. With points: one keyframe more."""

    op: Literal["matte"]
    name: Name | None = None
    kind: Literal["garbage", "holdout", "hand_over"] | None = None
    person: PersonId | None = Field(None, description="Whose; for garbage, by default everybody's.")
    view: View | None = None
    frame: Index | None = None
    points: list[Point] | None = Field(None, min_length=3, max_length=2000)
    shapes: dict[View, list[Any]] | None = Field(None, description="View -> points, or [frame, points], as in a plan's file.")
    image: MatteImage | None = None
    carry: bool | None = Field(None, description="Into the eye in which it was not drawn, by disparity.")
    metres: float | None = Field(None, ge=0.05, lt=10_000, description="How far away that is which lies under it.")
    invert: bool | None = None
    feather: float | None = Field(None, ge=0, le=500, description="Pixels over which its edge is soft.")
    frames: list[tuple[Index, Index]] | None = Field(None, max_length=10_000, description="[first, last] of the frames in which it counts.")
    enabled: bool | None = None


class Unmatte(Model):
    op: Literal["unmatte"]
    name: Name


class Edges(Model):
    """What is done to edges after matting: only what is said of it changes, and no network runs."""

    op: Literal["edges"]
    person: PersonId | None = Field(None, description="Whose; by default everybody's who have nothing of their own.")
    values: dict[str, Any] = Field(
        min_length=1, max_length=100,
        description="Keys of the section edges: a value, [[frame, value], ...], which come beside the keyframes that there are, or null.",
    )  # fmt: skip


Edit = Annotated[
    Move
    | Add
    | Carry
    | Remove
    | Absent
    | Merge
    | Split
    | Rename
    | Exclude
    | Confirm
    | Matte
    | Unmatte
    | PointOut
    | Unpoint
    | PaintIn
    | Unpaint
    | Edges,
    Field(discriminator="op"),
]


class Edits(Model):
    """All of them, or none."""

    edits: list[Edit] = Field(min_length=1, max_length=1000)


class Changed(Model):
    clip: ClipFacts
    frames: str = Field(description="The frames of which the plan now says something else, as ranges.")


class StartRender(Model):
    frames: str = Field("all", max_length=10_000, description="all, or ranges counted from 0 such as 0-47,100-110x2, both ends included.")
    path: str = Field(min_length=1, max_length=4096, description="The output folder: absolute, under one of the allowed roots.")
    output: dict[str, Any] = Field(default_factory=dict, description="Keys of the section output of a config file.")
    edges: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys of the section edges: a value, or [[frame, value], ...] with frames counted from 0; for everybody.",
    )


class JobFacts(Model):
    job: str
    kind: Literal["analyse", "render"]
    clip: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    seconds: float
    eta_s: float | None
    error: str | None = None
    report: dict[str, Any] | None = None


class Jobs(Model):
    jobs: list[JobFacts]


class ClipState(Model):
    clip: str
    path: str
    state: Literal["analysing", "ready", "failed"]


class ServerFacts(Model):
    status: Literal["ok", "closing"]
    version: str
    pid: int
    uptime_s: float
    idle_s: float = Field(description="For how long there has been no reason to stay; 0 while there is one.")
    idle_exit_s: float | None = Field(description="When so many of these have passed, the server ends; null: never.")
    resident_bytes: int = Field(description="Memory of the process; 0 where the system does not say.")
    roots: list[str] = Field(description="Folders that clips may be read from and renders written to.")
    clips: list[ClipState] = Field(description="Clips that are open.")
    jobs: list[JobFacts] = Field(description="Analyses and renders that have not ended.")


class Cleared(Model):
    frames: int = Field(description="How many finished frames were on disk.")


class Stats(Model):
    clip: str
    resident_bytes: int
    machine: dict[str, Any] = Field(description="CPU, memory and cards, as `resources.Snapshot`.")
    engine: dict[str, Any] | None = Field(description="Null until a frame was asked for.")

"""What a VR180 Matte node shows: live pictures of the current frame, or rendered files, by the Read inside of it.

Nuke's own thread never waits for the frame server, but for renders: those need the final frame, and fail when it cannot be had. What is
written to knobs here is written when it changes, and not by the artist: it is no step to be undone, and the script stays unmodified.
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nuke
import vr180_reads as reads
from vr180_knobs import HOST, NODE, PARAMETERS, edges_at, is_ours, put, say, unrecorded, value, waited_for, with_errors

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    import vr180_client as vr180

#: What Nuke calls a file's colours, and what the server calls them. Others are left to the file's own tags.
_COLOURS = {"linear": "linear", "scene_linear": "linear", "srgb": "srgb", "rec709": "rec709", "hlg": "hlg", "st2084": "pq"}


class Live:
    """What one node has going on. key: everything that its link was made from.

    facts: what the server says of the clip; None until it has said something. asked: the frame of the script and the wish that were sent
    last. frames: wish -> the frame of the script that shows it. made: frame of the script -> the edges that its file was made with.
    """

    def __init__(self, link: vr180.Link, key: Any, folder: Path) -> None:
        self.link = link
        self.key = key
        self.folder = folder
        self.facts: dict[str, Any] | None = None
        self.scrubber: vr180.Scrubber | None = None
        self.opening: vr180.Task | None = None
        self.asked: tuple[int, vr180.Wish] | None = None
        self.frames: dict[vr180.Wish, int] = {}
        self.made: dict[int, Any] = {}

    @property
    def pattern(self) -> str:
        return (self.folder / "live.%07d.exr").as_posix()

    def file(self, frame: int) -> Path:
        return self.folder / f"live.{frame:07d}.exr"

    def close(self) -> None:
        self.asked = None
        if self.scrubber is not None:
            self.scrubber.close()
            self.scrubber = None


lives: dict[str, Live] = {}


def values_of(node: Any, plate: reads.Plate | None) -> dict[str, Any]:
    """The node's values by name; the clip's path and colours from the plate where the node is silent."""
    out = {p["name"]: value(node, p["name"]) for p in PARAMETERS if p["kind"] != "message"}
    for p in PARAMETERS:
        if p["kind"] in ("file", "folder"):
            out[p["name"]] = reads.text_of(node, p["name"])
    if plate is None:
        return out
    if not out["clip"]:
        out["clip"] = plate.path
    if out["colorspace"] == "auto" and plate.read is not None and plate.read.knob("colorspace") is not None:
        named = str(plate.read.knob("colorspace").value()).lower().replace(" ", "")
        out["colorspace"] = _COLOURS.get(named, "auto")
    return out


# where it is in time -------------------------------------------------------------------------------------------------


def follows(node: Any, plate: reads.Plate | None) -> bool:
    """Whether the frames are those that the plate shows: the clip is the plate's, and nobody has set First frame otherwise."""
    knob = node.knob("followed_first")
    own = knob is None or int(knob.value()) != int(value(node, "first_frame"))
    return plate is not None and not own and not reads.text_of(node, "clip")


def placed(node: Any, plate: reads.Plate | None) -> str:
    """How the clip lies in time, as a word that is equal for equal places; ``retimed`` where it is no shift. Raises ValueError."""
    if not follows(node, plate):
        return f"first {int(value(node, 'first_frame'))}"
    assert plate is not None
    shift = reads.shift_of(plate.read) if plate.read is not None and not plate.retimed else None
    return "retimed" if shift is None else f"shift {shift}"


def index_of(node: Any, plate: reads.Plate | None, frame: int, facts: dict[str, Any]) -> int | None:
    """The clip's frame (0-based) that is to be seen at a frame of the script; None where the clip is not. Raises ValueError."""
    count = int(facts["frames"])
    if not follows(node, plate):
        own: int | None = NODE.index(frame, {"first_frame": value(node, "first_frame")}, count)
        return own
    assert plate is not None
    number: int | None = reads.number_shown(node, plate, frame)
    if number is None:
        return None
    n = number - int(facts["first_number"])
    if count == 1 and plate.read is not None:
        return 0
    return n if 0 <= n < count else None


def first_frame_of(node: Any, plate: reads.Plate | None, facts: dict[str, Any]) -> int:
    """The frame of the script that shows the clip's first one. Raises ValueError where the clip is retimed."""
    place = placed(node, plate)
    if place == "retimed":
        raise ValueError("the input is retimed, and rendered files follow the clip's own frames; put the node above what changes the time")
    kind, _, number = place.partition(" ")
    return int(number) if kind == "first" else int(facts["first_number"]) - int(number)


def adopt(node: Any) -> None:
    """Shows in First frame where the plate above begins, unless the artist has set it."""
    plate, knob = reads.plate_above(node, int(nuke.frame())), node.knob("followed_first")
    if plate is None or plate.read is None or knob is None or int(knob.value()) != int(value(node, "first_frame")):
        return
    shift = reads.shift_of(plate.read)
    if shift is None or plate.read.knob("first") is None:
        return
    begin = plate.read.knob("origfirst") or plate.read.knob("first")
    first = min(int(begin.value()), int(plate.read.knob("first").value())) - shift
    for name in ("first_frame", "followed_first"):
        put(node, name, first)


# live pictures -------------------------------------------------------------------------------------------------------


def live_of(node: Any, plate: reads.Plate | None) -> Live:
    """The node's link to its clip; a new one when something has changed that it was made from. Raises ValueError."""
    link = NODE.link(values_of(node, plate), {"exr_preset": "nuke"})
    # files of another eye or at another place in time are other files
    key = (*link.key, value(node, "view"), "left" in nuke.views(), placed(node, plate))
    name = node.fullName()
    found = lives.get(name)
    if found is not None:
        if found.key == key:
            return found
        found.close()
    mark = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    lives[name] = Live(link, key, vr180.announce_path().parent.parent / "hosts" / HOST / mark)
    if found is not None and found.link.key == link.key:
        lives[name].facts = found.facts
    return lives[name]


def show_files(node: Any, plate: reads.Plate | None) -> None:
    """Points the Read inside to what is to be seen: live pictures, or what was rendered."""
    read = node.node("Matte")
    if read is None:
        return  # the group is being read from a script: what is inside comes later
    values = values_of(node, plate)
    put(node.node("Layer"), "in", layer_of(values["layer"]))
    put(read, "file", live_of(node, plate).pattern if value(node, "live") else rendered_pattern(values))


def rendered_pattern(values: dict[str, Any]) -> str:
    stem = vr180.clip_stem(values["clip"])
    return (Path(values["folder"]) / f"{stem}.%04d.exr").as_posix() if values["folder"] else ""


def layer_of(layer: str) -> str:
    """Nuke's name of a layer of the EXR files."""
    name = layer[:-2] if layer.endswith(".A") else layer
    return "rgba" if name in ("A", "") else name


def asked_of(node: Any, facts: dict[str, Any]) -> str:
    """What is asked of the server for the node's plate. Raises ValueError."""
    above, size = node.input(0), None
    if above is not None:
        shape = above.format()
        size = (int(shape.width()), int(shape.height()))
    stereo, exact = {"left", "right"} <= set(nuke.views()), not bool(nuke.root().proxy())
    picture: str = reads.picture_of(size, facts, str(value(node, "view")), stereo=stereo, exact=exact)
    return picture


def refresh(node: Any) -> None:
    """Shows the current frame: asks for it in the background when the node is live."""
    frame = int(nuke.frame())
    plate = reads.plate_above(node, frame)
    show_files(node, plate)
    if not value(node, "live") or not nuke.GUI:
        found = lives.get(node.fullName())
        if found is not None:
            found.close()
        return
    live = live_of(node, plate)
    if live.facts is None:
        open_in_background(node, live)
        return
    n = index_of(node, plate, frame, live.facts)
    if n is None:
        live.close()
        say(node, f"frame {frame} is outside the clip")
        return
    edges = tuple(sorted(NODE.edges(edges_at(node, frame)).items()))
    wish = vr180.Wish(n, (asked_of(node, live.facts),), "A", "exr", edges)
    if live.asked == (frame, wish):
        return
    live.asked = (frame, wish)
    live.frames[wish] = frame
    if (live.key[-1] == "retimed" or live.made.get(frame, edges) != edges) and live.file(frame).exists():
        # of another time, perhaps, when the plate was retimed otherwise; or with edges that are others now
        live.file(frame).unlink()
    if live.scrubber is None:
        name = node.fullName()
        live.scrubber = vr180.Scrubber(
            live.link,
            lambda wish, pictures: deliver(name, live, wish, pictures),
            lambda wish, text: nuke.executeInMainThread(on_failed, (name, text)),
            value(node, "quality"),
        )
    live.scrubber.want(wish)


def open_in_background(node: Any, live: Live) -> None:
    """Asks what the clip is: its size, its numbers. The current frame is asked for when that is known."""
    if live.opening is not None and live.opening.state == "running":
        return
    name = node.fullName()

    def changed(task: vr180.Task) -> None:
        if task.state != "running":
            nuke.executeInMainThread(on_opened, (name, live, task))

    live.opening = vr180.Task(lambda task: live.link.call(lambda clip: clip.refresh()), changed)


def on_opened(name: str, live: Live, task: vr180.Task) -> None:
    node = nuke.toNode(name)
    if not is_ours(node) or lives.get(name) is not live:
        return
    if task.state == "done":
        live.facts = task.result
        with_errors(node, lambda: refresh(node))
    else:
        say(node, task.text, wrong=True)


def deliver(name: str, live: Live, wish: vr180.Wish, pictures: dict[str, vr180.Picture]) -> None:
    """On a thread of the client: the picture becomes a file, and Nuke is told."""
    picture = next(iter(pictures.values()))
    frame = live.frames[wish]
    write(live.file(frame), picture.data)
    live.made[frame] = wish.edges
    nuke.executeInMainThread(on_delivered, (name, frame, picture.quality))


def write(path: Path, data: bytes) -> None:
    """The whole file or none: Nuke may read at any moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    part.write_bytes(data)
    os.replace(part, path)


def on_delivered(name: str, frame: int, quality: str) -> None:
    node = nuke.toNode(name)
    if is_ours(node):
        assert node is not None
        show_frame(node, frame)
        say(node, f"frame {frame}: {quality}")


def show_frame(node: Any, frame: int) -> None:
    """The Read inside shows a file that is new."""
    read: Any = node.node("Matte")
    for end, pick in (("first", min), ("last", max)):
        put(read, end, pick(int(value(read, end)), frame))
    with unrecorded():
        read.knob("reload").execute()


def on_failed(name: str, text: str) -> None:
    node = nuke.toNode(name)
    if is_ours(node):
        say(node, text, wrong=True)


# renders -------------------------------------------------------------------------------------------------------------


def final_frame(node: Any, frame: int) -> None:
    """The node shows the final matte of a frame. Raises when the frame is inside the clip and its matte cannot be had."""
    plate = reads.plate_above(node, frame)
    show_files(node, plate)
    values = values_of(node, plate)
    if not value(node, "live"):
        if not values["folder"]:
            raise ValueError("Folder is empty, and Live is off; name where the matte was rendered, or switch Live on")
        was, now = node.knob("rendered_as"), placed(node, plate)
        if was is not None and was.value() and was.value() != now:
            raise ValueError(f"the files in Folder were rendered for another place in time ({was.value()}, now {now}); press Render range")
        path = Path(rendered_pattern(values) % frame)
        if not path.exists():
            raise ValueError(f"{path} is not rendered; press Render range, or switch Live on")
        return
    live = live_of(node, plate)
    live.facts = waited_for(node, lambda task: live.link.wait(task.cancel, lambda *far: task.progress(*far, "finding the people")).facts)
    n = index_of(node, plate, frame, live.facts)
    if n is None:
        return
    view = asked_of(node, live.facts)
    edges = NODE.edges(edges_at(node, frame))
    picture = waited_for(node, lambda task: live.link.frame(n, cancel=task.cancel, view=view, format="exr", edges=edges))
    write(live.file(frame), picture.data)
    live.made[frame] = tuple(sorted(edges.items()))
    show_frame(node, frame)

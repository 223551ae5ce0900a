"""VR180 Matte in Nuke: a group whose Read shows the matte, live or rendered, in every view of the script.

Nuke's own thread never waits for the frame server, but for renders: those need the final frame, and fail when it cannot be had.
Works in Nuke 14 to 16 (Python 3.9 to 3.11), with a window and without (nuke -t, nuke -x, nuke -F).
"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nuke

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    import vr180_client as vr180

NODE = vr180.Node()
HOST = "nuke"
PARAMETERS = [p for p in NODE.data["parameters"] if HOST not in p["absent"]]
GROUP = Path(__file__).resolve().parent / "VR180Matte.nk"
_CALM, _WRONG = 0x4A7D9CFF, 0xC83C3CFF
#: What Nuke calls a file's colours, and what the server calls them. Others are left to the file's own tags.
_COLOURS = {"linear": "linear", "scene_linear": "linear", "srgb": "srgb", "rec709": "rec709", "hlg": "hlg", "st2084": "pq"}
_READERS = ("Read",)


class Live:
    """What one node has going on. key: everything that its link was made from."""

    def __init__(self, link: vr180.Link, key: Any, folder: Path, first_frame: int) -> None:
        self.link = link
        self.key = key
        self.folder = folder
        self.first_frame = first_frame
        self.scrubber: vr180.Scrubber | None = None
        self.wish: vr180.Wish | None = None

    @property
    def pattern(self) -> str:
        return (self.folder / "live.%07d.exr").as_posix()

    def file(self, frame: int) -> Path:
        return self.folder / f"live.{frame:07d}.exr"

    def close(self) -> None:
        if self.scrubber is not None:
            self.scrubber.close()
            self.scrubber = None


_lives: dict[str, Live] = {}
_tasks: dict[str, vr180.Task] = {}


# the node ------------------------------------------------------------------------------------------------------------


def register() -> None:
    """Tells Nuke what to call. Once, from init.py."""
    nuke.addOnCreate(on_create, nodeClass="Group")
    nuke.addKnobChanged(on_knob, nodeClass="Group")
    nuke.addUpdateUI(on_update, nodeClass="Group")
    nuke.addOnDestroy(on_destroy, nodeClass="Group")
    nuke.addBeforeFrameRender(before_frame, nodeClass="Write")


def create() -> Any:
    """A new node, below what is selected. A selected Read gives its file and its range."""
    selected = nuke.selectedNodes()
    node = nuke.nodePaste(str(GROUP))
    assert node is not None
    if selected:
        node.setInput(0, selected[0])
        adopt(node)
    return node


def is_ours(node: Any) -> bool:
    return node is not None and node.knob("vr180_matte") is not None


def value(node: Any, name: str) -> Any:
    """A knob's value; the default where a script of an older version has no such knob."""
    knob = node.knob(name)
    return NODE.parameters[name]["default"] if knob is None and name in NODE.parameters else knob.value()


def values_of(node: Any) -> dict[str, Any]:
    """The node's values by name; the clip's path and colours from the input where the node is silent."""
    out = {p["name"]: value(node, p["name"]) for p in PARAMETERS if p["kind"] != "message"}
    read = upstream(node)
    if read is not None:
        if not out["clip"]:
            out["clip"] = value(read, "file") or ""
        if out["colorspace"] == "auto" and read.knob("colorspace") is not None:
            named = str(value(read, "colorspace")).lower().replace(" ", "")
            out["colorspace"] = _COLOURS.get(named, "auto")
    return out


def upstream(node: Any) -> Any | None:
    """The first Read above, along the first inputs."""
    seen = 0
    while node is not None and seen < 1000:
        node, seen = node.input(0), seen + 1
        if node is not None and node.Class() in _READERS:
            return node
    return None


def adopt(node: Any) -> None:
    """First frame of the clip as the Read above has it."""
    read = upstream(node)
    if read is not None and read.knob("first") is not None:
        node.knob("first_frame").setValue(int(value(read, "first")))


def say(node: Any, text: str, wrong: bool = False) -> None:
    """Shows a line on the node: in its panel, and by its colour in the graph."""
    node.knob("status").setValue(text)
    node.knob("tile_color").setValue(_WRONG if wrong else _CALM)
    if wrong and not nuke.GUI:
        nuke.tprint(f"{node.fullName()}: {text}")


def view_of(values: dict[str, Any]) -> str:
    """What is asked of the server: both eyes as views where the script has such views, else as they lie in the clip."""
    if values["view"] in ("left", "right"):
        return str(values["view"])
    stereo = {"left", "right"} <= set(nuke.views())
    return "both" if stereo and values["view"] == "auto" else "whole"


def live_of(node: Any) -> Live:
    """The node's link to its clip; a new one when something has changed that it was made from. Raises ValueError."""
    values = values_of(node)
    link = NODE.link(values, {"exr_preset": "nuke"})
    # files of another eye or another first frame are other files
    first_frame = int(values["first_frame"])
    key = (*link.key, view_of(values), first_frame)
    name = node.fullName()
    found = _lives.get(name)
    if found is not None:
        if found.key == key:
            return found
        found.close()
    mark = hashlib.sha256(repr(key).encode()).hexdigest()[:16]
    _lives[name] = Live(link, key, vr180.announce_path().parent.parent / "hosts" / HOST / mark, first_frame)
    return _lives[name]


def show_files(node: Any) -> None:
    """Points the Read inside to what is to be seen: live pictures, or what was rendered."""
    values, read = values_of(node), node.node("Matte")
    if read is None:
        return  # the group is being read from a script: what is inside comes later
    if value(node, "live"):
        pattern = live_of(node).pattern
    else:
        stem = vr180.clip_stem(values["clip"])
        pattern = (Path(values["folder"]) / f"{stem}.%04d.exr").as_posix() if values["folder"] else ""
    if value(read, "file") != pattern:
        read.knob("file").setValue(pattern)
    node.node("Layer").knob("in").setValue(layer_of(values["layer"]))


def layer_of(layer: str) -> str:
    """Nuke's name of a layer of the EXR files."""
    name = layer[:-2] if layer.endswith(".A") else layer
    return "rgba" if name in ("A", "") else name


# callbacks ------------------------------------------------------------------------------------------------------------


def on_create() -> None:
    node = nuke.thisNode()
    if is_ours(node):
        with_errors(node, lambda: show_files(node))


def on_destroy() -> None:
    node = nuke.thisNode()
    if is_ours(node):
        forget(node)


def on_knob() -> None:
    node, knob = nuke.thisNode(), nuke.thisKnob()
    if not is_ours(node) or knob.name() in ("status", "people_list", "tile_color", "box", "selected", "xpos", "ypos"):
        return
    if knob.name() == "inputChange":
        adopt(node)
    with_errors(node, lambda: refresh(node))


def on_update() -> None:
    """Nuke calls this whenever what is shown may have changed, the current frame among it."""
    node = nuke.thisNode()
    if is_ours(node) and nuke.GUI and not nuke.executing():
        with_errors(node, lambda: refresh(node))


def with_errors(node: Any, function: Any) -> None:
    try:
        function()
    except (ValueError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
        say(node, str(error), wrong=True)


def forget(node: Any) -> None:
    found = _lives.pop(node.fullName(), None)
    if found is not None:
        found.close()


def refresh(node: Any) -> None:
    """Shows the current frame: asks for it in the background when the node is live."""
    show_files(node)
    if not value(node, "live") or not nuke.GUI:
        found = _lives.get(node.fullName())
        if found is not None:
            found.close()
        return
    live, values = live_of(node), values_of(node)
    n = int(nuke.frame()) - int(values["first_frame"])
    wish = vr180.Wish(n, (view_of(values),), "A", "exr")
    if live.scrubber is None:
        name = node.fullName()
        live.scrubber = vr180.Scrubber(
            live.link,
            lambda wish, pictures: deliver(name, live, wish, pictures),
            lambda wish, text: nuke.executeInMainThread(on_failed, (name, text)),
            values["quality"],
        )
    elif live.wish == wish:
        return
    live.wish = wish
    live.scrubber.want(wish if n >= 0 else None)


def deliver(name: str, live: Live, wish: vr180.Wish, pictures: dict[str, vr180.Picture]) -> None:
    """On a thread of the client: the picture becomes a file, and Nuke is told."""
    picture = next(iter(pictures.values()))
    frame = wish.n + live.first_frame
    write(live.file(frame), picture.data)
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
        read: Any = node.node("Matte")  # type: ignore[attr-defined]
        for end, pick in (("first", min), ("last", max)):
            read.knob(end).setValue(pick(int(value(read, end)), frame))
        read.knob("reload").execute()
        say(node, f"frame {frame}: {quality}")


def on_failed(name: str, text: str) -> None:
    node = nuke.toNode(name)
    if is_ours(node):
        say(node, text, wrong=True)


def before_frame() -> None:
    """Before a Write makes a frame: every node above it has its final matte, or the render fails with a reason. For farms, too."""
    frame = int(nuke.frame())
    for node in above(nuke.thisNode()):
        if value(node, "disable"):
            continue
        try:
            final_frame(node, frame)
        except (ValueError, OSError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
            say(node, str(error), wrong=True)
            raise RuntimeError(f"{node.fullName()}: {error}") from None


def above(write: Any) -> list[Any]:
    """Our nodes that the Write's picture comes from. All of the script when that cannot be told, as inside of groups."""
    if write is None or write.input(0) is None or "." in write.fullName():
        return [n for n in nuke.allNodes("Group", recurseGroups=True) if is_ours(n)]
    found, seen, todo = [], set(), [write]
    while todo:
        node = todo.pop()
        if node is None or node.fullName() in seen:
            continue
        seen.add(node.fullName())
        if is_ours(node):
            found.append(node)
        todo += [node.input(i) for i in range(node.inputs())]
    return found


def final_frame(node: Any, frame: int) -> None:
    """Raises when the frame is inside the clip and its matte cannot be had."""
    show_files(node)
    values = values_of(node)
    read = node.node("Matte")
    if not value(node, "live"):
        if not values["folder"]:
            raise ValueError("Folder is empty, and Live is off; name where the matte was rendered, or switch Live on")
        path = Path(values["folder"]) / f"{vr180.clip_stem(values['clip'])}.{frame:04d}.exr"
        if not path.exists():
            raise ValueError(f"{path} is not rendered; press Render range, or switch Live on")
        return
    live = live_of(node)
    clip = live.link.wait()
    n = NODE.index(frame, values, len(clip))
    if n is None:
        return
    picture = live.link.frame(n, view=view_of(values), format="exr")
    write(live.file(frame), picture.data)
    for end, edge in (("first", values["first_frame"]), ("last", values["first_frame"] + len(clip) - 1)):
        read.knob(end).setValue(edge)
    read.knob("reload").execute()


# buttons ---------------------------------------------------------------------------------------------------------------


def press(node: Any, name: str) -> None:
    """What a button of the panel does."""
    try:
        _BUTTONS[name](node)
    except (ValueError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
        say(node, str(error), wrong=True)
        if nuke.GUI:
            nuke.message(str(error))


def start(node: Any, title: str, make: Any, finish: Any) -> None:
    """Runs a task with Nuke's progress bar, which can cancel it. Without a window it waits for the end."""
    name = node.fullName()
    running = _tasks.get(name)
    if running is not None and running.state == "running":
        raise ValueError("something is running already; cancel it first")
    bar = nuke.ProgressTask(title)

    def changed(task: vr180.Task) -> None:
        if task.total:
            bar.setProgress(int(100 * task.done / task.total))
        bar.setMessage(f"{task.text}: {task.done} of {task.total}" if task.total else task.text or "working")
        if bar.isCancelled():
            task.cancel.cancel()
        if task.state != "running":
            bar.setProgress(100)
            if nuke.GUI:
                nuke.executeInMainThread(on_task, (name, task, finish))

    task = _tasks[name] = make(changed)
    if not nuke.GUI:
        task.wait()
        on_task(name, task, finish)


def on_task(name: str, task: vr180.Task, finish: Any) -> None:
    _tasks.pop(name, None)
    node = nuke.toNode(name)
    if not is_ours(node):
        return
    assert node is not None
    if task.state == "done":
        with_errors(node, lambda: finish(node, task.result))
    elif task.state == "cancelled":
        say(node, "cancelled; what was written is whole")
    else:
        say(node, task.text, wrong=True)
        if nuke.GUI:
            nuke.message(task.text)


def show_people(node: Any, facts: dict[str, Any]) -> None:
    node.knob("people_list").setValue(", ".join(f"{p['id']} {p['name']}" for p in facts["people"]) or "nobody")


def analysed(node: Any, facts: dict[str, Any]) -> None:
    show_people(node, facts)
    say(node, "Analyse: done")
    look_again(node)


def look_again(node: Any) -> None:
    """What the server says of the current frame may be another thing now."""
    found = _lives.get(node.fullName())
    if found is not None:
        found.wish = None
    refresh(node)


def analyse(node: Any) -> None:
    link = live_of(node).link
    start(node, "VR180 Matte: finding the people", lambda changed: vr180.analyse_task(link, changed), analysed)


def render(node: Any) -> None:
    values = values_of(node)
    if not values["folder"]:
        raise ValueError("Folder is empty; name where the EXR files are to be written")
    frames = NODE.ranges(values["frames"], int(values["first_frame"]))
    output = {"exr_preset": "nuke", **NODE.output(values), "start_frame": max(0, int(values["first_frame"]))}
    link = live_of(node).link

    def finished(node: Any, report: dict[str, Any]) -> None:
        # what was rendered is what is shown from now on
        node.knob("live").setValue(False)
        show_files(node)
        read = node.node("Matte")
        read.knob("first").setValue(int(values["first_frame"]))
        read.knob("last").setValue(int(values["first_frame"]) + len(link.clip()) - 1)
        read.knob("reload").execute()
        say(node, f"{report.get('written', 0)} frames written, {report.get('kept', 0)} were there")

    def make(changed: Any) -> vr180.Task:
        return vr180.render_task(link, values["folder"], frames, output, changed)

    start(node, "VR180 Matte: rendering", make, finished)


def cancel(node: Any) -> None:
    task = _tasks.get(node.fullName())
    if task is not None:
        task.cancel.cancel()


def at_once(ask: Any) -> Any:
    """A button that asks the server for one thing, and then shows who is there."""

    def pressed(node: Any) -> None:
        link = live_of(node).link
        start(node, "VR180 Matte", lambda changed: vr180.analyse_task(link, changed, ask), analysed)

    return pressed


def reconnect(node: Any) -> None:
    live_of(node).link.forget()
    at_once(lambda clip: clip.server.health())(node)


def set_project(node: Any) -> None:
    link, first = live_of(node).link, int(value(node, "first_frame"))

    def finished(node: Any, facts: dict[str, Any]) -> None:
        root: Any = nuke.root()
        stereo = len(facts["views"]) == 2
        width, height = facts["eye_size"] if stereo else facts["frame_size"]
        name = f"vr180_{width}x{height}"
        nuke.addFormat(f"{width} {height} 1 {name}")
        root.knob("format").setValue(name)
        root.knob("fps").setValue(facts["fps"])
        root.knob("first_frame").setValue(first)
        root.knob("last_frame").setValue(first + facts["frames"] - 1)
        if stereo and not {"left", "right"} <= set(nuke.views()):
            for view in ("left", "right"):
                nuke.addView(view)
        say(node, f"project: {width}x{height}, {facts['fps']:g} fps, {facts['frames']} frames")
        look_again(node)

    start(node, "VR180 Matte", lambda changed: vr180.Task(lambda task: link.call(lambda clip: clip.refresh()), changed), finished)


# people -------------------------------------------------------------------------------------------------------------------


def eye_height(facts: dict[str, Any]) -> float:
    return float(facts["eye_size"][1])


def show_box(node: Any) -> None:
    """Boxes of the plan count from the upper left corner, Nuke's from the lower left one."""
    link, values = live_of(node).link, values_of(node)
    person, view, n = int(values["person"]), str(value(node, "box_view")), int(nuke.frame()) - int(values["first_frame"])

    def finished(node: Any, box: list[float] | None) -> None:
        if box is None:
            raise ValueError(f"the plan has nobody with the number {person} in the view {view}")
        height = eye_height(link.clip().facts)
        node.knob("box").setValue([box[0], height - box[3], box[2], height - box[1]])
        say(node, f"the box of person {person}")

    start(node, "VR180 Matte", lambda changed: vr180.Task(lambda task: link.wait(task.cancel).box(person, view, n), changed), finished)


def edit_people(node: Any) -> None:
    link, values = live_of(node).link, values_of(node)
    x, y, r, t = (float(v) for v in value(node, "box"))
    view, person = str(value(node, "box_view")), int(values["person"])
    if r <= x or t <= y:
        raise ValueError("the box is empty; press Show box, or draw it in the viewer")
    frame = int(nuke.frame())

    def work(task: vr180.Task) -> dict[str, Any]:
        clip = link.wait(task.cancel)
        n = NODE.index(frame, values, len(clip))
        if n is None:
            raise vr180.ServerProblem(422, f"frame {frame} is outside the clip")
        height = eye_height(clip.facts)
        place = {"view": view, "frame": n, "box": [x, height - t, r, height - y]}
        edit: dict[str, Any] = {"op": "move", "person": person, **place} if person else {"op": "add", **place}
        changed = link.call(lambda open_clip: open_clip.edit(edit))
        return {"frames": changed, **link.clip().facts}

    def finished(node: Any, facts: dict[str, Any]) -> None:
        show_people(node, facts)
        look_again(node)
        say(node, f"made anew: frames {facts['frames']} of the clip, counted from 0")

    start(node, "VR180 Matte: people", lambda changed: vr180.Task(work, changed), finished)


_BUTTONS = {
    "set_project": set_project, "analyse": analyse, "render": render, "cancel": cancel, "show_box": show_box, "edit_people": edit_people,
    "forget_corrections": at_once(lambda clip: clip.forget_corrections()), "clear_cache": at_once(lambda clip: clip.clear_cache()),
    "reconnect": reconnect,
}  # fmt: skip

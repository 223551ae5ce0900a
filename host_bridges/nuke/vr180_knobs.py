"""The knobs of a VR180 Matte node, and waiting for the frame server, as Nuke wants both done.

What the bridge writes by itself is written when it changes; it is no step that an artist could undo, and leaves the script unmodified.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import nuke

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    import vr180_client as vr180

NODE = vr180.Node()
HOST = "nuke"
PARAMETERS = [p for p in NODE.data["parameters"] if HOST not in p["absent"]]
CALM, WRONG = 0x4A7D9CFF, 0xC83C3CFF
#: What is said on the node; anything else is a mistake in this program.
PROBLEMS = (ValueError, OSError, vr180.ServerProblem, vr180.ServerUnavailable)
_POLL_S = 0.1


@contextlib.contextmanager
def unrecorded() -> Iterator[None]:
    """What is written here is no step that the artist could undo, and leaves the script as modified as it was."""
    root: Any = nuke.root()
    modified = root.modified()
    nuke.Undo.disable()
    try:
        yield
    finally:
        nuke.Undo.enable()
        if not modified:
            root.setModified(False)


def put(node: Any, name: str, value: Any) -> bool:
    """Writes a knob if it says something else, outside of the undo history. Whether it did."""
    knob = node.knob(name)
    if knob is None or knob.value() == value:
        return False
    with unrecorded():
        knob.setValue(value)
    return True


def is_ours(node: Any) -> bool:
    return node is not None and node.knob("vr180_matte") is not None


def value(node: Any, name: str) -> Any:
    """A knob's value; the default where a script of an older version has no such knob."""
    knob = node.knob(name)
    return NODE.parameters[name]["default"] if knob is None and name in NODE.parameters else knob.value()


def value_at(node: Any, name: str, frame: int) -> Any:
    """A knob's value at a frame of the script, whatever moves it."""
    knob, p = node.knob(name), NODE.parameters[name]
    if knob is None or not (knob.isAnimated() or knob.hasExpression()):
        return value(node, name)
    number = knob.valueAt(frame)
    if p["kind"] == "choice":
        return p["choices"][min(max(0, int(number)), len(p["choices"]) - 1)]
    return number >= 0.5 if p["kind"] == "bool" else float(number)


def edges_at(node: Any, frame: int) -> dict[str, Any]:
    """The values of the edge controls by name, at a frame of the script."""
    return {p["name"]: value_at(node, p["name"], frame) for p in PARAMETERS if p["group"] == "edges"}


def say(node: Any, text: str, wrong: bool = False) -> None:
    """Shows a line on the node: in its panel, and by its colour in the graph."""
    put(node, "status", text)
    put(node, "tile_color", WRONG if wrong else CALM)
    if wrong and not nuke.GUI:
        nuke.tprint(f"{node.fullName()}: {text}")


@contextlib.contextmanager
def one_step(name: str) -> Iterator[None]:
    """What is changed here for the artist is undone by one step of that name."""
    nuke.Undo.begin()
    nuke.Undo.name(name)
    try:
        yield
    finally:
        nuke.Undo.end()


def with_errors(node: Any, function: Any) -> None:
    try:
        function()
    except PROBLEMS as error:
        say(node, str(error), wrong=True)


def waited_for(node: Any, work: Any) -> Any:
    """The result of work(task), which is done on another thread; with a window, a bar shows how far it is, and cancels it.

    Raises ValueError with what went wrong, or that it was cancelled.
    """
    task, bar = vr180.Task(work), None
    try:
        while not task.wait(_POLL_S):
            if not nuke.GUI:
                continue
            # only what takes a while gets a bar
            bar = bar or nuke.ProgressTask(f"VR180 Matte: {node.fullName()}")
            show_progress(bar, task)
    except BaseException:
        # ^C in a terminal, or Nuke ends the render
        task.cancel.cancel()
        raise
    if task.state == "done":
        return task.result
    raise ValueError("cancelled" if task.state == "cancelled" else task.text)


def show_progress(bar: Any, task: vr180.Task) -> None:
    """Brings a bar up to date, and cancels the task when the user has pressed its button."""
    if task.total:
        bar.setProgress(int(100 * task.done / task.total))
    bar.setMessage(f"{task.text}: {task.done} of {task.total}" if task.total else task.text or "working")
    if bar.isCancelled():
        task.cancel.cancel()

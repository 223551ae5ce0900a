"""VR180 Matte in Nuke: a group whose Read shows the matte, live or rendered, in every view of the script.

This module is what Nuke calls. `vr180_live` shows pictures, `vr180_reads` finds out what the plate above is, `vr180_panel` has the buttons.
Works in Nuke 14 to 16 (Python 3.9 to 3.11), with a window and without (nuke -t, nuke -x, nuke -F).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nuke
import vr180_live as live
import vr180_panel as panel
import vr180_reads as reads
from vr180_knobs import PROBLEMS, is_ours, one_step, say, value, with_errors

GROUP = Path(__file__).resolve().parent / "VR180Matte.nk"
#: Knobs that say nothing of what is to be seen.
_IDLE = frozenset({
    "status", "people_list", "tile_color", "box", "box_view", "selected", "xpos", "ypos", "label", "note_font", "showPanel", "hidePanel",
    "followed_first", "rendered_as",
})  # fmt: skip


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
    with one_step("VR180 Matte"):
        node = nuke.nodePaste(str(GROUP))
        assert node is not None
        if selected:
            node.setInput(0, selected[0])
            with_errors(node, lambda: live.adopt(node))
    return node


def press(node: Any, name: str) -> None:
    """What a button of the panel does; scripts hold this name."""
    panel.press(node, name)


# callbacks -----------------------------------------------------------------------------------------------------------


def on_create() -> None:
    node = nuke.thisNode()
    if is_ours(node):
        with_errors(node, lambda: show(node))


def show(node: Any) -> None:
    live.show_files(node, reads.plate_above(node, int(nuke.frame())))


def on_destroy() -> None:
    node = nuke.thisNode()
    if is_ours(node):
        found = live.lives.pop(node.fullName(), None)
        if found is not None:
            found.close()


def on_knob() -> None:
    node, knob = nuke.thisNode(), nuke.thisKnob()
    if not is_ours(node) or knob.name() in _IDLE:
        return
    if knob.name() == "inputChange":
        with_errors(node, lambda: live.adopt(node))
    with_errors(node, lambda: live.refresh(node))


def on_update() -> None:
    """Nuke calls this whenever what is shown may have changed, the current frame among it."""
    node = nuke.thisNode()
    if is_ours(node) and nuke.GUI and not nuke.executing():
        with_errors(node, lambda: live.refresh(node))


def before_frame() -> None:
    """Before a Write makes a frame: every node above it has its final matte, or the render fails with a reason. For farms, too."""
    frame = int(nuke.frame())
    for node in above(nuke.thisNode()):
        if value(node, "disable"):
            continue
        try:
            live.final_frame(node, frame)
        except PROBLEMS as error:
            say(node, str(error), wrong=True)
            raise RuntimeError(f"{node.fullName()}: {error}") from None


def above(write: Any) -> list[Any]:
    """Our nodes that the Write's picture comes from, those inside of groups among them. All of the script when that cannot be told, as
    inside of groups.
    """
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
        elif hasattr(node, "nodes"):
            # a group, a gizmo, a precomp: whatever is inside may be part of its picture
            todo += list(node.nodes())
        todo += [node.input(i) for i in range(node.inputs())]
    return found

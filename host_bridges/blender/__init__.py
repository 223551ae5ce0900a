"""VR180 Matte in Blender: a panel, buttons with progress, and the matte in the compositor, one view for each eye.

The frame server does the work, in a process of its own; this add-on asks it and never waits while somebody looks.
"""

from __future__ import annotations

import math
import queue
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import bpy
from bpy.app.handlers import persistent

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    from . import vr180_client as vr180

bl_info = {
    "name": "VR180 Matte", "author": "The vr180-ofx authors", "version": (0, 1, 0), "blender": (4, 2, 0),
    "location": "Compositor and Image Editor > Sidebar > VR180", "category": "Compositing",
    "description": "Mattes of the people in stereo VR180 footage, from a frame server beside Blender",
}  # fmt: skip

NODE = vr180.Node()
HOST = "blender"
PARAMETERS = [p for p in NODE.data["parameters"] if HOST not in p["absent"]]
ACTIONS = [a for a in NODE.data["actions"] if HOST not in a["absent"]]
LIVE_IMAGE = "VR180 Matte"
_POLL_S = 0.1
#: What threads have to say to Blender, which only its main thread may touch: functions without arguments.
_MAILBOX: queue.SimpleQueue[Any] = queue.SimpleQueue()


class State:
    """What is going on. One per Blender: the scene's values are in its properties."""

    task: vr180.Task | None = None
    link: vr180.Link | None = None
    scrubber: vr180.Scrubber | None = None


def values_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """The node's values by name."""
    held: Any = scene.vr180_matte  # type: ignore[attr-defined]
    out = {p["name"]: getattr(held, p["name"]) for p in PARAMETERS}
    # paths beside the .blend file begin with // in Blender
    for p in PARAMETERS:
        if p["kind"] in ("file", "folder") and out[p["name"]]:
            out[p["name"]] = bpy.path.abspath(out[p["name"]])
    return out


def say(scene: bpy.types.Scene, text: str) -> None:
    """Shows a line in the panel."""
    held: Any = scene.vr180_matte  # type: ignore[attr-defined]
    held.status = text
    for window in bpy.context.window_manager.windows if bpy.context.window_manager else ():
        for area in window.screen.areas:
            if area.type in ("NODE_EDITOR", "IMAGE_EDITOR"):
                area.tag_redraw()


def link_of(scene: bpy.types.Scene) -> vr180.Link:
    """The clip on the server; the same as long as what names it stays the same. Raises ValueError when no clip is named."""
    link = NODE.link(values_of(scene))
    if State.link is None or State.link.key != link.key:
        close_live()
        State.link = link
    return State.link


# working in the background -------------------------------------------------------------------------------------------


class VR180_OT_work(bpy.types.Operator):
    """Starts a task, shows its progress, and ends with it. In a Blender without windows it waits for the end."""

    bl_idname = "vr180.work"
    bl_label = "VR180"
    bl_options = {"INTERNAL"}

    _timer: Any = None

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        raise NotImplementedError

    def finish(self, scene: bpy.types.Scene, task: vr180.Task) -> None:
        """On the main thread, when it went well."""

    def execute(self, context: bpy.types.Context) -> Any:
        scene = context.scene
        assert scene is not None
        if State.task is not None and State.task.state == "running":
            self.report({"WARNING"}, "something is running already; cancel it first")
            return {"CANCELLED"}
        try:
            State.task = self.start(scene, link_of(scene))
        except ValueError as error:
            return self.fail(scene, str(error))
        if bpy.app.background or context.window is None:
            State.task.wait()
            return self.end(scene, State.task)
        manager = context.window_manager
        assert manager is not None
        manager.progress_begin(0, 100)
        self._timer = manager.event_timer_add(_POLL_S, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        scene, task, manager = context.scene, State.task, context.window_manager
        assert scene is not None and manager is not None
        if event.type == "ESC" and task is not None:
            task.cancel.cancel()
        if event.type != "TIMER" or task is None:
            return {"PASS_THROUGH"}
        if task.state == "running":
            share = f": {task.done} of {task.total}" if task.total else ""
            say(scene, f"{task.text or 'working'}{share} (Esc cancels)")
            manager.progress_update(100 * task.done / max(1, task.total))
            return {"PASS_THROUGH"}
        manager.event_timer_remove(self._timer)
        manager.progress_end()
        return self.end(scene, task)

    def end(self, scene: bpy.types.Scene, task: vr180.Task) -> Any:
        State.task = None
        if task.state == "done":
            say(scene, f"{self.bl_label}: done")
            self.finish(scene, task)
            return {"FINISHED"}
        if task.state == "cancelled":
            say(scene, "cancelled")
            return {"CANCELLED"}
        return self.fail(scene, task.text)

    def fail(self, scene: bpy.types.Scene, text: str) -> Any:
        say(scene, text)
        # in a Blender without windows a report of this kind raises RuntimeError in the script that called
        self.report({"ERROR"}, text)
        return {"CANCELLED"}


def curves_of(scene: bpy.types.Scene) -> dict[str, Any]:
    """Path of a property -> what it is keyed with."""
    moved: Any = scene.animation_data
    if moved is None or moved.action is None:
        return {}
    action = moved.action
    if hasattr(action, "fcurves"):
        return {c.data_path: c for c in action.fcurves}
    # Blender 5: an action has a bag of curves for each of those that use it
    bags = [s.channelbag(moved.action_slot) for layer in action.layers for s in layer.strips]
    return {c.data_path: c for bag in bags if bag is not None for c in bag.fcurves}


def edges_over_time(scene: bpy.types.Scene, values: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """The edge controls at a frame of the scene, to be asked from any thread. Raises ValueError where keys do not say them."""
    own = {f"vr180_matte.{p['name']}": p for p in PARAMETERS if p["group"] == "edges"}
    moved: Any = scene.animation_data
    keyed: dict[str, tuple[int, list[float]]] = {}
    if moved is not None:
        for driver in moved.drivers:
            if driver.data_path in own:
                raise ValueError(f"{own[driver.data_path]['label']} has a driver, and renders read keys; bake it to keys")
    for path, curve in curves_of(scene).items():
        if path not in own:
            continue
        if curve.extrapolation != "CONSTANT" or len(curve.modifiers):
            raise ValueError(f"{own[path]['label']} goes on beyond its keys, or has modifiers, and renders read keys; bake it to keys")
        begin, end = math.floor(curve.range()[0]), math.ceil(curve.range()[1])
        # evaluated on this thread, which alone may ask Blender
        keyed[own[path]["name"]] = begin, [curve.evaluate(frame) for frame in range(begin, end + 1)]

    def at(frame: int) -> dict[str, Any]:
        out = {p["name"]: values[p["name"]] for p in own.values()}
        for name, (begin, line) in keyed.items():
            out[name] = typed(NODE.parameters[name], line[min(max(0, frame - begin), len(line) - 1)])
        return out

    return at


def typed(p: dict[str, Any], number: float) -> Any:
    """What a curve's number stands for."""
    if p["kind"] == "choice":
        return p["choices"][min(max(0, round(number)), len(p["choices"]) - 1)]
    return number >= 0.5 if p["kind"] == "bool" else number


def show_people(scene: bpy.types.Scene, facts: dict[str, Any]) -> None:
    held: Any = scene.vr180_matte  # type: ignore[attr-defined]
    held.people_list = ", ".join(f"{p['id']} {p['name']}" for p in facts["people"]) or "nobody"


class VR180_OT_analyse(VR180_OT_work):
    bl_idname = "vr180.analyse"
    bl_label = "Analyse"

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        return vr180.analyse_task(link)

    def finish(self, scene: bpy.types.Scene, task: vr180.Task) -> None:
        show_people(scene, task.result)


class VR180_OT_render(VR180_OT_work):
    bl_idname = "vr180.render"
    bl_label = "Render range"

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        values = values_of(scene)
        if not values["folder"]:
            raise ValueError("Folder is empty; name where the EXR files are to be written")
        frames = NODE.ranges(values["frames"], values["first_frame"])
        # numbered as Blender's frames are, and made for its compositor
        output = {"exr_preset": "blender", **NODE.output(values), "start_frame": max(0, values["first_frame"])}
        first = int(values["first_frame"])
        read = edges_over_time(scene, values)
        return vr180.render_task(
            link, values["folder"], frames, output, edges=lambda count: NODE.edges_over(lambda n: read(first + n), count)
        )

    def finish(self, scene: bpy.types.Scene, task: vr180.Task) -> None:
        say(scene, f"{task.result.get('written', 0)} frames written, {task.result.get('kept', 0)} were there")


class VR180_OT_server(VR180_OT_work):
    """What the server does at once."""

    bl_idname = "vr180.server"

    def ask(self, clip: vr180.Clip) -> Any:
        raise NotImplementedError

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        return vr180.analyse_task(link, first=self.ask)

    def finish(self, scene: bpy.types.Scene, task: vr180.Task) -> None:
        show_people(scene, task.result)
        refresh_live(scene)


class VR180_OT_forget_corrections(VR180_OT_server):
    bl_idname = "vr180.forget_corrections"
    bl_label = "Forget corrections"

    def ask(self, clip: vr180.Clip) -> Any:
        return clip.forget_corrections()


class VR180_OT_clear_cache(VR180_OT_server):
    bl_idname = "vr180.clear_cache"
    bl_label = "Clear cache"

    def ask(self, clip: vr180.Clip) -> Any:
        return clip.clear_cache()


class VR180_OT_reconnect(VR180_OT_server):
    bl_idname = "vr180.reconnect"
    bl_label = "Reconnect"

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        link.forget()
        return super().start(scene, link)

    def ask(self, clip: vr180.Clip) -> Any:
        return clip.server.health()


class VR180_OT_set_project(VR180_OT_work):
    bl_idname = "vr180.set_project"
    bl_label = "Set project"

    def start(self, scene: bpy.types.Scene, link: vr180.Link) -> vr180.Task:
        # size and rate are known before the people are
        return vr180.Task(lambda task: link.call(lambda clip: clip.refresh()))

    def finish(self, scene: bpy.types.Scene, task: vr180.Task) -> None:
        prepare_scene(scene, task.result, values_of(scene)["first_frame"], len(task.result["views"]) == 2)


class VR180_OT_cancel(bpy.types.Operator):
    bl_idname = "vr180.cancel"
    bl_label = "Cancel"

    def execute(self, context: bpy.types.Context) -> Any:
        if State.task is None:
            return {"CANCELLED"}
        State.task.cancel.cancel()
        return {"FINISHED"}


class VR180_OT_edit_people(bpy.types.Operator):
    """Puts the box of a person right at the current frame. The fields show where they are now."""

    bl_idname = "vr180.edit_people"
    bl_label = "Edit people"
    bl_options = {"REGISTER"}

    view: bpy.props.EnumProperty(name="Eye", items=[(v, v, "") for v in ("left", "right", "main")])  # type: ignore[valid-type]
    box: bpy.props.FloatVectorProperty(  # type: ignore[valid-type]
        name="Left, top, right, bottom", size=4, description="In pixels of one eye, from its upper left corner"
    )
    name: bpy.props.StringProperty(name="Name", description="Empty keeps the name")  # type: ignore[valid-type]

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> Any:
        scene, manager = context.scene, context.window_manager
        assert scene is not None and manager is not None
        try:
            values, clip = values_of(scene), link_of(scene).wait()
            found = clip.box(values["person"], self.view, scene.frame_current - values["first_frame"])
        except (ValueError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if found is not None:
            self.box = found
        return manager.invoke_props_dialog(self)

    def execute(self, context: bpy.types.Context) -> Any:
        scene = context.scene
        assert scene is not None
        values = values_of(scene)
        try:
            link = link_of(scene)
            clip = link.wait()
            n = NODE.index(scene.frame_current, values, len(clip))
            if n is None:
                raise ValueError(f"frame {scene.frame_current} is outside the clip")
            place = {"view": self.view, "frame": n, "box": list(self.box)}
            if values["person"]:
                edits: list[dict[str, Any]] = [{"op": "move", "person": values["person"], **place}]
                if self.name:
                    edits.append({"op": "rename", "person": values["person"], "name": self.name})
            else:
                edits = [{"op": "add", **place, **({"name": self.name} if self.name else {})}]
            changed = link.call(lambda open_clip: open_clip.edit(*edits))
        except (ValueError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
            say(scene, str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        show_people(scene, link.clip().facts)
        say(scene, f"made anew: frames {changed} (counted from 0)")
        refresh_live(scene)
        return {"FINISHED"}


# the current frame, live -------------------------------------------------------------------------------------------------


def refresh_live(scene: bpy.types.Scene) -> None:
    """Asks for the current frame in the background; the image `VR180 Matte` shows it when it comes."""
    held: Any = scene.vr180_matte  # type: ignore[attr-defined]
    if not held.live or not held.clip:
        close_live()
        return
    values = values_of(scene)
    link = link_of(scene)
    if State.scrubber is None:
        name = scene.name
        State.scrubber = vr180.Scrubber(
            link,
            lambda wish, pictures: _MAILBOX.put(lambda: show_live(name, wish, pictures)),
            lambda wish, text: _MAILBOX.put(lambda: say(bpy.data.scenes[name], text)),
            values["quality"],
        )
    n = int(scene.frame_current) - int(values["first_frame"])
    view = values["view"] if values["view"] != "auto" else "both"
    edges = tuple(sorted(NODE.edges(values).items()))
    State.scrubber.want(vr180.Wish(n, (view,), values["layer"], "f32", edges) if n >= 0 else None)


def show_live(name: str, wish: vr180.Wish, pictures: dict[str, vr180.Picture]) -> None:
    """Puts a picture that came into the image of the Image Editor."""
    picture = next(iter(pictures.values()))
    image: Any = bpy.data.images.get(LIVE_IMAGE)
    if image is None or tuple(image.size) != (picture.width, picture.height):
        if image is not None:
            bpy.data.images.remove(image)
        image = bpy.data.images.new(LIVE_IMAGE, picture.width, picture.height, alpha=False, float_buffer=True, is_data=True)
    import numpy as np

    matte = np.frombuffer(picture.data, "<f4").reshape(picture.height, picture.width)[::-1]
    pixels = np.empty((picture.height, picture.width, 4), np.float32)
    pixels[...] = matte[..., None]
    pixels[..., 3] = 1
    image.pixels.foreach_set(pixels.ravel())
    image.update()
    if name in bpy.data.scenes:
        say(bpy.data.scenes[name], f"clip frame {wish.n}: {picture.quality}")


def close_live() -> None:
    if State.scrubber is not None:
        State.scrubber.close()
        State.scrubber = None


def read_mailbox() -> float:
    """What threads have left, on Blender's main thread."""
    while not _MAILBOX.empty():
        _MAILBOX.get()()
    return _POLL_S


@persistent  # type: ignore[untyped-decorator]
def on_frame(scene: bpy.types.Scene, *_: Any) -> None:
    if bpy.app.background:
        return
    try:
        refresh_live(scene)
    except ValueError as error:
        say(scene, str(error))


def on_change(_self: Any, context: bpy.types.Context) -> None:
    if context.scene is not None:
        on_frame(context.scene)


# the compositor ---------------------------------------------------------------------------------------------------------------


class VR180_OT_composite(bpy.types.Operator):
    """Puts the clip and its rendered matte into the compositor, both eyes as views of the scene."""

    bl_idname = "vr180.composite"
    bl_label = "Into the compositor"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> Any:
        scene = context.scene
        assert scene is not None
        values = values_of(scene)
        try:
            facts = link_of(scene).wait().facts
            matte = rendered(values, facts)
        except (ValueError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
            say(scene, str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        stereo = len(facts["views"]) == 2
        prepare_scene(scene, facts, values["first_frame"], stereo)
        build_tree(scene, values, facts, matte)
        say(scene, f"the compositor has {matte.name} and the clip")
        return {"FINISHED"}


def rendered(values: dict[str, Any], facts: dict[str, Any]) -> Path:
    """The first file of the rendered matte. Raises ValueError when there is none."""
    if not values["folder"]:
        raise ValueError("Folder is empty; render the matte first")
    stem = vr180.clip_stem(facts["path"])
    files = sorted(Path(values["folder"]).glob(f"{stem}.[0-9]*.exr"))
    if not files:
        raise ValueError(f"there is no {stem}.####.exr in {values['folder']}; render the matte first")
    return files[0]


def prepare_scene(scene: bpy.types.Scene, facts: dict[str, Any], first_frame: int, stereo: bool) -> None:
    """Size, rate, range and views of the clip."""
    render = scene.render
    render.resolution_x, render.resolution_y = facts["eye_size"]
    render.resolution_percentage = 100
    render.fps = max(1, round(facts["fps"]))
    render.fps_base = render.fps / facts["fps"]
    scene.frame_start, scene.frame_end = first_frame, first_frame + facts["frames"] - 1
    render.use_multiview = stereo
    if stereo:
        render.views_format = "STEREO_3D"


def compositor_tree(scene: Any) -> tuple[Any, Any, str]:
    """(the tree, its output node, the name of that node's input). Blender 5 has made it a group of its own."""
    if hasattr(scene, "compositing_node_group"):
        tree: Any = scene.compositing_node_group or bpy.data.node_groups.new("VR180 Matte", "CompositorNodeTree")
        scene.compositing_node_group = tree
        if not any(s.item_type == "SOCKET" and s.in_out == "OUTPUT" for s in tree.interface.items_tree):
            tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        kind = "NodeGroupOutput"
    else:
        scene.use_nodes = True
        tree, kind = scene.node_tree, "CompositorNodeComposite"
    return tree, next((n for n in tree.nodes if n.bl_idname == kind), None) or tree.nodes.new(kind), "Image"


def build_tree(scene: bpy.types.Scene, values: dict[str, Any], facts: dict[str, Any], matte: Path) -> None:
    """clip -> set alpha <- matte -> output. What this add-on has built before is replaced, and nothing else."""
    tree, output, slot = compositor_tree(scene)
    for node in [n for n in tree.nodes if n.label.startswith("VR180 ")]:
        tree.nodes.remove(node)
    plate, mask = tree.nodes.new("CompositorNodeImage"), tree.nodes.new("CompositorNodeImage")
    plate.label, mask.label = "VR180 clip", "VR180 matte"
    mask.image = bpy.data.images.load(str(matte), check_existing=True)
    mask.image.source = "SEQUENCE"
    mask.image.colorspace_settings.name = "Non-Color"
    number = int(matte.stem.rpartition(".")[2])
    # the picture that the first frame of the scene shows, in numbers of the files
    for node, offset in ((plate, 0), (mask, number - values["first_frame"])):
        node.frame_start = values["first_frame"] + (offset if node is mask else 0)
        node.frame_duration = facts["frames"] - (offset if node is mask else 0)
        node.frame_offset = number - 1 if node is mask else 0
        node.use_auto_refresh = True
    alpha = tree.nodes.new("CompositorNodeSetAlpha")
    alpha.label = "VR180 alpha"
    set_alpha_mode(alpha)
    plate.location, mask.location, alpha.location, output.location = (-900, 200), (-600, -200), (-200, 100), (50, 100)
    tree.links.new(picture_socket(tree, plate, facts), alpha.inputs[0])
    tree.links.new(layer_socket(mask, values["layer"]), alpha.inputs["Alpha"])
    tree.links.new(alpha.outputs["Image"], output.inputs[slot])


def set_alpha_mode(node: Any) -> None:
    """The clip's colour is not to be multiplied: the matte replaces its alpha."""
    if hasattr(node, "mode"):
        node.mode = "REPLACE_ALPHA"
    else:
        node.inputs["Type"].default_value = "Replace Alpha"


def layer_socket(node: Any, layer: str) -> Any:
    """The output for everybody, for the confidence, or for one person."""
    name = layer.removesuffix(".A")
    if name in ("A", ""):
        return node.outputs["Alpha"] if "Alpha" in node.outputs else node.outputs[0]
    if name not in node.outputs:
        raise KeyError(f"the matte has no layer {layer}")
    return node.outputs[name]


def picture_socket(tree: Any, plate: Any, facts: dict[str, Any]) -> Any:
    """The clip's picture for the view that is being rendered.

    Blender can read both eyes of one picture as views, and then its compositor shows the left one in both: so each eye is cut out.
    """
    plate.image = bpy.data.images.load(facts["path"], check_existing=True)
    if len(facts["views"]) < 2:
        return plate.outputs["Image"]
    switch = tree.nodes.new("CompositorNodeSwitchView")
    switch.label, switch.location = "VR180 eye", (-420, 200)
    for view in facts["views"]:
        cut = tree.nodes.new("CompositorNodeCrop")
        cut.label, cut.location = f"VR180 {view}", (-600, 250 if view == "left" else 50)
        set_crop(cut, facts["origins"][view], facts["eye_size"], facts["frame_size"][1])
        tree.links.new(plate.outputs["Image"], cut.inputs["Image"])
        tree.links.new(cut.outputs["Image"], switch.inputs[view])
    return switch.outputs[0]


def set_crop(node: Any, origin: list[int], size: list[int], height: int) -> None:
    """Pixels counted from the lower left corner. Since Blender 4.5 they are inputs, before they were properties."""
    x, y = origin[0], height - origin[1] - size[1]
    if "Width" in node.inputs:
        for name, value in (("X", x), ("Y", y), ("Width", size[0]), ("Height", size[1]), ("Alpha Crop", False)):
            node.inputs[name].default_value = value
    else:
        node.use_crop_size = True
        node.min_x, node.max_x, node.max_y, node.min_y = x, x + size[0], y, y + size[1]


# the panel ---------------------------------------------------------------------------------------------------------------------------


def as_property(p: dict[str, Any]) -> Any:
    """A parameter of the node as a property of Blender."""
    about = {"name": p["label"], "description": p["help"], "update": on_change}
    if not p["animatable"]:
        about["options"] = set()
    kind, default = p["kind"], p["default"]
    if kind == "bool":
        return bpy.props.BoolProperty(default=default, **about)
    if kind in ("int", "float"):
        limits = {k: (int if kind == "int" else float)(v) for k, v in (("min", p["minimum"]), ("max", p["maximum"])) if v is not None}
        make: Any = bpy.props.IntProperty if kind == "int" else bpy.props.FloatProperty
        return make(default=default, **limits, **about)
    if kind == "choice":
        return bpy.props.EnumProperty(items=[(c, c, "") for c in p["choices"]], default=default, **about)
    if kind == "message":
        del about["update"]
        return bpy.props.StringProperty(default=default, **about)
    subtype = {"file": "FILE_PATH", "folder": "DIR_PATH"}.get(kind, "NONE")
    return bpy.props.StringProperty(default=default, subtype=subtype, **about)  # type: ignore[arg-type]


class VR180_PG_matte(bpy.types.PropertyGroup):
    """The node's parameters, made from its definition."""

    __annotations__ = {p["name"]: as_property(p) for p in PARAMETERS}


class VR180_PT_panel:
    """One definition of the panel for both editors."""

    bl_label = "VR180 Matte"
    bl_region_type: Any = "UI"
    bl_category = "VR180"
    layout: bpy.types.UILayout

    def draw(self, context: bpy.types.Context) -> None:
        scene = context.scene
        assert scene is not None
        held: Any = scene.vr180_matte  # type: ignore[attr-defined]
        for group, label in NODE.data["groups"]:
            box = self.layout.box()
            box.label(text=label)
            for p in PARAMETERS:
                if p["group"] == group and p["kind"] != "message":
                    box.prop(held, p["name"])
                elif p["group"] == group and getattr(held, p["name"]):
                    box.label(text=getattr(held, p["name"]))
            for a in ACTIONS:
                if a["group"] == group:
                    box.operator(f"vr180.{a['name']}", text=a["label"])
            if group == "output":
                box.operator(VR180_OT_composite.bl_idname)


class VR180_PT_compositor(VR180_PT_panel, bpy.types.Panel):
    bl_idname = "VR180_PT_compositor"
    bl_space_type = "NODE_EDITOR"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return getattr(context.space_data, "tree_type", "") == "CompositorNodeTree"


class VR180_PT_image(VR180_PT_panel, bpy.types.Panel):
    bl_idname = "VR180_PT_image"
    bl_space_type = "IMAGE_EDITOR"


CLASSES = (
    VR180_PG_matte, VR180_OT_set_project, VR180_OT_analyse, VR180_OT_render, VR180_OT_forget_corrections, VR180_OT_clear_cache,
    VR180_OT_reconnect, VR180_OT_cancel, VR180_OT_edit_people, VR180_OT_composite, VR180_PT_compositor, VR180_PT_image,
)  # fmt: skip


def register() -> None:
    for one in CLASSES:
        bpy.utils.register_class(one)
    bpy.types.Scene.vr180_matte = bpy.props.PointerProperty(type=VR180_PG_matte)  # type: ignore[attr-defined,func-returns-value]
    bpy.app.handlers.frame_change_post.append(on_frame)
    bpy.app.timers.register(read_mailbox, persistent=True)


def unregister() -> None:
    close_live()
    if State.task is not None:
        State.task.cancel.cancel()
    if bpy.app.timers.is_registered(read_mailbox):
        bpy.app.timers.unregister(read_mailbox)
    if on_frame in bpy.app.handlers.frame_change_post:
        bpy.app.handlers.frame_change_post.remove(on_frame)
    del bpy.types.Scene.vr180_matte  # type: ignore[attr-defined]
    for one in reversed(CLASSES):
        bpy.utils.unregister_class(one)

"""The buttons of a VR180 Matte node: analysing, rendering, people, the project. Each works in the background, with Nuke's progress bar."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nuke
import vr180_live as live
import vr180_reads as reads
from vr180_knobs import NODE, PROBLEMS, edges_at, is_ours, one_step, put, say, show_progress, unrecorded, value, with_errors

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    import vr180_client as vr180

tasks: dict[str, vr180.Task] = {}


def press(node: Any, name: str) -> None:
    """What a button of the panel does."""
    try:
        BUTTONS[name](node)
    except PROBLEMS as error:
        say(node, str(error), wrong=True)
        if nuke.GUI:
            nuke.message(str(error))


def start(node: Any, title: str, make: Any, finish: Any) -> None:
    """Runs a task with Nuke's progress bar, which can cancel it. Without a window it waits for the end."""
    name = node.fullName()
    if name in tasks:
        raise ValueError("something is running already; cancel it first")
    bar = nuke.ProgressTask(title)

    def changed(task: vr180.Task) -> None:
        show_progress(bar, task)
        if task.state != "running":
            bar.setProgress(100)
            if nuke.GUI:
                nuke.executeInMainThread(on_task, (name, task, finish))

    task = tasks[name] = make(changed)
    if not nuke.GUI:
        task.wait()
        on_task(name, task, finish)


def on_task(name: str, task: vr180.Task, finish: Any) -> None:
    tasks.pop(name, None)
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


def current(node: Any) -> tuple[live.Live, reads.Plate | None, dict[str, Any]]:
    """(the node's link, what is above, the values). Raises ValueError."""
    plate = reads.plate_above(node, int(nuke.frame()))
    return live.live_of(node, plate), plate, live.values_of(node, plate)


def knowing(node: Any, then: Any) -> None:
    """``then(node, facts)``, now or when the server has said what the clip is."""
    now, _, _ = current(node)
    if now.facts is not None:
        then(node, now.facts)
        return

    def finished(node: Any, facts: dict[str, Any]) -> None:
        now.facts = facts
        then(node, facts)

    start(
        node, "VR180 Matte", lambda changed: vr180.Task(lambda task: now.link.call(lambda clip: clip.refresh()), changed), finished
    )  # fmt: skip


def show_people(node: Any, facts: dict[str, Any]) -> None:
    put(node, "people_list", ", ".join(f"{p['id']} {p['name']}" for p in facts["people"]) or "nobody")


def analysed(node: Any, facts: dict[str, Any]) -> None:
    show_people(node, facts)
    say(node, "Analyse: done")
    look_again(node)


def look_again(node: Any) -> None:
    """What the server says of the current frame may be another thing now."""
    found = live.lives.get(node.fullName())
    if found is not None:
        found.asked = None
    live.refresh(node)


def analyse(node: Any) -> None:
    link = current(node)[0].link
    start(node, "VR180 Matte: finding the people", lambda changed: vr180.analyse_task(link, changed), analysed)


def render(node: Any) -> None:
    if not reads.text_of(node, "folder"):
        raise ValueError("Folder is empty; name where the EXR files are to be written")
    knowing(node, render_known)


def render_known(node: Any, facts: dict[str, Any]) -> None:
    now, plate, values = current(node)
    first = live.first_frame_of(node, plate, facts)
    place = live.placed(node, plate)
    if first < 0:
        raise ValueError(f"the clip begins at frame {first}, and files have no numbers below 0; set First frame, and move the plate")
    frames = NODE.ranges(values["frames"], first)
    output = {"exr_preset": "nuke", **NODE.output(values), "start_frame": first}
    # knobs belong to this thread: they are read now
    edges = NODE.edges_over(lambda n: edges_at(node, first + n), int(facts["frames"]))

    def finished(node: Any, report: dict[str, Any]) -> None:
        # what was rendered is what is shown from now on
        with one_step("VR180 Matte: render"):
            node.knob("live").setValue(False)
        put(node, "rendered_as", place)
        live.show_files(node, plate)
        read = node.node("Matte")
        put(read, "first", first)
        put(read, "last", first + int(facts["frames"]) - 1)
        with unrecorded():
            read.knob("reload").execute()
        say(node, f"{report.get('written', 0)} frames written, {report.get('kept', 0)} were there")

    def make(changed: Any) -> vr180.Task:
        return vr180.render_task(now.link, values["folder"], frames, output, changed, edges=edges)

    start(node, "VR180 Matte: rendering", make, finished)


def cancel(node: Any) -> None:
    task = tasks.get(node.fullName())
    if task is not None:
        task.cancel.cancel()


def at_once(ask: Any) -> Any:
    """A button that asks the server for one thing, and then shows who is there."""

    def pressed(node: Any) -> None:
        link = current(node)[0].link
        start(node, "VR180 Matte", lambda changed: vr180.analyse_task(link, changed, ask), analysed)

    return pressed


def reconnect(node: Any) -> None:
    now = current(node)[0]
    now.link.forget()
    now.facts = None
    at_once(lambda clip: clip.server.health())(node)


def set_project(node: Any) -> None:
    knowing(node, project_set)


def project_set(node: Any, facts: dict[str, Any]) -> None:
    plate = reads.plate_above(node, int(nuke.frame()))
    first = live.first_frame_of(node, plate, facts)
    root: Any = nuke.root()
    stereo = len(facts["views"]) == 2
    # side by side in the plate: views alone would not make it two pictures
    shape = node.input(0).format() if node.input(0) is not None else None
    whole = shape is not None and [int(shape.width()), int(shape.height())] == list(facts["frame_size"])
    width, height = facts["frame_size"] if whole or not stereo else facts["eye_size"]
    name = f"vr180_{width}x{height}"
    with one_step("VR180 Matte: set project"):
        nuke.addFormat(f"{width} {height} 1 {name}")
        root.knob("format").setValue(name)
        root.knob("fps").setValue(facts["fps"])
        root.knob("first_frame").setValue(first)
        root.knob("last_frame").setValue(first + facts["frames"] - 1)
        if stereo and not whole and not {"left", "right"} <= set(nuke.views()):
            for view in ("left", "right"):
                nuke.addView(view)
    say(node, f"project: {width}x{height}, {facts['fps']:g} fps, {facts['frames']} frames")
    look_again(node)


# people --------------------------------------------------------------------------------------------------------------


def eye_height(facts: dict[str, Any]) -> float:
    return float(facts["eye_size"][1])


def index_now(node: Any, facts: dict[str, Any]) -> int:
    """The clip's frame that is to be seen now. Raises ValueError outside the clip."""
    frame = int(nuke.frame())
    n: int | None = live.index_of(node, reads.plate_above(node, frame), frame, facts)
    if n is None:
        raise ValueError(f"frame {frame} is outside the clip")
    return n


def show_box(node: Any) -> None:
    knowing(node, box_shown)


def box_shown(node: Any, facts: dict[str, Any]) -> None:
    """Boxes of the plan count from the upper left corner, Nuke's from the lower left one."""
    now, _, values = current(node)
    person, view, n = int(values["person"]), str(value(node, "box_view")), index_now(node, facts)

    def finished(node: Any, box: list[float] | None) -> None:
        if box is None:
            raise ValueError(f"the plan has nobody with the number {person} in the view {view}")
        height = eye_height(facts)
        with one_step("VR180 Matte: show box"):
            node.knob("box").setValue([box[0], height - box[3], box[2], height - box[1]])
        say(node, f"the box of person {person}")

    start(node, "VR180 Matte", lambda changed: vr180.Task(lambda task: now.link.wait(task.cancel).box(person, view, n), changed), finished)


def edit_people(node: Any) -> None:
    x, y, r, t = (float(v) for v in value(node, "box"))
    if r <= x or t <= y:
        raise ValueError("the box is empty; press Show box, or draw it in the viewer")
    knowing(node, people_edited)


def people_edited(node: Any, facts: dict[str, Any]) -> None:
    _, _, values = current(node)
    x, y, r, t = (float(v) for v in value(node, "box"))
    view, person, height = str(value(node, "box_view")), int(values["person"]), eye_height(facts)
    place = {"view": view, "frame": index_now(node, facts), "box": [x, height - t, r, height - y]}
    corrected(node, {"op": "move", "person": person, **place} if person else {"op": "add", **place})


def corrected(node: Any, edit: dict[str, Any]) -> None:
    """The plan is edited in the background, and the current frame shown anew."""
    now, _, _ = current(node)

    def work(task: vr180.Task) -> dict[str, Any]:
        now.link.wait(task.cancel)
        changed = now.link.call(lambda open_clip: open_clip.edit(edit))
        return {"frames": changed, **{k: v for k, v in now.link.clip().facts.items() if k != "frames"}}

    def finished(node: Any, told: dict[str, Any]) -> None:
        show_people(node, told)
        look_again(node)
        say(node, f"made anew: frames {told['frames']} of the clip, counted from 0")

    start(node, "VR180 Matte: people", lambda changed: vr180.Task(work, changed), finished)


def add_by_points(node: Any) -> None:
    if not placed_points(node, "plus_1", "plus_2"):
        raise ValueError("no point is placed; drag Plus 1, and better Plus 2, too, onto the person in the viewer")
    knowing(node, points_added)


def placed_points(node: Any, *names: str) -> list[tuple[float, float]]:
    """Where handles lie in the viewer, which counts from the lower left corner; without those that are where they were made."""
    points = [(float(knob.x()), float(knob.y())) for knob in map(node.knob, names) if knob is not None]
    return [p for p in points if p != (0.0, 0.0)]


def points_added(node: Any, facts: dict[str, Any]) -> None:
    view, plus, minus = points_in_eye(node, facts)
    told = {name: points for name, points in (("points", plus), ("minus", minus)) if points}
    corrected(node, {"op": "add", "view": view, "frame": index_now(node, facts), **told})


def correct_by_points(node: Any) -> None:
    if not placed_points(node, "plus_1", "plus_2", "minus"):
        raise ValueError("no point is placed; drag Plus 1 or 2 onto what the person lacks, or Minus onto what is not theirs")
    knowing(node, points_corrected)


def points_corrected(node: Any, facts: dict[str, Any]) -> None:
    person = int(current(node)[2]["person"])
    if not person:
        raise ValueError("Person is 0; choose whose matte is corrected, or press Add by points for somebody new")
    view, plus, minus = points_in_eye(node, facts)
    corrected(node, {"op": "point", "person": person, "view": view, "frame": index_now(node, facts), "plus": plus, "minus": minus})


def forget_points(node: Any) -> None:
    person = int(current(node)[2]["person"])
    if not person:
        raise ValueError("Person is 0; choose whose points are forgotten")
    corrected(node, {"op": "unpoint", "person": person})


def chosen_eye(node: Any, facts: dict[str, Any]) -> str:
    """The eye that the knob names; a clip of one picture has one."""
    chosen, views = str(value(node, "box_view")), list(facts["views"])
    return chosen if chosen in views else str(views[0])


def correct_by_paint(node: Any) -> None:
    if not reads.text_of(node, "painted"):
        raise ValueError("Painted is empty; name the picture in which the matte of this frame is painted, as large as one eye's picture")
    knowing(node, paint_corrected)


def paint_corrected(node: Any, facts: dict[str, Any]) -> None:
    """The picture of the current frame: the server reads it, and says what is wrong with it."""
    person = int(current(node)[2]["person"])
    if not person:
        raise ValueError("Person is 0; choose whose matte is painted")
    file = Path(reads.at_frame(reads.text_of(node, "painted"), int(nuke.frame()))).absolute()
    corrected(node, {"op": "paint", "person": person, "view": chosen_eye(node, facts), "frame": index_now(node, facts), "file": str(file)})


def forget_paint(node: Any) -> None:
    person = int(current(node)[2]["person"])
    if not person:
        raise ValueError("Person is 0; choose whose painted mattes are forgotten")
    corrected(node, {"op": "unpaint", "person": person})


def points_in_eye(node: Any, facts: dict[str, Any]) -> tuple[str, list[list[float]], list[list[float]]]:
    """The eye in which the points lie, and where in it the plus and the minus ones are, counted from its upper left corner."""
    plus, minus = (placed_points(node, *names) for names in (("plus_1", "plus_2"), ("minus",)))
    (width, height), views = facts["frame_size"], list(facts["views"])
    plate = node.input(0).format() if node.input(0) is not None else None
    if len(views) == 2 and plate is not None and [int(plate.width()), int(plate.height())] == [width, height]:
        # the viewer shows both eyes: the one that is clicked is meant
        wide, high = facts["eye_size"]
        places = {view: (ox, height - oy - high) for view, (ox, oy) in facts["origins"].items()}
        inside = [v for v, (ox, oy) in places.items() if all(ox <= x < ox + wide and oy <= y < oy + high for x, y in plus + minus)]
        if not inside:
            raise ValueError("the points do not lie in one eye; put all of them into the same one")
        view, (left, low) = inside[0], places[inside[0]]
    else:
        view, (left, low) = chosen_eye(node, facts), (0, 0)
    high = int(eye_height(facts))
    in_eye = [[[x - left, high - (y - low)] for x, y in points] for points in (plus, minus)]
    return view, in_eye[0], in_eye[1]


BUTTONS = {
    "set_project": set_project, "analyse": analyse, "render": render, "cancel": cancel, "show_box": show_box, "edit_people": edit_people,
    "add_by_points": add_by_points, "correct_by_points": correct_by_points, "forget_points": forget_points,
    "correct_by_paint": correct_by_paint, "forget_paint": forget_paint,
    "forget_corrections": at_once(lambda clip: clip.forget_corrections()), "clear_cache": at_once(lambda clip: clip.clear_cache()),
    "reconnect": reconnect,
}  # fmt: skip

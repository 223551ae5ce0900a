"""The Nuke bridge, installed as a user installs it, in a stand-in of Nuke that is held against the type stubs of its API."""

import inspect
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.host_bridges.halves import halves
from tests.host_bridges.nuke_session import ROOT, exr, read, started, status

pytest.importorskip("tkinter", reason="Tcl reads Nuke's scripts, and Python was built without it")
from nodes.generate import NUKE_EXTRAS
from tests.host_bridges import nuke_stand_in, stubs
from vr180_ofx.install import install
from vr180_ofx.node import NODE

WRONG = 0xC83C3CFF
START_AT_1001 = ('frame_mode "start at"', "frame 1001")


@pytest.fixture
def folder(tmp_path):
    install("nuke", tmp_path / "dotnuke")
    return tmp_path / "dotnuke" / "vr180_ofx"


@pytest.fixture
def nuke(folder):
    with started(folder, True) as made:
        yield made


@pytest.mark.skipif(not stubs.available("nuke"), reason="types-nuke is not installed")
def test_the_stand_in_has_nothing_that_nuke_has_not():
    table = stubs.definitions("nuke")
    mine = {k: v for k, v in vars(nuke_stand_in.Nuke).items() if not k.startswith("_") and callable(v)}
    of_the_test = {"fire", "set", "click", "go_to", "pump", "render"}
    for name in mine.keys() - of_the_test:
        assert name in table, f"Nuke has no nuke.{name}"
        assert stubs.takes(table[name], mine[name], bound=True), name
    here = nuke_stand_in
    for cls in (here.Knob, here.Node, here.Group, here.Root, here.Format, here.ProgressTask, here.Undo):
        for name, function in inspect.getmembers(cls, callable):
            if name.startswith("_"):
                continue
            owner = {"execute": "Script_Knob", "valueAt": "Array_Knob", "x": "XY_Knob", "y": "XY_Knob"}.get(name, cls.__name__)
            definition = stubs.found(table, owner, name)
            assert definition is not None, f"Nuke's {cls.__name__} has no {name}"
            assert stubs.takes(definition, function, bound=True), name


def test_the_knobs_are_those_of_the_node(nuke):
    node = nuke.bridge.create()
    parameters, actions = NODE.of("nuke")
    user = {k: knob for k, knob in node.knobs().items() if knob.kind}
    tabs = {k for k, knob in user.items() if knob.kind == 20}
    assert tabs == {g for g, _ in NODE.groups}
    assert set(user) - tabs == {p.name for p in parameters} | {a.name for a in actions} | set(NUKE_EXTRAS)
    kinds = {"text": 1, "file": 2, "folder": 2, "int": 3, "choice": 4, "bool": 6, "float": 7, "message": 26}
    for p in parameters:
        knob = user[p.name]
        assert (knob.kind, knob.words["l"], knob.words["t"]) == (kinds[p.kind], p.label, p.help)
        if p.kind != "message":
            assert knob.value() == p.default
        assert not p.choices or tuple(knob.choices) == p.choices
    assert all(user[a.name].kind == 22 and a.name in nuke.bridge.panel.BUTTONS for a in actions)


def test_scripts_are_read_by_an_independent_reader():
    nkparser = pytest.importorskip("nkparser", reason="nkparser is not installed")
    script = nkparser.Script.from_file(ROOT / "sample_scripts" / "nuke_vr180_matte.nk")
    nodes = {n.name: n for n in script.all_nodes() if n.name}
    assert str(script.nuke_version).startswith("14") and {"Plate", "VR180Matte1", "Write1", "Matte", "Layer", "Combine"} <= set(nodes)
    assert nodes["Combine"].get("operation") == "copy" and nodes["Matte"].get("raw") == "true"
    # of groups it says what it says of the smallest one that Nuke writes: it does not know their end. Tcl reads the whole, above
    smallest = nkparser.Script.from_string("Group {\n name Group1\n}\n Output {\n  inputs 0\n  name Output1\n }\nend_group\n")
    assert sorted(e.code for e in script.errors()) == sorted(e.code for e in smallest.errors())


def test_from_nothing_to_a_live_matte(nuke, standing):
    """A Read, the node below it, and the current frame comes by itself: a draft or the final, then the final."""
    plate = read(nuke, standing.clip, *START_AT_1001)
    nuke._views = ["left", "right"]
    node = nuke.bridge.create()
    assert node.input(0) is plate and node.knob("first_frame").value() == 1001
    nuke.go_to(1004)
    nuke.pump(lambda: status(node) == "frame 1004: final")
    matte = node.node("Matte")
    shown = exr(matte.knob("file").value() % 1004)
    link = standing.link
    # the plate shows both eyes side by side, in each of the script's views
    assert np.array_equal(shown["main"], halves(link.frame(3, view="both")))
    assert matte.knob("reload").executed >= 1 and matte.knob("first").value() <= 1004 <= matte.knob("last").value()
    # in a script without views, both eyes in one picture
    nuke._views = ["main"]
    nuke.go_to(1005)
    nuke.pump(lambda: status(node) == "frame 1005: final")
    shown = exr(node.node("Matte").knob("file").value() % 1005)
    assert np.array_equal(shown["main"], halves(link.frame(4, view="both")))
    # without a plate, each view of the script is an eye
    nuke._views = ["left", "right"]
    node.setInput(0, None)
    node.knob("clip")._value, node.knob("first_frame")._value = str(standing.clip), 1001
    nuke.go_to(1006)
    nuke.pump(lambda: status(node) == "frame 1006: final")
    shown = exr(node.node("Matte").knob("file").value() % 1006)
    for view in ("left", "right"):
        assert np.array_equal(shown[view], halves(link.frame(5, view=view)))
    # the layer of a person, and what is not there
    nuke.set(node, "layer", "person01.A")
    assert node.node("Layer").knob("in").value() == "person01"
    nuke.set(node, "live", False)
    assert not nuke.bridge.live.lives[node.fullName()].scrubber


def test_nuke_never_waits(nuke, home, monkeypatch):
    """Callbacks of the time line return while nobody answers: neither the start of a server nor a request is Nuke's own thread's."""
    client = sys.modules["vr180_client"]
    answered, asked_by = threading.Event(), []

    def held(function):
        def call(*arguments, **more):
            asked_by.append(threading.current_thread())
            assert answered.wait(60), "whoever moves the time line waits for an answer"
            return function(*arguments, **more)

        return call

    monkeypatch.setattr(client, "find_or_start", held(client.find_or_start))
    monkeypatch.setattr(client.Server, "request", held(client.Server.request))
    read(nuke, home.clip)
    node = nuke.bridge.create()
    # before there is a server, and when there is one
    for frames in ((1, 2, 3, 2, 5, 9, 10), (4, 3, 8)):
        answered.clear()
        for frame in frames:
            nuke.go_to(frame)
        answered.set()
        nuke.pump(lambda last=frames[-1]: status(node) == f"frame {last}: final")
    assert asked_by and threading.main_thread() not in asked_by


def test_a_render_is_shown_and_goes_on(nuke, standing, tmp_path):
    read(nuke, standing.clip)
    node = nuke.bridge.create()
    nuke.click(node, "render")
    assert nuke.messages == ["Folder is empty; name where the EXR files are to be written"]
    out = tmp_path / "renders"
    nuke.set(node, "folder", str(out))
    nuke.set(node, "frames", "1-4")
    nuke.click(node, "render")
    with pytest.raises(AssertionError):
        nuke.pump(lambda: False, timeout=0.01)
    nuke.click(node, "render")
    assert nuke.messages[-1] == "something is running already; cancel it first"
    nuke.pump(lambda: "frames written" in status(node))
    assert status(node) == "4 frames written, 0 were there"
    assert not node.knob("live").value() and node.node("Matte").knob("file").value() == f"{out.as_posix()}/clip.%04d.exr"
    shown = exr(out / "clip.0003.exr")
    assert np.array_equal(shown["left"], halves(standing.link.frame(2, view="left")))
    # frames that are rendered pass, others end the render with a reason
    nuke.render(2)
    with pytest.raises(RuntimeError, match=r"VR180Matte1: .*clip.0007.exr is not rendered"):
        nuke.render(7)
    assert node.knob("tile_color").value() == WRONG
    # a Write that does not show it does not mind
    nuke.render(7, of=nuke.toNode("Read1"))
    with pytest.raises(RuntimeError, match="is not rendered"):
        nuke.render(7, of=node)
    # cancelled by the progress bar, and gone on with; so few frames may all be there before the user's hand is, and then once more
    nuke.set(node, "frames", "all")
    for _ in range(10):
        for file in out.glob("clip.*.exr"):
            file.unlink()
        standing.link.call(lambda clip: clip.clear_cache())
        nuke_stand_in.ProgressTask.cancel_at = 0
        nuke.click(node, "render")
        nuke.pump(lambda: status(node).startswith(("cancelled", "10 frames written")))
        if status(node).startswith("cancelled"):
            break
    assert status(node) == "cancelled; what was written is whole"
    there = {file: file.read_bytes() for file in out.glob("clip.*.exr")}
    nuke_stand_in.ProgressTask.cancel_at = None
    nuke.click(node, "render")
    nuke.pump(lambda: "frames written" in status(node))
    assert status(node) == f"{10 - len(there)} frames written, {len(there)} were there" and len(there) < 10
    assert len(list(out.glob("clip.*.exr"))) == 10 and all(file.read_bytes() == was for file, was in there.items())


@pytest.mark.slow
def test_a_server_that_dies_is_said_on_the_node(nuke, home):
    read(nuke, home.clip)
    node = nuke.bridge.create()
    nuke.set(node, "live", False)
    nuke.set(node, "folder", str(home.folder / "renders"))
    nuke.click(node, "render")
    nuke.pump(lambda: nuke_stand_in.ProgressTask.made[-1].messages and "rendering" in nuke_stand_in.ProgressTask.made[-1].messages[-1])
    home.kill()
    nuke.pump(lambda: "Render again to go on" in status(node))
    assert node.knob("tile_color").value() == WRONG and "Render again to go on" in nuke.messages[-1]
    nuke.click(node, "render")
    nuke.pump(lambda: "frames written" in status(node))
    assert len(list((home.folder / "renders").glob("clip.*.exr"))) == 10
    # live, too: the next frame finds or starts a server
    nuke.set(node, "live", True)
    home.kill()
    nuke.go_to(6)
    nuke.pump(lambda: status(node) == "frame 6: final")
    # and where none may be started, the node says so
    home.kill()
    nuke.set(node, "start_server", False)
    nuke.go_to(7)
    nuke.pump(lambda: "vr180-ofx serve" in status(node))


def test_edges_are_as_their_knobs_are_at_the_frame(nuke, standing, tmp_path):
    """Keys and expressions, live, in a render of Nuke's, and in rendered files; and no network runs for them."""
    link = standing.link
    read(nuke, standing.clip)
    node = nuke.bridge.create()
    nuke.go_to(3)
    nuke.pump(lambda: status(node) == "frame 3: final")
    # all of them, so that none is made ahead meanwhile
    for n in range(10):
        link.frame(n)
    steps = link.clip().stats()["engine"]["steps"]

    def live(frame):
        return exr(node.node("Matte").knob("file").value() % frame)["main"]

    def served(n, **edges):
        return halves(link.frame(n, view="both", edges=edges))

    assert np.array_equal(live(3), served(2))
    before = node.node("Matte").knob("reload").executed
    nuke.set(node, "edge_size", -2.0)
    nuke.pump(lambda: node.node("Matte").knob("reload").executed > before and np.array_equal(live(3), served(2, size=-2.0)))
    # keyed: the value at the frame, not the one of the knob now
    node.knob("edge_size").curve = lambda frame: [0.0, 0.0, 0.0, 1.0, 2.5, 2.5, -3.0, 0.0, 0.0, 0.0, 0.0][frame]
    for frame, size in ((4, 2.5), (6, -3.0)):
        nuke.go_to(frame)
        nuke.pump(lambda frame=frame: status(node) == f"frame {frame}: final")
        assert np.array_equal(live(frame), served(frame - 1, size=size))
    # back at a frame whose file is of other edges: it is not shown for a moment
    nuke.go_to(3)
    assert not Path(node.node("Matte").knob("file").value() % 3).exists()
    nuke.pump(lambda: status(node) == "frame 3: final")
    assert np.array_equal(live(3), served(2, size=1.0))
    # a render of Nuke's
    nuke.render(5)
    assert np.array_equal(live(5), served(4, size=2.5))
    assert link.clip().stats()["engine"]["steps"] == steps
    # an expression, and files that are rendered
    node.knob("edge_size").is_expression = True
    out = tmp_path / "renders"
    nuke.set(node, "folder", str(out))
    nuke.click(node, "render")
    nuke.pump(lambda: "frames written" in status(node))
    for n, size in enumerate([0.0, 0.0, 1.0, 2.5, 2.5, -3.0, 0.0, 0.0, 0.0, 0.0]):
        wanted = halves(link.frame(n, view="left", edges={"size": size} if size else {}))
        assert np.array_equal(exr(out / f"clip.{n + 1:04d}.exr")["left"], wanted), n


def test_the_second_input_is_the_mask(nuke, standing):
    """The group as Nuke reads it: the mask is its second input, and takes away or keeps before the matte is inverted."""
    plate = read(nuke, standing.clip)
    node = nuke.bridge.create()
    inside = {n.name(): n for n in node.nodes()}
    inputs = {int(n.knob("number").value()): n.name() for n in inside.values() if n.kind == "Input"}
    assert inputs == {0: "Source", 1: "Mask"}
    # Merge2: input 0 is B, input 1 is A
    for name, below, operation, off in (("Remove", "Layer", "stencil", "!= 0"), ("Keep", "Remove", "screen", "!= 1")):
        merge = inside[name]
        assert merge.input(0).name() == below and merge.input(1).name() == "Covered"
        assert merge.knob("operation").value() == operation and off in merge.knob("disable").value()
        assert merge.knob("Achannels").value() == merge.knob("Bchannels").value() == merge.knob("output").value() == "alpha"
    assert inside["Covered"].input(0).name() == "Mask" and inside["Invert"].input(0).name() == "Keep"
    assert inside["Combine"].input(0).name() == "Source" and inside["Combine"].input(1).name() == "Invert"
    assert inside["Output1"].input(0).name() == "Combine"
    # the choices' order is what the switches count
    assert node.knob("mask_mode").choices == ["remove", "keep"]
    assert node.input(0) is plate and node.input(1) is None


def test_people_are_put_right_with_a_box(nuke, standing):
    read(nuke, standing.clip)
    node = nuke.bridge.create()
    nuke.click(node, "analyse")
    nuke.pump(lambda: status(node) == "Analyse: done" or "final" in status(node))
    nuke.pump(lambda: node.knob("people_list").value().startswith("1 person01"))
    nuke.go_to(5)
    nuke.click(node, "show_box")
    nuke.pump(lambda: any(node.knob("box").value()))
    x, y, r, t = node.knob("box").value()
    link = nuke.bridge.live.lives[node.fullName()].link
    plan = link.wait().box(1, "left", 4)
    assert [x, 512 - t, r, 512 - y] == pytest.approx(plan)
    node.knob("box").setValue([x + 10, y, r + 10, t])
    nuke.click(node, "edit_people")
    nuke.pump(lambda: not nuke.bridge.panel.tasks)
    assert link.wait().box(1, "left", 4) == pytest.approx([plan[0] + 10, plan[1], plan[2] + 10, plan[3]], abs=0.1)
    assert link.wait().facts["corrected"]
    nuke.click(node, "forget_corrections")
    nuke.pump(lambda: not nuke.bridge.panel.tasks)
    assert not link.clip().refresh()["corrected"]
    node.knob("box").setValue([0, 0, 0, 0])
    nuke.click(node, "edit_people")
    assert "the box is empty" in nuke.messages[-1]


@pytest.fixture
def pointing(nuke, standing):
    """A node whose people are found, at frame 4 of the host, and its clip; corrections are forgotten afterwards."""
    read(nuke, standing.clip)
    node = nuke.bridge.create()
    nuke.click(node, "analyse")
    nuke.pump(lambda: node.knob("people_list").value().startswith("1 person01"))
    clip = nuke.bridge.live.lives[node.fullName()].link.wait()
    nuke.go_to(4)
    yield node, clip
    clip.forget_corrections()


@pytest.mark.parametrize("button", ["add_by_points", "correct_by_points"])
def test_points_are_placed_before_they_are_used(nuke, standing, button):
    read(nuke, standing.clip)
    nuke.click(nuke.bridge.create(), button)
    assert "no point is placed" in nuke.messages[-1]


def test_somebody_is_added_by_points_in_the_viewer(nuke, pointing):
    """In the plate with both eyes the clicked one is meant; the plan gets them where the points lie."""
    node, clip = pointing
    left = {p["id"] for p in clip.people()["people"]} - {2}
    box = clip.box(2, "right", 3)
    clip.edit({"op": "remove", "person": 2})
    # x, y of the chest and of the hips in the right eye, 512 pixels to the right in the plate, counted from below
    x, chest, hips = (box[0] + box[2]) / 2, box[1] + 0.3 * (box[3] - box[1]), box[1] + 0.5 * (box[3] - box[1])
    nuke.set(node, "plus_1", [512 + x, 512 - chest])
    nuke.set(node, "plus_2", [100, 512 - hips])
    nuke.click(node, "add_by_points")
    nuke.pump(lambda: "do not lie in one eye" in status(node))
    assert {p["id"] for p in clip.people()["people"]} == left
    nuke.set(node, "plus_2", [512 + x, 512 - hips])
    nuke.click(node, "add_by_points")
    nuke.pump(lambda: "made anew" in status(node) or "point" in status(node).replace("points do not lie", ""), timeout=120)
    added = [p for p in clip.people()["people"] if p["id"] not in left]
    assert len(added) == 1, status(node)
    found = clip.box(added[0]["id"], "right", 3)
    across = max(0, min(box[2], found[2]) - max(box[0], found[0])) * max(0, min(box[3], found[3]) - max(box[1], found[1]))
    area = sum((b[2] - b[0]) * (b[3] - b[1]) for b in (box, found)) - across
    assert across / area > 0.5, (box, found)


def test_a_matte_is_corrected_by_points_in_the_viewer(nuke, pointing):
    """What is said in the viewer stands in the plan, in the pixels of the eye that was clicked; and is taken back."""
    node, clip = pointing
    left, top, right, bottom = clip.box(2, "right", 3)
    x, y = round((left + right) / 2), round(top + 0.3 * (bottom - top))
    nuke.set(node, "plus_1", [512 + x, 512 - y])
    nuke.set(node, "minus", [512 + x, 512 - y - 60])
    nuke.set(node, "person", 0)
    nuke.click(node, "correct_by_points")
    nuke.pump(lambda: "Person is 0" in status(node))
    nuke.set(node, "person", 2)
    nuke.click(node, "correct_by_points")
    nuke.pump(lambda: not nuke.bridge.panel.tasks and "Person is 0" not in status(node))
    # the frame itself may have been shown since
    assert "made anew" in status(node) or status(node).endswith(": final"), status(node)
    told = next(p for p in clip.people()["people"] if p["id"] == 2)["points"]
    assert told == {"right": {"3": {"plus": [[x, y]], "minus": [[x, y + 60]]}}}
    nuke.click(node, "forget_points")
    nuke.pump(lambda: not nuke.bridge.panel.tasks)
    assert "points" not in next(p for p in clip.people()["people"] if p["id"] == 2)


def test_a_painted_matte_is_the_one_of_the_current_frame(nuke, pointing, tmp_path):
    """By the number of the script's frame in its name; another picture in the same file shows at once, and the plan loses it again."""
    node, clip = pointing
    link = nuke.bridge.live.lives[node.fullName()].link
    nuke.click(node, "correct_by_paint")
    assert "Painted is empty" in nuke.messages[-1]
    nuke.set(node, "painted", (tmp_path / "paint.%04d.png").as_posix())
    node.knob("box_view").setValue("right")
    for person, said in ((0, "Person is 0"), (2, "paint.0004.png', which does not exist")):
        nuke.set(node, "person", person)
        nuke.click(node, "correct_by_paint")
        nuke.pump(lambda: not nuke.bridge.panel.tasks)
        assert said in status(node), status(node)
    width, height = clip.facts["eye_size"]
    for value in (255, 0):
        cv2.imwrite(str(tmp_path / "paint.0004.png"), np.full((height, width), value, np.uint8))
        nuke.click(node, "correct_by_paint")
        nuke.pump(lambda: not nuke.bridge.panel.tasks)
        # the frame itself may have been shown since
        assert "made anew" in status(node) or status(node).endswith(": final"), status(node)
        told = next(p for p in clip.people()["people"] if p["id"] == 2)["paint"]
        assert told == {"right": {"3": str(tmp_path / "paint.0004.png")}}
        layer = halves(link.frame(3, view="right", layer="person02"))
        assert (layer > 0.99).all() if value else not layer.any()
    nuke.click(node, "forget_paint")
    nuke.pump(lambda: not nuke.bridge.panel.tasks)
    assert "paint" not in next(p for p in clip.people()["people"] if p["id"] == 2)


@pytest.mark.parametrize(
    ("name", "file"),
    [("a/b.%04d.exr", "a/b.0012.exr"), ("a/b.###.exr", "a/b.012.exr"), ("%02d/b%d.png", "%02d/b12.png"), ("b.png", "b.png")],
)
def test_the_picture_of_a_frame_is_the_one_with_its_number(nuke, name, file):
    assert nuke.bridge.panel.reads.at_frame(name, 12) == file


def test_the_project_is_set_from_the_clip(nuke, standing):
    read(nuke, standing.clip, 'frame_mode "start at"', "frame 101")
    node = nuke.bridge.create()
    nuke.click(node, "set_project")
    nuke.pump(lambda: status(node).startswith("project:") or "left" in nuke.views())
    root = nuke.root()
    assert (root.knob("first_frame").value(), root.knob("last_frame").value(), root.knob("fps").value()) == (101, 110, 24)
    # the plate has both eyes in one picture, and so has the project; without a plate, an eye is a view
    assert nuke.formats == ["1024 512 1 vr180_1024x512"] and nuke.views() == ["main"]
    node.setInput(0, None)
    nuke.set(node, "clip", str(standing.clip))
    nuke.click(node, "set_project")
    nuke.pump(lambda: "left" in nuke.views())
    assert nuke.formats[1:] == ["512 512 1 vr180_512x512"] and {"left", "right"} <= set(nuke.views())
    for button in ("clear_cache", "reconnect"):
        nuke.click(node, button)
        nuke.pump(lambda: not nuke.bridge.panel.tasks)
    nuke.click(node, "cancel")


def test_a_farm_without_a_window(folder, standing, tmp_path):
    """nuke -x: the render waits for the final, and fails with a reason when there is none."""
    with started(folder, False) as nuke:
        read(nuke, standing.clip)
        node = nuke.bridge.create()
        for frame in (3, 11):
            nuke.render(frame)
        path = node.node("Matte").knob("file").value() % 3
        assert np.array_equal(exr(path)["main"], halves(standing.link.frame(2, view="both")))
        node.knob("folder")._value = str(tmp_path / "renders")
        nuke.click(node, "render")
        assert len(list((tmp_path / "renders").glob("clip.*.exr"))) == 10
        node.knob("live")._value = True
        nuke.set(node, "clip", str(tmp_path / "absent.mp4"))
        with pytest.raises(RuntimeError, match="absent.mp4"):
            nuke.render(4)
        node.knob("live")._value, node.knob("folder")._value = False, ""
        with pytest.raises(RuntimeError, match="Folder is empty, and Live is off"):
            nuke.render(4)
        assert any("absent.mp4" in line for line in nuke.printed)


def test_colours_and_paths_come_from_the_read(nuke, standing):
    plate = read(nuke, standing.clip)
    node = nuke.bridge.create()
    plate.knob("colorspace")._value = "rec709"
    values = nuke.bridge.live.values_of(node, nuke.bridge.reads.plate_above(node, 1))
    assert values["colorspace"] == "rec709" and values["clip"] == str(standing.clip)
    node.knob("clip")._value = "/other/plate.%04d.exr"
    assert (
        nuke.bridge.live.values_of(node, nuke.bridge.reads.plate_above(node, 1))["clip"] == "/other/plate.%04d.exr"
        and nuke.bridge.live.vr180.clip_stem("/other/plate.%04d.exr") == "plate"
    )
    node.setInput(0, None)
    node.knob("clip")._value = ""
    nuke.set(node, "live", True)
    assert "Clip is empty" in status(node)


def test_the_menu(folder, nuke):
    class Menu:
        def addMenu(self, name):
            self.name = name
            return self

        def addCommand(self, name, command):
            self.command = command

    menu = Menu()
    nuke.menu = lambda name: menu if name == "Nodes" else None
    exec(compile((folder / "menu.py").read_text(), "menu.py", "exec"), {})
    assert menu.name == "VR180" and menu.command is nuke.bridge.create


def test_the_bridge_runs_on_python_39(folder):
    vermin = shutil.which("vermin", path=str(Path(sys.executable).parent))
    if vermin is None:
        pytest.skip("vermin is not installed")
    for host in ("nuke", "resolve"):
        files = sorted(str(p) for p in (ROOT / "host_bridges" / host).glob("*.py"))
        done = subprocess.run(
            [vermin, "-t=3.9-", "--no-tips", *files, str(ROOT / "vr180_ofx" / "client.py")], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_importing_needs_nothing_of_this_package(folder):
    """What is installed stands alone: a host's Python knows no vr180_ofx."""
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); sys.modules['nuke'] = type(sys)('nuke'); import vr180_nuke; print([m for m in sys.modules if m.startswith('vr180_ofx')])"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr

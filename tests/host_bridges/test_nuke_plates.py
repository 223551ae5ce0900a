"""What the Nuke bridge makes of the plate above it: which clip, which of its frames, one eye or both; and what it leaves alone."""

import av
import numpy as np
import pytest

from tests.host_bridges.halves import halves
from tests.host_bridges.nuke_session import exr, read, started, status

pytest.importorskip("tkinter", reason="Tcl reads Nuke's scripts, and Python was built without it")
from tests.host_bridges import nuke_stand_in
from vr180_ofx.client import Link
from vr180_ofx.install import install

FACTS = {"views": ["left", "right"], "eye_size": [512, 512], "frame_size": [1024, 512]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("dotnuke")
    install("nuke", place)
    return place / "vr180_ofx"


@pytest.fixture
def nuke(folder):
    with started(folder, True) as made:
        yield made


@pytest.fixture(scope="module")
def files(people_clip, tmp_path_factory):
    """The clip's first four frames as files that are numbered from 1001; both eyes in each."""
    place = tmp_path_factory.mktemp("plates")
    with av.open(str(people_clip)) as container:
        for number, frame in zip(range(1001, 1005), container.decode(video=0), strict=False):
            frame.to_image().save(place / f"plate.{number}.png")
    return place


def index(nuke, node, frame, **facts):
    plate = nuke.bridge.reads.plate_above(node, frame)
    return nuke.bridge.live.index_of(node, plate, frame, {**FACTS, **facts})


TIMES = {
    "as it is": (),
    "expression": ("frame_mode expression", "frame frame+499"),
    "minus": ("frame_mode expression", "frame frame-30"),
    "twice as fast": ("frame_mode expression", "frame frame*2"),
    "start at": ('frame_mode "start at"', "frame 1001"),
    "start at, trimmed": ('frame_mode "start at"', "frame 7", "first {third}", "last {eighth}"),
    "offset": ("frame_mode offset", "frame 20"),
    "loop": ('frame_mode "start at"', "frame 1", "before loop", "after loop"),
    "black": ('frame_mode "start at"', "frame 1", "before black", "after black"),
}


@pytest.mark.parametrize("numbered", [True, False], ids=["files", "video"])
@pytest.mark.parametrize("lines", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("silent", [False, True], ids=["metadata", "knobs alone"])
def test_the_frame_is_the_one_that_the_plate_shows(nuke, lines, numbered, silent):
    """For each way in which a Read can be moved in time, with Nuke's metadata and without."""
    first, path = (1001, "/plates/shot.%04d.png") if numbered else (1, "/plates/shot.mp4")
    lines = [line.format(third=first + 2, eighth=first + 7) for line in lines]
    plate = read(nuke, path, *lines, first=first, last=first + 9)
    if silent:
        plate.knobs()["silent"] = nuke_stand_in.Knob("silent", value=True)
    node = nuke.bridge.create()
    shown = set()
    for frame in (*range(-500, -480), *range(-45, 45), *range(480, 520), *range(960, 1045), 1101):
        number = nuke_stand_in.file_number(plate, frame)
        if silent and "frame frame*2" in lines:
            with pytest.raises(ValueError, match="is no shift of the frame; name its file in Clip, and set First frame"):
                index(nuke, node, frame, frames=10, first_number=first)
            continue
        expected = None if number is None else number - first
        assert index(nuke, node, frame, frames=10, first_number=first) == expected, frame
        shown.add(expected)
    assert len(shown) > 4 or not shown


@pytest.mark.parametrize("numbered", [True, False], ids=["files", "video"])
def test_nodes_that_change_the_time_are_followed_or_refused(nuke, numbered):
    first, path = (1001, "/plates/shot.%04d.png") if numbered else (1, "/plates/shot.mp4")
    plate = read(nuke, path, 'frame_mode "start at"', "frame 1", first=first, last=first + 9)
    (moved,) = nuke._read("TimeOffset {\n inputs 0\n time_offset 3\n name TimeOffset1\n}\n")
    moved.setInput(0, plate)
    nuke._selected = [moved]
    node = nuke.bridge.create()
    assert index(nuke, node, 8, frames=10, first_number=first) == 4
    # rendered files follow the clip, and a live picture of another time is not taken for this one
    place = nuke.bridge.reads.plate_above(node, 8)
    assert nuke.bridge.live.placed(node, place) == "retimed"
    with pytest.raises(ValueError, match="the input is retimed"):
        nuke.bridge.live.first_frame_of(node, place, {"first_number": first})
    plate.knobs()["silent"] = nuke_stand_in.Knob("silent", value=True)
    with pytest.raises(ValueError, match="TimeOffset1 changes the time between Read1 and this node; put the node above it"):
        index(nuke, node, 8, frames=10, first_number=first)


def test_nuke_decides_which_way_an_offset_goes(nuke, monkeypatch):
    """Public scripts disagree with the manual; what the metadata say is what is read."""
    plate = read(nuke, "/plates/shot.mp4", "frame_mode offset", "frame -5")
    node = nuke.bridge.create()
    assert index(nuke, node, 8, frames=10, first_number=1) == 2
    plate.knob("frame")._value = "5"
    said = {"input/filename": "/plates/shot.mp4", "input/frame": 8 - 5}
    monkeypatch.setattr(plate, "metadata", lambda key, time=1, view="": said.get(key))
    assert index(nuke, node, 8, frames=10, first_number=1) == 2


def test_the_artists_first_frame_is_left_alone(nuke):
    one = read(nuke, "/plates/one.mp4", 'frame_mode "start at"', "frame 1001")
    other = read(nuke, "/plates/other.mp4", 'frame_mode "start at"', "frame 501", name="Read2")
    nuke._selected = [one]
    node = nuke.bridge.create()
    # nothing is asked of a server, which would be started for it and stay
    nuke.set(node, "live", False)
    assert node.knob("first_frame").value() == 1001
    # as long as nobody sets it, it follows
    node.setInput(0, other)
    nuke.fire("knob", node, nuke_stand_in.Knob("inputChange"))
    assert node.knob("first_frame").value() == 501 and index(nuke, node, 503, frames=10, first_number=1) == 2
    other.knob("frame")._value = "601"
    assert index(nuke, node, 603, frames=10, first_number=1) == 2
    # and then no more, not for another plate either
    nuke.set(node, "first_frame", 7)
    node.setInput(0, one)
    nuke.fire("knob", node, nuke_stand_in.Knob("inputChange"))
    assert node.knob("first_frame").value() == 7 and index(nuke, node, 8, frames=10, first_number=1) == 1
    # a script of a version that knew no other First frame than its own
    del node.knobs()["followed_first"]
    nuke.fire("knob", node, nuke_stand_in.Knob("inputChange"))
    assert node.knob("first_frame").value() == 7 and index(nuke, node, 8, frames=10, first_number=1) == 1


def test_file_names_are_those_that_nuke_opens(nuke, monkeypatch):
    """Variables, expressions, the studio's filters, and not the proxy."""
    monkeypatch.setenv("SHOT", "/plates/a b")
    plate = read(nuke, "placeholder", "proxy /proxies/shot.%04d.jpg")
    plate.knob("file")._value = "[getenv SHOT]/shot.%04d.exr"
    node = nuke.bridge.create()
    above = nuke.bridge.reads.plate_above

    def clip():
        return nuke.bridge.live.values_of(node, above(node, 1))["clip"]

    assert clip() == "/plates/a b/shot.%04d.exr"
    nuke.root()._proxy = True
    assert clip() == "/plates/a b/shot.%04d.exr"
    nuke.addFilenameFilter(lambda name: name.replace("/plates", "/mnt/farm"))
    assert clip() == "/mnt/farm/a b/shot.%04d.exr"
    # what is typed into the node's own knobs, too
    node.knob("clip")._value, node.knob("folder")._value = "[getenv SHOT]/own.mp4", "[getenv SHOT]/out"
    values = nuke.bridge.live.values_of(node, above(node, 1))
    assert (values["clip"], values["folder"]) == ("/mnt/farm/a b/own.mp4", "/mnt/farm/a b/out")
    nuke.set(node, "clip", "[nonsense]/own.mp4")
    assert "clip of VR180Matte1 is '[nonsense]/own.mp4', which Nuke cannot evaluate" in status(node)


def test_the_clip_is_found_through_groups_and_switches_and_by_itself(nuke):
    read(nuke, "/plates/left.mp4", name="Read1")
    right = read(nuke, "/plates/right.mp4", name="Read2")
    (group,) = nuke._read(
        "Group {\n inputs 0\n name Group1\n}\n Input {\n  inputs 0\n  name Input1\n }\n Output {\n  name Output1\n }\nend_group\n"
    )
    (switch,) = nuke._read("Switch {\n inputs 0\n which 1\n name Switch1\n}\n")
    group.setInput(0, nuke.toNode("Read1"))
    switch.setInput(0, right)
    switch.setInput(1, group)
    nuke._selected = [switch]
    node = nuke.bridge.create()
    above = nuke.bridge.reads.plate_above
    assert above(node, 1).path == "/plates/left.mp4"
    switch.knob("which")._value = 0
    assert above(node, 1).path == "/plates/right.mp4"
    # a reader that nobody knows: the metadata name the file, and which of a sequence it is
    hidden = read(nuke, "/plates/shot.%04d.exr", 'frame_mode "start at"', "frame 1", first=1001, last=1010, name="Read3")
    node.setInput(0, nuke_stand_in.Reader("StudioReader1", hidden))
    plate = above(node, 3)
    assert (plate.path, plate.read) == ("/plates/shot.%04d.exr", None) and index(nuke, node, 3, frames=10, first_number=1001) == 2
    # eyes from two files are no clip
    (joined,) = nuke._read("JoinViews {\n inputs 0\n name JoinViews1\n}\n")
    joined.setInput(0, right)
    node.setInput(0, joined)
    with pytest.raises(ValueError, match="JoinViews1 puts several clips together"):
        index(nuke, node, 3, frames=10, first_number=1)


@pytest.mark.parametrize(
    ("plate", "eye", "stereo", "picture"),
    [
        ((1024, 512), "auto", True, "whole"), ((1024, 512), "auto", False, "whole"), ((1024, 512), "both", True, "whole"),
        ((512, 512), "auto", True, "both"), ((512, 512), "left", True, "left"), ((512, 512), "right", False, "right"),
        (None, "auto", True, "both"), (None, "auto", False, "whole"), (None, "left", True, "left"),
        ((512, 512), "auto", False, "it cannot be told which"), ((512, 512), "both", True, "it cannot be told which"),
        ((1024, 512), "left", True, "the input shows both eyes"), ((960, 540), "auto", True, "put the node above what changes the size"),
        ((512, 256), "auto", True, "put the node above what changes the size"),
    ],
)  # fmt: skip
def test_one_eye_or_both_is_decided_by_the_plate(nuke, plate, eye, stereo, picture):
    if " " in picture:
        with pytest.raises(ValueError, match=picture):
            nuke.bridge.reads.picture_of(plate, FACTS, eye, stereo=stereo)
    else:
        assert nuke.bridge.reads.picture_of(plate, FACTS, eye, stereo=stereo) == picture
    assert nuke.bridge.reads.picture_of(plate, {**FACTS, "views": ["main"]}, eye, stereo=stereo) == "whole"
    # a proxy has the shape alone
    assert nuke.bridge.reads.picture_of((256, 128), FACTS, "auto", stereo=True, exact=False) == "whole"


def test_a_sequence_that_starts_elsewhere_live(nuke, standing, files):
    """Files 1001-1004 from frame 1 on, by a variable: frame 2 shows the matte of file 1002."""
    pattern = str(files / "plate.%04d.png")
    read(nuke, pattern, 'frame_mode "start at"', "frame 1", first=1001, last=1004)
    node = nuke.bridge.create()
    nuke.go_to(2)
    nuke.pump(lambda: status(node) == "frame 2: final")
    shown = exr(node.node("Matte").knob("file").value() % 2)
    link = Link(pattern)
    assert np.array_equal(shown["main"], halves(link.frame(1, view="both"))) and shown["main"].max() == 1
    # held after its end
    nuke.go_to(9)
    nuke.pump(lambda: status(node) == "frame 9: final")
    assert np.array_equal(exr(node.node("Matte").knob("file").value() % 9)["main"], halves(link.frame(3, view="both")))
    # rendered files have the script's numbers
    nuke.set(node, "folder", str(files / "out"))
    nuke.click(node, "render")
    nuke.pump(lambda: "frames written" in status(node))
    assert sorted(f.name for f in (files / "out").glob("*.exr")) == [f"plate.{n:04d}.exr" for n in range(1, 5)]
    assert np.array_equal(exr(files / "out" / "plate.0002.exr")["left"], halves(link.frame(1, view="left")))
    nuke.render(3, of=node)
    # and are not shown elsewhere when the plate is moved
    node.input(0).knob("frame")._value = "2"
    with pytest.raises(RuntimeError, match="rendered for another place in time .*; press Render range"):
        nuke.render(3, of=node)


def test_nothing_is_written_that_an_artist_could_undo(nuke, standing):
    read(nuke, standing.clip)
    nuke_stand_in.Undo.steps.clear()
    node = nuke.bridge.create()
    assert nuke_stand_in.Undo.steps == ["VR180 Matte"] or nuke_stand_in.Undo.steps == []
    nuke_stand_in.Undo.steps.clear()
    nuke.root().setModified(False)
    nuke.go_to(4)
    nuke.pump(lambda: status(node) == "frame 4: final")
    nuke.go_to(5)
    nuke.pump(lambda: status(node) == "frame 5: final")
    assert nuke_stand_in.Undo.steps == [] and not nuke.root().modified() and not nuke_stand_in.Undo.disabled()
    # Nuke updates its windows many times a second: nothing is written then
    written = {k: knob.written for n in nuke._everything() for k, knob in n.knobs().items()}
    for _ in range(5):
        nuke.go_to(5)
    assert {k: knob.written for n in nuke._everything() for k, knob in n.knobs().items()} == written
    # what the artist asks for is one step
    nuke.click(node, "show_box")
    nuke.pump(lambda: any(node.knob("box").value()))
    assert nuke_stand_in.Undo.steps == ["VR180 Matte: show box"]


GROUPED = """Group {
 inputs 0
 name Comp
}
 Input {
  inputs 0
  name Input1
 }
 NODE
 Output {
  name Output1
 }
end_group
"""


def test_a_write_below_a_group_waits_for_the_mattes_inside(folder, standing):
    """Its own picture has no VR180 Matte above, but the group's has."""
    with started(folder, False) as nuke:
        plate = read(nuke, standing.clip)
        text = (folder / "VR180Matte.nk").read_text().rstrip("\n")
        (group,) = nuke._read(GROUPED.replace("NODE", text))
        group.setInput(0, plate)
        inside = nuke.toNode("Comp.VR180Matte1")
        assert inside is not None and nuke.bridge.reads.plate_above(inside, 1).path == str(standing.clip)
        nuke.render(3, of=group)
        shown = exr(inside.node("Matte").knob("file").value() % 3)
        assert np.array_equal(shown["main"], halves(standing.link.frame(2, view="both")))
        inside.knob("clip")._value = str(standing.clip) + ".absent"
        with pytest.raises(RuntimeError, match=r"Comp.VR180Matte1: .*absent"):
            nuke.render(4, of=group)


def test_a_render_with_a_window_can_be_cancelled_while_the_clip_is_analysed(nuke, home):
    """And Nuke's bar shows how far it is, before there is a first frame."""
    read(nuke, home.clip)
    node = nuke.bridge.create()
    nuke_stand_in.ProgressTask.made.clear()
    nuke_stand_in.ProgressTask.cancel_on = "working"
    with pytest.raises(RuntimeError, match="VR180Matte1: cancelled"):
        nuke.render(3, of=node)
    (bar,) = nuke_stand_in.ProgressTask.made
    assert bar.messages and status(node) == "cancelled"
    # and the next one goes on where that stopped
    nuke_stand_in.ProgressTask.cancel_on = None
    nuke.render(3, of=node)
    assert exr(node.node("Matte").knob("file").value() % 3)["main"].max() == 1

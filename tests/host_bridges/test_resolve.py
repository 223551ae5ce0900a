"""The scripts for Resolve and Fusion, installed as a user installs them, in stand-ins held against the stubs of Resolve's API."""

import contextlib
import inspect
import json

import av
import numpy as np
import OpenEXR
import pytest

from tests.host_bridges import resolve_stand_in as host
from tests.host_bridges import stubs
from tests.host_bridges.halves import halves
from tests.host_bridges.resolve_session import alpha, click, in_resolve, script, until
from vr180_ofx.install import install
from vr180_ofx.node import NODE


@pytest.fixture
def place(tmp_path):
    install("resolve", tmp_path / "Fusion")
    return tmp_path / "Fusion"


@pytest.mark.skipif(not stubs.available("fusionscript"), reason="fusionscript-stubs is not installed")
def test_the_stand_in_has_nothing_that_resolve_has_not():
    table = stubs.definitions("fusionscript")
    classes = ("Resolve", "ProjectManager", "Project", "MediaStorage", "MediaPool", "MediaPoolItem", "Timeline", "TimelineItem")
    for owner in classes:
        for name, function in inspect.getmembers(getattr(host, owner), inspect.isfunction):
            if name.startswith("_"):
                continue
            definition = stubs.found(table, owner, name)
            assert definition is not None, f"Resolve's {owner} has no {name}"
            # what the stubs call optional by its type, the stand-in calls optional by a default
            assert any(set(inspect.signature(function).parameters) == {a.arg for a in d.args} for d, _ in definition) or stubs.takes(
                definition, function, bound=True
            ), f"{owner}.{name}"


def test_the_panel_is_the_node(place, standing):
    seen = {}

    def user(window):
        seen.update(window.items)
        yield

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    parameters, actions = NODE.of("resolve")
    assert set(seen) == {p.name for p in parameters} | {a.name for a in actions}
    kinds = {"bool": "CheckBox", "int": "SpinBox", "float": "DoubleSpinBox", "choice": "ComboBox", "message": "Label"}
    for p in parameters:
        item = seen[p.name]
        assert item.kind == kinds.get(p.kind, "LineEdit"), p.name
        if p.kind == "choice":
            assert tuple(item.choices) == p.choices and p.choices[item.CurrentIndex] == p.default
        elif p.kind == "bool":
            assert item.Checked == p.default and item.ToolTip == p.help
        elif p.kind in ("int", "float"):
            assert (item.Value, item.Minimum, item.Maximum) == (p.default, p.minimum, p.maximum)
        elif p.name == "clip":
            assert item.Text == str(standing.clip)
    assert all(seen[a.name].Text == a.label for a in actions)


def test_a_clip_of_the_time_line_gets_its_matte(place, standing, tmp_path):
    """From nothing: the matte is a clip matte, and an item on a new track over the same frames."""

    def user(window):
        click(window, "analyse")
        yield from until(window, lambda text: text == "done")
        assert window.items["people_list"].Text.startswith("1 person01")
        window.items["folder"].Text = str(tmp_path / "mattes")
        click(window, "render")
        click(window, "render")
        assert window.items["status"].Text == "something is running already; cancel it first"
        yield from until(window, lambda text: "the matte is in place" in text)

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    files = sorted((tmp_path / "mattes").glob("clip.*.exr"))
    assert len(files) == 10
    (matte,) = resolve.storage.mattes
    # all of the sequence, as the media storage lists it: its first file would be a still
    assert matte[1:] == ([str(tmp_path / "mattes" / "clip.[0001-0010].exr")], None)
    pool = resolve.manager.project.pool
    assert pool.imported[0].path == str(tmp_path / "mattes" / "clip.%04d.exr")
    assert pool.appended == [
        {"mediaPoolItem": pool.imported[0], "startFrame": 2, "endFrame": 6, "mediaType": 1, "trackIndex": 2, "recordFrame": 86400}
    ]
    assert np.array_equal(alpha(files[3]), halves(standing.link.frame(3, view="both")))
    with OpenEXR.File(str(files[3]), separate_channels=True) as file:
        channels = file.channels()
        assert all(np.array_equal(channels[c].pixels, channels["A"].pixels) for c in "RGB")


def test_edges_of_the_panel_are_in_the_files(place, standing, tmp_path):
    """What the server makes of the same numbers, by name."""

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = "4"
        window.items["edge_size"].Value = -1.5
        window.items["edge_black_clip"].Value = 0.1
        click(window, "render")
        yield from until(window, lambda text: "the matte is in place" in text)

    resolve, fusion, bmd = in_resolve(standing.clip, user, selected=True, item=False)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    (file,) = (tmp_path / "mattes").glob("clip.*.exr")
    served = halves(standing.link.frame(3, view="both", edges={"size": -1.5, "black_clip": 0.1}))
    assert np.array_equal(alpha(file), served) and not np.array_equal(served, halves(standing.link.frame(3, view="both")))


def test_a_stereo_clip_gets_a_matte_for_each_eye(place, standing, tmp_path):
    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = "1-3"
        click(window, "render")
        yield from until(window, lambda text: "the matte is in place" in text)

    resolve, fusion, bmd = in_resolve(standing.clip, user, kind="Stereo", selected=True, item=False)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    assert [(m[1][0].split("/")[-1], m[2]) for m in resolve.storage.mattes] == [
        ("clip_left.[0001-0003].exr", "left"),
        ("clip_right.[0001-0003].exr", "right"),
    ]
    for view in ("left", "right"):
        assert np.array_equal(alpha(tmp_path / "mattes" / f"clip_{view}.0002.exr"), halves(standing.link.frame(1, view=view)))
    assert not resolve.manager.project.pool.appended


def test_what_resolve_refuses_is_said(place, standing, tmp_path, capsys):
    said = []

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = "nonsense"
        click(window, "render")
        said.append(window.items["status"].Text)
        for frames, what in (("1-5", "media storage"), ("1-5", "add a track"), ("1-2", "do not reach")):
            window.items["frames"].Text = frames
            window.items["folder"].Text = str(tmp_path / f"mattes{frames}")
            click(window, "render")
            yield from until(window, lambda text, what=what: what in text)
            said.append(window.items["status"].Text)
            resolve.storage.refuses = False
            resolve.manager.project.timeline.locked = True

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    resolve.storage.refuses = True
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    assert said[0].startswith("frames is 'nonsense'") and len(said) == 4
    nothing, fusion, bmd = in_resolve(standing.clip, user, item=False)
    with script(place, "Utility", resolve=nothing, fusion=fusion, bmd=bmd):
        pass
    assert "select one clip in the media pool" in capsys.readouterr().out
    with contextlib.suppress(KeyError), script(place, "Utility", bmd=None):
        pass
    assert "runs inside of DaVinci Resolve" in capsys.readouterr().out


def test_the_free_version_has_no_panel(place, standing, tmp_path, capsys):
    """The script renders with what lies beside the clip, and tells the console."""
    settings = standing.folder / "vr180_matte.json"
    settings.write_text(json.dumps({"folder": str(tmp_path / "mattes"), "frames": "1-2", "unknown": 1}))
    try:
        resolve, fusion, bmd = in_resolve(standing.clip, None, panel=False, item=False, selected=True)
        with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
            pass
    finally:
        settings.unlink()
    assert "2 frames written, 0 were there; the matte is in place" in capsys.readouterr().out
    assert len(resolve.storage.mattes) == 1


@pytest.mark.slow
def test_a_server_that_dies_is_said_in_the_panel(place, home):
    """And the same render goes on."""
    said = []

    def user(window):
        window.items["folder"].Text = str(home.folder / "mattes")
        click(window, "render")
        yield from until(window, lambda text: text.startswith("rendering"))
        home.kill()
        yield from until(window, lambda text: "Render again to go on" in text)
        said.append(window.items["status"].Text)
        click(window, "render")
        yield from until(window, lambda text: "the matte is in place" in text)
        click(window, "render")
        click(window, "cancel")

    resolve, fusion, bmd = in_resolve(home.clip, user)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    assert said and len(list((home.folder / "mattes").glob("clip.*.exr"))) == 10


def test_fusion_gets_a_loader_and_a_matte_control(place, standing, tmp_path):
    """What the source went into comes through the matte now."""
    source, merge, saver = host.Tool("Loader", "Loader1", selected=True), host.Tool("Merge", "Merge1"), host.Tool("Saver", "Saver1")
    source.SetInput("Clip", str(standing.clip))
    merge.ConnectInput("Foreground", source)
    saver.ConnectInput("Input", merge)
    comp = host.Comp(source, merge, saver)

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["first_frame"].Value = 101
        window.items["frames"].Text = "101-103"
        click(window, "render")
        yield from until(window, lambda text: "the matte is in place" in text)

    with script(place, "Comp", fusion=host.Fusion(), comp=comp, bmd=host.Bmd(user)):
        pass
    loader, control = comp.tool("VR180Matte_whole"), comp.tool("VR180Control_whole")
    assert loader.GetInput("Clip") == str(tmp_path / "mattes" / "clip.0101.exr")
    assert (loader.GetInput("GlobalIn"), loader.GetInput("GlobalOut")) == (101, 103)
    assert control.inputs["Background"].source is source and control.inputs["Foreground"].source is loader
    assert (control.GetInput("MatteCombine"), control.GetInput("CombineOp")) == (4, 0)
    assert merge.inputs["Foreground"].source is control and saver.inputs["Input"].source is merge
    assert comp.locks == 0 and comp.undo == ["VR180 Matte", True]
    assert np.array_equal(alpha(tmp_path / "mattes" / "clip.0102.exr"), halves(standing.link.frame(1, view="both")))


def test_fusion_inside_of_resolve_finds_the_file_of_a_media_in(place, standing, capsys):
    seen = []

    def user(window):
        seen.append(window.items["clip"].Text)
        yield

    resolve, fusion, _ = in_resolve(standing.clip, user)
    comp = host.Comp(host.Tool("MediaIn", "MediaIn1"), host.Tool("Merge", "Merge1"))
    with script(place, "Comp", fusion=fusion, comp=comp, bmd=host.Bmd(user), resolve=resolve):
        pass
    assert seen == [str(standing.clip)]
    for shown, text in ((host.Comp(), "select one Loader or MediaIn"), (None, "open a composition first")):
        with contextlib.suppress(KeyError), script(place, "Comp", fusion=fusion, comp=shown, bmd=host.Bmd(user)):
            pass
        assert text in capsys.readouterr().out


@pytest.mark.parametrize(
    ("version", "refused"),
    [([18, 6, 6, 7, ""], "18.6.6"), ([19, 0, 3, 1, ""], "19.0.3"), ([19, 1, 0, 1, ""], ""), ([21, 0, 0, 47, "b"], "")],
)
def test_versions_without_the_calls_are_refused(place, standing, capsys, version, refused):
    shown = []

    def user(window):
        shown.append(window)
        yield

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    resolve.version = version
    with contextlib.suppress(KeyError), script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    told = capsys.readouterr().out
    assert bool(shown) == (not refused)
    assert not refused or f"needs DaVinci Resolve 19.1 or later; this is {refused}" in told


def broken(owner, name, how):
    """A call of the host that fails: by an exception, by nothing, or because this version does not have it."""

    def call(*_arguments, **_more):
        if how == "nothing":
            return
        raise RuntimeError("the object is gone")

    setattr(owner, name, None if how == "absent" else call)


@pytest.mark.parametrize("how", ["an exception", "nothing", "absent"])
@pytest.mark.parametrize("call", ["GetVersion", "GetProjectManager", "GetCurrentTimeline", "GetSelectedClips", "GetClipProperty"])
def test_no_failure_of_resolve_is_a_traceback_before_the_panel(place, standing, capsys, call, how):
    opened = []

    def user(window):
        opened.append(window)
        yield

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    project = resolve.manager.project
    owners = {"GetCurrentTimeline": project, "GetSelectedClips": project.pool, "GetClipProperty": project.timeline.item.clip}
    broken(owners.get(call, resolve), call, how)
    with contextlib.suppress(KeyError), script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    told = capsys.readouterr().out
    if (call, how) == ("GetSelectedClips", "nothing"):
        # the time line shows a clip
        assert opened and not told
        return
    assert not opened and told.count("\n") == 1
    assert "the host failed at looking for the clip" in told or "has no file of its own" in told or "select one clip" in told
    assert how != "absent" or "this version does not have a call that is needed" in told


@pytest.mark.parametrize("how", ["an exception", "nothing", "absent"])
def test_no_failure_of_resolve_ends_the_panel(place, standing, tmp_path, how):
    """What was rendered is named, and the panel goes on."""
    calls = (
        "GetMediaStorage",
        "GetFileList",
        "AddClipMattesToMediaPool",
        "ImportMedia",
        "GetSourceStartFrame",
        "AddTrack",
        "AppendToTimeline",
    )
    said: dict[str, str] = {}

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = "1-5"
        for call in calls:
            project = resolve.manager.project
            owners = {
                "GetMediaStorage": resolve, "GetFileList": resolve.storage, "AddClipMattesToMediaPool": resolve.storage,
                "ImportMedia": project.pool, "AppendToTimeline": project.pool, "GetSourceStartFrame": project.timeline.item,
            }  # fmt: skip
            owner = owners.get(call, project.timeline)
            broken(owner, call, how)
            click(window, "render")
            yield from until(window, lambda text: "The files are in" in text or "in place" in text)
            said[call] = window.items["status"].Text
            delattr(owner, call)
        click(window, "render")
        yield from until(window, lambda text: "the matte is in place" in text)

    resolve, fusion, bmd = in_resolve(standing.clip, user)
    with script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    assert set(said) == set(calls)
    for call, text in said.items():
        # a storage that lists nothing has the sequence all the same
        if (call, how) == ("GetFileList", "nothing"):
            assert "in place" in text
            continue
        assert text.endswith(f"The files are in {tmp_path / 'mattes'}"), (call, text)
        assert how != "absent" or "this version does not have a call that is needed" in text


def test_a_title_has_no_clip(place, standing, capsys):
    resolve, fusion, bmd = in_resolve(standing.clip, None)
    resolve.manager.project.timeline.item.clip = None
    with contextlib.suppress(KeyError), script(place, "Utility", resolve=resolve, fusion=fusion, bmd=bmd):
        pass
    assert "select one clip in the media pool" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["Utility", "Comp"])
def test_image_sequences_are_named_by_their_pattern(place, tmp_path, people_clip, kind):
    """Resolve calls a sequence plate.[1001-1003].png, a Loader by one of its files; the server takes neither."""
    with av.open(str(people_clip)) as container:
        for number, frame in zip(range(1001, 1004), container.decode(video=0), strict=False):
            frame.to_image().save(tmp_path / f"plate.{number}.png")
    seen = []

    def user(window):
        seen.append(window.items["clip"].Text)
        yield

    resolve, fusion, bmd = in_resolve(tmp_path / "plate.[1001-1003].png", user)
    loader = host.Tool("Loader", "Loader1", selected=True)
    loader.SetInput("Clip", str(tmp_path / "plate.1001.png"))
    names = {"resolve": resolve} if kind == "Utility" else {"comp": host.Comp(loader)}
    with script(place, kind, fusion=fusion, bmd=bmd, **names):
        pass
    assert seen == [str(tmp_path / "plate.%04d.png")]
    if kind == "Comp":
        # a single picture stays one
        for number in (1002, 1003):
            (tmp_path / f"plate.{number}.png").unlink()
        with script(place, kind, fusion=fusion, bmd=bmd, **names):
            pass
        assert seen[1:] == [str(tmp_path / "plate.1001.png")]


@pytest.mark.parametrize("call", ["StartUndo", "AddTool", "EndUndo"])
def test_a_composition_is_not_left_locked(place, standing, tmp_path, call):
    source = host.Tool("Loader", "Loader1", selected=True)
    source.SetInput("Clip", str(standing.clip))
    comp = host.Comp(source)
    said = []

    def user(window):
        window.items["folder"].Text = str(tmp_path / "mattes")
        window.items["frames"].Text = "1-2"
        broken(comp, call, "an exception")
        click(window, "render")
        yield from until(window, lambda text: "The files are in" in text)
        said.append(window.items["status"].Text)

    with script(place, "Comp", fusion=host.Fusion(), comp=comp, bmd=host.Bmd(user)):
        pass
    assert comp.locks == 0 and said[0].startswith("the host failed at bringing the matte in: RuntimeError: the object is gone")

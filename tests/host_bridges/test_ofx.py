"""The OpenFX plug-in in a host of our own, through its whole life, with servers that are slow, absent, wrong, or die."""

import itertools
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from benchmarks.support.ofx_host import FAILED, OK, REPLY_DEFAULT, Host, Props
from tests.host_bridges.halves import halves
from tests.host_bridges.ofx_session import BUILDABLE, SOURCES, build, colours
from tests.host_bridges.relay import Relay
from tests.host_bridges.wrong_server import Wrong, serving
from vr180_ofx import client as c
from vr180_ofx.node import NODE

pytestmark = BUILDABLE
GENERAL = "OfxImageEffectContextGeneral"


def test_what_the_plug_in_says_of_itself(host):
    assert host.plugin.api == b"OfxImageEffectPluginAPI" and host.plugin.identifier == b"vr180ofx.VR180Matte"
    for context in ("OfxImageEffectContextFilter", GENERAL):
        e = host.describe(context)
        assert e.props.values["OfxImageEffectPropSupportedContexts"] == ["OfxImageEffectContextFilter", GENERAL]
        assert set(e.props.values["OfxImageEffectPropSupportedPixelDepths"]) == {
            f"OfxBitDepth{d}" for d in ("Float", "Half", "Short", "Byte")
        }
        assert e.props.get("OfxImageEffectPluginRenderThreadSafety") == "OfxImageEffectRenderFullySafe"
        assert e.props.get("uk.co.thefoundry.OfxImageEffectPropViewAware") == 1 and e.props.get("OfxImageEffectPropSupportsTiles") == 1
        assert set(e.clips) == {"Source", "Output"} | ({"Mask"} if context == GENERAL else set())
        assert bool(e.clips["Source"].props.get("OfxImageClipPropOptional", 0)) == (context == GENERAL)


def test_its_parameters_are_those_of_the_node(host):
    """Names, types, defaults, limits, choices, help and groups, and nothing else."""
    parameters, actions = NODE.of("ofx")
    shown = host.describe().params
    assert set(shown) == {p.name for p in parameters} | {a.name for a in actions} | {g for g, _ in NODE.groups} | {"page", "revision"}
    kinds = {"bool": "Boolean", "int": "Integer", "float": "Double", "choice": "Choice"}
    for p in parameters:
        at = shown[p.name]
        assert at.kind == f"OfxParamType{kinds.get(p.kind, 'String')}"
        default = at.props.get("OfxParamPropDefault")
        assert default == (p.choices.index(p.default) if p.kind == "choice" else p.default), p.name
        assert (at.props.get("OfxPropLabel"), at.props.get("OfxParamPropHint"), at.props.get("OfxParamPropParent")) == (
            p.label,
            p.help,
            p.group,
        )
        assert bool(at.props.get("OfxParamPropAnimates")) == p.animatable
        if p.choices:
            assert tuple(at.props.values["OfxParamPropChoiceOption"]) == p.choices
        if p.minimum is not None:
            assert (at.props.get("OfxParamPropMin"), at.props.get("OfxParamPropMax")) == (p.minimum, p.maximum)
    assert all(shown[a.name].kind == "OfxParamTypePushButton" for a in actions)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint16, np.uint8])
def test_a_frame_of_both_eyes(host, shown, dtype):
    """The colour goes through to the bit, and the alpha is the server's."""
    effect, link = shown
    source = colours(dtype)
    status, out = host.render(effect, 3, source)
    assert status == OK, effect.persistent
    expected = np.hstack([halves(link.frame(2, view=v)) for v in ("left", "right")]).astype(np.float32)
    assert np.array_equal(out[..., :3], source[..., :3])
    if np.issubdtype(dtype, np.integer):
        expected = np.round(expected * np.iinfo(dtype).max)
        assert np.abs(out[..., 3].astype(float) - expected).max() <= 1
    else:
        assert np.array_equal(out[..., 3].astype(np.float32), expected)
    # alpha alone is a picture, too
    status, out = host.render(effect, 3, np.ascontiguousarray(source[..., 3]))
    assert status == OK and out.shape == (512, 1024) and np.abs(out.astype(float) - expected).max() <= 1


def test_eyes_layers_inversion_and_mix(host, shown):
    effect, link = shown
    eye = colours(height=512, width=512)
    left, right = (halves(link.frame(4, view=v)).astype(np.float32) for v in ("left", "right"))
    host.set(effect, view=2)
    assert np.array_equal(host.render(effect, 5, eye)[1][..., 3], right)
    # auto, in a host with views: the one that is rendered, by its name where it has one
    host.set(effect, view=0)
    for names, number, expected in ((["left", "right"], 0, left), (["left", "right"], 1, right), (["R", "L"], 0, right)):
        effect.views = names
        status, out = host.render(effect, 5, eye, view=number)
        assert status == OK and np.array_equal(out[..., 3], expected)
    effect.views = None
    host.set(effect, view=1, layer="person01")
    person = halves(link.frame(4, view="left", layer="person01")).astype(np.float32)
    assert np.array_equal(host.render(effect, 5, eye)[1][..., 3], person) and 0 < person.sum() < left.sum()
    host.set(effect, layer="A", invert=1)
    assert np.array_equal(host.render(effect, 5, eye)[1][..., 3], 1 - left)
    host.set(effect, invert=0)
    # animated: the value at the time of the frame counts
    effect.params["mix"].value = lambda time: 0.5 if time == 5 else 1.0
    assert np.allclose(host.render(effect, 5, eye)[1][..., 3], left * 0.5 + 0.125)
    assert np.array_equal(host.render(effect, 6, eye)[1][..., 3], halves(link.frame(5, view="left")))


def test_no_mix_is_the_input_itself(host, effect):
    for mix, expected in ((0.0, OK), (0.5, REPLY_DEFAULT)):
        effect.params["mix"].value = mix
        answers = Props()
        assert host.call("OfxImageEffectActionIsIdentity", effect, Props(OfxPropTime=7.0), answers) == expected
    assert host.call("OfxImageEffectActionIsIdentity", effect, Props(OfxPropTime=7.0), answers) == REPLY_DEFAULT


def test_frames_outside_of_the_clip_show_nobody(host, shown):
    effect, _ = shown
    for frame in (0, 11, -5, 1e6):
        status, out = host.render(effect, frame, colours())
        assert status == OK and not out[..., 3].any() and out[..., 0].any()
    host.set(effect, first_frame=1001)
    assert host.render(effect, 1003, colours())[1][..., 3].any()


def test_tiles_at_once_are_the_whole_picture(host, shown):
    """From several threads, as hosts do that take a plug-in at its word; every tile writes its own pixels alone."""
    effect, _ = shown
    source = colours()
    _, whole = host.render(effect, 8, source)
    target = np.full_like(source, 77)
    lower = np.ascontiguousarray(source[::-1])
    tiles = [(x, y, min(x + 300, 1024), min(y + 200, 512)) for y in range(0, 512, 200) for x in range(0, 1024, 300)]
    for name, array in (("Source", lower), ("Output", target)):
        effect.clips[name].images, effect.clips[name].rod = {None: (array, (0, 0))}, (0, 0, 1024, 512)
    statuses = []

    def one(window):
        arguments = Props(OfxPropTime=8.0, OfxImageEffectPropRenderWindow=window, OfxImageEffectPropRenderScale=(1.0, 1.0))
        statuses.append(host.call("OfxImageEffectActionRender", effect, arguments))

    workers = [threading.Thread(target=one, args=(w,)) for w in tiles]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    assert statuses == [OK] * len(tiles)
    assert np.array_equal(target[::-1], whole)


def test_a_proxy_shows_the_mean_of_its_pixels(host, shown):
    effect, link = shown
    full = np.hstack([halves(link.frame(2, view=v)) for v in ("left", "right")]).astype(np.float64)
    small = colours(height=256, width=512)
    status, out = host.render(effect, 3, small, scale=0.5)
    expected = full.reshape(256, 2, 512, 2).mean(axis=(1, 3))
    assert status == OK and np.abs(out[..., 3] - expected).max() < 1e-6
    # a third does not come out even: areas, not picked pixels
    status, out = host.render(effect, 3, colours(height=171, width=341), scale=1 / 3)
    assert status == OK and abs(out[..., 3].mean() - full.mean()) < 2e-3
    # the other way: mattes at half the resolution, shown at full
    host.set(effect, scale=1)
    status, out = host.render(effect, 3, colours())
    assert status == OK and np.abs(out[..., 3] - full).mean() < 5e-3 and out[..., 3].any()


def test_a_part_of_the_picture_that_lies_elsewhere(host, shown):
    """Bounds that do not begin at zero, and a window inside of them."""
    effect, _ = shown
    source = colours()
    _, whole = host.render(effect, 3, source)
    # the lower right quarter of the frame, whose frame of definition is still the whole
    part = np.ascontiguousarray(source[256:, 512:])
    lower = np.ascontiguousarray(part[::-1])
    target = np.zeros_like(lower)
    for name, array in (("Source", lower), ("Output", target)):
        effect.clips[name].images, effect.clips[name].rod = {None: (array, (512, 0))}, (0, 0, 1024, 512)
    arguments = Props(OfxPropTime=3.0, OfxImageEffectPropRenderWindow=(512, 0, 1024, 256), OfxImageEffectPropRenderScale=(1.0, 1.0))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK
    assert np.array_equal(target[::-1], whole[256:, 512:])


def test_without_an_input_the_matte_is_the_picture(host, standing):
    effect = host.create(GENERAL, connected=False)
    host.set(effect, clip=str(standing.clip))
    answers = Props()
    assert host.call("OfxImageEffectActionGetRegionOfDefinition", effect, Props(OfxPropTime=1.0), answers) == OK
    assert answers.values["OfxImageEffectPropRegionOfDefinition"] == [0, 0, 1024, 512]
    assert host.call("OfxImageEffectActionGetTimeDomain", effect, Props(), answers) == OK
    assert answers.values["OfxImageEffectPropFrameRange"] == [1, 10]
    status, out = host.render(effect, 2, np.zeros((512, 1024, 4), np.float32))
    assert status == OK and out[..., 3].any() and all(np.array_equal(out[..., k], out[..., 3]) for k in range(3))
    assert host.destroy(effect) == OK


def test_buttons(host, linked, home):
    effect, link = linked
    host.press(effect, "analyse")
    assert effect.params["people_list"].value.startswith("1 person01") and effect.params["status"].value == "Analyse: done"
    out = home.folder / "renders"
    host.set(effect, folder=str(out), frames="2-4, 7", compression=3)
    host.press(effect, "render")
    assert effect.params["status"].value == "4 frames are there", effect.said
    assert sorted(p.name for p in out.glob("clip.*.exr")) == [f"clip.{n:04d}.exr" for n in (2, 3, 4, 7)]
    assert effect.progress[-1] == "end" and "Render range" in effect.progress
    host.set(effect, frames="9-3")
    host.press(effect, "render")
    assert "Frames is 9-3" in effect.said[-1][1]
    # the person is not cancelled in the clip but by the bar of the host
    host.set(effect, frames="all", overwrite=1)
    effect.cancel_at = 0.2
    host.press(effect, "render")
    assert effect.params["status"].value.startswith("cancelled after")
    effect.cancel_at = None
    (moved,) = [p for p in link.clip().people()["people"] if p["id"] == 1]
    link.clip().edit({"op": "rename", "person": 1, "name": "anna"})
    host.press(effect, "analyse")
    assert effect.params["people_list"].value.startswith("1 anna")
    host.press(effect, "forget_corrections")
    assert effect.params["people_list"].value.startswith(f"1 {moved['name']}")
    for name in ("clear_cache", "reconnect"):
        host.press(effect, name)
        assert effect.params["status"].value.endswith(": done"), effect.said


def test_a_correction_is_seen_at_once(host, linked):
    """What the plug-in keeps is asked for again by its ETag."""
    effect, link = linked
    before = host.render(effect, 3, colours())[1]
    assert np.array_equal(host.render(effect, 3, colours())[1], before)
    link.clip().edit({"op": "exclude", "person": 1})
    assert not np.array_equal(host.render(effect, 3, colours())[1], before)


def test_it_starts_a_server_itself(host, effect, home):
    """From nothing: no server, no analysis."""
    host.set(effect, clip=str(home.clip))
    assert not c.announce_path().exists()
    status, out = host.render(effect, 1, colours())
    assert status == OK and out[..., 3].any()
    told = [p[1] for p in effect.persistent if p]
    assert any(t.startswith("finding the people") for t in told) and effect.persistent[-1] is None
    # its process is nobody's child: it does not wait to be reaped by the host
    assert c.connect().server_facts()["idle_exit_s"] == 30 * 60
    assert home.note["pid"] not in {int(p) for p in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


def test_an_absent_server_is_an_error(host, effect, home):
    host.set(effect, clip=str(home.clip), start_server=0)
    assert host.render(effect, 1, colours())[0] == FAILED
    assert effect.persistent[-1] == ("OfxMessageError", "no frame server is running; start one with: vr180-ofx serve")
    host.set(effect, clip="")
    host.set(effect, start_server=1)
    assert host.render(effect, 1, colours())[0] == FAILED and "Clip is empty" in effect.persistent[-1][1]


def test_what_the_server_refuses_is_said(host, shown, standing):
    effect, _ = shown
    host.set(effect, clip=str(standing.folder / "absent.mp4"))
    assert host.render(effect, 1, colours())[0] == FAILED and "absent.mp4" in effect.persistent[-1][1]
    host.set(effect, clip=str(standing.clip), layer="nobody")
    assert host.render(effect, 1, colours())[0] == FAILED and "layer is 'nobody'" in effect.persistent[-1][1]
    host.set(effect, layer="A/../../x?y")
    assert host.render(effect, 1, colours())[0] == FAILED and "layer is 'A/../../x?y'" in effect.persistent[-1][1]


def test_a_server_that_dies_is_an_error_and_work_goes_on(host, linked, home):
    effect, _ = linked
    _, before = host.render(effect, 3, colours())
    host.set(effect, start_server=0)
    home.kill()
    assert host.render(effect, 3, colours())[0] == FAILED
    assert "vr180-ofx serve" in effect.persistent[-1][1]
    c.find_or_start()
    status, again = host.render(effect, 3, colours())
    assert status == OK and np.array_equal(again, before) and effect.persistent[-1] is None


@pytest.mark.parametrize(("part", "passed"), [("nothing", 0), ("some of the head", 20), ("some of the picture", 10_000)])
def test_a_server_that_dies_while_it_answers_is_started_again(host, effect, home, part, passed):
    """Whatever of the answer has come before: killed when it has taken the request and begun to answer."""
    c.find_or_start()
    with Relay(home) as relay:
        host.set(effect, clip=str(home.clip))
        _, before = host.render(effect, 3, colours())
        # the picture itself is asked for again, and not whether it is still the same
        host.call("OfxActionPurgeCaches", effect)
        relay.kill_after(passed)
        status, again = host.render(effect, 3, colours())
        assert relay.killed and home.note["pid"] not in relay.killed
    assert status == OK and np.array_equal(again, before), effect.persistent


def test_a_render_button_survives_its_server(host, linked, home):
    effect, _ = linked
    out = home.folder / "renders"
    host.set(effect, folder=str(out), start_server=0)
    update = effect.progress.append
    killed: list[int] = []

    class Bar(list[object]):
        def append(self, share):
            update(share)
            if share not in ("Render range", "end") and share >= 0.2 and not killed:
                killed.append(home.kill())

    effect.progress = Bar()
    host.press(effect, "render")
    assert killed and "what was written is whole. Render again to go on" in effect.said[-1][1]
    there = {p.name: p.stat().st_mtime_ns for p in out.glob("clip.*.exr")}
    effect.progress = []
    host.set(effect, start_server=1)
    host.press(effect, "render")
    assert effect.params["status"].value == "10 frames are there"
    assert there and all((out / n).stat().st_mtime_ns == t for n, t in there.items())


@pytest.mark.parametrize(
    ("mode", "said"),
    [
        ("other", "does not prove that it knows the token"), ("garbage", "is not a frame server"), ("short", "went away in the middle"),
        ("small", "is not a picture"), ("huge", "is not a frame server"), ("negative", "is not a picture"), ("json", "status 500"),
        ("chunks", "is not a frame server"), ("cut", "went away in the middle"), ("slow", "does not answer"), ("silent", "does not answer"), ("refusing", "nobody answers"),
    ],
)  # fmt: skip
def test_a_wrong_server_is_an_error(host, effect, home, tmp_path, monkeypatch, mode, said):
    """Never a crash, never a hang, and never a picture."""
    monkeypatch.setenv("VR180_OFX_TIMEOUT_S", "1")
    token = tmp_path / "token"
    token.write_text("x" * 32)
    deaf = socket.create_server(("127.0.0.1", 0), backlog=8)
    with serving(Wrong, mode=mode) as port:
        if mode == "silent":
            port = deaf.getsockname()[1]
        if mode != "refusing":
            _fails_with(host, effect, home, port, token, said)
    if mode == "refusing":
        _fails_with(host, effect, home, port, token, said)
    deaf.close()


def _fails_with(host, effect, home, port, token, said):
    host.set(effect, clip=str(home.clip), address=f"http://127.0.0.1:{port}", token_file=str(token))
    looks = itertools.count()
    effect.abort = lambda: next(looks) < 0
    assert host.render(effect, 1, colours())[0] == FAILED
    # while it waits it asks every 50 ms whether to go on: so often in the second that it has patience, and twice for what is tried twice
    assert next(looks) <= 2 * 20 + 5
    assert said in effect.persistent[-1][1], effect.persistent


def test_the_host_can_abort(host, effect, home, tmp_path):
    """While the plug-in waits for a server that does not answer."""
    token = tmp_path / "token"
    token.write_text("x" * 32)
    deaf = socket.create_server(("127.0.0.1", 0))
    host.set(effect, clip=str(home.clip), address=f"http://127.0.0.1:{deaf.getsockname()[1]}", token_file=str(token))
    looks = itertools.count(1)
    effect.abort = lambda: next(looks) >= 10
    assert host.render(effect, 1, colours())[0] == FAILED
    # it does not go on waiting once it was told, and says nothing of it
    assert next(looks) == 11 and not [p for p in effect.persistent if p]
    effect.abort = lambda: False
    deaf.close()


def test_hosts_without_the_optional_suites(bundle, standing):
    """No messages, no progress, no threads, no views."""
    host = Host(bundle, ["OfxMessageSuite", "OfxProgressSuite", "OfxMultiThreadSuite", "uk.co.thefoundry.FnOfxImageEffectPlaneSuite"])
    assert host.load() == OK
    effect = host.create()
    host.set(effect, clip=str(standing.clip))
    status, out = host.render(effect, 1, colours(), view=0)
    assert status == OK and out[..., 3].any()
    host.press(effect, "analyse")
    assert effect.params["status"].value == "Analyse: done"
    assert host.destroy(effect) == OK and host.unload() == OK
    poor = Host(bundle, ["OfxParameterSuite"])
    assert poor.load() == 4


#: Frames of the plug-in in the reports of both tools.
OURS = re.compile(rf"\b({'|'.join(p.stem for p in (SOURCES / 'src').glob('*.c'))})\.c:\d+|VR180Matte\.ofx")
LIFE = """
import sys, threading
import numpy as np
from benchmarks.support.ofx_host import FAILED, OK, Host, Props
bundle, clip, out = sys.argv[1:]
from tests.host_bridges.proving import known_token
from tests.host_bridges.wrong_server import Random, Wrong, serving
token = known_token()
host, statuses = Host(bundle), []
assert host.load() == OK
for turn in range(2):
    effect = host.create()
    host.set(effect, clip=clip)
    for dtype in (np.float32, np.float16, np.uint8, np.uint16):
        for shape in ((128, 256, 4), (128, 256)):
            status, picture = host.render(effect, 3, np.zeros(shape, dtype), scale=0.25)
            assert status == OK, effect.persistent
            assert (picture[..., 3] if picture.ndim == 3 else picture).any()
    host.set(effect, view=1, layer="person01", mix=0.5, invert=1)
    assert host.render(effect, 4, np.zeros((128, 128, 4), np.float32), scale=0.25)[0] == OK
    host.set(effect, view=0, layer="nobody")
    assert host.render(effect, 4, np.zeros((128, 256, 4), np.float32), scale=0.25)[0] == FAILED
    host.set(effect, layer="A", mix=1.0, invert=0)
    source = np.zeros((512, 1024, 4), np.float32)
    target = np.zeros_like(source)
    for name, array in (("Source", source), ("Output", target)):
        effect.clips[name].images, effect.clips[name].rod = {None: (array, (0, 0))}, (0, 0, 1024, 512)
    def tile(y, n):
        arguments = Props(OfxPropTime=float(n), OfxImageEffectPropRenderWindow=(0, y, 1024, y + 64), OfxImageEffectPropRenderScale=(1.0, 1.0))
        assert host.call("OfxImageEffectActionRender", effect, arguments) == OK
    workers = [threading.Thread(target=tile, args=(y, n)) for n in range(1, 7) for y in range(0, 512, 128)]
    [w.start() for w in workers]
    [w.join() for w in workers]
    effect.params["edge_size"].value = lambda time: time - 2
    assert host.render(effect, 3, np.zeros((128, 256, 4), np.float32), scale=0.25)[0] == OK
    masked = host.create("OfxImageEffectContextGeneral")
    host.set(masked, clip=clip, edge_unit=1, edge_keep_motion_blur=1)
    for dtype in (np.float32, np.float16, np.uint8, np.uint16):
        for mask in (np.ones((64, 100), dtype), np.ones((200, 300, 4), dtype), np.ones((8, 8, 3), dtype)):
            masked.clips["Mask"].images = {None: (mask, (-20, 30))}
            expected = FAILED if mask.ndim == 3 and mask.shape[2] == 3 else OK
            assert (host.render(masked, 3, np.zeros((128, 256, 4), dtype), scale=0.25)[0] == OK) == (expected == OK)
    assert host.destroy(masked) == OK
    host.set(effect, folder=out, frames="1-3")
    for button in ("analyse", "render", "clear_cache", "reconnect"):
        host.press(effect, button)
    assert host.call("OfxActionPurgeCaches", effect) == OK
    host.set(effect, address="http://127.0.0.1:9", start_server=0)
    assert host.render(effect, 3, source)[0] == FAILED
    small = np.zeros((8, 16, 4), np.float32)
    for mode in ("other", "garbage", "short", "small", "huge", "negative", "json", "chunks", "cut"):
        with serving(Wrong, mode=mode, token=token) as port:
            host.set(effect, address=f"http://127.0.0.1:{port}")
            assert host.render(effect, 3, small)[0] == FAILED, mode
    for seed in range(100):
        with serving(Random, seed=seed, token=token) as port:
            host.set(effect, address=f"http://127.0.0.1:{port}")
            statuses.append(host.render(effect, 3, small)[0])
            host.press(effect, "analyse")
    assert host.destroy(effect) == OK
assert host.unload() == OK
assert OK in statuses and FAILED in statuses
print("lived")
"""


def life(command, bundle, home, **env):
    """The whole life of the plug-in in a process of its own."""
    c.Link(str(home.clip)).wait()
    script = home.folder / "life.py"
    script.write_text(LIFE)
    words = [*command, sys.executable, str(script), str(bundle), str(home.clip), str(home.folder / "life")]
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": root, "VR180_OFX_TIMEOUT_S": "5", **env})


@pytest.mark.slow
def test_its_life_is_free_of_faults_under_the_address_sanitizer(home, tmp_path):
    bundle = build(tmp_path / "asan", "-DSANITIZE=ON", "-DCMAKE_BUILD_TYPE=Debug")
    library = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    done = life(
        [],
        bundle,
        home,
        LD_PRELOAD=library,
        ASAN_OPTIONS="detect_leaks=1:exitcode=99",
        UBSAN_OPTIONS="print_stacktrace=1",
        PYTHONMALLOC="malloc",
    )
    assert "lived" in done.stdout, done.stderr[-4000:]
    assert "ERROR: AddressSanitizer" not in done.stderr and "runtime error" not in done.stderr, done.stderr[-4000:]
    # Python itself keeps memory until the end; nothing of it may have been taken by the plug-in
    leaks = done.stderr.split("leak of")[1:]
    assert leaks, "the leak checker has not run"
    assert not [block for block in leaks if OURS.search(block)], done.stderr[-4000:]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
@pytest.mark.timeout(900)
def test_its_life_is_free_of_faults_under_valgrind(home, tmp_path):
    bundle = build(tmp_path / "debug", "-DCMAKE_BUILD_TYPE=Debug")
    report = tmp_path / "report"
    command = [
        "valgrind",
        "--leak-check=full",
        "--show-leak-kinds=definite,indirect,possible",
        f"--log-file={report}",
        "--num-callers=30",
        "--undef-value-errors=yes",
    ]
    done = life(command, bundle, home, PYTHONMALLOC="malloc")
    assert "lived" in done.stdout, done.stderr[-2000:]
    text = report.read_text()
    # every finding is a paragraph: an invalid access, a jump on nothing, bytes lost
    paragraphs = re.split(r"\n==\d+== \n", text)
    findings = [p for p in paragraphs if _of_the_plug_in(p)]
    assert "HEAP SUMMARY" in text and not findings, "\n".join(findings)[:4000]


def _of_the_plug_in(paragraph):
    """What Python has taken while the plug-in called it is not the plug-in's: of a loss, the frames next to the allocation count."""
    frames = re.findall(r"(?:at|by) 0x.*", paragraph)
    return any(OURS.search(f) for f in (frames[:3] if " lost in loss record" in paragraph else frames))

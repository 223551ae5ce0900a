"""The OpenFX plug-in in hosts that tell of their input in their own ways: which eye, which frame, which file, which pixels."""

import numpy as np
import pytest

from benchmarks.support.ofx_host import FAILED, OK, REPLY_DEFAULT, Host, Props
from tests.host_bridges.halves import halves
from tests.host_bridges.ofx_session import BUILDABLE, colours, spoiled

pytestmark = BUILDABLE
EYE, FILE, FRAME = "OfxImageEffectPropEyeToRender", "OfxImageEffectPropSrcFilePath", "OfxImageEffectPropSrcFrame"
LEFT, RIGHT, BOTH = 1, 2, 3


@pytest.fixture(scope="module")
def mattes(standing):
    """Frame 4 of the clip: view -> alpha."""
    eyes = {view: halves(standing.link.frame(4, view=view)).astype(np.float32) for view in ("left", "right")}
    return eyes | {"both": np.hstack([eyes["left"], eyes["right"]])}


VIEWS = ["left", "right"]


@pytest.mark.parametrize(
    ("shape", "how", "shows"),
    [
        # one eye, and a host that says which
        ((512, 512), {"told": {EYE: 0}}, "left"),
        ((512, 512), {"told": {EYE: 1}}, "right"),
        ((512, 512), {"view": 1, "views": VIEWS}, "right"),
        ((512, 512), {"view": 0, "views": ["Right", "Left"]}, "right"),
        ((512, 512), {"told": {"OfxImageEffectPropViewsToRender": 2, "OfxImageEffectPropRenderView": 1}}, "right"),
        ((256, 256), {"told": {EYE: 1}, "scale": 0.5}, "right half"),
        # one eye, and a host that does not
        ((512, 512), {}, "does not say of which"),
        ((512, 512), {"eye": RIGHT}, "right"),
        ((512, 512), {"eye": BOTH}, "Eye is both"),
        ((512, 512), {"view": 0, "views": ["main"]}, "does not say of which"),
        ((512, 512), {"view": 1, "views": ["Lens", "Reference"]}, "does not say of which"),
        ((512, 512), {"view": 0}, "does not say of which"),
        ((512, 512), {"told": {"OfxImageEffectPropViewsToRender": 1, "OfxImageEffectPropRenderView": 0}}, "does not say of which"),
        # Natron has Vegas' numbers too, in the order of its views
        ((512, 512), {"told": {"OfxImageEffectPropViewsToRender": 2, "OfxImageEffectPropRenderView": 0}, "view": 0,
                      "views": ["Right", "Left"]}, "right"),
        # both eyes, whatever the host says of views
        ((512, 1024), {}, "both"),
        ((512, 1024), {"view": 0, "views": VIEWS}, "both"),
        ((512, 1024), {"view": 1, "views": VIEWS}, "both"),
        ((512, 1024), {"told": {EYE: 0}}, "both"),
        ((512, 1024), {"told": {EYE: 1}}, "set Eye to both"),
        ((512, 1024), {"told": {EYE: 1}, "eye": BOTH}, "both"),
        ((512, 1024), {"eye": LEFT}, "Eye is left"),
        ((512, 1024), {"eye": LEFT, "view": 0, "views": VIEWS}, "Eye is left"),
        # another shape: letterboxed in a timeline
        ((540, 960), {"told": {EYE: 0}}, "960x540 pixels"),
        ((540, 960), {"eye": BOTH}, "960x540 pixels"),
        # pixels that are shown twice as wide
        ((512, 1024), {"par": 2.0}, "both"),
        ((256, 512), {"par": 2.0, "scale": 0.5}, "both half"),
        ((512, 512), {"par": 2.0}, "it may show either"),
        ((512, 512), {"par": 2.0, "eye": LEFT}, "left"),
        ((512, 512), {"par": 2.0, "view": 1, "views": VIEWS}, "it may show either"),
    ],
)  # fmt: skip
def test_which_eye(host, shown, mattes, shape, how, shows):
    """The matte fits the plate, or there is an error that says what to do; never one eye over both, nor both over one."""
    effect, _ = shown
    effect.views = how.get("views")
    host.set(effect, view=how.get("eye", 0))
    rest = {k: v for k, v in how.items() if k not in ("views", "eye")}
    status, out = host.render(effect, 5, colours(height=shape[0], width=shape[1]), **rest)
    effect.views = None
    word, *half = shows.split()
    if word not in mattes:
        assert status == FAILED and shows in effect.message and spoiled(out), effect.persistent
        return
    expected = mattes[word]
    if half:
        expected = expected.reshape(expected.shape[0] // 2, 2, -1, 2).mean(axis=(1, 3))
    assert status == OK and np.abs(out[..., 3] - expected).max() < 1 / 65535, effect.persistent


def test_pixels_that_are_not_square(host, shown, mattes):
    """A squeezed plate of both eyes, and its tiles: canonical coordinates are wider than pixels."""
    effect, _ = shown
    squeezed = mattes["both"].reshape(512, 512, 2).mean(axis=2)
    host.set(effect, view=BOTH)
    status, out = host.render(effect, 5, colours(height=512, width=512), par=2.0)
    assert status == OK and np.abs(out[..., 3] - squeezed).max() < 1 / 65535
    # a host that says it of the clip alone
    source = np.ascontiguousarray(colours(height=512, width=1024)[::-1])
    target = np.zeros_like(source)
    for name, array in (("Source", source), ("Output", target)):
        clip = effect.clips[name]
        clip.images, clip.rod, clip.pixels, clip.told = {None: (array[256:, :512], (0, 256))}, (0, 0, 2048, 512), None, {}
        clip.props.values["OfxImagePropPixelAspectRatio"] = [2.0]
    arguments = Props(OfxPropTime=5.0, OfxImageEffectPropRenderWindow=(0, 256, 512, 512), OfxImageEffectPropRenderScale=(1.0, 1.0))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK, effect.persistent
    assert np.array_equal(target[256:, :512, 3][::-1], mattes["both"][:256, :512])


def test_a_clip_whose_region_forgets_the_scale(host, shown, mattes):
    """MLT does; the picture's own region is in pixels."""
    effect, _ = shown
    source = np.ascontiguousarray(colours(height=256, width=1024 // 2)[::-1])
    target = np.zeros_like(source)
    for name, array in (("Source", source), ("Output", target)):
        clip = effect.clips[name]
        clip.images, clip.rod, clip.pixels = {None: (array, (0, 0))}, (0, 0, 512, 256), (0, 0, 512, 256)
    arguments = Props(OfxPropTime=5.0, OfxImageEffectPropRenderWindow=(0, 0, 512, 256), OfxImageEffectPropRenderScale=(0.5, 0.5))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK, effect.persistent
    expected = mattes["both"].reshape(256, 2, 512, 2).mean(axis=(1, 3))
    assert np.abs(target[::-1][..., 3] - expected).max() < 1 / 65535


@pytest.mark.parametrize(
    ("frames", "time", "how", "said"),
    [
        ((1, 10), 5, {}, None), ((0, 9), 4, {}, None), ((1001, 1010), 1005, {}, None), ((0, 10), 4, {}, None),
        ((86400, 86409), 86404, {}, None),
        # trimmed, or longer than the clip: where does the clip begin?
        ((3, 10), 5, {}, "8 frames, from 3 on"), ((0, 99), 4, {}, "100 frames"), (None, 4, {}, "does not say which frame"),
        # said by the artist
        (None, 4, {"first_frame": 0}, None), ((3, 10), 5, {"find_frame": 0}, None), ((0, 9), 105, {"first_frame": 101}, None),
        # said by Resolve, whatever the ranges
        (None, 215404, {"source": 4}, None), ((0, 99), 50, {"source": 4}, None), (None, 3.4, {"source": 4.0}, None),
        ((1, 10), 5, {"source": 2, "find_frame": 0}, None),
    ],
)  # fmt: skip
def test_which_frame(host, standing, mattes, frames, time, how, said):
    """Frame 4 of the clip (the fifth), or an error."""
    effect = host.create(frames=frames)
    host.set(effect, clip=str(standing.clip), **{k: v for k, v in how.items() if k != "source"})
    told = {FRAME: how["source"]} if "source" in how else {}
    status, out = host.render(effect, time, colours(), told=told)
    if said is None:
        assert status == OK and np.array_equal(out[..., 3], mattes["both"]), effect.persistent
    else:
        assert status == FAILED and said in effect.message and "First frame" in effect.message and spoiled(out)
    assert host.destroy(effect) == OK


def test_frames_in_mlt(bundle, standing, mattes):
    """It counts from 0 and passes no range, but the length of what it plays."""
    mlt = Host(bundle, name="MLT", tells_path=False)
    assert mlt.load() == OK
    for length, status in ((10, OK), (5, FAILED)):
        effect = mlt.create(frames=None)
        effect.values["OfxImageEffectInstancePropEffectDuration"] = [float(length)]
        mlt.set(effect, clip=str(standing.clip))
        got, out = mlt.render(effect, 4, colours())
        assert got == status, effect.persistent
        assert np.array_equal(out[..., 3], mattes["both"]) if status == OK else "5 frames" in effect.message
        assert mlt.destroy(effect) == OK


@pytest.mark.parametrize("where", ["instance", "clip", "arguments", "picture"])
def test_the_clip_by_itself(host, standing, mattes, where):
    """Resolve tells the input's file: on the instance, and others may elsewhere. What is typed in counts more."""
    told = {FILE: str(standing.clip)}
    effect = host.create(told=told if where == "instance" else None)
    if where == "clip":
        effect.clips["Source"].props.values |= Props(**told).values
    status, out = host.render(effect, 5, colours(), told=told if where == "arguments" else None, names=told if where == "picture" else None)
    assert status == OK and np.array_equal(out[..., 3], mattes["both"]), effect.persistent
    host.set(effect, clip=str(standing.folder / "other.mp4"))
    assert host.render(effect, 5, colours(), told=told)[0] == FAILED and "other.mp4" in effect.message
    assert host.destroy(effect) == OK


def test_the_clip_in_nuke(bundle, standing, mattes):
    """Texts are expressions there, so the default is one; of an input that is no file it stays as it is."""
    nuke = Host(bundle, name="uk.co.thefoundry.nukex")
    assert nuke.load() == OK
    effect = nuke.create()
    assert effect.params["clip"].value == "[metadata input/filename]"
    assert nuke.render(effect, 5, colours())[0] == FAILED and "Clip is empty" in effect.message
    effect.params["clip"].value = lambda _time: str(standing.clip)
    status, out = nuke.render(effect, 5, colours())
    assert status == OK and np.array_equal(out[..., 3], mattes["both"])
    assert nuke.destroy(effect) == OK


def test_thumbnails_have_no_messages(host, shown):
    """Resolve renders strips of small pictures of the timeline's shape."""
    effect, _ = shown
    effect.clips["Source"].props.values["OfxImageClipPropThumbnail"] = [1]
    assert host.render(effect, 5, colours(height=90, width=160))[0] == FAILED and not [p for p in effect.persistent if p]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint16, np.uint8])
def test_a_plate_without_alpha(host, shown, mattes, dtype):
    """RGB comes in, RGBA goes out; an output without alpha is an error."""
    effect, _ = shown
    source = colours(dtype)
    lower, target = np.ascontiguousarray(source[::-1, :, :3]), np.zeros_like(source)
    for name, array in (("Source", lower), ("Output", target)):
        clip = effect.clips[name]
        clip.images, clip.rod = {None: (array, (0, 0))}, (0, 0, 1024, 512)
    arguments = Props(OfxPropTime=5.0, OfxImageEffectPropRenderWindow=(0, 0, 1024, 512), OfxImageEffectPropRenderScale=(1.0, 1.0))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK, effect.persistent
    out = target[::-1]
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    step = 0.51 / top if top > 1 else 1 / 2048
    assert np.array_equal(out[..., :3], source[..., :3]) and np.abs(out[..., 3] / top - mattes["both"]).max() <= step
    # no alpha is an opaque one
    host.set(effect, mix=0.5)
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK
    assert np.abs(target[::-1][..., 3] / top - (mattes["both"] + 1) / 2).max() <= step
    effect.clips["Source"].props.values["OfxImageClipPropUnmappedComponents"] = ["OfxImageComponentRGB"]
    answers = Props()
    assert host.call("OfxImageEffectActionGetClipPreferences", effect, None, answers) == OK
    assert answers.get("OfxImageClipPropComponents_Output") == "OfxImageComponentRGBA"
    effect.clips["Output"].images = {None: (np.zeros_like(lower), (0, 0))}
    assert host.call("OfxImageEffectActionRender", effect, arguments) == 7 and "without alpha" in effect.message


def test_alpha_alone_for_a_picture_of_four(host, shown, mattes):
    """Without colour, the matte is the picture."""
    effect, _ = shown
    source, target = np.zeros((512, 1024), np.float32), np.zeros((512, 1024, 4), np.float32)
    for name, array in (("Source", source), ("Output", target)):
        effect.clips[name].images, effect.clips[name].rod = {None: (array, (0, 0))}, (0, 0, 1024, 512)
    arguments = Props(OfxPropTime=5.0, OfxImageEffectPropRenderWindow=(0, 0, 1024, 512), OfxImageEffectPropRenderScale=(1.0, 1.0))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK, effect.persistent
    assert all(np.array_equal(target[::-1][..., k], mattes["both"]) for k in range(4))


def test_without_an_input_it_has_the_hosts_pixels(host, standing, mattes):
    """The region is canonical, and a window of any size shows its part of it, not a squeezed whole."""
    effect = host.create("OfxImageEffectContextGeneral", connected=False)
    host.set(effect, clip=str(standing.clip))
    effect.clips["Output"].props.values["OfxImagePropPixelAspectRatio"] = [2.0]
    answers = Props()
    assert host.call("OfxImageEffectActionGetRegionOfDefinition", effect, Props(OfxPropTime=5.0), answers) == OK
    assert answers.values["OfxImageEffectPropRegionOfDefinition"] == [0, 0, 2048, 512]
    status, out = host.render(effect, 5, np.zeros((300, 800, 4), np.float32))
    assert status == OK and np.array_equal(out[..., 3], mattes["both"][212:, :800])
    # Resolve's 0 is the left eye or the only one
    assert host.render(effect, 5, np.zeros((300, 800, 4), np.float32), told={EYE: 0})[0] == FAILED and "set Eye" in effect.message
    assert host.call("OfxImageEffectActionGetRegionOfDefinition", effect, Props(OfxPropTime=5.0, **{EYE: 0}), Props()) == REPLY_DEFAULT
    assert host.destroy(effect) == OK

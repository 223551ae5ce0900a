"""The plug-in's edge controls, as they are at the time that is rendered, and its second input."""

import numpy as np
import OpenImageIO as oiio
import pytest

from benchmarks.support.ofx_host import FAILED, OK
from tests.host_bridges.halves import halves
from tests.host_bridges.ofx_session import BUILDABLE, colours, spoiled

pytestmark = BUILDABLE
GENERAL = "OfxImageEffectContextGeneral"


def steps(link):
    return link.clip().stats()["engine"]["steps"]


def both(link, n, **edges):
    return halves(link.frame(n, view="both", edges=edges)).astype(np.float32)


def test_what_a_knob_says_at_the_time_of_a_frame_is_done_to_that_frame(host, shown):
    """Keyed by the host: what the server makes of the same number, by name; and no network runs for it."""
    effect, link = shown
    # all of them, so that none is made ahead meanwhile
    plain = [both(link, n) for n in range(10)]
    before = steps(link)
    effect.params["edge_size"].value = lambda time: -2.0 if time < 4 else 1.5
    for time, n, size in ((3, 2, -2.0), (4, 3, 1.5), (3, 2, -2.0)):
        status, out = host.render(effect, time, colours())
        assert status == OK and np.array_equal(out[..., 3], both(link, n, size=size)), effect.persistent
        assert (out[..., 3].sum() > plain[n].sum()) == (size > 0)
    # a knob at rest is nothing asked
    effect.params["edge_size"].value = 0.0
    assert np.array_equal(host.render(effect, 3, colours())[1][..., 3], plain[2])
    assert steps(link) == before


def test_a_render_has_the_keys_of_all_frames(host, linked, home):
    effect, link = linked
    sizes = {n: [0.0, 0.0, 0.0, 1.0, 2.0, -1.0, -1.0, -1.0, 0.5, 0.0][n] for n in range(10)}
    effect.params["edge_size"].value = lambda time: sizes[round(time) - 1]
    host.set(effect, folder=str(home.folder / "keyed"), frames="1-10", compression=0)
    host.press(effect, "render")
    assert effect.params["status"].value == "10 frames are there", effect.said
    for n, size in sizes.items():
        image = oiio.ImageBuf(str(home.folder / "keyed" / f"clip.{n + 1:04d}.exr"))
        pixels = image.get_pixels(oiio.FLOAT)
        assert pixels is not None and image.spec().channelindex("A") >= 0
        alpha = pixels[..., image.spec().channelindex("A")]
        wanted = halves(link.frame(n, view="left", edges={"size": size} if size else {})).astype(np.float32)
        window = image.spec()
        part = wanted[window.y : window.y + window.height, window.x : window.x + window.width]
        assert np.array_equal(alpha, part), n


def test_what_is_beyond_the_limits_is_said(host, shown):
    effect, _ = shown
    effect.params["edge_size"].value = lambda time: 99.0
    status, out = host.render(effect, 3, colours())
    assert status == FAILED and spoiled(out) and "size" in effect.message, effect.message


@pytest.fixture
def masked(host, standing):
    """An instance of a context with a second input."""
    made = host.create(GENERAL)
    host.set(made, clip=str(standing.clip))
    yield made, standing.link
    made.clips["Mask"].images = {}
    assert host.destroy(made) == OK


def put(effect, picture, corner=(0, 0)):
    """A mask with rows from the top, whose lower left pixel lies at ``corner``."""
    lower = np.ascontiguousarray(picture[::-1])
    effect.clips["Mask"].images = {None: (lower, corner)}
    effect.clips["Mask"].props.values["OfxImageClipPropConnected"] = [1]


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.uint16, np.uint8])
@pytest.mark.parametrize("alone", [True, False])
def test_the_mask_takes_away_or_keeps(host, masked, dtype, alone):
    """By the formula, pixel by pixel: as alpha alone, or as the alpha of a picture whose colour says nothing."""
    effect, link = masked
    matte = both(link, 2)
    top = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1
    y, x = np.mgrid[:512, :1024]
    share = (((x // 7) % 5) / 4 * (y > 100)).astype(np.float64)
    mask = (share * top).round().astype(dtype) if top > 1 else share.astype(dtype)
    covered = mask.astype(np.float64) / top
    put(effect, mask if alone else np.stack([np.full_like(mask, top)] * 3 + [mask], axis=-1))
    source = colours(dtype)
    for mode, expected in ((0, matte * (1 - covered)), (1, matte + (1 - matte) * covered)):
        host.set(effect, mask_mode=mode)
        status, out = host.render(effect, 3, source)
        assert status == OK, effect.persistent
        got = out[..., 3].astype(np.float64) / top
        assert np.abs(got - expected).max() < (1.01 / top if top > 1 else 1e-3 if dtype is np.float16 else 1e-6)
        assert np.array_equal(out[..., :3], source[..., :3])
    # where it is whole, it is exact
    assert (got[covered == 1] == 1).all()
    # before it is inverted
    host.set(effect, invert=1)
    got = host.render(effect, 3, source)[1][..., 3].astype(np.float64) / top
    assert np.abs(got - (1 - expected)).max() < (1.01 / top if top > 1 else 1e-3 if dtype is np.float16 else 1e-6)


def test_a_mask_that_is_smaller_covers_nothing_outside(host, masked):
    effect, link = masked
    matte = both(link, 2)
    # 200x100 pixels whose lower left one is at (300, 150): rows 512-150-100 to 512-150 from the top
    put(effect, np.ones((100, 200), np.float32), (300, 150))
    status, out = host.render(effect, 3, colours())
    expected = matte.copy()
    expected[262:362, 300:500] = 0
    assert status == OK and np.array_equal(out[..., 3], expected)
    # what is no number, and what is no share, forces nothing and all
    odd = np.zeros((512, 1024), np.float32)
    odd[:100], odd[100:200], odd[200:300] = np.nan, -3, 7
    put(effect, odd)
    expected = matte.copy()
    expected[200:300] = 0
    assert np.array_equal(host.render(effect, 3, colours())[1][..., 3], expected)


def test_a_mask_that_is_not_there_forces_nothing(host, masked):
    effect, link = masked
    matte = both(link, 2)
    for images, connected in (({}, 1), ({None: (np.ones((512, 1024), np.float32), (0, 0))}, 0)):
        effect.clips["Mask"].images = images
        effect.clips["Mask"].props.values["OfxImageClipPropConnected"] = [connected]
        status, out = host.render(effect, 3, colours())
        assert status == OK and np.array_equal(out[..., 3], matte)


@pytest.mark.parametrize("mask", [np.ones((512, 1024, 3), np.float32), np.ones((512, 1024), np.uint8)])
def test_a_mask_of_another_kind_is_an_error(host, masked, mask):
    effect, _ = masked
    put(effect, mask)
    status, out = host.render(effect, 3, colours())
    assert status == FAILED or status != OK
    assert spoiled(out) and "Mask" in effect.message


def test_frames_outside_of_the_clip_can_be_kept(host, masked):
    """Nobody is there; what the mask keeps is."""
    effect, _ = masked
    put(effect, np.ones((512, 1024), np.float32))
    host.set(effect, mask_mode=1)
    assert (host.render(effect, 99, colours())[1][..., 3] == 1).all()
    host.set(effect, mask_mode=0)
    assert not host.render(effect, 99, colours())[1][..., 3].any()


def test_wishes_are_told_apart_by_their_edges(host, shown):
    """Two instances that differ in a knob alone share nothing that was fetched, however they take turns."""
    effect, link = shown
    made = host.create()
    host.set(made, clip=str(link.path), edge_size=3.0)
    for _ in range(2):
        first, second = (host.render(one, 5, colours())[1][..., 3] for one in (effect, made))
        assert (
            np.array_equal(first, both(link, 4)) and np.array_equal(second, both(link, 4, size=3.0)) and not np.array_equal(first, second)
        )
    assert host.destroy(made) == OK

"""Folders that clips may be read from and renders written to, and somebody who puts links in their place."""

import contextlib
import functools
import shutil

import numpy as np
import pytest

from tests.conftest import make_clip
from tests.swapping import swapping
from vr180_ofx.errors import ServiceError, Vr180Error
from vr180_ofx.media.files import confine
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.png import write_png
from vr180_ofx.rendering.folder import output_folder
from vr180_ofx.service.access import Roots
from vr180_ofx.settings import Settings
from vr180_ofx.storage import write_atomic

#: Of 400 tries 31 to 70 got out while a path was looked at and then opened by its name.
TRIES = 150


@pytest.mark.parametrize("deep", [False, True], ids=["the folder", "a folder above it"])
def test_no_link_that_comes_between_look_and_opening_is_written_through(tmp_path, deep):
    root, outside = tmp_path / "root", tmp_path / "outside"
    swapped = root / "out"
    asked = swapped / "sub" if deep else swapped
    asked.mkdir(parents=True)
    outside.mkdir()
    roots = Roots([root])
    tried = written = 0
    with swapping(swapped, outside):
        while tried < TRIES:
            try:
                folder = roots.writable(str(asked))
            except ServiceError:
                continue
            tried += 1
            with contextlib.suppress(Vr180Error, OSError), output_folder(folder, Settings(), links=False) as opened:
                write_atomic(opened.path / f"{tried}.json", b"{}", steady=True)
                written += 1
    assert not list(outside.rglob("*")) and written > 0


@pytest.fixture
def confined(tmp_path):
    """This process, as a server with one root."""
    root = tmp_path / "root"
    root.mkdir()
    roots = Roots([root])
    confine(roots.folders)
    yield root, roots
    confine(None)


@pytest.mark.parametrize("kind", ["a video", "a folder of images"])
def test_no_link_that_comes_between_look_and_opening_is_read_through(confined, tmp_path, kind):
    """Neither in a file's place nor in a folder's: what is opened is black, what lies outside is white."""
    root, roots = confined
    inside, outside = (tmp_path / name for name in ("inside", "outside"))
    for folder, value in ((inside, 0), (outside, 255)):
        folder.mkdir()
        if kind == "a video":
            make_clip(folder / "a.mp4", 3, size=(64, 32), pictures=functools.partial(_grey, value))
        else:
            for n in range(3):
                write_png(folder / f"a.{n:04d}.png", _grey(value, n).astype(np.float32) / 255)
    if kind == "a video":
        swapped = asked = root / "a.mp4"
        (inside / "a.mp4").rename(swapped)
        elsewhere = outside / "a.mp4"
    else:
        swapped = root / "plates"
        inside.rename(swapped)
        asked, elsewhere = swapped / "a.%04d.png", outside
    settings = Settings(input={"layout": "mono", "projection": "flat"})
    tried = read = 0
    with swapping(swapped, elsewhere):
        while tried < TRIES // 3:
            try:
                path = roots.readable(str(asked))
            except ServiceError:
                continue
            tried += 1
            with contextlib.suppress(Vr180Error, OSError), open_clip(path, settings) as clip:
                (eye,) = clip.read(2).values()
                read += 1
                assert eye.max() < 0.1
    assert read > 0


def _grey(value, n):
    return np.full((32, 64, 3), value, np.uint8)


@pytest.mark.parametrize("words", ["%V/a.%04d.png", "%v/a.####.png"])
def test_a_folder_for_each_view(confined, tmp_path, words):
    """As on the command line; a link that leads out of one of them is refused, whatever folder is called like the pattern."""
    root, roots = confined
    names = ("left", "right") if "%V" in words else ("l", "r")
    for name in names:
        (root / name).mkdir()
        for n in range(3):
            write_png(root / name / f"a.{n:04d}.png", np.zeros((32, 32, 3), np.float32))
    with open_clip(roots.readable(str(root / words)), Settings(input={"projection": "flat"})) as clip:
        assert len(clip) == 3 and clip.views == ("left", "right") and clip.frame(2).eyes.keys() == {"left", "right"}
    secret = tmp_path / "secret"
    (root / names[1]).rename(secret)
    (root / names[1]).symlink_to(secret)
    with pytest.raises(ServiceError, match="outside of what is allowed"):
        roots.readable(str(root / words))
    # a folder that takes the look upon itself, and is gone when the files are opened
    literal = root / words.split("/")[0]
    literal.mkdir()
    write_png(literal / "a.0000.png", np.zeros((32, 32, 3), np.float32))
    looked_at = roots.readable(str(root / words))
    shutil.rmtree(literal)
    with pytest.raises(ServiceError, match="outside of what this server may read"), open_clip(looked_at) as clip:
        clip.frame(0)


def test_what_lies_elsewhere_is_not_opened(confined, tmp_path):
    root, _ = confined
    outside = make_clip(tmp_path / "a.mp4", 2, size=(64, 32))
    (root / "link.mp4").symlink_to(outside)
    (root / "good.mp4").symlink_to(make_clip(root / "b.mp4", 2, size=(64, 32)))
    for path in (outside, root / "link.mp4"):
        with pytest.raises(ServiceError, match="outside of what this server may read") as info:
            open_clip(path)
        assert info.value.http_status == 403
    with open_clip(root / "good.mp4", Settings(input={"layout": "mono", "projection": "flat"})) as clip:
        assert len(clip) == 2 and clip.name == "good"


def test_folders_for_views_over_http(live):
    for name in ("left", "right"):
        (live.root / "views" / name).mkdir(parents=True)
        for n in range(2):
            write_png(live.root / "views" / name / f"a.{n:04d}.png", np.zeros((64, 64, 3), np.float32))
    made = live.server.open(str(live.root / "views" / "%V" / "a.%04d.png"), {"input": {"projection": "flat"}}).wait()
    facts = made.refresh()
    assert facts["frames"] == 2 and facts["views"] == ["left", "right"]
    made.close()


def test_a_folder_that_became_a_link_while_its_job_waits(live, clip, tmp_path):
    """A render waits behind another one; meanwhile its folder becomes a link to somewhere else."""
    outside = tmp_path / "outside"
    outside.mkdir()
    slow = live.open({"matting": {"refiner": "closed_form"}})
    first = slow.start_render(str(live.root / "first"))
    target = live.root / "waiting"
    target.mkdir()
    second = clip.start_render(str(target), "0")
    target.rmdir()
    target.symlink_to(outside)
    live.server.cancel(first["job"])
    ended = list(live.server.follow(second["job"]))[-1]
    assert ended["state"] == "failed" and "has become a link" in ended["error"], ended
    assert not list(outside.iterdir())
    slow.close()
    target.unlink()

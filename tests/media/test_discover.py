"""Which clips several names and folders mean. Files need no content for that."""

import os
from pathlib import Path

import pytest

from vr180_ofx.errors import MediaError
from vr180_ofx.media.discover import ClipPath, discover


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Makes empty files, and folders where a name ends with a slash; names are seen from there."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            path = tmp_path / name
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"")
        return tmp_path

    return make


def frames(stem, count=3, ending="exr"):
    return [f"{stem}.{n:04d}.{ending}" for n in range(1, count + 1)]


def paths(*names):
    return [str(c.path) for c in discover(names, "made.json").clips]


def test_files_patterns_and_folders_of_images_are_what_they_were(tree):
    tree("a.mp4", *frames("plates/p"), *frames("q"))
    found = discover(["a.mp4", "plates", "q.%04d.exr", "gone.mov"])
    assert [(str(c.path), c.name, c.ending) for c in found.clips] == [
        ("a.mp4", "a", "mp4"), ("plates", "p", "exr"), ("q.%04d.exr", "q", "exr"), ("gone.mov", "gone", "mov"),
    ]  # fmt: skip
    assert not found.searched and not found.notes


def test_a_folder_of_images_is_a_sequence_whatever_else_is_in_it(tree):
    tree(*frames("plates/p"), "plates/proxy/p.mov", "plates/notes.txt")
    assert paths("plates") == ["plates"]
    tree("one/a.exr")
    assert paths("one") == ["one"]


def test_a_folder_of_videos_is_many_clips(tree):
    tree("day/b.mov", "day/A.MP4", "day/sound.wav", "day/.hidden.mp4", "day/deep/er/c.mkv", "day/.git/d.mp4", "day/x.mp4/")
    found = discover(["day"])
    assert [str(c.path) for c in found.clips] == ["day/A.MP4", "day/b.mov", "day/deep/er/c.mkv"] and found.searched and not found.notes


def test_shots_in_folders_of_their_own(tree):
    tree(*frames("show/sh020/plate"), *frames("show/sh010/plate"), "show/sh010/deeper/x.mp4")
    assert [(str(c.path), c.name, c.folder) for c in discover(["show"]).clips] == [
        ("show/sh010/plate.%04d.exr", "plate", "sh010"), ("show/sh020/plate.%04d.exr", "plate", "sh020"),
    ]  # fmt: skip


def test_several_sequences_of_a_folder_are_several_clips(tree):
    tree(*frames("two/a"), *frames("two/b"), "two/thumb.jpg")
    found = discover(["two"])
    assert [str(c.path) for c in found.clips] == ["two/a.%04d.exr", "two/b.%04d.exr"]
    assert found.notes == ["two: thumb.jpg: single images beside clips, and left out; name them to have them"]


def test_videos_and_images_are_both_taken_and_what_is_left_out_is_said(tree):
    tree("mix/v.mp4", *frames("mix/s"), "mix/poster.0001.jpg", "mix/frame.png")
    found = discover(["mix"])
    assert [str(c.path) for c in found.clips] == ["mix/v.mp4", "mix/s.%04d.exr"]
    assert len(found.notes) == 1 and "frame.png, poster.0001.jpg" in found.notes[0] and "left out" in found.notes[0]


def test_single_images_are_clips_where_there_is_nothing_else(tree):
    tree("stills/a.exr", "stills/b.exr", "stills/c_left.exr", "stills/c_right.exr")
    assert paths("stills") == ["stills/a.exr", "stills/b.exr", "stills/c_%V.exr"]


def test_eyes_in_folders_of_their_own_are_one_clip(tree):
    tree(*frames("top/sh1/left/p"), *frames("top/sh1/right/p"), *frames("top/sh2/left/p"), *frames("top/sh2/right/q"))
    found = discover(["top"])
    # what is no pair is two
    assert [(str(c.path), c.name, c.folder) for c in found.clips] == [
        ("top/sh1/%V/p.%04d.exr", "p", "sh1"), ("top/sh2/left/p.%04d.exr", "p", "left"), ("top/sh2/right/q.%04d.exr", "q", "right"),
    ]  # fmt: skip


def test_what_this_program_wrote_is_no_clip(tree):
    tree("day/a.mp4", "day/out/a.mp4", "day/out/made.json")
    found = discover(["day"], "made.json")
    assert [str(c.path) for c in found.clips] == ["day/a.mp4"] and found.notes == ["day/out was written by this program, and is left out"]
    # by its name it is
    assert paths("day/out") == ["day/out/a.mp4"]


def test_a_clip_by_two_names_is_one(tree):
    tree("day/a.mp4", "day/b.mp4")
    found = discover(["day/b.mp4", "day", "day/../day/a.mp4"])
    assert [str(c.path) for c in found.clips] == ["day/b.mp4", "day/a.mp4"] and len(found.notes) == 2


def test_links_that_lead_back_end(tree):
    tree("day/a.mp4", "day/deep/b.mp4")
    os.symlink("..", "day/deep/up")
    os.symlink("a.mp4", "day/link.mp4")
    assert paths("day") == ["day/a.mp4", "day/deep/b.mp4"]


@pytest.mark.parametrize("name", ["nothing/", "texts/a.txt", "made/out/made.json"])
def test_a_folder_without_clips_is_an_error(tree, name):
    tree(name)
    with pytest.raises(MediaError, match="holds no videos and no images"):
        discover([name.split("/")[0]], "made.json")


def test_the_images_of_a_sequence_are_not_a_thousand_clips(tree):
    tree(*frames("p", 5), "other.exr")
    with pytest.raises(
        MediaError, match=r"p.0001.exr, p.0002.exr, ... are 5 images of one sequence; name it once, in quotes: 'p.%04d.exr'"
    ):
        discover([*frames("p", 5), "other.exr"])
    assert paths("p.0001.exr", "other.exr") == ["p.0001.exr", "other.exr"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_cannot_be_read_is_said(tree):
    tree("day/a.mp4", "day/locked/b.mp4")
    os.chmod("day/locked", 0)
    try:
        found = discover(["day"])
    finally:
        os.chmod("day/locked", 0o700)
    assert [str(c.path) for c in found.clips] == ["day/a.mp4"] and "cannot be read" in found.notes[0]


def test_names_with_percent_signs_in_them_are_names(tree):
    tree("day/100%.mp4", "50%/a.mp4")
    assert paths("day") == ["day/100%.mp4"]
    tree(*frames("50%/p"))
    assert ClipPath.of(Path("50%/p.%04d.exr")).folder == "50%" and discover(["50%/a.mp4"]).clips[0].folder == "50%"

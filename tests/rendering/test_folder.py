"""Whose folder it is, and what the operating system's words become."""

import errno
import json
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from tests.conftest import with_settings
from vr180_ofx.errors import OutputError, ResourceError, Vr180Error
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.png import write_png
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.folder import explained, none_empty, output_folder
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings
from vr180_ofx.version import WRITER_REVISION


def test_the_folder_is_made_and_can_be_written(tmp_path):
    with output_folder(tmp_path / "a" / "b", Settings()) as made:
        assert made.path == tmp_path / "a" / "b" and made.path.is_dir() and not list(made.path.iterdir())
    with output_folder(None, Settings(output={"path": str(made.path)})) as again:
        assert again.path == made.path
    with pytest.raises(OutputError, match="no output folder was named"):
        output_folder(None, Settings())


def test_folders_that_came_to_nothing_are_gone_and_those_that_were_there_or_hold_something_stay(tmp_path):
    (tmp_path / "was").mkdir()
    for made in ("new/all/alpha", "was/alpha"):
        with pytest.raises(OutputError), none_empty(tmp_path / made, Settings()):
            (tmp_path / made).mkdir(parents=True)
            raise OutputError("nothing comes of it")
    assert [p.name for p in tmp_path.iterdir()] == ["was"] and not list((tmp_path / "was").iterdir())
    with pytest.raises(OutputError), none_empty(tmp_path / "new" / "alpha", Settings()):
        (tmp_path / "new" / "alpha").mkdir(parents=True)
        (tmp_path / "new" / "a file").touch()
        raise OutputError("something was written")
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["a file"]


def test_a_render_that_is_refused_leaves_no_folder(clip, tmp_path):
    settings = Settings(output={"colorspace": "no such space", "rgb": "premultiplied"})
    with pytest.raises(Vr180Error, match="no such space"):
        render(clip, Plan.from_data({"format": "vr180-ofx plan", "version": 1, "people": []}, clip), settings, tmp_path / "all" / "exr")
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (OSError(errno.ENOSPC, "no space"), ResourceError, "is full"),
        (OSError(errno.EFBIG, "too large"), ResourceError, "is full"),
        (OSError(errno.EROFS, "read-only"), OutputError, "cannot be written: read-only"),
        (RuntimeError("OpenEXR: No space left on device."), ResourceError, "is full"),
        (MemoryError(), ResourceError, "out of memory"),
        (RuntimeError("a bug"), RuntimeError, "^a bug$"),
    ],
)
def test_words_for_people(tmp_path, error, kind, words):
    with pytest.raises(kind, match=words), explained(tmp_path):
        raise error


@pytest.fixture(scope="module")
def clip(people_clip):
    """With nobody in its plan: what is written is quickly made."""
    with open_clip(people_clip) as clip:
        yield clip


def rendered(clip, folder, frames="1-2", plan=None, **output):
    with with_settings(clip, input={"frames": frames}, output=output) as some:
        return render(some, plan or Plan.of_nobody(some), output=folder)


def held(folder):
    """What is in the folder, by name; links as what they lead to."""
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}


def test_links_in_the_place_of_our_files_are_left_alone(clip, tmp_path):
    """Whatever hidden names a folder of somebody else's holds."""
    (tmp_path / "precious").write_text("mine")
    folder = tmp_path / "out"
    folder.mkdir()
    names = (".vr180-ofx.probe", ".film.mkv.part", ".people.0001.abc.part.exr", ".people.exr.lock")
    for name in names:
        (folder / name).symlink_to(tmp_path / "precious")
    assert rendered(clip, folder).written == 2
    assert (tmp_path / "precious").read_text() == "mine" and all((folder / name).is_symlink() for name in names)


DAMAGED = [
    "{ no json", "", "[]", "7", "null", '{"renders": [1, 2]}', '{"renders": {"people:exr": 5}}', '{"renders": {"people:exr": {}}}',
    '{"renders": {"people:exr": {"identity": 7, "clip": []}}}', '{"renders": {"people:exr": {"identity": "%s", "writer": "x"}}}',
    "[" * 100_000, '{"renders": "\\ud800"}', "\0" * 1000,
]  # fmt: skip


def test_a_damaged_manifest_is_made_again_and_no_frame_is_lost(clip, tmp_path, caplog):
    rendered(clip, tmp_path)
    whole = held(tmp_path)
    identity = json.loads(whole[MANIFEST])["renders"]["people:exr"]["identity"]
    for text in DAMAGED:
        (tmp_path / MANIFEST).write_text(text.replace("%s", identity))
        caplog.clear()
        report = rendered(clip, tmp_path)
        assert (report.kept, report.written) == (2, 0) and held(tmp_path) == whole, text[:60]
        assert "damaged" in caplog.text


def test_what_is_whole_in_a_manifest_is_kept(clip, tmp_path):
    rendered(clip, tmp_path)
    document = json.loads((tmp_path / MANIFEST).read_text())
    document["renders"] |= {"other:exr": document["renders"]["people:exr"], "broken:exr": 3}
    (tmp_path / MANIFEST).write_text(json.dumps(document))
    rendered(clip, tmp_path)
    assert list(json.loads((tmp_path / MANIFEST).read_text())["renders"]) == ["people:exr", "other:exr"]


def test_frames_of_other_settings_are_not_lost_with_the_manifest(clip, tmp_path):
    rendered(clip, tmp_path)
    (tmp_path / MANIFEST).write_text("{}")
    whole = held(tmp_path)
    with pytest.raises(OutputError, match=r"holds 2 files that this render did not make .*people\.0001\.exr"):
        rendered(clip, tmp_path, compression="zip")
    assert held(tmp_path) == whole
    assert rendered(clip, tmp_path, compression="zip", overwrite=True).written == 2


@pytest.mark.skipif(os.name != "posix", reason="other systems have no such files")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("precious")], ids=["pipe", "folder", "link"])
def test_a_manifest_that_is_no_file(clip, tmp_path, make):
    (tmp_path / "precious").write_text("{}")
    make(tmp_path / MANIFEST)
    with pytest.raises(OutputError, match="is no file"):
        rendered(clip, tmp_path)
    assert (tmp_path / "precious").read_text() == "{}"


@pytest.mark.parametrize("kind", ["exr", "video"])
def test_files_of_others_are_not_replaced(clip, tmp_path, kind):
    theirs = tmp_path / {"exr": "people.0002.exr", "video": "people_alpha.mp4"}[kind]
    theirs.write_bytes(b"of another program")
    with pytest.raises(OutputError, match=f"would replace: {theirs.name}"):
        rendered(clip, tmp_path, format=kind)
    assert theirs.read_bytes() == b"of another program"
    assert rendered(clip, tmp_path, format=kind, overwrite=True).written == 2


def test_a_clip_is_never_rendered_over_itself(clip, tmp_path):
    for n in range(2):
        write_png(tmp_path / f"plate.{n:04d}.png", np.concatenate(list(clip.read(n).values()), axis=1))
    before = held(tmp_path)
    settings = Settings(output={"format": "alpha", "overwrite": True, "start_frame": 0})
    with open_clip(tmp_path / "plate.%04d.png", settings) as plates, pytest.raises(OutputError, match="belongs to the clip itself"):
        render(plates, Plan.of_nobody(plates), output=tmp_path)
    assert held(tmp_path) == before


def test_a_render_does_not_go_on_over_a_change_of_the_writer(clip, tmp_path, monkeypatch):
    rendered(clip, tmp_path, "1")
    assert json.loads((tmp_path / MANIFEST).read_text())["renders"]["people:exr"]["writer"] == WRITER_REVISION
    monkeypatch.setattr("vr180_ofx.rendering.render.WRITER_REVISION", WRITER_REVISION + 1)
    with pytest.raises(OutputError, match="settings or version"):
        rendered(clip, tmp_path)


def test_a_render_in_another_colour_is_another_render(clip, tmp_path):
    """Light and the plate's numbers must not be mixed in one sequence."""
    rendered(clip, tmp_path, rgb="foreground")
    for other in ("as_source", "ACEScg"):
        with pytest.raises(OutputError, match="made with another clip, plan, settings or version; add --overwrite"):
            rendered(clip, tmp_path, rgb="foreground", colorspace=other)
    assert rendered(clip, tmp_path, "1-3", rgb="foreground").kept == 2
    assert rendered(clip, tmp_path, rgb="foreground", colorspace="ACEScg", overwrite=True).written == 2


def test_a_plan_that_was_corrected_beside_the_frames_is_left_alone(clip, tmp_path):
    rendered(clip, tmp_path)
    path = tmp_path / "people.plan.json"
    document = json.loads(path.read_text())
    document["people"] = [{"id": 1, "name": "Ada", "views": {"left": {"0": {"box": [10, 10, 60, 200]}}}}]
    path.write_text(json.dumps(document))
    report = rendered(clip, tmp_path)
    assert report.kept == 2 and json.loads(path.read_text()) == document
    assert any("was left as it is" in note for note in report.notes)


def test_two_renders_at_once(clip, tmp_path):
    """While one render waits for us in the middle, one with other settings in another process is refused, the same one shares its work,
    and one to other files goes on; in the end all files are whole."""
    alone, folder = tmp_path / "alone", tmp_path / "out"
    rendered(clip, alone, "1-10")
    plan = tmp_path / "plan.json"
    Plan.of_nobody(clip).save(plan)
    said: list[Any] = []

    def another(*words):
        command = [sys.executable, "-m", "vr180_ofx", "render", str(clip.path), "-o", str(folder), "--plan", str(plan), *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        return done.returncode, done.stderr

    def progress(done, total):
        if done == 2 and not said:
            said.append(another("--overwrite", "--set", "output.compression=zip"))
            said.extend([rendered(clip, folder, "1-10").frames, rendered(clip, folder, format="video").written])

    with with_settings(clip, input={"frames": "1-10"}) as some:
        report = render(some, Plan.of_nobody(some), output=folder, progress=progress)
    (refused, words), *others = said
    assert refused == 2 and "is being written to by another render" in words, words
    assert others == [10, 2] and report.written == 10
    assert {n: d for n, d in held(folder).items() if n.endswith(".exr")} == {n: d for n, d in held(alone).items() if n.endswith(".exr")}
    assert sorted(json.loads((folder / MANIFEST).read_text())["renders"]) == ["people:exr", "people:video"]
    assert not [n for n in held(folder) if n.startswith(".")]
    assert rendered(clip, folder, "1-10", compression="zip", overwrite=True).written == 10


def test_other_edges_in_a_folder_are_said_to_be_that(clip, tmp_path):
    rendered(clip, tmp_path)
    with (
        with_settings(clip, input={"frames": "1-2"}, edges={"size": -1.0}) as some,
        pytest.raises(OutputError, match=r"made with other edge controls .*--overwrite .*no network runs"),
    ):
        render(some, Plan.of_nobody(some), output=tmp_path)
    with with_settings(clip, input={"frames": "1-2"}, edges={"size": -1.0}, output={"overwrite": True}) as some:
        assert render(some, Plan.of_nobody(some), output=tmp_path).written == 2
    with with_settings(clip, input={"frames": "1-2"}, edges={"size": -1.0}) as some:
        assert render(some, Plan.of_nobody(some), output=tmp_path).kept == 2
    with (
        with_settings(clip, input={"frames": "1-2"}, edges={"size": -1.0}, processing={"scale_factor": 0.5}) as some,
        pytest.raises(OutputError, match="made with another clip, plan, settings"),
    ):
        render(some, Plan.of_nobody(some), output=tmp_path)

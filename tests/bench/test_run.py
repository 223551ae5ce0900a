"""Scenes are matted, scored and shown by commands, as a user does it."""

import json
import re
import shutil

import pytest

from bench.__main__ import main
from tests.conftest import DEMO, shared_clip


@pytest.fixture(scope="module")
def made(scenes, tmp_path_factory):
    """Mattes of three methods, and their results."""
    root = tmp_path_factory.mktemp("results")
    modes = ["truth", "nothing", "damage-ghost-0.5"]
    assert main(["run", str(scenes), "-o", str(root / "mattes"), *(w for m in modes for w in ("--mode", m))]) == 0
    for m in modes:
        assert main(["score", str(scenes), str(root / "mattes" / m), "-o", str(root / f"{m}.json")]) == 0
    return root


def test_scores_of_the_ends_of_the_scale(made):
    truth, nothing, ghost = (json.loads((made / f"{m}.json").read_text()) for m in ("truth", "nothing", "damage-ghost-0.5"))
    assert (
        truth["overall"]["iou"]["value"] == 1 and truth["overall"]["recall"]["value"] == 1 and truth["with_nobody"]["ghosts"]["value"] == 0
    )
    assert (
        nothing["overall"]["iou"]["value"] == 0
        and nothing["overall"]["recall"]["value"] == 0
        and nothing["overall"]["ghosts"]["value"] == 0
    )
    assert (
        ghost["overall"]["ghosts"]["value"] == 0.5
        and ghost["worst"]["iou"]["scene"] == "one"
        and ghost["method"]["name"] == "damage-ghost-0.5"
    )
    assert truth["scenes"]["two"]["run"]["exit_status"] == 0 and "switches" not in nothing["overall"]


def test_what_was_done_is_not_done_again(made, scenes, capsys):
    frame = made / "mattes" / "truth" / "one" / "truth.0001.exr"
    before = frame.stat().st_mtime_ns
    again = ["run", str(scenes), "-o", str(made / "mattes"), "--mode", "truth", "--scene", "one"]
    assert main(again) == 0 and frame.stat().st_mtime_ns == before
    assert main([*again, "--again"]) == 0 and frame.stat().st_mtime_ns > before


def test_a_page_with_pictures_and_a_leaderboard_between_its_marks(made, scenes, tmp_path):
    results = [str(made / f"{m}.json") for m in ("nothing", "truth", "damage-ghost-0.5")]
    page, board = tmp_path / "page.html", tmp_path / "board.md"
    shown = ["--scenes", str(scenes), "--mattes", str(made / "mattes"), "--against", "truth"]
    assert main(["report", *results, "-o", str(page), "--leaderboard", str(board), *shown]) == 0
    text = page.read_text()
    assert text.count("data:image/jpeg") == 9 and "person 1 missed left" in text and "ghosts left" in text and "<script" not in text
    assert "compared with truth" in text and "| nothing | -1 | -1 | one | 2 |" in board.read_text()
    rows = re.findall(r"^\| (truth|nothing|damage-ghost-0.5) \|", board.read_text(), re.M)
    assert rows == ["truth", "damage-ghost-0.5", "nothing", "damage-ghost-0.5", "nothing"]
    board.write_text("# Mine\n\nbefore\n\n" + board.read_text().split("\n", 2)[2] + "\nafter\n")
    once = board.read_text()
    assert main(["report", *results, "--leaderboard", str(board), "--against", "truth"]) == 0 and board.read_text() == once
    board.write_text("no marks\n")
    assert main(["report", *results, "--leaderboard", str(board)]) == 2 and board.read_text() == "no marks\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "{scenes}", "-o", "{tmp}", "--mode", "best"], "--mode is 'best'; allowed are guided"),
        (["run", "{scenes}", "-o", "{tmp}", "--mode", "rvm"], "--rvm-weights is None; mode rvm needs"),
        (["run", "{tmp}", "-o", "{tmp}", "--mode", "nothing"], "holds no scenes"),
        (["score", "{scenes}", "{tmp}/none", "-o", "{tmp}/r.json"], "has no mattes of these scenes"),
        (["score", "{scenes}", "{tmp}/part", "-o", "{tmp}/r.json"], "has no mattes of empty, two; a method is scored on all scenes"),
        (["report", "{scenes}/one/scene.json", "-o", "{tmp}/p.html"], "its format is None; it must be 'vr180-bench result 1'"),
        (["report", "{made}/truth.json", "-o", "{tmp}/p.html", "--against", "best"], "--against is 'best'; the results are of truth"),
        (["report", "{tmp}/none.json", "-o", "{tmp}/p.html"], "cannot be read as a result"),
    ],
)
def test_errors_say_what_to_do_and_leave_nothing(made, scenes, tmp_path, capsys, words, said):
    shutil.copytree(made / "mattes" / "truth" / "one", tmp_path / "part" / "one")
    shutil.rmtree(tmp_path / "part" / "one" / "left", ignore_errors=True)
    assert main([w.format(scenes=scenes, tmp=tmp_path, made=made) for w in words]) == 2
    error = capsys.readouterr().err
    assert said in error and "Traceback" not in error and not (tmp_path / "r.json").exists() and not (tmp_path / "p.html").exists()


def test_a_damaged_matte_is_an_error_of_its_scene(made, scenes, tmp_path, capsys):
    shutil.copytree(made / "mattes" / "truth", tmp_path / "truth")
    file = tmp_path / "truth" / "two" / "truth.0003.exr"
    file.write_bytes(file.read_bytes()[:200])
    assert main(["score", str(scenes), str(tmp_path / "truth"), "-o", str(tmp_path / "r.json")]) == 2
    assert re.search(r"scene two: .*truth\.0003\.exr", capsys.readouterr().err) and not (tmp_path / "r.json").exists()


def test_a_program_that_fails_is_told(scenes, tmp_path, capsys):
    """A clip that cannot be read: the mode ends with the program's exit status, and its words are kept."""
    shutil.copytree(scenes / "one", tmp_path / "scenes" / "one")
    (tmp_path / "scenes" / "one" / "clip.mp4").write_bytes(b"no film")
    assert main(["run", str(tmp_path / "scenes"), "-o", str(tmp_path / "out"), "--mode", "guided"]) == 1
    assert json.loads((tmp_path / "out" / "guided" / "one" / "run.json").read_text())["exit_status"] == 3
    assert "clip.mp4" in (tmp_path / "out" / "guided" / "one" / "run.log").read_text() and "guided/one" in capsys.readouterr().err
    score = ["score", str(tmp_path / "scenes"), str(tmp_path / "out" / "guided"), "-o", str(tmp_path / "r.json")]
    assert main(score) == 2 and "has no mattes of one (failed: one)" in capsys.readouterr().err
    assert main([*score, "--missing", "empty"]) == 0 and json.loads((tmp_path / "r.json").read_text())["overall"]["recall"]["value"] == 0


@pytest.mark.slow
def test_the_default_on_the_demo(tmp_path):
    """Through the command line: the score that `make demo` prints."""
    shutil.copytree(DEMO.parent / "truth", tmp_path / "scenes" / "demo")
    shutil.copy(DEMO, tmp_path / "scenes" / "demo" / "clip.mp4")
    assert main(["run", str(tmp_path / "scenes"), "-o", str(tmp_path / "out"), "--mode", "guided"]) == 0
    assert main(["score", str(tmp_path / "scenes"), str(tmp_path / "out" / "guided"), "-o", str(tmp_path / "r.json")]) == 0
    overall = json.loads((tmp_path / "r.json").read_text())["overall"]
    assert overall["iou"]["value"] > 0.94 and overall["recall"]["value"] == 1 and overall["ghosts"]["value"] == 0


@pytest.mark.slow
def test_rvm_in_given_boxes_is_a_good_matte(tmp_path):
    weights = shared_clip("../weights/rvm_mobilenetv3_test.safetensors")
    shutil.copytree(DEMO.parent / "truth", tmp_path / "scenes" / "demo")
    shutil.copy(DEMO, tmp_path / "scenes" / "demo" / "clip.mp4")
    words = ["--mode", "rvm-boxes", "--rvm-weights", str(weights)]
    assert main(["run", str(tmp_path / "scenes"), "-o", str(tmp_path / "out"), *words]) == 0
    assert main(["score", str(tmp_path / "scenes"), str(tmp_path / "out" / "rvm-boxes"), "-o", str(tmp_path / "r.json")]) == 0
    overall = json.loads((tmp_path / "r.json").read_text())["overall"]
    assert overall["iou"]["value"] > 0.9 and overall["recall"]["value"] == 1

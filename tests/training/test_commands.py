"""Commands of training as a user meets them: real files, a real network at work on small data."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from tests.cli.conftest import cli
from tests.training.data.files import person, scene, write
from vr180_ofx.cli.train import ACTIONS, EXAMPLES, parser_of
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.matte.rvm.network import RvmNetwork
from vr180_ofx.quality import metrics
from vr180_ofx.training.checkpoint import write_weights
from vr180_ofx.training.recipe import shipped

ALPHA, FOREGROUND, PICTURE = person()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    for n in range(4):
        write(folder / "stills" / "picture" / f"{n}.png", np.roll(PICTURE, 5 * n, 1))
        write(folder / "stills" / "alpha" / f"{n}.png", np.roll(ALPHA, 5 * n, 1))
        write(folder / "stills" / "foreground" / f"{n}.png", FOREGROUND)
    scene(folder / "scenes" / "scene00")
    return folder


def recipe(data, **more):
    values = {
        "name": "two", "task": "matting", "network": {"variant": "mobilenetv3"},
        "data": {
            "stills": {"kind": "stills", "path": "stills", "last": 0.75}, "held": {"kind": "stills", "path": "stills", "first": 0.75},
            "scenes": {"kind": "scenes", "path": "scenes"},
        },
        "stages": {"low": {"sources": {"stills": 1}, "steps": 2, "batch": 2, "size": 32, "rate": 0.001}},
        "evaluation": {"sources": ["held", "scenes"], "samples": 1, "size": 32},
        "log": {"every": 1, "pictures": 1, "histograms": 1}, "machine": {"device": "cpu", "threads": 1}, **more,
    }  # fmt: skip
    path = data / "recipe.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A run of RVM, two steps long, by the command."""
    run = tmp_path_factory.mktemp("runs") / "run"
    from vr180_ofx.cli.main import main

    assert main(["train", str(recipe(data)), "-o", str(run), "--set", "low.batch=4", "--json"]) == 0
    return run


def test_a_run_leaves_weights_that_the_program_takes(trained):
    from vr180_ofx.matte.rvm.model import load_network

    assert isinstance(load_network(trained / "weights.safetensors"), RvmNetwork)
    assert [json.loads(line)["step"] for line in (trained / "log.jsonl").read_text().splitlines()] == [1, 2, 2]


def test_tensorboard_reads_what_was_written(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(trained / "tensorboard"))
    found.Reload()
    tags = found.Tags()
    assert {"loss/alpha_l1", "train/loss", "train/rate", "train/gradient", "evaluation/held/mad"} <= set(tags["scalars"])
    assert tags["images"] == ["samples"] and "weights/project_mat.conv.weight" in tags["histograms"]
    assert "gradients/project_mat.conv.weight" in tags["histograms"]
    assert [e.step for e in found.Scalars("train/loss")] == [1, 2]


def test_infer_makes_the_layout_of_benchmarks(trained, data, tmp_path, capsys):
    status, said, _ = cli(
        capsys, "train", "infer", str(trained), "-o", str(tmp_path / "m"), "--path", str(data / "scenes"), "--kind", "scenes", "--json"
    )
    assert status == 0 and json.loads(said)["clips"] == {"scenes": ["scene00_left", "scene00_right"]}
    for clip in ("scene00_left", "scene00_right"):
        for kind in ("pha", "fgr", "com"):
            assert [f.name for f in sorted((tmp_path / "m" / clip / kind).iterdir())] == ["0000.png", "0001.png", "0002.png"]
    alpha, colour = (read_image(tmp_path / "m" / "scene00_left" / k / "0001.png") for k in ("pha", "fgr"))
    assert alpha.dtype == np.uint16 and alpha.shape == (32, 32) and colour.shape == (32, 32, 3)
    # the second frame is that of the network that remembers the first
    from vr180_ofx.training.data.scenes import scenes_of
    from vr180_ofx.training.infer import load_trained

    network = load_trained(trained, torch.device("cpu")).network
    pictures = [
        torch.from_numpy(np.array(p)).permute(2, 0, 1)[None].float() / 255
        for p in scenes_of(data / "scenes")[0].scene.pictures("left", [0, 1])
    ]
    with torch.inference_mode():
        _, _, *memory = network(pictures[0])
        expected = network(pictures[1], *memory)[1][0, 0].clamp(0, 1).numpy()
    assert np.abs(alpha.astype(np.float64) / 65535 - expected).max() <= 0.5 / 65535 + 1e-6


def test_eval_measures_what_was_written(trained, data, tmp_path, capsys):
    status, said, _ = cli(capsys, "train", "eval", str(trained), "-o", str(tmp_path), "--clips", "1", "--json")
    found = json.loads(said)
    assert status == 0 and set(found) == {"held", "scenes"} and found["scenes"]["frames"] == 3
    row = found["held"]["clips"]["3"]
    assert set(row) == {"pha_mad", "pha_mse", "pha_sad", "pha_grad", "pha_conn", "fgr_mad", "fgr_mse", "frames"}
    assert "pha_dtssd" in found["scenes"]["mean"]
    alpha = read_image(tmp_path / "predicted" / "held" / "3" / "pha" / "0000.png").astype(np.float32) / 65535
    truth = np.roll(ALPHA, 15, 1).astype(np.float32) / 255
    assert row["pha_mad"] == pytest.approx(float(np.abs(alpha - truth).mean()), abs=1e-6)
    assert row["pha_conn"] == pytest.approx(metrics.connectivity_error(alpha, truth), abs=1e-6)
    status, again, _ = cli(
        capsys, "train", "eval", str(tmp_path / "predicted" / "held"), "--truth", str(tmp_path / "truth" / "held"), "--json"
    )
    assert status == 0 and json.loads(again)["clips"] == found["held"]["clips"]
    status, table, _ = cli(capsys, "train", "eval", str(tmp_path / "truth" / "held"), "--truth", str(tmp_path / "truth" / "held"))
    assert status == 0 and "MAD" in table and "Conn" in table and "mean" in table


def test_weights_that_say_nothing_are_of_rvm(data, tmp_path, capsys):
    torch.manual_seed(0)
    write_weights(tmp_path / "bare.safetensors", RvmNetwork("mobilenetv3").state_dict(), {})
    words = ["--path", str(data / "stills"), "--kind", "stills", "--clips", "1", "--json"]
    status, said, _ = cli(capsys, "train", "eval", str(tmp_path / "bare.safetensors"), *words)
    assert status == 0 and list(json.loads(said)["stills"]["clips"]) == ["0"]
    write_weights(tmp_path / "other.safetensors", {"x": torch.zeros(3)}, {})
    status, _, said = cli(capsys, "train", "eval", str(tmp_path / "other.safetensors"), *words)
    assert status == 4 and "RVM" in said


def test_look_finds_everything_and_shows_samples(data, tmp_path, capsys):
    bad = tmp_path / "stills"
    for n in range(6):
        write(bad / "picture" / f"{n}.png", PICTURE)
        write(bad / "alpha" / f"{n}.png", ALPHA)
    write(bad / "alpha" / "1.png", ALPHA[:40])
    write(bad / "alpha" / "2.png", np.zeros_like(ALPHA))
    write(bad / "alpha" / "3.png", np.full_like(ALPHA, 255))
    write(bad / "alpha" / "4.png", np.where(ALPHA > 127, np.uint8(255), np.uint8(0)))
    (bad / "picture" / "5.png").write_bytes(b"\x89PNG broken")
    status, said, _ = cli(capsys, "train", "look", str(bad), "--kind", "stills", "-o", str(tmp_path / "look"), "--samples", "1", "--json")
    found = {f["item"]: (f["text"], f["bad"]) for f in json.loads(said)["findings"]}
    assert status == 3 and set(found) == {"1", "2", "3", "4", "5"}
    assert "64x40" in found["1"][0] and found["1"][1] and "empty" in found["2"][0] and not found["2"][1]
    assert "full everywhere" in found["3"][0] and "it is a mask" in found["4"][0] and "cannot be read" in found["5"][0]
    page = (tmp_path / "look" / "index.html").read_text()
    assert all(text in page for text in ("full everywhere", "samples.png", "stills"))


def test_look_at_a_recipe(data, tmp_path, capsys):
    path = recipe(data)
    status, said, err = cli(capsys, "train", "look", str(path), "-o", str(tmp_path), "--samples", "2")
    assert status == 0 and "0 things to mend in stills 3, held 1, scenes 2" in err, err
    sheet = read_image(tmp_path / "samples.png")
    # two rows of six pictures, of which the first is as it was read
    assert sheet.shape == (2 * 196 - 4, 6 * 196 - 4, 3) and sheet[:192, :192].std() > 5
    status, _, err = cli(
        capsys,
        "train",
        "look",
        str(path),
        "-o",
        str(tmp_path),
        "--set",
        "data.held.first=0",
        "--set",
        "data.gone.kind=stills",
        "--set",
        "data.gone.path=gone",
    )
    assert status == 3 and "held: 3 items of it, such as 0, are trained on as stills: its measures say nothing" in err
    assert "gone: " in err and "no folder" in err and "no stage and no evaluation uses it" in err


def test_a_recipe_is_checked_without_training(data, tmp_path, capsys):
    status, said, _ = cli(capsys, "train", str(recipe(data)), "--check", "--set", "low.steps=9")
    assert status == 0 and yaml.safe_load(said)["stages"]["low"]["steps"] == 9
    status, said, _ = cli(capsys, "train", "recipes")
    assert status == 0 and "tiny" in said
    status, _, _ = cli(capsys, "train", "recipes", "tiny", "-o", str(tmp_path / "my.yaml"))
    assert status == 0 and (tmp_path / "my.yaml").read_text().startswith("#")
    assert cli(capsys, "train", "recipes", "tiny", "-o", str(tmp_path / "my.yaml"))[0] == 2


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["RECIPE"], 2, "no folder was named for the run; use -o RUN"),
        (["no.yaml", "-o", "x"], 2, "does not exist"),
        (["tinny", "-o", "x"], 2, "did you mean 'tiny'"),
        (["RECIPE", "-o", "x", "--set", "lwo.steps=3"], 2, "did you mean 'low'"),
        (["RECIPE", "-o", "x", "--sett"], 2, "did you mean --set?"),
        (["RECIPE", "-o", "x", "--set", "data.stills.path=gone"], 3, "gone is no folder"),
        (["RECIPE", "-o", "x", "--set", "network.variant=mobilenet"], 2, "variant is 'mobilenet'"),
        (["RECIPE", "-o", "x", "--set", "low.losses.alpha=1"], 2, "no loss 'alpha'"),
        (["RECIPE", "-o", "x", "--set", "machine.device=cuda:7"], 2, "no graphics card"),
        (["resume", "x"], 3, "holds no run"),
        (["infer", "x", "-o", "y"], 2, "no data were named"),
        (["infer", "x", "-o", "y", "--path", ".", "--kind", "stills"], 4, "neither a run's folder nor a file of weights"),
        (["infer", "x", "-o", "y", "--frames", "-1"], 2, "--frames is -1"),
        (["eval", "x", "--truth", "y"], 3, "y is not a folder"),
        (["look", "RECIPE", "-o", "y", "--samples", "0"], 2, "--samples is 0"),
        (["look", "nowhere", "--kind", "stills", "-o", "y"], 3, "nowhere is not a folder"),
    ],
)
def test_bad_input_gets_one_clear_message(data, tmp_path, monkeypatch, capsys, words, status, said):
    monkeypatch.chdir(tmp_path)
    path = recipe(data)
    if torch.cuda.is_available() and "cuda:7" in words[-1]:
        pytest.skip("this machine has graphics cards")
    got, _, err = cli(capsys, "train", *[str(path) if w == "RECIPE" else w for w in words])
    assert got == status and said in " ".join(err.split()), err
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_has_help_with_examples_that_are_understood(capsys, action):
    status, said, _ = cli(capsys, "train", action, "--help")
    assert status == 0 and f"usage: vr180-ofx train {action}" in said
    parser = parser_of(action)
    lines = [line for line in (parser.epilog or "").splitlines() if "vr180-ofx train" in line]
    assert lines
    for line in lines:
        words = shlex.split(line.split("  #")[0])
        assert words[:2] == ["vr180-ofx", "train"]
        if words[2] == action:
            parser.parse_args(words[3:])
        else:
            # what comes before or after it
            assert words[2] in shipped() or Path(words[2]).suffix == ".yaml"
    assert any(action in line for line in cli(capsys, "train", "--help")[1].splitlines())


def test_examples_name_actions_and_recipes_that_there_are():
    for _, line in EXAMPLES:
        first = shlex.split(line)[2]
        assert first in ACTIONS or Path(first).suffix == ".yaml" or first == "tiny"

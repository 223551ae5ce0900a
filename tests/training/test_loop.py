"""Runs that are killed, interrupted, spoilt or shared out give what they would have given. Real processes, and a network of 40 weights."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml
from safetensors.torch import load_file

from tests.cli.conftest import cli
from tests.training.processes import start
from tests.training.small import recipe
from vr180_ofx.errors import ComputationError, MediaError, OutputError, ResourceError, SettingsError
from vr180_ofx.training import checkpoint, run
from vr180_ofx.training.log import rows
from vr180_ofx.training.recipe import Recipe, resolved
from vr180_ofx.training.sections import checked

ROOT = Path(__file__).resolve().parents[2]


def made(**more) -> Recipe:
    values = recipe()
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(values.get(key), dict):
            values[key] = {**values[key], **{k: {**values[key].get(k, {}), **v} if isinstance(v, dict) else v for k, v in value.items()}}
        else:
            values[key] = value
    return checked(Recipe, values)


def curve(folder: Path):
    """What a run tells, without how long it took."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in rows(folder / "log.jsonl") if "note" not in row]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that nothing happened to."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    result = run.begin(made(), folder)
    assert result.ended and result.step == 18
    return folder


def test_it_learns_and_leaves_what_it_promises(whole):
    told = curve(whole)
    losses = [r["loss"] for r in told if "loss" in r]
    assert len(losses) == 18 and losses[-1] < 0.75 * losses[0]
    evaluations = [r["evaluation_loss"] for r in told if "evaluation" in r]
    assert len(evaluations) == 3 and evaluations[-1] < evaluations[0]
    assert [s for s, _ in checkpoint.listed(whole)] == [12, 16, 18]
    assert set(load_file(whole / "weights.safetensors")) == set(load_file(whole / "best.safetensors")) >= {"head.weight", "body.0.weight"}
    assert run.recipe_of(whole) == resolved(made(), Path.cwd())
    # the mean weights are neither the last ones nor the first
    saved = checkpoint.read(checkpoint.path_of(whole, 18))
    assert not torch.equal(saved.tensors["network.head.weight"], saved.tensors["mean.head.weight"])
    assert torch.equal(saved.tensors["mean.head.weight"], load_file(whole / "weights.safetensors")["head.weight"])


def test_rates_follow_the_cosine(whole):
    rates = [r["rate"] for r in curve(whole) if "rate" in r]
    assert rates[0] == pytest.approx(0.05 / 3) and rates[2] == 0.05 and rates[12] == 0.02
    # halfway down the second stage's cosine
    assert rates[15] == pytest.approx(0.01)


def test_a_killed_run_gives_the_same_curve_to_the_bit(whole, tmp_path, capsys):
    """kill -9 in the middle of a stage, between two checkpoints; then the command goes on."""
    folder, path = tmp_path / "run", tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe()))
    process = start(path, folder, 0.05)
    until(lambda: any(r.get("step", 0) >= 14 for r in rows(folder / "log.jsonl")), process)
    process.kill()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    told = rows(folder / "log.jsonl")
    assert 14 <= told[-1]["step"] < 18
    kept = checkpoint.newest(folder)[0]
    assert kept is not None and kept.step < told[-1]["step"]
    # what a kill in the middle of writing leaves
    (folder / "checkpoints" / ".step-00000016.01234567.vr180-ofx.part.safetensors").write_bytes(b"half")
    with open(folder / "log.jsonl", "ab") as log:
        log.write(b'{"step": 17, "loss"')
    status, said, _ = cli(capsys, "train", "resume", str(folder), "--json")
    assert status == 0 and json.loads(said)["step"] == 18
    assert curve(folder) == curve(whole)
    steps = [r["step"] for r in rows(folder / "log.jsonl") if "loss" in r]
    assert steps == list(range(1, 19))
    for name in ("weights.safetensors", "best.safetensors", "checkpoints/step-00000018.safetensors"):
        ours, theirs = load_file(folder / name), load_file(whole / name)
        assert all(torch.equal(ours[k], theirs[k]) for k in theirs), name
    assert not [f for f in (folder / "checkpoints").iterdir() if f.name.startswith(".")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_says_so(whole, tmp_path, number):
    folder, path = tmp_path / "run", tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe()))
    process = start(path, folder, 0.05)
    until(lambda: any(r.get("step", 0) >= 5 for r in rows(folder / "log.jsonl")), process)
    os.kill(process.pid or 0, number)
    process.join(30)
    said = Path(f"{folder}.err").read_text()
    assert process.exitcode == 5 and "Traceback" not in said
    steps = rows(folder / "log.jsonl")[-1]["step"]
    assert f"interrupted after step {steps}" in said and f"vr180-ofx train resume {folder}" in said
    saved = checkpoint.newest(folder)[0]
    assert saved is not None and saved.step == steps
    assert run.resume(folder).ended and curve(folder) == curve(whole)


def test_a_loss_that_is_no_number_stops_with_its_step(tmp_path):
    with pytest.raises(ComputationError, match=r"the loss is nan in step 18 \(stage second, step 6\): l1 nan.*checkpoint is of step 16"):
        run.begin(made(stages={"second": {"options": {"spoil": 5}}}), tmp_path)
    saved = checkpoint.newest(tmp_path)[0]
    assert saved is not None and all(bool(torch.isfinite(t).all()) for t in saved.tensors.values())
    assert rows(tmp_path / "log.jsonl")[-1]["step"] == 17


def test_accumulation_is_the_whole_batch(tmp_path):
    """Without batch norm, which sees what is seen at once: the same but for rounding."""
    run.begin(made(network={"norm": False}), tmp_path / "whole")
    run.begin(made(network={"norm": False}, stages={"first": {"at_once": 1}, "second": {"at_once": 1}}), tmp_path / "parts")
    for a, b in zip(curve(tmp_path / "whole"), curve(tmp_path / "parts"), strict=True):
        assert a.get("loss", 0) == pytest.approx(b.get("loss", 0), abs=1e-6)


def test_activations_that_are_computed_again_change_nothing(whole, tmp_path):
    run.begin(made(stages={"first": {"checkpointing": ["body"]}, "second": {"checkpointing": ["body", "head"]}}), tmp_path)
    assert curve(tmp_path) == curve(whole)
    ours, theirs = load_file(tmp_path / "weights.safetensors"), load_file(whole / "weights.safetensors")
    assert all(torch.equal(ours[k], theirs[k]) for k in theirs)
    with pytest.raises(SettingsError, match="no module of the network; did you mean 'body'"):
        run.begin(made(stages={"first": {"checkpointing": ["bodi"]}}), tmp_path / "other")


def test_dropout_is_the_same_after_a_resume(tmp_path):
    dropped = made(network={"dropout": 0.3})
    run.begin(dropped, tmp_path / "a")
    run.begin(dropped, tmp_path / "b")
    for step in (16, 18):
        checkpoint.path_of(tmp_path / "b", step).unlink()
    assert run.resume(tmp_path / "b").step == 18 and curve(tmp_path / "a") == curve(tmp_path / "b")


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_other_precisions_learn_the_same(whole, tmp_path, precision):
    run.begin(made(precision=precision), tmp_path / "a")
    a, b = (r["loss"] for r in (curve(whole)[-2], curve(tmp_path / "a")[-2]))
    # eight bits of mantissa
    assert abs(a - b) < 0.01 and a != b
    for step in (16, 18):
        checkpoint.path_of(tmp_path / "a", step).unlink()
    before = curve(tmp_path / "a")
    run.resume(tmp_path / "a")
    assert curve(tmp_path / "a") == before


def test_what_is_frozen_stays(tmp_path):
    run.begin(made(optimiser={"rates": {"body": 0}}), tmp_path)
    torch.manual_seed(1)
    first = checkpoint.read(checkpoint.path_of(tmp_path, 18)).part("network")
    from tests.training.small import Squares

    torch.manual_seed(made().seed)
    begun = Squares({}, {}).build().state_dict()
    assert torch.equal(first["body.0.weight"], begun["body.0.weight"]) and not torch.equal(first["head.weight"], begun["head.weight"])
    with pytest.raises(SettingsError, match="optimiser.rates names 'bdy'.*did you mean 'body'"):
        run.begin(made(optimiser={"rates": {"bdy": 0}}), tmp_path / "x")


def test_a_run_is_not_written_over_and_not_shared(whole, tmp_path):
    with pytest.raises(OutputError, match="vr180-ofx train resume"):
        run.begin(made(), whole)
    with pytest.raises(MediaError, match="holds no run"):
        run.resume(tmp_path)
    with pytest.raises(SettingsError, match="only machine, log, checkpoints, and where data lie, may change"):
        run.resume(whole, ["first.steps=3"])
    assert run.resume(whole, ["log.every=2"]).step == 18


def test_a_damaged_checkpoint_is_told_of_and_the_one_before_taken(whole, tmp_path):
    run.begin(made(), tmp_path)
    last = checkpoint.path_of(tmp_path, 18)
    data = bytearray(last.read_bytes())
    data[-1] ^= 1
    last.write_bytes(bytes(data))
    checkpoint.path_of(tmp_path, 16).write_bytes(b"cut off")
    assert run.resume(tmp_path).step == 18
    notes = [r["note"] for r in rows(tmp_path / "log.jsonl") if "note" in r]
    assert len(notes) == 2 and "its checksum" in notes[0] and "goes on from step 12" in notes[0]
    assert curve(tmp_path) == curve(whole)
    for step, path in checkpoint.listed(tmp_path):
        path.write_bytes(b"%d" % step)
    with pytest.raises(MediaError, match="no checkpoint of .* is whole"):
        run.resume(tmp_path)


def test_a_run_may_move_with_its_data(tmp_path, whole):
    (tmp_path / "a").mkdir()
    run.begin(made(data={"noise": {"path": str(tmp_path / "a")}}), tmp_path / "run")
    (tmp_path / "a").rename(tmp_path / "b")
    for step in (16, 18):
        checkpoint.path_of(tmp_path / "run", step).unlink()
    assert run.resume(tmp_path / "run", [f"data.noise.path={tmp_path / 'b'}"]).step == 18 and curve(tmp_path / "run") == curve(whole)
    with pytest.raises(SettingsError, match="only machine"):
        run.resume(tmp_path / "run", ["data.noise.count=3"])


def test_what_does_not_fit_says_what_helps(tmp_path):
    with pytest.raises(ResourceError, match=r"a step of stage second does not fit into the memory of cpu: lower second.at_once"):
        run.begin(made(stages={"second": {"options": {"hungry": True}}}), tmp_path)
    assert [s for s, _ in checkpoint.listed(tmp_path)] == [4, 8, 12]


def test_an_evaluation_that_is_no_number_stops(tmp_path):
    with pytest.raises(ComputationError, match="the loss of the evaluation on other is nan"):
        run.begin(made(stages={"first": {"options": {"spoilt_evaluation": True}}}), tmp_path)
    assert rows(tmp_path / "log.jsonl")[-1]["step"] == 6


@pytest.mark.skipif(os.name != "posix", reason="other systems have no limit of a file's size")
def test_a_disk_that_is_full_keeps_what_was_there(tmp_path):
    import resource

    run.begin(made(log={"every": 1000}), tmp_path)
    checkpoint.path_of(tmp_path, 18).unlink()
    before = {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (min(map(len, before.values())) // 2, limits[1]))
        with pytest.raises(OSError):
            run.resume(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    assert {p.name: p.read_bytes() for p in (tmp_path / "checkpoints").iterdir()} == before
    assert run.resume(tmp_path).step == 18


@pytest.mark.slow
def test_a_compiled_network_learns_the_same(tmp_path, whole):
    run.begin(made(machine={"compile": True}), tmp_path)
    for a, b in zip(curve(tmp_path), curve(whole), strict=True):
        assert a.get("loss", 0) == pytest.approx(b.get("loss", 0), abs=1e-4)


def test_data_that_became_more_are_told_of(tmp_path):
    data = {"noise": {"path": str(tmp_path)}}
    run.begin(made(data=data), tmp_path / "run")
    for step in (16, 18):
        # 12 is the end of the first stage, of which no more is drawn
        checkpoint.path_of(tmp_path / "run", step).unlink()
    (tmp_path / "more.txt").write_text("2")
    assert run.resume(tmp_path / "run").step == 18
    checkpoint.path_of(tmp_path / "run", 18).unlink()
    (tmp_path / "more.txt").write_text("3")
    with pytest.raises(SettingsError, match=r"data.noise has 13 samples, and had 12 when the run was interrupted"):
        run.resume(tmp_path / "run")


def test_initial_weights_are_taken_or_refused(whole, tmp_path):
    again = made(weights=str(whole / "weights.safetensors"), stages={"first": {"rate": 1e-9}, "second": {"rate": 1e-9}})
    run.begin(again, tmp_path / "a")
    ours, theirs = load_file(tmp_path / "a" / "weights.safetensors"), load_file(whole / "weights.safetensors")
    assert torch.allclose(ours["head.weight"], theirs["head.weight"], atol=1e-6)
    with pytest.raises(SettingsError, match="of another network: 0 tensors are missing or of another shape, 3 do not belong"):
        run.begin(made(weights=str(whole / "weights.safetensors"), network={"norm": False}), tmp_path / "b")
    with pytest.raises(SettingsError, match="cannot be read as safetensors"):
        run.begin(made(weights=str(tmp_path / "no")), tmp_path / "c")
    assert not (tmp_path / "b").exists() or not list((tmp_path / "b").iterdir())


def test_two_processes_are_one_with_the_doubled_batch(tmp_path):
    """With batch norm over both, evaluation and accumulation: within 1e-6."""
    values = made(stages={"first": {"at_once": 4}, "second": {"at_once": 2}})
    run.begin(values, tmp_path / "one")
    (tmp_path / "recipe.yaml").write_text(values.to_yaml())
    ends = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    both = [start(tmp_path / "recipe.yaml", tmp_path / "two", 0, RANK=str(k), LOCAL_RANK=str(k), **ends) for k in (0, 1)]
    for process in both:
        process.join(60)
    assert [p.exitcode for p in both] == [0, 0], Path(tmp_path / "two.err").read_text()[-2000:]
    one, two = curve(tmp_path / "one"), curve(tmp_path / "two")
    assert [r["step"] for r in one] == [r["step"] for r in two]
    for a, b in zip(one, two, strict=True):
        for key in ("loss", "gradient", "evaluation_loss"):
            assert a.get(key, 0) == pytest.approx(b.get(key, 0), abs=1e-6), a["step"]
    ours, theirs = load_file(tmp_path / "one" / "weights.safetensors"), load_file(tmp_path / "two" / "weights.safetensors")
    for key in ours:
        assert torch.allclose(ours[key].double(), theirs[key].double(), rtol=0, atol=1e-6), key


@pytest.mark.slow
def test_two_processes_of_torchrun(tmp_path):
    """As the documentation starts them, by the command itself; one that goes on with two after one."""
    run.begin(made(), tmp_path / "one")
    (tmp_path / "recipe.yaml").write_text(made().to_yaml())
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--master-addr=127.0.0.1", f"--master-port={free_port()}"]
    for words in ([str(tmp_path / "recipe.yaml"), "-o", str(tmp_path / "two")], ["resume", str(tmp_path / "two")]):
        words = [sys.executable, *launcher, "-m", "vr180_ofx", "train", *words]
        done = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr[-2000:]
        for step in (16, 18):
            checkpoint.path_of(tmp_path / "two", step).unlink()
    for a, b in zip(curve(tmp_path / "one"), curve(tmp_path / "two"), strict=True):
        assert a.get("loss", 0) == pytest.approx(b.get("loss", 0), abs=1e-6)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def until(true, process):
    end = time.monotonic() + 60
    while not true():
        assert process.is_alive() and time.monotonic() < end
        time.sleep(0.01)

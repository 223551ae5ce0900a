"""The Slurm script and the container's definition, as far as they can be checked without a cluster."""

import os
import re
import shlex
import stat
import subprocess
import tomllib
from pathlib import Path

import pytest

from vr180_ofx.cli.main import build_parser
from vr180_ofx.cli.train import parser_of

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "docs" / "training" / "train.sbatch"
IMAGE = ROOT / "docs" / "training" / "apptainer.def"
#: Of sbatch(1), Slurm 23.
KNOWN = {
    "job-name",
    "nodes",
    "ntasks-per-node",
    "gpus-per-node",
    "cpus-per-task",
    "mem",
    "time",
    "signal",
    "requeue",
    "open-mode",
    "output",
}


def test_the_script_is_one_and_its_keys_are_slurms():
    assert subprocess.run(["bash", "-n", str(SCRIPT)], check=False).returncode == 0
    lines = [line.removeprefix("#SBATCH --") for line in SCRIPT.read_text().splitlines() if line.startswith("#SBATCH")]
    keys = [line.partition("=")[0] for line in lines]
    assert set(keys) <= KNOWN and len(keys) == len(set(keys)) >= 8
    # directives behind the first command are not read
    text = SCRIPT.read_text()
    assert text.rindex("#SBATCH") < text.index("set -euo")


@pytest.fixture
def cluster(tmp_path):
    """srun, torchrun and scontrol that write down how they were called."""
    folder = tmp_path / "bin"
    folder.mkdir()
    programs = {
        "srun": 'shift; exec "$@"',
        "torchrun": 'echo "$@" >> "$CALLS"; if [[ -n ${SLEEP:-} ]]; then trap "exit 1" TERM; for k in $(seq 100); do sleep 0.05; done; fi; exit ${STATUS:-0}',
        "scontrol": 'echo "scontrol $@" >> "$CALLS"',
    }
    for name, body in programs.items():
        path = folder / name
        path.write_text(f"#!/usr/bin/env bash\n{body}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    calls = tmp_path / "calls"
    calls.write_text("")
    environment = {
        **os.environ,
        "PATH": f"{folder}:{os.environ['PATH']}",
        "CALLS": str(calls),
        "SLURM_GPUS_ON_NODE": "2",
        "SLURM_JOB_ID": "7",
    }
    return environment, calls


def test_it_begins_a_run_and_goes_on_with_one(cluster, tmp_path):
    environment, calls = cluster
    words = ["bash", str(SCRIPT), "my.yaml", str(tmp_path / "run")]
    assert subprocess.run(words, env=environment, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "recipe.yaml").write_text("")
    assert subprocess.run(words, env={**environment, "STATUS": "3"}, cwd=tmp_path, check=False).returncode == 3
    first, second = calls.read_text().splitlines()
    assert first.startswith("--standalone --nproc-per-node=2 --module vr180_ofx train my.yaml -o ") and " train resume " in second
    program = build_parser()
    for line in (first, second):
        arguments = program.parse_args(shlex.split(line)[4:])
        assert arguments.command == "train"
        if arguments.recipe == "resume":
            parser_of("resume").parse_args(arguments.words)


def test_it_queues_itself_again_when_its_time_is_up(cluster, tmp_path):
    environment, calls = cluster
    process = subprocess.Popen(["bash", str(SCRIPT), "my.yaml", "run"], env={**environment, "SLEEP": "1"}, cwd=tmp_path)
    while not calls.read_text():
        assert process.poll() is None
    process.terminate()
    assert process.wait(20) == 0 and calls.read_text().splitlines()[-1] == "scontrol requeue 7"


def test_the_container_installs_what_there_is():
    text = IMAGE.read_text()
    sections = re.findall(r"^%(\w+)", text, re.M)
    assert set(sections) <= {"files", "post", "environment", "test", "runscript", "labels"} and len(sections) == len(set(sections))
    assert text.startswith("Bootstrap: docker\nFrom: ")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = re.findall(r'"\.\[([\w,]+)\]"', text)[0].split(",")
    assert set(extras) <= set(project["optional-dependencies"])
    copied = [line.split() for line in text.partition("%files")[2].partition("%post")[0].splitlines() if line.strip()]
    assert all((ROOT / source).exists() for source, _ in copied)
    # all that the build needs
    folders = {source for source, _ in copied}
    assert {"vr180_ofx", "host_bridges", "nodes", "pyproject.toml", project["readme"], *project["license-files"]} <= folders
    for line in text.partition("%test")[2].partition("%runscript")[0].split("\n"):
        if line.strip().startswith("vr180-ofx train"):
            parser_of(shlex.split(line)[2])

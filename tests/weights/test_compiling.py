"""Networks compiled by PyTorch, where a C++ compiler is there."""

import os
import shutil
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from vr180_ofx.settings import Settings  # noqa: E402
from vr180_ofx.weights.device import Machine, Placement  # noqa: E402
from vr180_ofx.weights.spec import NetworkSpec, WeightsFile  # noqa: E402

PROGRAM = """
import torch
from torch._dynamo.utils import counters
from vr180_ofx.weights.compiling import compiled_function
torch.manual_seed(0)
network = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU(), torch.nn.LayerNorm(8)).eval()
picture = torch.rand(4, 8)
with torch.inference_mode():
    made = compiled_function(network.forward)(picture)
    print(float((made - network(picture)).abs().max()), made.sum().item().hex(), counters["inductor"]["fxgraph_cache_hit"])
"""


def run(folder, **environment):
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=280, check=False,
        env=os.environ | {"VR180_OFX_CACHE": str(folder)} | environment,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no C++ compiler here")
def test_what_was_compiled_is_kept_between_runs_and_computes_the_same(tmp_path):
    first, second = (run(tmp_path).stdout.split() for _ in range(2))
    assert float(first[0]) < 1e-5 and first[1] == second[1]
    assert (int(first[2]), int(second[2])) == (0, 1) and any((tmp_path / "compiled").iterdir())


@pytest.mark.slow
def test_without_a_compiler_it_says_what_to_do(tmp_path):
    found = run(tmp_path, CXX="/nowhere/c++")
    assert "SettingsError: hardware.compile is on" in found.stderr and "Set hardware.compile=off" in found.stderr


def test_it_is_off_until_asked_for_and_part_of_the_identity(tmp_path):
    (tmp_path / "weights").write_bytes(b"x")
    weights = WeightsFile("matting.tracker_weights", tmp_path / "weights")
    off, on = (Machine.of(Settings.from_values({}, ["hardware.device=cpu", *more])) for more in ([], ["hardware.compile=on"]))
    assert off.on_device() == Placement("cpu", "float32", "pytorch")
    assert on.on_device() == Placement("cpu", "float32", "pytorch", compiled=True)
    # what OpenVINO runs is compiled by it, and YOLO by nobody
    assert not on.at_best().compiled and not on.in_full().compiled
    names = [NetworkSpec("sam2.1_t", weights, m.on_device()).identity for m in (off, on)]
    assert names[1] == f"{names[0]}:compiled"

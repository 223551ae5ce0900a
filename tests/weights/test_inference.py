from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from vr180_ofx.errors import WeightsError
from vr180_ofx.weights.inference import Network, _transpose_convolution, load_model, multiplies_bfloat16, openvino
from vr180_ofx.weights.store import require

MASK, PRESENCE = "Identity_2", "Identity_1"


@pytest.fixture(scope="module")
def path():
    return require("blazepose_segmenter")


@pytest.fixture(scope="module")
def pictures():
    return np.random.default_rng(1).random((6, 256, 256, 3), np.float32)


def test_outputs_come_in_the_order_asked_for_and_do_not_depend_on_each_other(path, pictures):
    mask, presence = Network(path, (MASK, PRESENCE))(pictures[0])
    again, only = Network(path, (PRESENCE, MASK))(pictures[0]), Network(path, (MASK,))(pictures[0])
    assert mask.shape == (256, 256, 1) and presence.shape == (1,)
    assert np.array_equal(again[1], mask) and np.array_equal(again[0], presence) and np.array_equal(only[0], mask)


def test_threads_get_the_same_bits(path, pictures):
    network = Network(path, (MASK,))
    alone = [network(p)[0] for p in pictures]
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda p: network(p)[0], np.concatenate([pictures] * 4)))
    assert all(np.array_equal(found, alone[k % len(alone)]) for k, found in enumerate(at_once))


def test_what_was_returned_is_not_overwritten_by_the_next_call(path, pictures):
    network = Network(path, (MASK,))
    first = network(pictures[0])[0]
    kept = first.copy()
    network(pictures[1])
    assert np.array_equal(first, kept)


def test_who_asks_for_the_same_file_shares_it(path):
    assert load_model(path, (MASK,)) is load_model(path, (MASK,))


def test_the_operation_of_mediapipes_own():
    """Filters of 2x2 that do not overlap, written down again with plain sums."""
    ov = openvino()
    from openvino import opset10 as ops

    rng = np.random.default_rng(3)
    picture, filters, bias = (rng.normal(size=shape).astype(np.float32) for shape in ((1, 5, 4, 3), (2, 2, 2, 3), (2,)))
    given = ops.parameter([1, 5, 4, 3], np.float32), ops.constant(filters), ops.constant(bias)

    class Node:
        def get_input(self, k):
            return given[k].output(0)

    (made,) = _transpose_convolution(Node())
    found = ov.Core().compile_model(ov.Model([made], [given[0]]), "CPU")(picture)[0]
    expected = np.einsum("byxi,ohwi->byhxwo", picture, filters).reshape(1, 10, 8, 2) + bias
    assert np.abs(found - expected).max() < 1e-5


def test_an_output_that_is_not_there_is_named_and_so_are_those_that_are(path):
    with pytest.raises(WeightsError, match=rf"has no output Identity_9; it has .*{MASK}"):
        Network(path, ("Identity_9",))


@pytest.mark.parametrize("content", [lambda data: data[: len(data) // 2], lambda data: b"hello\n", lambda data: b""])
def test_a_file_that_is_no_network_is_an_error_for_people(path, tmp_path, content):
    damaged = tmp_path / "network.tflite"
    damaged.write_bytes(content(path.read_bytes()))
    with pytest.raises(WeightsError, match=r"network\.tflite cannot be read as a network: \w"):
        Network(damaged, (MASK,))


def test_nothing_is_reported_to_anybody(path, tmp_path):
    """On its own, OpenVINO reports its use when it is imported, and from its converters; nothing here may."""
    code = f"""
import socket, sys
def refuse(*a, **k): raise SystemExit("a connection was opened")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import numpy as np
from pathlib import Path
from vr180_ofx.weights.inference import Network
print(Network(Path({str(path)!r}), ({MASK!r},))(np.zeros((256, 256, 3)))[0].shape, "openvino_telemetry" in sys.modules)
"""
    # it does not report from machines that it takes for builders
    told = {k: v for k, v in os.environ.items() if k not in ("CI", "TF_BUILD", "JENKINS_URL")} | {"HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=told)
    assert done.returncode == 0, done.stderr
    assert "(256, 256, 1) False" in done.stdout
    assert not any(tmp_path.iterdir()), "it keeps the number that it reports under at home"


def test_what_the_processor_multiplies():
    torch = pytest.importorskip("torch", reason="who else would know")
    asked = (getattr(torch.cpu, name, None) for name in ("_is_amx_tile_supported", "_is_avx512_bf16_supported"))
    assert multiplies_bfloat16() == any(a is not None and a() for a in asked)


def test_threads_that_are_the_first_to_see_an_array_do_not_wait_for_each_other(path):
    """In a process of its own: the library's bindings look NumPy up at the first array, and two threads at once may lock each other out."""
    code = f"""
import os, sys, threading
from pathlib import Path
import numpy as np
sys.setswitchinterval(1e-6)
from vr180_ofx.weights.inference import load_model
model = load_model(Path({str(path)!r}), ({MASK!r},))
gate = threading.Barrier(6)
def run():
    gate.wait()
    model(np.zeros((256, 256, 3), np.float32))
threads = [threading.Thread(target=run, daemon=True) for _ in range(6)]
for t in threads:
    t.start()
for t in threads:
    t.join(60)
print("stuck" if any(t.is_alive() for t in threads) else "done", flush=True)
os._exit(0)
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=200, check=True)
    assert said.stdout.strip() == "done"

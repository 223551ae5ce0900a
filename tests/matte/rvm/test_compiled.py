"""RVM compiled for CPUs: the same network, kept for processes to come."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import random_network, trained_statistics
from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.rvm.compiled import CompiledRvm
from vr180_ofx.matte.rvm.contract import RecurrentNetwork, State
from vr180_ofx.matte.rvm.model import Rvm


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """A cache of its own, but the weights that there are."""
    from vr180_ofx.storage import weights_folder

    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(weights_folder()))
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "networks"


def pictures(count, height=96, width=128):
    noise = np.random.default_rng(5).random((count, height, width, 3), np.float32)
    return np.stack([cv2.GaussianBlur(p, (0, 0), 3) for p in noise])


@pytest.mark.parametrize(
    ("variant", "size", "refiner"),
    [
        ("mobilenetv3", (96, 128), "deep_guided_filter"), ("mobilenetv3", (101, 77), "fast_guided_filter"),
        ("resnet50", (96, 128), "deep_guided_filter"), ("resnet50", (101, 77), "fast_guided_filter"),
        ("mobileone_rvm", (101, 77), "deep_guided_filter"), ("mamba_rvm", (101, 77), "deep_guided_filter"),
    ],
)  # fmt: skip
def test_it_says_what_pytorch_says(tmp_path, variant, size, refiner):
    path = tmp_path / "network.pth"
    network = random_network(variant, refiner)
    if variant in ("mobileone_rvm", "mamba_rvm"):
        trained_statistics(network)
    torch.save(network.state_dict(), path)
    ours, theirs = CompiledRvm(path), Rvm(path)
    states: dict[RecurrentNetwork, Sequence[State | None]] = {ours: [None] * 2, theirs: [None] * 2}
    for shown in pictures(6, *size).reshape(3, 2, *size, 3):
        alphas = {}
        for network in states:
            alphas[network], states[network] = network.step(shown, states[network])
        # there is something to be seen
        assert alphas[theirs].std() > 2e-3
        assert np.abs(alphas[ours] - alphas[theirs]).max() < 2e-4
        for mine, other in zip(states[ours], states[theirs], strict=True):
            assert mine is not None and other is not None
            assert [m.shape for m in mine] == [o.shape for o in other] and all(m.dtype == np.float16 for m in mine)
            assert all(np.abs(m.astype(np.float32) - o.astype(np.float32)).max() < 5e-3 for m, o in zip(mine, other, strict=True))


def test_one_at_a_time_or_together_in_any_thread_and_size(weights):
    network = CompiledRvm(weights)
    several = pictures(4)
    alone = [network.step(p[None], [None]) for p in several]
    # another size in between
    other = network.step(pictures(1, 64, 208), [None])[0]
    assert other.shape == (1, 64, 208)
    with ThreadPoolExecutor(4) as pool:
        at_once = list(pool.map(lambda p: network.step(p[None], [None]), np.concatenate([several] * 3)))
    for k, (alpha, states) in enumerate(at_once):
        expected, remembered = alone[k % 4]
        assert np.array_equal(alpha, expected) and all(map(np.array_equal, states[0], remembered[0]))
    batch, states = network.step(several, [None, alone[1][1][0], None, None])
    assert np.abs(batch[[0, 2, 3]] - np.concatenate([alone[k][0] for k in (0, 2, 3)])).max() < 1e-4
    assert np.abs(batch[1] - alone[1][0][0]).max() > 1e-4 and len(states) == 4


def test_as_many_threads_for_one_picture_as_there_are(tmp_path):
    path = tmp_path / "network.pth"
    torch.save(random_network().state_dict(), path)
    one, several = CompiledRvm(path), CompiledRvm(path, threads=3)
    assert several.identity() == one.identity()
    states: dict[CompiledRvm, Sequence[State | None]] = {one: [None], several: [None]}
    for shown in pictures(3, 144, 256):
        alphas = {}
        for network in states:
            alphas[network], states[network] = network.step(shown[None], states[network])
        assert alphas[one].std() > 2e-3
        mine, other = states[one][0], states[several][0]
        assert mine is not None and other is not None
        assert np.array_equal(alphas[one], alphas[several]) and all(map(np.array_equal, mine, other))


def test_bfloat16_is_nearly_the_same(weights):
    """What a CPU with AMX computes; others do it as well, not as quickly."""
    shown = pictures(1)
    exact, coarse = (CompiledRvm(weights, p) for p in ("float32", "bfloat16"))
    assert exact.identity() != coarse.identity() != Rvm(weights, "cpu", "bfloat16").identity()
    states: dict[CompiledRvm, Sequence[State | None]] = {exact: [None], coarse: [None]}
    for _ in range(4):
        alphas = {}
        for network in states:
            alphas[network], states[network] = network.step(shown, states[network])
    assert np.array_equal(coarse.step(shown, states[coarse])[0], coarse.step(shown, states[coarse])[0])
    assert np.abs(alphas[exact] - alphas[coarse]).mean() < 0.02
    # the last layer is in single precision: more levels than bfloat16 has
    assert len(np.unique(alphas[coarse])) > 256


def test_the_next_process_needs_no_pytorch(weights, tmp_path, kept):
    shown = pictures(1)
    expected = CompiledRvm(weights).step(shown, [None])[0]
    (entry,) = kept.iterdir()
    np.save(tmp_path / "shown.npy", shown)
    code = f"""
import sys
sys.modules["torch"] = None
import numpy as np
from pathlib import Path
from vr180_ofx.matte.rvm.compiled import CompiledRvm
from vr180_ofx.matte.rvm.contract import RecurrentNetwork, State
from vr180_ofx.matte.rvm.windows import RvmWindows
network = CompiledRvm(Path({str(weights)!r}))
RvmWindows(network, 96).close()
np.save({str(tmp_path / "out.npy")!r}, network.step(np.load({str(tmp_path / "shown.npy")!r}), [None])[0])
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
    assert np.array_equal(np.load(tmp_path / "out.npy"), expected)


def test_a_damaged_file_is_made_again(weights, kept, caplog):
    shown = pictures(1)
    expected = CompiledRvm(weights).step(shown, [None])[0]
    (entry,) = kept.iterdir()
    whole = entry.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-1] + bytes([whole[-1] ^ 1]), b""):
        entry.write_bytes(damaged)
        assert np.array_equal(CompiledRvm(weights).step(shown, [None])[0], expected)
        assert "is damaged; it is made again" in caplog.text
        caplog.clear()
        assert np.array_equal(CompiledRvm(weights).step(shown, [None])[0], expected)
        assert not caplog.text


def test_a_cache_that_cannot_be_written_is_done_without(weights, kept):
    kept.parent.write_text("a file where the folder should be")
    assert CompiledRvm(weights).step(pictures(1), [None])[0].shape == (1, 96, 128)


def test_other_weights_are_another_network(weights, tmp_path, kept):
    other = tmp_path / "other.pth"
    network = random_network()
    network.project_mat.conv.weight.data[3] *= 2
    torch.save(network.state_dict(), other)
    first, second = CompiledRvm(weights), CompiledRvm(other)
    assert len(list(kept.iterdir())) == 2 and first.identity() != second.identity()
    assert not np.array_equal(first.step(pictures(1), [None])[0], second.step(pictures(1), [None])[0])


def test_those_that_were_used_last_are_kept(weights, kept):
    kept.mkdir(parents=True)
    for k in range(5):
        (kept / f"rvm-{k}").write_bytes(b"of another version")
        os.utime(kept / f"rvm-{k}", (k, k))
    (kept / ".rvm-1.0123abcd.vr180-ofx.part").write_bytes(b"half")
    CompiledRvm(weights)
    (own,) = (p for p in kept.iterdir() if p.stat().st_size > 1000)
    assert {p.name for p in kept.iterdir()} == {own.name, "rvm-4", "rvm-3", "rvm-2"}
    # using it makes it the newest
    os.utime(own, (0, 0))
    CompiledRvm(weights)
    assert own.stat().st_mtime > 4


def test_what_is_no_network_is_an_error_for_people(tmp_path, kept):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"nothing")
    with pytest.raises(WeightsError, match=r"weights\.pth cannot be read as weights"):
        CompiledRvm(path)
    assert not kept.exists() or not any(kept.iterdir())

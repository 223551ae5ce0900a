"""RVM with its weights, for pictures as arrays."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch
from safetensors.torch import load_file

from tests.matte.rvm.networks import TRAINED, needs_trained
from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.rvm.model import Rvm, load_network


@needs_trained
def test_trained_weights_load():
    found = load_network(TRAINED)
    assert set(found.state_dict()) - {"project_seg.conv.weight", "project_seg.conv.bias"} == set(load_file(TRAINED))
    assert type(found.refiner).__name__ == "FastGuidedFilter"


def test_several_pictures_at_once_are_each_alone_and_what_is_remembered_counts(weights):
    rvm = Rvm(weights)
    frames = np.random.default_rng(0).random((2, 3, 64, 80, 3), np.float32)
    together, states = rvm.step(frames[:, 0], [None, None])
    for n in range(1, 3):
        together, states = rvm.step(frames[:, n], states)
    in_a_row, after = rvm.step(frames, [None, None])
    assert np.abs(in_a_row[:, 2] - together).max() < 1e-2 and in_a_row.shape == (2, 3, 64, 80)
    assert all(a.dtype == np.float16 for s in (*states, *after) for a in s)
    alone, _ = rvm.step(frames[:1, 2], [states[0]])
    both, _ = rvm.step(frames[:, 2], [states[0], None])
    assert np.abs(alone[0] - both[0]).max() < 1e-4
    fresh, _ = rvm.step(frames[:1, 2], [None])
    assert np.abs(alone - fresh).max() > 1e-3


def test_as_published_it_is_the_same_network(weights):
    picture = np.random.default_rng(1).random((1, 64, 64, 3), np.float32)
    ours, published = (Rvm(weights, plain=plain).step(picture, [None])[0] for plain in (False, True))
    assert np.abs(ours - published).max() < 1e-3


def test_files_that_are_no_weights_are_refused(weights, tmp_path):
    other = tmp_path / "other.pth"
    torch.save({"conv.weight": torch.zeros(3)}, other)
    broken = tmp_path / "broken.pth"
    broken.write_bytes(weights.read_bytes()[:5000])
    short = tmp_path / "short.pth"
    torch.save({k: v for k, v in torch.load(weights).items() if "decode2" not in k}, short)
    for path, why in (
        (other, "holds no weights of RVM"),
        (broken, "cannot be read"),
        (short, "keys are missing"),
        (tmp_path / "no", "does not exist"),
    ):
        with pytest.raises(WeightsError, match=why):
            load_network(path)

"""RVM with its weights, for pictures as arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch
from safetensors.torch import load_file

from tests.matte.rvm.networks import TRAINED, needs_trained, random_network, trained_statistics
from vr180_ofx.errors import ComputationError, WeightsError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.matte.rvm.model import Rvm, load_network, look
from vr180_ofx.matte.rvm.weights_file import write_weights
from vr180_ofx.weights.graphs import Graphs, Rehearsal


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


def test_tensors_are_what_arrays_are_and_stay_where_they_are(weights):
    rvm, frames = Rvm(weights), np.random.default_rng(0).random((3, 2, 64, 80, 3), np.float32)
    states: Any = [None, None]
    theirs: Any = [None, None]
    for pictures in frames:
        alpha, states = rvm.step(pictures, states)
        there, theirs = rvm.step(torch.from_numpy(pictures), theirs)
        assert is_tensor(there) and np.array_equal(there.numpy(), alpha)
        assert all(
            is_tensor(a) and np.array_equal(a.numpy(), b) for s, t in zip(theirs, states, strict=True) for a, b in zip(s, t, strict=True)
        )
    # what was remembered as arrays goes on with tensors
    assert np.array_equal(rvm.step(torch.from_numpy(frames[0]), states)[0].numpy(), rvm.step(frames[0], states)[0])


def on_card(weights, precision="float32", **how):
    """As it is on a graphics card."""
    return Rvm(weights, precision=precision, rehearsed=True, **how)


def test_on_cards_batches_are_filled_up_and_replayed_without_changing_a_bit(weights):
    frames = torch.from_numpy(np.random.default_rng(0).random((6, 3, 64, 80, 3), np.float32))
    plain, replayed = on_card(weights), on_card(weights)
    plain.graphs, replayed.graphs = Graphs(None), Graphs(Rehearsal(), calls_before=1)
    found: list[Any] = []
    states: Any = {"plain": [None] * 3, "replayed": [None] * 3}
    for n, pictures in enumerate(frames):
        # somebody is seen anew
        both = {}
        for name, rvm in (("plain", plain), ("replayed", replayed)):
            states[name] = [None if n == 3 and k == 1 else s for k, s in enumerate(states[name])]
            both[name], states[name] = rvm.step(pictures, states[name])
        found.append(both)
    assert replayed.graphs.replays == 5
    # looked at after all steps: what was given out was not overwritten
    assert all(torch.equal(b["plain"], b["replayed"]) for b in found)
    assert all(torch.equal(a, b) for s, t in zip(*states.values(), strict=True) for a, b in zip(s, t, strict=True))
    assert all(a.dtype == torch.float32 for s in states["plain"] for a in s)
    # arrays, too
    arrays = [replayed.step(pictures.numpy(), [None] * 3)[0] for pictures in frames[:3]]
    assert all(np.array_equal(a, plain.step(p, [None] * 3)[0].numpy()) for a, p in zip(arrays, frames, strict=False))
    # the fourth of four is the third again: whatever it is, the others are the same
    four, _ = plain.step(torch.cat([frames[0], torch.rand(1, 64, 80, 3)]), [None] * 4)
    assert torch.equal(four[:3], found[0]["plain"])
    # more than fit into a batch are several
    nine, after = plain.step(frames[0].repeat(3, 1, 1, 1), [None] * 9)
    assert nine.shape == (9, 64, 80) and len(after) == 9 and float((nine[:3] - found[0]["plain"]).abs().max()) < 1e-4


def test_a_sequence_is_remembered_in_float32_too(weights):
    frames = torch.from_numpy(np.random.default_rng(0).random((2, 3, 64, 80, 3), np.float32))
    rvm, states = on_card(weights), [None, None]
    in_a_row, after = rvm.step(frames, [None, None])
    for n in range(3):
        alone, states = rvm.step(frames[:, n], states)
        assert float((in_a_row[:, n] - alone).abs().max()) < 1e-4
    assert all(a.dtype == torch.float32 for s in after for a in s)


def test_what_is_remembered_in_float32_is_not_rounded_away(weights):
    """In bfloat16 a state of about 1 does not move by less than 1/256 in a frame."""
    frames = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    exact, fine, coarse = on_card(weights), on_card(weights, "bfloat16"), Rvm(weights, precision="bfloat16")
    states: Any = {rvm: [None] for rvm in (exact, fine, coarse)}
    for _ in range(12):
        for rvm in states:
            _, states[rvm] = rvm.step(frames, states[rvm])

    def off(rvm):
        pairs = zip(states[rvm][0], states[exact][0], strict=True)
        return np.mean([np.abs(a.astype(np.float32) - b.astype(np.float32)).mean() for a, b in pairs])

    assert off(fine) < off(coarse)
    assert len({r.identity() for r in (exact, fine, coarse, Rvm(weights))}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("variant", ["mobileone_rvm", "mamba_rvm"])
def test_other_encoders_are_the_same_as_on_a_card(tmp_path, variant):
    """Filled up, replayed, with memory in float32: what the network gives, frame after frame."""
    network, path = trained_statistics(random_network(variant)), tmp_path / "own.safetensors"
    write_weights(network, path)
    card = on_card(path)
    frames, states, memory = np.random.default_rng(3).random((2, 3, 64, 80, 3), np.float32), [None] * 3, [None] * 4
    for pictures in frames:
        alpha, states = card.step(pictures, states)
        with torch.inference_mode():
            _, expected, *memory = network(torch.from_numpy(pictures).permute(0, 3, 1, 2), *memory)
        assert np.abs(alpha - expected[:, 0].numpy()).max() < 1e-3


def test_a_card_that_computes_what_cannot_be_is_refused(weights, tmp_path):
    """Shown a known picture: what half precision costs passes, what overflows in it does not, nor what is another network's."""
    there = on_card(weights)
    expected = look(load_network(weights))
    there.check(expected)
    on_card(weights, "bfloat16").check(expected)
    # what is made large here is made small again there
    state = torch.load(weights)
    state["backbone.features.0.0.weight"] *= 1e6
    state["backbone.features.0.1.running_var"] *= 1e12
    torch.save(state, tmp_path / "loud.pth")
    loud = look(load_network(tmp_path / "loud.pth"))
    assert all(m.isfinite().all() for m in loud)
    with pytest.raises(ComputationError, match=r"RVM on cpu in float16 .* not finite.*matting.fp16=false.*hardware.device=cpu"):
        on_card(tmp_path / "loud.pth", "float16", plain=True).check(loud)
    with pytest.raises(ComputationError, match=r"in float32 .* differ from float32 on the CPU by \d+ %, and 30 % are allowed") as wrong:
        there.check([m.flip(0) for m in expected])
    assert "fp16" not in str(wrong.value)


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

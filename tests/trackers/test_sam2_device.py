"""SAM 2 as it runs on graphics cards: pictures and memories as tensors, batches filled up, steps replayed. All but the card is here."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sam2", reason="the extra sam2 is not installed")
import torch

from benchmarks.support.sam2_reference import images, random_network, shown
from vr180_ofx.errors import ComputationError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.media.contract import Sample
from vr180_ofx.trackers.contract import Memory, Prompt
from vr180_ofx.trackers.sam2.network import look, lower
from vr180_ofx.trackers.sam2.tracker import Sam2Tracker
from vr180_ofx.vr180.window import Window
from vr180_ofx.weights.graphs import BUCKETS, Graphs, Rehearsal

SIZE = 128
ONE, TWO, THREE = (1, "left"), (2, "left"), (1, "right")
KEYS = (ONE, TWO, THREE)
BOX = Prompt(box=(30.0, 20.0, 90.0, 110.0))
POINTS = Prompt(points=((50.0, 50.0, 1),))
MASK = Prompt(mask=np.hypot(*np.mgrid[-60:68, -50:78]) < 40)
PROMPTS = {0: {ONE: BOX, TWO: MASK, THREE: BOX}, 3: {TWO: POINTS}}


@pytest.fixture(scope="module")
def network():
    return random_network("sam2.1_t", SIZE)


@pytest.fixture(scope="module")
def samples():
    return images((np.random.default_rng(0).random((7, SIZE, SIZE, 3)) * 255).astype(np.uint8))


def windows_of(sample, n, *, keys=KEYS, tensors=False):
    """Two people share the left eye's window at first."""
    if tensors:
        pixels: Any = (torch.from_numpy(sample.rgb), torch.from_numpy(sample.guide))
        sample = Sample(*pixels)
    found = shown(sample, keys, PROMPTS.get(n, {}), PROMPTS.get(n, {}))
    apart = Window((0.0, 0.0, 1.0), 55.0, 0.0, SIZE)
    return {k: replace(w, window=apart) if n > 2 and k == TWO else w for k, w in found.items()}


def run(tracker, samples, memory=None, *, first=0, **how):
    memory, memories, masks = memory or tracker.begin(), [], []
    for n, sample in enumerate(samples):
        memory, found = tracker.step(memory, windows_of(sample, first + n, **how))
        memories.append(memory)
        masks.append({k: (np.asarray(m.logits), m.score) for k, m in found.items()})
    return memories, masks


def same(a, b):
    return all(np.array_equal(x[k][0], y[k][0]) and x[k][1] == y[k][1] for x, y in zip(a, b, strict=True) for k in x)


@pytest.fixture(scope="module")
def plain(network, samples):
    return run(Sam2Tracker(network, "random"), samples)


def test_tensors_give_the_bits_of_arrays_and_stay_tensors(network, samples, plain):
    tracker = Sam2Tracker(network, "random", offload=False)
    memories, masks = run(tracker, samples, tensors=True)
    assert same(masks, plain[1])
    # a memory's value is taken from it when somebody asks
    assert memories[-1].on_device and not plain[0][-1].on_device
    assert [m.digest() for m in memories] == [m.digest() for m in plain[0]]
    _, found = tracker.step(memories[3], windows_of(samples[4], 4, tensors=True))
    assert all(is_tensor(m.logits) and isinstance(m.score, float) for m in found.values())
    with_offload, _ = Sam2Tracker(network, "random").step(memories[3], windows_of(samples[4], 4, tensors=True))
    assert not with_offload.on_device and with_offload.digest() == memories[4].digest()


def test_a_memory_that_was_saved_goes_on_with_the_same_bits_wherever_it_lies(network, samples, plain):
    memories, masks = plain
    near, far = Sam2Tracker(network, "random", offload=False), Sam2Tracker(network, "random")
    restored = Memory.from_bytes(memories[3].to_bytes())
    for tracker, tensors in ((near, True), (near, False), (far, True)):
        after, again = run(tracker, samples[4:], restored, first=4, tensors=tensors)
        assert same(again, masks[4:]) and [m.digest() for m in after] == [m.digest() for m in memories[4:]]
        assert after[-1].on_device == (tensors and tracker is near)
    # what went up is not changed there
    assert restored.digest() == memories[3].digest() and not restored.on_device


@pytest.fixture(scope="module")
def in_buckets(network, samples):
    return run(Sam2Tracker(network, "random", offload=False, buckets=BUCKETS), samples, tensors=True)


def test_batches_that_are_filled_up_are_others_to_rounding_and_say_so(network, in_buckets, plain):
    worst = max(np.abs(a[k][0] - b[k][0]).max() for a, b in zip(in_buckets[1], plain[1], strict=True) for k in a)
    assert worst < 1e-3
    assert Sam2Tracker(network, "random", buckets=BUCKETS).identity() != Sam2Tracker(network, "random").identity()
    # a limit of memory counts in buckets, too
    few = Sam2Tracker(network, "random", buckets=BUCKETS, at_once=3)
    assert few.at_once == 2 and few.identity() != Sam2Tracker(network, "random", buckets=BUCKETS).identity()


def test_what_fills_a_batch_up_changes_no_bit(network, samples, in_buckets, monkeypatch):
    """Three windows among four: whatever the fourth shows, and is remembered to be."""
    generator = torch.Generator().manual_seed(1)
    encode, followed = network.encode, network.followed

    def noisy(x, dim, count):
        # as it lies in memory, too: other strides are other kernels
        noise = torch.empty_like(x).copy_(torch.rand(x.shape, generator=generator))
        keep = [slice(None)] * x.dim()
        keep[dim] = slice(0, count)
        noise[tuple(keep)] = x[tuple(keep)]
        return noise

    def encoded(pictures):
        assert len(pictures) in BUCKETS
        return encode(noisy(pictures, 0, {2: 2, 4: 3}[len(pictures)]))

    def following(features, places, bank):
        count = {1: 1, 2: 2, 4: 3}[len(places)]
        return followed(features, places, replace(bank, spatial=noisy(bank.spatial, 1, count), pointers=noisy(bank.pointers, 1, count)))

    monkeypatch.setattr(network, "encode", encoded)
    monkeypatch.setattr(network, "followed", following)
    _, masks = run(Sam2Tracker(network, "random", offload=False, buckets=BUCKETS), samples, tensors=True)
    assert same(masks, in_buckets[1])


def test_replayed_steps_give_the_bits_of_steps(network, samples, in_buckets, monkeypatch):
    """From fixed buffers, which the next step overwrites; what was given out is not touched."""
    graphs = Graphs(Rehearsal(), calls_before=0)
    monkeypatch.setattr(network, "graphs", graphs)
    tracker = Sam2Tracker(network, "random", offload=False, buckets=BUCKETS)
    memories, masks = run(tracker, samples, tensors=True)
    assert graphs.replays > len(samples)
    assert same(masks, in_buckets[1]) and [m.digest() for m in memories] == [m.digest() for m in in_buckets[0]]
    # from a memory in the middle, after the buffers held other numbers; and short of memory, without any
    _, again = run(tracker, samples[2:], memories[1], first=2, tensors=True)
    assert same(again, masks[2:])
    tracker.step(memories[1], windows_of(samples[2], 2, tensors=True), batch=1)
    assert len(graphs) <= 2


def test_a_card_that_computes_what_cannot_be_is_refused(network):
    """Shown a known picture when it is loaded: in half precision it passes, unless that overflows."""
    expected = look(network.model)
    network.check(expected)
    half = random_network("sam2.1_t", SIZE)
    half.precision = "bfloat16"
    half.check(expected)
    # what is made large here is made small again there
    first, second = half.model.image_encoder.trunk.blocks[-1].mlp.layers
    with torch.no_grad():
        first.weight *= 1e6
        second.weight *= 1e-6
    expected = look(half.model)
    assert all(level.isfinite().all() for level in expected)
    half.precision = "float16"
    with pytest.raises(ComputationError, match=r"sam2.1_t on cpu in float16 .* not finite.*matting.fp16=false"):
        half.check(expected)
    with pytest.raises(ComputationError, match="differ from float32 on the CPU by"):
        network.check([level.flip(1) for level in look(network.model)])


def test_numbers_that_are_none_are_an_error_and_no_matte(network, samples):
    remembered = Sam2Tracker(network, "random").step(Memory(), windows_of(samples[0], 0))[0]
    bias = network.model.sam_mask_decoder.iou_prediction_head.layers[-1].bias
    kept = bias.clone()
    try:
        bias.fill_(float("nan"))
        with pytest.raises(ComputationError, match=r"says of person 1 in the left eye what is no number.*hardware.device=cpu"):
            Sam2Tracker(network, "random").step(remembered, windows_of(samples[1], 1))
    finally:
        bias.copy_(kept)


def test_weights_that_are_cast_once_give_the_bits_of_those_cast_each_time(samples, plain):
    found = []
    for once in (False, True):
        network = random_network("sam2.1_t", SIZE)
        network.precision = "bfloat16"
        if once:
            lower(network.model, torch.bfloat16)
        found.append(run(Sam2Tracker(network, "random"), samples[:3])[1])
    assert same(*found) and not same(found[0], plain[1][:3])

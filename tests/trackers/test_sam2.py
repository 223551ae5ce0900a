"""SAM 2 as a streaming tracker against the package's own predictor, on the same random weights."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sam2", reason="the extra sam2 is not installed")
import torch

from benchmarks.support.sam2_reference import Reference, images, pictures, random_network, shown
from vr180_ofx.engine.limits import fitting
from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.trackers.contract import Memory, Prompt
from vr180_ofx.trackers.sam2.checkpoint import CONFIGS, load_weights
from vr180_ofx.trackers.sam2.memory import MemoryBank, MemoryFrame, Rules, trimmed
from vr180_ofx.trackers.sam2.network import Sam2Network
from vr180_ofx.trackers.sam2.tracker import REFERENCE, Behaviour, Sam2Tracker

ROOT = Path(__file__).resolve().parents[2]
REAL = ROOT.parent / "shared" / "clips" / "flat" / "05_default_juggle.mp4"
SIZE = 256
ONE, TWO = (1, "left"), (2, "left")
BOX = Prompt(box=(60.0, 40.0, 140.0, 220.0))
POINTS = Prompt(points=((150.0, 100.0, 1), (20.0, 20.0, 0)))
DISC = (np.hypot(*np.mgrid[-120:136, -150:106]) < 60).astype(bool)


@pytest.fixture(scope="module")
def frames():
    """40 frames of real footage where it is at hand, else the demo clip, forwards and backwards."""
    if REAL.exists():
        return pictures(REAL, 40, SIZE)
    there = pictures(ROOT / "vr180_ofx" / "demo" / "walk3d.mp4", 24, SIZE)
    return np.concatenate([there, there[-2::-1]])[:40]


@pytest.fixture(scope="module")
def network():
    return random_network("sam2.1_t", SIZE)


@pytest.fixture(scope="module")
def tracker(network):
    return Sam2Tracker(network, "random", REFERENCE)


def ours(tracker, samples, prompts, memory=None, keys=(ONE, TWO), anchors=None):
    """prompts: frame -> {key: prompt}. anchors: who is to be prompted anew there; by default all who have one. Returns the memories after
    each frame and the masks.
    """
    memory = memory or tracker.begin()
    memories, masks = [], []
    for n, sample in enumerate(samples):
        now = prompts.get(n, {})
        memory, m = tracker.step(memory, shown(sample, keys, now, now if anchors is None else anchors))
        memories.append(memory)
        masks.append(m)
    return memories, masks


def worst(theirs, mine):
    """The largest difference of logits; both stop at the value that means that nobody is there."""
    return max(np.abs(np.maximum(theirs[k[0]], -32) - m.logits).max() for k, m in mine.items())


@pytest.mark.parametrize(("count", "middle"), [(17, 8), pytest.param(40, 20, marks=pytest.mark.slow)])
def test_masks_equal_the_reference_predictor(network, tracker, frames, tmp_path, count, middle):
    """Box, mask and points, two people, and a prompt added in mid-run. At least 16 frames: the reference knows how long its clip is, and
    counts the ages of its pointers by it when it is shorter; a stream has no length.
    """
    frames = frames[:count]
    reference = Reference(network, frames, tmp_path)
    reference.prompt(0, 1, BOX)
    reference.prompt(0, 2, Prompt(mask=DISC))
    expected = dict(reference.run(0, middle - 1))
    reference.prompt(middle, 1, POINTS)
    expected |= dict(reference.run(middle, count - 1))
    _, masks = ours(tracker, images(frames), {0: {ONE: BOX, TWO: Prompt(mask=DISC)}, middle: {ONE: POINTS}})
    differences = [worst(expected[n], masks[n]) for n in range(count)]
    assert max(differences) <= 1e-4
    # it is a comparison of something: masks that are neither empty nor full, and a prompt in mid-run that changed them
    shares = [float((masks[n][ONE].logits > 0).mean()) for n in range(count)]
    assert all(0.02 < s < 0.99 for s in shares) and all(m[k].score > 0.5 for m in masks for k in m)
    _, without = ours(tracker, images(frames[: middle + 2]), {0: {ONE: BOX, TWO: Prompt(mask=DISC)}})
    after = middle + 1
    assert np.abs(without[after][ONE].logits - masks[after][ONE].logits).max() > 1e-3
    assert np.abs(without[after][TWO].logits - masks[after][TWO].logits).max() < 1e-4


def test_a_box_with_points_in_mid_run_equals_the_reference(network, tracker, frames, tmp_path):
    """As the plan's box and somebody's points go in: at the frame, and as memory from there on."""
    both = Prompt(box=BOX.box, points=((100.0, 60.0, 1), (75.0, 200.0, 0)))
    # the reference scales time by the length of clips of less than 16 frames; so it is given 16 and stops early
    reference = Reference(network, frames[:16], tmp_path)
    reference.prompt(0, 1, BOX)
    expected = dict(reference.run(0, 1))
    reference.prompt(2, 1, both)
    expected |= dict(reference.run(2, 4))
    _, masks = ours(tracker, images(frames[:5]), {0: {ONE: BOX}, 2: {ONE: both}}, keys=(ONE,))
    assert max(worst(expected[n], masks[n]) for n in range(5)) <= 1e-4
    _, boxes = ours(tracker, images(frames[:5]), {0: {ONE: BOX}, 2: {ONE: BOX}}, keys=(ONE,))
    assert all(np.abs(boxes[n][ONE].logits - masks[n][ONE].logits).max() > 1e-3 for n in (2, 3, 4))


def test_a_part_of_a_mask_in_mid_run_equals_the_reference_that_is_given_all_of_it(network, tracker, frames, tmp_path):
    """What nobody painted is as the network has it from its memory; both together are a conditioning frame."""
    samples = images(frames[:5])
    _, before = ours(tracker, samples, {0: {ONE: BOX}}, keys=(ONE,))
    said = np.zeros((SIZE, SIZE), bool)
    said[:100] = True
    part = Prompt(mask=DISC & said, said=said)
    memories, masks = ours(tracker, samples, {0: {ONE: BOX}, 2: {ONE: part}}, keys=(ONE,), anchors=())
    whole = np.where(said, DISC, before[2][ONE].logits > 0)
    assert 0 < whole[~said].mean() < 1
    reference = Reference(network, frames[:16], tmp_path)
    reference.prompt(0, 1, BOX)
    expected = dict(reference.run(0, 1))
    reference.prompt(2, 1, Prompt(mask=whole))
    expected |= dict(reference.run(2, 4))
    assert max(worst(expected[n], masks[n]) for n in range(5)) <= 1e-4
    assert ((masks[2][ONE].logits > 0) == whole).mean() > 0.97
    assert [r.step for r in MemoryBank.from_memory(memories[-1]).people[ONE] if r.anchor] == [0, 2]
    assert all(np.abs(before[n][ONE].logits - masks[n][ONE].logits).max() > 1e-3 for n in (3, 4))
    # of somebody who was never seen: with the plan's box, or where the window was made for them
    for prompt in (replace(part, box=BOX.box), part):
        first = ours(tracker, samples[:1], {0: {ONE: prompt}}, keys=(ONE,))[1][0][ONE].logits > 0
        assert (first[:90] == DISC[:90]).mean() > 0.97


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sam2.1_s", "sam2.1_b+", "sam2.1_l"])
def test_the_larger_networks_equal_the_reference_too(name, frames, tmp_path):
    network = random_network(name, SIZE)
    few = frames[:10]
    # the reference scales time by the length of clips of less than 16 frames; so it is given 16 and stops early
    reference = Reference(network, frames[:16], tmp_path)
    reference.prompt(0, 1, BOX)
    reference.prompt(0, 2, POINTS)
    expected = dict(reference.run(0, 9))
    _, masks = ours(Sam2Tracker(network, "random", REFERENCE), images(few), {0: {ONE: BOX, TWO: POINTS}})
    assert max(worst(expected[n], masks[n]) for n in range(10)) <= 1e-4


def test_memory_has_a_say(tracker, frames):
    """What came before decides: another past, another mask."""
    samples = images(frames[:6])
    a = ours(tracker, samples, {0: {ONE: BOX}}, keys=(ONE,))[1][5]
    b = ours(tracker, [*samples[:1] * 5, samples[5]], {0: {ONE: BOX}}, keys=(ONE,))[1][5]
    c = ours(tracker, samples, {0: {ONE: POINTS}}, keys=(ONE,))[1][5]
    assert min(np.abs(a[ONE].logits - x[ONE].logits).max() for x in (b, c)) > 1e-3


@pytest.fixture(scope="module")
def run(tracker, frames):
    return ours(tracker, images(frames[:12]), {0: {ONE: BOX, TWO: POINTS}, 6: {TWO: BOX}})


def test_every_checkpoint_restores_to_the_last_bit(tracker, frames, run):
    memories, masks = run
    for n in (0, 3, 8):
        restored = Memory.from_bytes(memories[n].to_bytes())
        assert restored.digest() == memories[n].digest()
        after = {k - n - 1: v for k, v in {6: {TWO: BOX}}.items() if k > n}
        _, again = ours(tracker, images(frames[n + 1 : 12]), after, restored)
        for m, expected in zip(again, masks[n + 1 :], strict=True):
            assert all(np.array_equal(m[k].logits, expected[k].logits) and m[k].score == expected[k].score for k in m)


def test_another_process_goes_on_from_a_checkpoint_with_the_same_bits(run, frames, tmp_path):
    memories, masks = run
    (tmp_path / "memory").write_bytes(memories[9].to_bytes())
    np.save(tmp_path / "frame.npy", frames[10])
    # as many threads as here: sums are taken in another order by others, and ultralytics' import leaves processes to come one thread
    code = f"""
import numpy as np, torch
torch.set_num_threads({torch.get_num_threads()})
from benchmarks.support.sam2_reference import images, random_network, shown
from vr180_ofx.trackers.contract import Memory
from vr180_ofx.trackers.sam2.tracker import REFERENCE, Sam2Tracker
tracker = Sam2Tracker(random_network("sam2.1_t", {SIZE}), "random", REFERENCE)
memory = Memory.from_bytes(open("{tmp_path}/memory", "rb").read())
_, masks = tracker.step(memory, shown(images(np.load("{tmp_path}/frame.npy")[None])[0], [(1, "left"), (2, "left")]))
np.save("{tmp_path}/out.npy", np.stack([m.logits for m in masks.values()]))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=120)
    assert np.array_equal(np.load(tmp_path / "out.npy"), np.stack([masks[10][k].logits for k in (ONE, TWO)]))


def test_a_step_never_changes_its_memory(tracker, frames, run):
    memory = run[0][5]
    before = memory.digest()
    tracker.step(memory, shown(images(frames[6:7])[0], [ONE, TWO]))
    assert memory.digest() == before


def test_batches_are_as_large_as_memory_allows(network, frames):
    assert [fitting(1024, gb * 2**30) for gb in (-3, 0.2, 0.8, 1.6, 4, 7, 500)] == [1, 1, 1, 2, 4, 8, 16]
    assert fitting(512, 2**30) == 2 and fitting(2048, 2**33) == 2
    whole, split = Sam2Tracker(network, "random"), Sam2Tracker(network, "random", at_once=2)
    assert whole.identity() != split.identity()
    # three pictures: people who share a window share its features
    keys = (ONE, (1, "right"), (1, "third"))
    prompts = {0: dict.fromkeys(keys, BOX)}
    seen, encode = [], network.encode

    def counted(batch):
        seen.append(len(batch))
        return encode(batch)

    network.encode = counted
    try:
        results = [ours(t, images(frames[:2]), prompts, keys=keys)[1] for t in (whole, split)]
    finally:
        network.encode = encode
    assert seen == [3, 3, 2, 1, 2, 1]
    assert all(np.abs(a[k].logits - b[k].logits).max() < 1e-3 for a, b in zip(*results, strict=True) for k in keys)


def test_people_are_independent_of_who_else_is_in_the_batch(tracker, frames, run):
    """A person alone has the masks that they have beside others, to rounding."""
    _, alone = ours(tracker, images(frames[:6]), {0: {ONE: BOX}}, keys=(ONE,))
    assert max(np.abs(a[ONE].logits - b[ONE].logits).max() for a, b in zip(alone, run[1], strict=False)) < 1e-4


@pytest.mark.slow
def test_memory_that_stays_on_the_device_says_the_same(tracker, network, frames):
    """To the bit, also after a memory that was restored; and it lets go of what is forgotten."""
    near = Sam2Tracker(network, "random", REFERENCE, offload=False)
    samples, prompts = images(frames[:14]), {0: {ONE: BOX, TWO: POINTS}, 9: {ONE: BOX}}
    far_memories, far = ours(tracker, samples, prompts)
    near_memories, close = ours(near, samples, prompts)
    assert [m.digest() for m in near_memories] == [m.digest() for m in far_memories]
    assert all(np.array_equal(a[k].logits, b[k].logits) for a, b in zip(far, close, strict=True) for k in a)
    restored = Memory.from_bytes(far_memories[11].to_bytes())
    _, again = near.step(restored, shown(samples[12], [ONE, TWO]))
    assert all(np.array_equal(again[k].logits, far[12][k].logits) for k in again)


def test_memory_stays_flat(network, frames):
    """However long, and however often somebody is prompted again."""
    tracker = Sam2Tracker(network, "random", Behaviour())
    memories, _ = ours(tracker, images(frames[:36]), {n: {ONE: BOX} for n in range(0, 36, 5)}, keys=(ONE,))
    sizes = [m.nbytes for m in memories]
    assert max(sizes[24:]) <= max(sizes[16:24]) and sizes[-1] < 1.3 * sizes[20]


def test_somebody_out_of_the_plan_is_remembered_and_comes_back(tracker, frames):
    samples = images(frames[:10])
    memory = tracker.begin()
    for n, sample in enumerate(samples):
        keys = [ONE] if 3 <= n < 6 else [ONE, TWO]
        memory, masks = tracker.step(memory, shown(sample, keys, {ONE: BOX, TWO: POINTS} if n == 0 else None))
        assert list(masks) == keys
    past = MemoryBank.from_memory(memory).people[TWO]
    assert [r.step for r in past if r.anchor] == [0]
    # unknown until now, and nothing says where: the middle of the window is taken, and it is a conditioning frame
    memory, masks = tracker.step(memory, shown(samples[0], [(7, "right")]))
    assert MemoryBank.from_memory(memory).people[7, "right"][0].anchor


def test_somebody_lost_of_whom_the_plan_is_sure_is_prompted_again(network, frames):
    tracker = Sam2Tracker(network, "random", Behaviour())
    pointer, features = np.zeros(256, np.float32), np.zeros((64, 16, 16), np.uint16)
    past = tuple(MemoryFrame(n, n == 0, pointer, 5.0 if n == 0 else -5.0, 0.5, features) for n in range(5))
    memory = MemoryBank(5, {ONE: past}).to_memory()
    sample = images(frames[:1])[0]

    def anchored(sure, occluders=()):
        image = replace(shown(sample, [ONE], {ONE: BOX})[ONE], sure=sure, occluders=occluders)
        after, _ = tracker.step(memory, {ONE: image})
        return MemoryBank.from_memory(after).people[ONE][-1].anchor

    assert anchored(sure=0.9)
    assert not anchored(sure=0.3)
    assert not anchored(sure=0.9, occluders=(2,))


def test_absent_people_have_empty_masks_and_no_confidence(network, frames):
    model = network.model
    bias = model.sam_mask_decoder.pred_obj_score_head.layers[-1].bias
    kept = bias.clone()
    try:
        bias.fill_(-50.0)
        tracker = Sam2Tracker(network, "random", REFERENCE)
        _, masks = ours(tracker, images(frames[:2]), {0: {ONE: BOX}}, keys=(ONE,))
    finally:
        bias.copy_(kept)
    assert masks[1][ONE].score < 1e-6 and (masks[1][ONE].logits == -32).all()


def test_only_trusted_frames_are_looked_at_again_when_asked():
    pointer, features = np.zeros(256, np.float32), np.zeros((64, 2, 2), np.uint16)
    rules = Rules(recent=2, reach=3, anchors=1, reliable=True)
    past = tuple(MemoryFrame(n, n == 0, pointer, 5.0, 0.9, None if n in (4, 5) else features) for n in range(7))
    kept = trimmed(past, 7, rules)
    assert [r.step for r in kept if r.features is not None] == [0, 3, 6]
    # pointers reach back as ever
    assert [r.step for r in kept] == [0, 3, 4, 5, 6]
    recent = trimmed(past, 7, Rules(recent=2, reach=3, anchors=1))
    assert [r.step for r in recent if r.features is not None] == [0, 6]


def test_unreliable_masks_are_not_kept_as_features(network, frames):
    tracker = Sam2Tracker(network, "random", Behaviour(Rules(reliable=True)))
    elsewhere = Prompt(box=(0.0, 0.0, 8.0, 8.0))
    samples = images(frames[:3])
    memory, _ = tracker.step(tracker.begin(), shown(samples[0], [ONE], {ONE: BOX}))
    for sample in samples[1:]:
        memory, _ = tracker.step(memory, shown(sample, [ONE], {ONE: elsewhere}))
    past = MemoryBank.from_memory(memory).people[ONE]
    assert [r.features is not None for r in past] == [True, False, False]


def test_people_who_share_a_window_share_its_features(network, frames, monkeypatch):
    seen = []
    encode = network.encode

    def counted(batch):
        seen.append(len(batch))
        return encode(batch)

    monkeypatch.setattr(network, "encode", counted)
    tracker = Sam2Tracker(network, "random", REFERENCE)
    sample = images(frames[:1])[0]
    tracker.step(tracker.begin(), shown(sample, [ONE, TWO, (1, "right")]))
    assert seen == [2]


def test_checkpoints_of_the_official_kind_are_loaded(network, tmp_path, frames):
    state = network.model.state_dict()
    torch.save({"model": state}, tmp_path / "a.pt")
    loaded = Sam2Network("sam2.1_t", tmp_path / "a.pt", SIZE)
    assert all(torch.equal(v, loaded.model.state_dict()[k]) for k, v in state.items())
    from safetensors.torch import save_file

    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "a.safetensors")
    load_weights(loaded.model, tmp_path / "a.safetensors", "sam2.1_t")


def test_weights_that_do_not_fit_are_named(network, tmp_path):
    state = dict(network.model.state_dict())
    gone = state.pop("no_mem_embed")
    state["strange.weight"] = gone
    state["no_obj_ptr"] = torch.zeros(1, 7)
    torch.save({"model": state}, tmp_path / "a.pt")
    with pytest.raises(WeightsError, match=r"no_mem_embed.*strange.weight.*no_obj_ptr is \(1, 7\), not \(1, 256\).*another size"):
        Sam2Network("sam2.1_t", tmp_path / "a.pt", SIZE)
    (tmp_path / "b.pt").write_bytes(b"not a checkpoint")
    with pytest.raises(WeightsError, match="cannot|not a checkpoint that can be read safely"):
        Sam2Network("sam2.1_t", tmp_path / "b.pt", SIZE)
    torch.save({"model": {"x": 1}}, tmp_path / "c.pt")
    with pytest.raises(WeightsError, match="holds no tensors"):
        Sam2Network("sam2.1_t", tmp_path / "c.pt", SIZE)
    with pytest.raises(WeightsError, match="does not exist"):
        Sam2Network("sam2.1_t", tmp_path / "d.pt", SIZE)


class Evil:
    def __reduce__(self):
        return (print, ("ran",))


def test_nothing_but_tensors_is_unpickled(tmp_path, capsys):
    torch.save({"model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(WeightsError, match="read safely"):
        Sam2Network("sam2.1_t", tmp_path / "evil.pt", SIZE)
    assert "ran" not in capsys.readouterr().out


def test_sizes_and_names_that_are_not_there():
    with pytest.raises(SettingsError, match="multiples of 64"):
        Sam2Network("sam2.1_t", None, 300)
    with pytest.raises(SettingsError, match=", ".join(CONFIGS).replace("+", r"\+")):
        Sam2Network("sam2.1_x", None, 256)


def test_prompts_say_what_is_wrong_with_them():
    with pytest.raises(ValueError, match="says where a mask counts"):
        Prompt(box=BOX.box, said=DISC)
    with pytest.raises(ValueError, match="empty"):
        Prompt()
    with pytest.raises(ValueError, match="left < right"):
        Prompt(box=(5, 5, 5, 9))
    with pytest.raises(ValueError, match="not both"):
        Prompt(box=(0, 0, 1, 1), mask=DISC)


def test_foreign_memory_is_refused():
    with pytest.raises(ValueError, match="not a memory of SAM 2"):
        MemoryBank.from_memory(Memory({"1.left.facts": np.zeros((1, 5))}))
    assert MemoryBank.from_memory(Memory()).people == {}

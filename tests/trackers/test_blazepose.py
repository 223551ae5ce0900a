from dataclasses import replace

import numpy as np
import pytest

from vr180_ofx.engine.plans import analyse
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.imaging.inpaint import cover, erase
from vr180_ofx.media.contract import Sample
from vr180_ofx.media.open import open_clip
from vr180_ofx.trackers.blazepose import WINDOW_SIZE, BlazePoseParameters, BlazePoseTracker
from vr180_ofx.trackers.contract import Memory, WindowImage
from vr180_ofx.weights.store import require


@pytest.fixture(scope="module")
def tracker():
    return BlazePoseTracker(require("blazepose_segmenter"))


@pytest.fixture(scope="module")
def steps(people_clip):
    """The windows of ten frames."""
    with open_clip(people_clip) as clip:
        plan = analyse(clip)
        out = []
        for n in range(len(clip)):
            frame = clip.frame(n)
            windows = {}
            for view, eye in frame.eyes.items():
                for p in plan.present(n, view):
                    w = plan.window(p, view, n, WINDOW_SIZE)
                    windows[p.id, view] = WindowImage(eye.sample(w.grid(clip.projection)), w)
            out.append(windows)
        return out


def run(tracker, steps, memory):
    masks = []
    for windows in steps:
        memory, m = tracker.step(memory, windows)
        masks.append(m)
    return memory, masks


def same(a, b):
    return all(np.array_equal(a[k].logits, b[k].logits) and a[k].score == b[k].score for k in a) and a.keys() == b.keys()


def test_a_step_does_not_change_its_memory(tracker, steps):
    memory, _ = run(tracker, steps[:3], tracker.begin())
    before = memory.digest()
    tracker.step(memory, steps[3])
    assert memory.digest() == before
    with pytest.raises(ValueError, match="read-only"):
        next(iter(memory.arrays.values()))[...] = 0


def test_restoring_a_memory_gives_the_same_masks_to_the_last_bit(tracker, steps):
    memory, _ = run(tracker, steps[:5], tracker.begin())
    restored = Memory.from_bytes(memory.to_bytes())
    assert restored.digest() == memory.digest()
    _, a = run(tracker, steps[5:], memory)
    _, b = run(tracker, steps[5:], restored)
    assert all(same(x, y) for x, y in zip(a, b, strict=True))


def test_memory_is_forgotten_exactly_when_it_says(tracker, steps):
    _, whole = run(tracker, steps, tracker.begin())
    begin = len(steps) - 1 - tracker.exact_after
    _, late = run(tracker, steps[begin:], tracker.begin())
    assert same(whole[-1], late[-1])
    # and it is a memory: without it the mask is another
    _, none = run(tracker, steps[-1:], tracker.begin())
    assert not same(whole[-1], none[-1])


def test_memory_does_not_grow(tracker, steps):
    memory = tracker.begin()
    sizes = []
    for windows in steps:
        memory, _ = tracker.step(memory, windows)
        sizes.append(memory.nbytes)
    assert len(set(sizes[2:])) == 1


def test_the_masks_are_on_the_people(tracker, steps):
    _, masks = run(tracker, steps[:2], tracker.begin())
    for m in masks[1].values():
        inside = m.logits > 0
        assert 0.03 < inside.mean() < 0.5 and m.score > 0.9
        ys, xs = np.nonzero(inside)
        assert abs(xs.mean() - WINDOW_SIZE / 2) < 60


def test_whoever_stands_in_front_takes_only_what_is_surely_theirs(tracker, steps):
    """The one behind loses the sure part of the one in front, and keeps what the network is in doubt about."""
    windows = steps[4]
    (front, behind) = sorted({k[0] for k in windows})
    moved = {k: w for k, w in windows.items() if k[1] == "left"}
    shared = moved[front, "left"]
    both = {(front, "left"): shared, (behind, "left"): WindowImage(shared.sample, shared.window, (front,))}
    _, masks = tracker.step(tracker.begin(), both)
    _, alone = tracker.step(tracker.begin(), {(front, "left"): shared})
    assert np.array_equal(masks[front, "left"].logits, alone[front, "left"].logits)
    raw = alone[front, "left"].logits
    assert (masks[behind, "left"].logits[raw > 6.5] < -6).all() and (raw > 6.5).sum() > 500


def test_a_plain_cover_hides_only_the_person():
    rng = np.random.default_rng(0)
    rgb = rng.random((100, 100, 3)).astype(np.float32)
    person = np.zeros((100, 100), bool)
    person[40:60, 30:50] = True
    covered, filled = cover(rgb, person), erase(rgb, person)
    assert (covered[person] == 0.5).all() and np.abs(filled[person] - rgb[person]).mean() > 0.1
    far = np.ones_like(person)
    far[36:64, 26:54] = False
    assert np.array_equal(covered[far], rgb[far]) and np.array_equal(filled[far], rgb[far])
    assert erase(rgb, np.zeros_like(person)) is rgb


def test_a_moving_edge_takes_nothing_from_the_frame_before(steps):
    """Where the picture changed, the mask equals that of a tracker without memory."""
    still = BlazePoseTracker(require("blazepose_segmenter"), stabilise=0.0)
    steady = BlazePoseTracker(require("blazepose_segmenter"), stabilise=0.9)
    key = next(iter(steps[0]))
    image = steps[0][key]
    shifted = Sample(np.roll(image.sample.rgb, 24, axis=1), np.roll(image.sample.guide, 24, axis=1))
    moved = WindowImage(shifted, image.window)
    memory, _ = steady.step(steady.begin(), {key: image})
    _, a = steady.step(memory, {key: moved})
    _, b = still.step(still.begin(), {key: moved})
    change = np.abs(shifted.guide[..., 0] - image.sample.guide[..., 0]) > 0.15
    assert change.sum() > 500
    assert np.abs(a[key].logits - b[key].logits)[change].mean() < 0.05


def test_tuned_numbers_are_part_of_what_masks_are_known_by():
    weights = require("blazepose_segmenter")
    made = [
        BlazePoseTracker(weights),
        BlazePoseTracker(weights, stabilise=0.5),
        BlazePoseTracker(weights, parameters=BlazePoseParameters(surely_in_front=5.0)),
        BlazePoseTracker(weights, parameters=BlazePoseParameters(squares=BlazePoseParameters().squares[:1])),
    ]
    assert len({t.identity() for t in made}) == 4 and made[0].identity() == BlazePoseTracker(weights).identity()


def test_pictures_that_are_tensors_have_masks_that_are_tensors(tracker, steps):
    """The window comes down, and its mask goes up beside it; what is remembered is the host's."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")

    def as_tensors(windows):
        return {
            k: replace(w, sample=Sample(torch.from_numpy(w.sample.rgb.copy()), torch.from_numpy(w.sample.guide.copy())))
            for k, w in windows.items()
        }

    memory, masks = run(tracker, steps[:3], tracker.begin())
    there, found = run(tracker, [as_tensors(w) for w in steps[:3]], tracker.begin())
    assert all(is_tensor(m.logits) for masks in found for m in masks.values())
    assert not there.on_device and there.digest() == memory.digest()
    assert all(np.array_equal(m.logits.numpy(), masks[n][k].logits) for n in range(3) for k, m in found[n].items())

"""Both eyes compared and corrected where what is seen of them are tensors: as with NumPy's arrays."""

from dataclasses import replace

import numpy as np
import pytest

from tests.imaging.on_torch.both import tensor
from tests.stereo.scenes import PROJECTION, B, consistency, disc, seen_ball, state_of, trimmed
from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import Sample
from vr180_ofx.stereo.disparity import measure
from vr180_ofx.stereo.masks import agree, prompted_window
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.reconcile import join
from vr180_ofx.stereo.transfer import WeakerEye, transferred, without_occluded
from vr180_ofx.vr180.layout import LEFT, RIGHT

pytest.importorskip("torch")

SIZE = 512


def never(windows):
    raise AssertionError("nobody is looked at again")


def on_tensors(state):
    """The same state, of tensors."""
    windows = {k: replace(w, sample=Sample(tensor(w.sample.rgb), tensor(w.sample.guide))) for k, w in state.windows.items()}
    masks = {k: replace(m, logits=tensor(m.logits)) for k, m in state.tracked.items()}
    return replace(state, windows=windows, tracked=masks, masks=masks)


def over(patch):
    return Patch(patch.rect, tensor(patch.alpha), tensor(patch.confidence))


def same(found, expected):
    """On the average not off at all, and nowhere by more than places are (`SurfaceParameters.tolerance`)."""
    assert is_tensor(found.alpha) and found.rect == expected.rect
    alpha, confidence = (np.abs(host(getattr(found, name)) - getattr(expected, name)) for name in ("alpha", "confidence"))
    assert alpha.mean() < 2e-4 and alpha.max() < 0.05 and confidence.mean() < 2e-4, (alpha.mean(), alpha.max(), confidence.mean())


def people(radius_right=0.1):
    """Somebody of whom the right eye has a third, and who is half hidden there."""
    views = {
        (1, LEFT): disc(-1),
        (1, RIGHT): disc(1, radius=radius_right),
        (2, LEFT): disc(-1, 1.0, off=0.5),
        (2, RIGHT): disc(1, 1.0, off=0.5),
    }
    state = state_of(views, {1: B / 2, 2: B})
    return replace(state, windows={**state.windows, (1, RIGHT): replace(state.windows[1, RIGHT], occluders=(2,))})


@pytest.mark.parametrize("radius", [0.1, 0.35])
def test_masks_are_judged_and_corrected_alike(radius):
    expected = agree(people(radius), consistency(), never, boxes=True)
    found = agree(on_tensors(people(radius)), consistency(), never, boxes=True)
    assert found.replaced == expected.replaced and found.agreements.keys() == expected.agreements.keys()
    for person, agreement in expected.agreements.items():
        other = found.agreements[person]
        assert (other.overlap, other.shift) == pytest.approx((agreement.overlap, agreement.shift), abs=1e-6)
        assert replace(other, overlap=0, shift=0) == replace(agreement, overlap=0, shift=0)
    for key, mask in expected.masks.items():
        assert np.abs(host(sigmoid(found.masks[key].logits)) - sigmoid(mask.logits)).max() < 1e-3


def prompted(state, *, boxes):
    judged = agree(state, consistency(method="ensemble"), never, boxes=True)
    image = prompted_window(judged, (1, RIGHT), consistency(), boxes=boxes)
    assert image is not None and image.prompt is not None
    return image.prompt


@pytest.mark.parametrize("boxes", [True, False])
def test_prompts_are_the_same(boxes):
    ours, theirs = prompted(people(), boxes=boxes), prompted(on_tensors(people()), boxes=boxes)
    assert (theirs.box, theirs.points) == (ours.box, ours.points) and (ours.mask is None) == boxes
    assert ours.mask is None or np.array_equal(theirs.mask, ours.mask)


@pytest.fixture(scope="module")
def scene():
    """Pairs of NumPy's and of tensors, and both mattes, the right one softer."""
    eyes, alphas = seen_ball(SIZE)
    there = {view: replace(eye, pixels=tensor(eye.pixels)) for view, eye in eyes.items()}
    mattes = trimmed(gaussian_blur(alphas[LEFT], 1.0), 0.9), trimmed(gaussian_blur(alphas[RIGHT], 2.0), 0.7)
    return StereoPair.of(eyes, PROJECTION), StereoPair.of(there, PROJECTION), mattes


@pytest.mark.parametrize("edges_only", [False, True])
def test_eyes_are_joined_alike(scene, edges_only):
    pair, there, (left, right) = scene
    expected, found = join(pair, left, right, edges_only=edges_only), join(there, over(left), over(right), edges_only=edges_only)
    assert expected.used and found.used and found.overlap == pytest.approx(expected.overlap, abs=1e-3)
    same(found.left, expected.left)
    same(found.right, expected.right)


@pytest.mark.parametrize("weight", [None, 0.3])
@pytest.mark.parametrize("own", [True, False])
def test_mattes_are_carried_alike(scene, weight, own):
    pair, there, (left, right) = scene
    made = transferred(pair, left, WeakerEye(RIGHT, B / 0.85, right if own else None, weight))
    same(transferred(there, over(left), WeakerEye(RIGHT, B / 0.85, over(right) if own else None, weight)), made)
    nobody = Patch(Rect(0, 0, 0, 0), np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))
    assert is_tensor(transferred(there, over(nobody), WeakerEye(RIGHT, 0.05)).alpha)


def test_who_is_hidden_is_cut_out_alike(scene):
    _, _, (left, right) = scene
    same(without_occluded(over(left), [over(right)]), without_occluded(left, [right]))


def test_eyes_and_mattes_may_be_of_different_kinds(scene):
    """Mattes of finished frames are the host's, wherever the eyes are."""
    pair, there, (left, right) = scene
    expected, found = (measure(p, left, right) for p in (pair, there))
    assert expected is not None and found is not None and np.abs(found.shift - expected.shift).mean() < 0.02

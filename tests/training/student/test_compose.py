"""Windows for training: the same from the same chance, with truths that fit their pictures."""

import pytest
import torch

from vr180_ofx.training.student.compose import GAMMA, NATIVE, NOBODY, PASTED, Composer, compressed, warped
from vr180_ofx.training.student.pack import HELD_EVERY


@pytest.fixture(scope="module")
def batch(people):
    return made(people, 1)


def made(people, seed, n=24):
    generator = torch.Generator().manual_seed(seed)
    return Composer(people, 64).batch(torch.arange(n) % len(people), generator)


def test_the_same_chance_gives_the_same_windows(people, batch):
    again, other = made(people, 1), made(people, 2)
    assert all(torch.equal(batch[k], again[k]) for k in batch)
    assert not torch.equal(batch["source"], other["source"])


def test_shapes_and_ranges(batch):
    for key, planes in (("source", 3), ("foreground", 3), ("alpha", 1), ("guide", 1), ("others", 1)):
        assert batch[key].shape == (24, 1, planes, 64, 64)
        assert batch[key].min() >= 0 and batch[key].max() <= 1 and torch.isfinite(batch[key]).all()


def test_who_is_there_is_there_and_nobody_is_nobody(batch):
    areas = batch["alpha"].mean((1, 2, 3, 4))
    assert torch.equal(batch["presence"] > 0.5, areas > 0.002)
    assert 0 < batch["presence"].sum() < 24
    # where nobody is meant there is no alpha at all
    assert not batch["alpha"][batch["presence"] < 0.5].any()


def test_people_are_where_their_truth_says(people):
    """A person of one colour, pasted on black without a camera: alpha times light."""
    composer, generator = Composer(people, 96), torch.Generator().manual_seed(3)
    which = torch.tensor([2])
    theta, shrink = composer._windows(which, torch.tensor([PASTED]), _dice(generator))
    front = warped(people.foregrounds[which], theta, shrink, 96, "reflection")
    alpha = warped(people.alphas[which], theta, shrink, 96, "reflection")
    solid = (alpha > 0.999).expand_as(front)
    colour = people.foregrounds[2].flatten(1).amax(1) / 255
    assert solid.any() and (front[solid].view(3, -1) - colour[:, None]).abs().max() < 0.01


def test_light_is_mixed_and_not_signals(people):
    """White over black by half is a signal of 0.73."""
    assert abs(0.5 ** (1 / GAMMA) - 0.73) < 0.01


def test_each_mode_occurs(people):
    generator = torch.Generator().manual_seed(4)
    modes = _dice(generator).choice(torch.tensor([0.5, 0.4, 0.1]), 200)
    assert {int(m) for m in modes} == {NATIVE, PASTED, NOBODY}


def test_an_upright_whole_window_is_the_picture(people):
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    seen = warped(people.pictures[:1], theta, torch.ones(1), people.size, "zeros")
    assert (seen - people.pictures[:1] / 255).abs().max() < 1e-5


def test_shrunk_pictures_are_averaged_first(people):
    """Stripes of single pixels become grey, not other stripes."""
    stripes = torch.zeros(1, 1, 96, 96, dtype=torch.uint8)
    stripes[..., ::2] = 255
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])
    seen = warped(stripes, theta, torch.full((1,), 4.0), 24, "reflection")
    assert (seen - 0.5).abs().max() < 0.01


def test_compression_loses_little_and_more_with_larger_steps(batch):
    picture = batch["source"][:4, 0]
    errors = [float((compressed(picture, step) - picture).abs().mean()) for step in (1e-5, 0.02, 0.1)]
    assert errors[0] < 1e-4 and errors == sorted(errors) and errors[-1] < 0.1


def test_nobody_is_trained_on_and_held_out(people):
    train, held = people.halves()
    assert not set(train.people.tolist()) & set(held.people.tolist())
    assert len(train) + len(held) == len(people) and set(held.people.tolist()) == {HELD_EVERY - 1}


def _dice(generator):
    from vr180_ofx.training.student.guides import Dice

    return Dice(generator)

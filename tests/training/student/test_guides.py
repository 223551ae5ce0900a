"""Guides that are wrong: in the ways they are said to be, and in no other."""

import pytest
import torch

from vr180_ofx.training.student import guides
from vr180_ofx.training.student.guides import (
    FAULTS,
    KINDS,
    LARGEST_SHIFT,
    Dice,
    base_of,
    coarse,
    fault,
    grown,
    guide_of,
    nobodys_guide,
    shifted,
)

SIZE = 96


def disc(x, y, radius):
    rows, columns = torch.meshgrid(torch.arange(SIZE) + 0.5, torch.arange(SIZE) + 0.5, indexing="ij")
    return (radius + 0.5 - ((columns - x) ** 2 + (rows - y) ** 2).sqrt()).clamp(0, 1)[None]


@pytest.fixture
def dice():
    return Dice(torch.Generator().manual_seed(5))


ALPHA, OTHERS = disc(40, 48, 20), disc(75, 48, 12)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_mask_of_the_person(kind, dice):
    for _ in range(5):
        guide = base_of(kind, ALPHA, 0.9 * ALPHA, dice)
        assert guide.shape == ALPHA.shape and guide.min() >= 0 and guide.max() <= 1
        if kind != "none":
            iou = torch.minimum(guide, ALPHA).sum() / torch.maximum(guide, ALPHA).sum()
            assert 0.3 < iou < 0.999 or kind == "near"
    assert kind != "none" or not guide.any()


@pytest.mark.parametrize("kind", FAULTS)
def test_every_fault_changes_something_and_keeps_the_range(kind, dice):
    changed = [fault(kind, ALPHA, ALPHA, OTHERS, dice) for _ in range(8)]
    assert all(g.min() >= 0 and g.max() <= 1 for g in changed)
    assert sum(bool((g - ALPHA).abs().max() > 0.5) for g in changed) >= 4


def test_shifts_are_at_most_thirty_pixels_of_384(dice):
    for _ in range(20):
        moved = fault("shift", ALPHA, ALPHA, OTHERS, dice)
        at = (moved[0].nonzero().float().mean(0) - ALPHA[0].nonzero().float().mean(0)).abs().max()
        assert at <= LARGEST_SHIFT * SIZE + 1


def test_a_shift_moves_and_lets_nothing_in():
    moved = shifted(ALPHA, 7, -3)
    assert torch.equal(moved[0, :-3, 7:], ALPHA[0, 3:, :-7]) and not moved[0, -3:].any() and not moved[0, :, :7].any()


def test_growing_is_by_pixels():
    dot = torch.zeros(1, 1, 9, 9)
    dot[..., 4, 4] = 1
    assert torch.equal(grown(dot, 2)[0, 0].nonzero().amin(0), torch.tensor([2, 2])) and grown(dot, 2).sum() == 25
    assert not grown(dot, -1).any() and torch.equal(grown(grown(dot, 2), -2), dot)


def test_coarse_masks_keep_the_area_and_lose_detail():
    whole = ALPHA[None]
    for cells in (12, 6):
        assert abs(float(coarse(whole, cells, sharp=False).mean() / whole.mean()) - 1) < 0.05
    errors = [float((coarse(whole, cells, sharp=True) - whole).abs().mean()) for cells in (48, 12, 3)]
    assert errors == sorted(errors)


def test_merged_is_with_neighbours_alone(dice):
    assert torch.equal(fault("merge", ALPHA, ALPHA, torch.zeros_like(OTHERS), dice), ALPHA)
    assert (fault("merge", ALPHA, ALPHA, OTHERS, dice) * OTHERS).sum() > 1


def test_a_guide_says_more_of_the_person_than_of_all_else(dice):
    said = []
    for _ in range(60):
        guide, nothing = guide_of(ALPHA, ALPHA, OTHERS, dice, known=True)
        assert nothing == (not guide.any())
        if not nothing:
            assert (guide * ALPHA).sum() >= 0.4 * guide.sum()
        said.append(nothing)
    assert 0 < sum(said) < 15


def test_without_a_tracker_none_is_made_up(dice, monkeypatch):
    kinds = []

    def noted(kind, alpha, tracked, dice):
        kinds.append(kind)
        return alpha

    monkeypatch.setattr(guides, "base_of", noted)
    for _ in range(40):
        guide_of(ALPHA, ALPHA, OTHERS, dice, known=False)
    assert "tracker" not in kinds and len(set(kinds)) > 3


def test_a_mask_of_nobody_lies_where_nobody_is(dice):
    free = torch.maximum(ALPHA, OTHERS) < 0.05
    for _ in range(10):
        guide = nobodys_guide(ALPHA, free, dice)
        assert guide.max() > 0.5 and (guide * ALPHA).sum() < 0.1 * guide.sum()


def test_an_unknown_kind_is_named(dice):
    with pytest.raises(ValueError, match="'squashed'"):
        base_of("squashed", ALPHA, ALPHA, dice)
    with pytest.raises(ValueError, match="'lost'"):
        fault("lost", ALPHA, ALPHA, OTHERS, dice)

"""Cross entropy of masks."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.training.losses.segmentation import segmentation


def test_it_is_the_papers_formula():
    random = np.random.default_rng(1)
    logits, mask = random.normal(0, 3, (2, 2, 1, 4, 5)), random.random((2, 2, 1, 4, 5)).round()
    s = 1 / (1 + np.exp(-logits))
    expected = (-mask * np.log(s) - (1 - mask) * np.log(1 - s)).reshape(2, -1).mean(1)
    assert segmentation(torch.from_numpy(logits), torch.from_numpy(mask)).tolist() == pytest.approx(expected.tolist())


def test_who_knows_nothing_pays_a_bit():
    zeros = torch.zeros(1, 1, 1, 4, 4)
    assert float(segmentation(zeros, torch.ones(1, 1, 1, 4, 4))) == pytest.approx(math.log(2))


def test_larger_masks_are_averaged_and_what_is_not_known_says_nothing():
    logits = torch.full((1, 1, 1, 2, 2), 2.0)
    mask = torch.zeros(1, 1, 1, 4, 4)
    mask[..., ::2, :] = 1
    s = 1 / (1 + math.exp(-2))
    assert float(segmentation(logits, mask)) == pytest.approx(-0.5 * math.log(s) - 0.5 * math.log(1 - s), rel=1e-5)
    mask[..., 2:] = 1
    known = torch.zeros(1, 1, 1, 4, 4)
    known[..., 2:] = 1
    assert float(segmentation(logits, mask, known)) == pytest.approx(-math.log(s), rel=1e-5)

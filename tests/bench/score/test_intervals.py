"""Intervals against what is known of means."""

import numpy as np
import pytest

from bench.score.intervals import LEAST_SCENES, Estimate, difference, estimate


def bounded(found: Estimate | None) -> tuple[float, float, float]:
    """(low, value, high) of an estimate that has all of them."""
    assert found is not None and found.low is not None and found.high is not None
    return found.low, found.value, found.high


def test_the_interval_of_a_mean_is_that_of_the_central_limit():
    """Of 200 scenes: 1.96 standard errors to both sides."""
    values = np.random.default_rng(3).normal(0.9, 0.05, 200)
    low, value, high = bounded(estimate([(float(v), 1.0) for v in values]))
    error = 1.96 * values.std() / np.sqrt(200)
    assert value == pytest.approx(values.mean())
    assert low == pytest.approx(values.mean() - error, abs=0.12 * error)
    assert high == pytest.approx(values.mean() + error, abs=0.12 * error)


def test_it_holds_the_truth_in_95_of_100_cases():
    rng = np.random.default_rng(0)
    held = 0
    for seed in range(200):
        low, _, high = bounded(estimate([(float(v), 1.0) for v in rng.normal(0, 1, 40)], seed, draws=400))
        held += low <= 0 <= high
    assert 0.89 <= held / 200 <= 0.99


def test_a_rate_is_a_ratio_of_sums():
    """A scene with more chances weighs more; one with none says nothing."""
    assert estimate([(1, 10), (0, 90), (5, 0)]) == Estimate(0.01, None, None, 2)
    assert estimate([(0, 0)]) is None


def test_the_same_seed_is_the_same_interval():
    parts = [(float(v), 1.0) for v in np.random.default_rng(0).normal(size=LEAST_SCENES)]
    assert estimate(parts, 1) == estimate(parts, 1) != estimate(parts, 2)


def test_methods_are_compared_on_the_same_scenes():
    """Scenes differ by ten times what methods do, and still it is sure which one is better."""
    rng = np.random.default_rng(1)
    hard = rng.normal(0.8, 0.1, 24)
    ours = [(float(h + 0.01), 1.0) for h in hard]
    theirs = [(float(h + rng.normal(0, 0.002)), 1.0) for h in hard]
    low, value, high = bounded(difference(ours, theirs))
    assert value == pytest.approx(0.01, abs=0.002) and 0 < low < high < 0.02

"""One picture explained by others."""

import numpy as np
import pytest

from vr180_ofx.imaging.either import host
from vr180_ofx.imaging.regression import local_linear


def scene(shape=(21, 27), seed=0):
    rng = np.random.default_rng(seed)
    return [rng.random(shape, np.float32) for _ in range(3)], rng.random(shape, np.float32)


def solved(planes, values, radius, epsilon, y, x):
    """The regression of one square by a solver, in double precision."""
    parts = [np.pad(p.astype(np.float64), radius, "symmetric")[y : y + 2 * radius + 1, x : x + 2 * radius + 1] for p in (*planes, values)]
    known, wanted = np.stack([p.ravel() for p in parts[:3]]), parts[3].ravel()
    slopes = np.linalg.solve(np.cov(known, bias=True) + epsilon * np.eye(3), np.cov(known, wanted, bias=True)[3, :3])
    return [*slopes, wanted.mean() - slopes @ known.mean(axis=1)]


@pytest.mark.parametrize("kind", ["array", "tensor"])
@pytest.mark.parametrize("place", [(0, 0), (10, 13), (20, 26), (3, 25)])
def test_it_is_the_ridge_regression_of_each_square(kind, place):
    planes, values = scene()
    given = planes, values
    if kind == "tensor":
        torch = pytest.importorskip("torch")
        given = [torch.from_numpy(p) for p in planes], torch.from_numpy(values)
    slopes, constant = local_linear(*given, (5, 5), 1e-3)
    found = [host(v)[place] for v in (*slopes, constant)]
    assert np.allclose(found, solved(planes, values, 2, 1e-3, *place), rtol=1e-3, atol=1e-3)


def test_what_is_linear_is_found_whatever_is_added():
    planes, _ = scene()
    values = (0.5 * planes[0] - 0.25 * planes[1] + 2 * planes[2] + 0.125).astype(np.float32)
    slopes, constant = local_linear(planes, values, (7, 7), 1e-7)
    for found, wanted in zip((*slopes, constant), (0.5, -0.25, 2, 0.125), strict=True):
        assert np.allclose(found, wanted, atol=2e-3)


def test_windows_at_once_are_windows_one_by_one():
    torch = pytest.importorskip("torch")
    scenes = [scene(seed=n) for n in range(3)]
    planes = [torch.from_numpy(np.stack([s[0][k] for s in scenes])) for k in range(3)]
    slopes, constant = local_linear(planes, torch.from_numpy(np.stack([s[1] for s in scenes])), (5, 3), 1e-4)
    for n, (own, values) in enumerate(scenes):
        one, rest = local_linear(own, values, (5, 3), 1e-4)
        assert all(np.allclose(host(a[n]), b, rtol=1e-3, atol=1e-3) for a, b in zip((*slopes, constant), (*one, rest), strict=True))

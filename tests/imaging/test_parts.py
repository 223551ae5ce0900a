import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vr180_ofx.imaging.parts import bounds, centroid, connected_parts, distance_to, labelled, spread_outwards
from vr180_ofx.imaging.rect import Rect

masks = hnp.arrays(np.bool_, st.tuples(st.integers(1, 12), st.integers(1, 12)), elements=st.booleans())


@given(masks)
def test_bounds_hold_all_of_a_mask_and_no_more(mask):
    rect = bounds(mask)
    if not mask.any():
        assert rect == Rect(0, 0, 0, 0) and rect.empty
        return
    inner = mask[rect.slices]
    assert inner.sum() == mask.sum()
    assert inner[0].any() and inner[-1].any() and inner[:, 0].any() and inner[:, -1].any()


def flooded(mask, connectivity):
    """Sets of the pixels of each part."""
    steps = [(-1, 0), (1, 0), (0, -1), (0, 1)] + ([(-1, -1), (-1, 1), (1, -1), (1, 1)] if connectivity == 8 else [])
    rest = set(zip(*(v.tolist() for v in np.nonzero(mask)), strict=True))
    parts = set()
    while rest:
        part, front = set(), [rest.pop()]
        while front:
            y, x = front.pop()
            part.add((y, x))
            for dy, dx in steps:
                if (y + dy, x + dx) in rest:
                    rest.discard((y + dy, x + dx))
                    front.append((y + dy, x + dx))
        parts.add(frozenset(part))
    return parts


@pytest.mark.parametrize("connectivity", [4, 8])
@settings(deadline=None)
@given(masks)
def test_parts_are_those_of_a_flood(connectivity, mask):
    parts = connected_parts(mask, connectivity)
    assert np.array_equal(parts.labels >= 0, mask)
    found = set()
    for k in range(len(parts)):
        own = parts.labels == k
        x0, y0, x1, y1 = parts.boxes[k]
        assert own.sum() == parts.areas[k] and bounds(own) == Rect(x0, y0, x1, y1)
        found.add(frozenset(zip(*(v.tolist() for v in np.nonzero(own)), strict=True)))
    assert found == flooded(mask, connectivity)
    assert repr(parts).startswith(f"Parts({len(parts)} in {mask.shape[1]}x{mask.shape[0]}")


@given(hnp.arrays(np.float32, (6, 9), elements=st.floats(0, 1, width=32)))
def test_a_centroid_is_a_weighted_mean(weights):
    found = centroid(weights, least=0.5)
    total = float(weights.astype(np.float64).sum())
    if total < 0.499:
        assert found is None
    elif total > 0.501:
        ys, xs = np.mgrid[:6, :9]
        assert found == pytest.approx(((xs * weights).sum() / total, (ys * weights).sum() / total), abs=1e-4)


def test_nothing_has_no_centroid():
    assert centroid(np.zeros((4, 4), np.float32)) is None


def brute(mask):
    """Euclid's distance to each pixel of the mask, (h, w, pixels)."""
    ys, xs = np.nonzero(mask)
    rows, columns = np.indices(mask.shape)
    return np.hypot(rows[..., None] - ys, columns[..., None] - xs)


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.002, 0.3))
def test_distances_are_nearly_those_of_euclid(seed, share):
    mask = np.random.default_rng(seed).random((30, 40)) < share
    if not mask.any():
        return
    exact = brute(mask).min(axis=-1)
    found = distance_to(mask)
    assert found.dtype == np.float32 and (found[mask] == 0).all()
    assert np.abs(found - exact).max() <= 0.025 * exact.max() + 1e-5


@settings(deadline=None)
@given(st.integers(0, 10**6), st.floats(0.01, 0.3))
def test_what_is_known_spreads_from_a_nearest_place(seed, share):
    rng = np.random.default_rng(seed)
    known = rng.random((20, 24)) < share
    if not known.any():
        return
    values = rng.random(known.shape).astype(np.float32)
    spread, distance = spread_outwards(values, known)
    assert np.array_equal(spread[known], values[known]) and np.allclose(distance, distance_to(known))
    apart = brute(known)
    sources = values[known]
    # the pixel that a value comes from is as near as any, as far as distances are exact
    own = np.array([[apart[y, x][sources == spread[y, x]].min() for x in range(24)] for y in range(20)])
    assert (own <= 1.06 * apart.min(axis=-1) + 1e-6).all()


@given(masks, st.sampled_from([4, 8]))
def test_labels_alone_are_those_of_the_parts(mask, connectivity):
    parts = connected_parts(mask, connectivity)
    count, labels = labelled(mask, connectivity)
    assert count == len(parts) and np.array_equal(labels > 0, mask)
    # one number for each part, whichever
    assert len({*zip(labels[mask].tolist(), parts.labels[mask].tolist(), strict=True)}) == count

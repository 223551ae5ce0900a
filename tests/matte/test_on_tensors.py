"""Stages on tensors of PyTorch give what they give on arrays of NumPy."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from tests.matte.shapes import disc, displaced, heights_of, logits_of, texture
from vr180_ofx.imaging.either import host, is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.both_eyes import Group, fuse_groups
from vr180_ofx.matte.composite import Claim, compose, fit_union
from vr180_ofx.matte.confidence import confidences
from vr180_ofx.matte.contract import constant
from vr180_ofx.matte.detail import with_detail
from vr180_ofx.matte.edges import refine_edges
from vr180_ofx.matte.enlarge import enlarged
from vr180_ofx.matte.fusion import GroupMasks, InstanceMask, fused, resplit_instances
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.guided_filter import guided_filter
from vr180_ofx.matte.heights import Heights
from vr180_ofx.matte.parameters import MATTE
from vr180_ofx.matte.paste import paste
from vr180_ofx.matte.patch import Patch, spread
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.matte.refine import refine, refine_all
from vr180_ofx.matte.same_edge import same_edge
from vr180_ofx.matte.temporal import Neighbour, temporal_smooth
from vr180_ofx.matte.together import batches
from vr180_ofx.matte.uncertainty import uncertainty
from vr180_ofx.matte.upsample import upsampled_part
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.trackers.contract import Crop, Mask, NetworkAlpha
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window

torch = pytest.importorskip("torch")

SIDE = 96
#: One pixel in a thousand.
FLIPS = 1e-3


def over(value: Any) -> Any:
    """The same with tensors in place of arrays: of values, of what holds them, and of what is their own."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, dict):
        return {k: over(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(over(v) for v in value)
    # geometry stays on the host
    if is_dataclass(value) and not isinstance(value, Window | Crop | Rect | Equirectangular | Heights):
        return replace(cast("Any", value), **{f.name: over(getattr(value, f.name)) for f in fields(value) if f.init})
    return value


def scene(seed: int = 0):
    """(guide, alpha, refined, mask): a disc with rough edges before a texture, as different stages know it."""
    alpha = disc(45, 50, 26, side=SIDE)
    guide = np.stack([0.5 * alpha + 0.4 * texture(seed + k, SIDE, SIDE) - (k > 0) * 0.4 for k in range(3)], axis=-1).astype(np.float32)
    return guide, displaced(alpha, seed), displaced(alpha, seed + 1), disc(46, 49, 25, soft=4, side=SIDE)


def network(view_shift: float = 0.0, seed: int = 0) -> NetworkAlpha:
    guide, alpha, _, _ = scene(seed)
    moved = np.roll(guide, round(view_shift), axis=1), np.roll(alpha, round(view_shift), axis=1)
    return NetworkAlpha(np.ascontiguousarray(moved[1]), np.ascontiguousarray(moved[0]), WINDOW, Crop((1, 2), 4.0, 6.0, 1.0, SIDE, SIDE))


WINDOW = Window((0.05, 0.0, 1.0), 60, 0, 112)
MASKS = {
    1: InstanceMask(logits_of(disc(44.3, 52.2, 22.4, soft=4, side=112)), WINDOW),
    2: InstanceMask(logits_of(disc(70.3, 66.4, 14.2, soft=4, side=112)), WINDOW),
}
NOBODY = InstanceMask(np.full((112, 112), -9, np.float32), WINDOW)


def same(found, expected, most: float, flips: float = 0.0) -> None:
    """Of values, and of what holds them: of one shape, and no number differs by more.

    flips: the share of pixels that may: of stages with thresholds, on which some number may lie.
    """
    if isinstance(expected, dict):
        assert found.keys() == expected.keys()
        for key in expected:
            same(found[key], expected[key], most, flips)
    elif isinstance(expected, list | tuple):
        assert len(found) == len(expected)
        for a, b in zip(found, expected, strict=True):
            same(a, b, most, flips)
    elif isinstance(expected, np.ndarray):
        assert is_tensor(found)
        values = host(found)
        assert values.shape == expected.shape and values.dtype == expected.dtype
        assert np.count_nonzero(~(np.abs(values - expected) <= most)) <= flips * values.size
    elif is_dataclass(expected):
        for f in fields(expected):
            same(getattr(found, f.name), getattr(expected, f.name), most, flips)
    elif expected is not None:
        assert found == expected


def check(function, *given, most: float = 2e-5) -> None:
    same(function(*over(given)), function(*given), most)


def test_the_guided_filter():
    guide, _, _, mask = scene()
    # slopes are as large as 1 over the contrast of the picture
    check(lambda g, m: guided_filter(g, m).value(g), guide, mask, most=2e-4)


@pytest.mark.parametrize("refiner", [GuidedRefiner(), NoRefiner()])
@pytest.mark.parametrize("mask", [scene()[3], np.zeros((SIDE, SIDE), np.float32), np.ones((SIDE, SIDE), np.float32)])
def test_refiners(refiner, mask):
    check(lambda g, m: refine(refiner, g, m).value(g), scene()[0], mask, most=3e-4)


@pytest.mark.parametrize("refiner", [GuidedRefiner(), NoRefiner()])
def test_windows_at_once_are_windows_one_by_one(refiner):
    scenes = [scene(n) for n in range(3)]
    guides, masks = [s[0] for s in scenes], [s[3] for s in scenes]
    found = refine_all(refiner, over(guides), over(masks))
    for refined, guide, mask in zip(found, guides, masks, strict=True):
        same(refined.value(over(guide)), refine(refiner, guide, mask).value(guide), 3e-4)
    # of sizes that are not the same, one by one
    some = refine_all(refiner, over([guides[0], guides[1][:50]]), over([masks[0], masks[1][:50]]))
    assert [tuple(r.coefficients.shape) for r in some] == [(SIDE, SIDE, 4), (50, SIDE, 4)] and refine_all(refiner, [], []) == []


def test_a_solver_of_the_host():
    pytest.importorskip("pymatting")
    from vr180_ofx.matte.closed_form import ClosedFormRefiner

    guide, _, _, mask = scene()
    check(lambda g, m: refine(ClosedFormRefiner(), g, m), guide, mask, most=1e-5)


def test_detail_and_constants():
    guide, alpha, _, _ = scene()
    check(lambda g, a: with_detail(a, g), guide, alpha, most=1e-4)
    check(constant, alpha, most=0)


def test_uncertainty_and_edges_that_are_the_same():
    _, alpha, refined, _ = scene()
    check(lambda a: uncertainty(a, MATTE.edges.uncertain, 1), alpha, most=1.01 / 255)
    for scale in (1.0, 0.25):
        check(lambda a, b, s=scale: same_edge(a, b, s), alpha, refined, most=1e-6)
        check(lambda a, b, s=scale: same_edge(a, b, s), alpha, disc(60, 50, 26, side=SIDE), most=1e-6)


@pytest.mark.parametrize("masks", [(), (disc(45, 50, 24, side=SIDE),), (disc(30, 50, 15, side=SIDE), disc(60, 50, 15, side=SIDE))])
def test_heights(masks):
    here, there = (
        heights_of(*masks),
        Heights.of({p: over(logits_of(m)) for p, m in enumerate(masks)} or {0: torch.full((SIDE, SIDE), -9.0)}),
    )
    # without anybody a kind is known all the same
    for curve in (MATTE.edges.hair, MATTE.edges.soles, MATTE.fusion.less):
        same(there.weights(curve), here.weights(curve), 1e-6)
    same(there.proximity(0.08, 0.2), here.proximity(0.08, 0.2), 1e-6)


@pytest.mark.parametrize("seed", [0, 5])
def test_fusion_and_edges(seed):
    guide, alpha, refined, mask = scene(seed)
    here, there = heights_of(mask), Heights.of({0: over(logits_of(mask))})
    same(fused(over(alpha), over(refined), 1.0, there), fused(alpha, refined, 1.0, here), 1e-5, FLIPS)
    same(refine_edges(over(alpha), over(guide), there), refine_edges(alpha, guide, here), 3e-3, FLIPS)


def test_edges_where_nothing_is_uncertain():
    guide = scene()[0]
    hard = (disc(45, 50, 26, side=SIDE) > 0.5).astype(np.float32)
    here, there = heights_of(hard), Heights.of({0: over(logits_of(hard))})
    for alpha in (hard, np.zeros_like(hard), np.ones_like(hard)):
        same(refine_edges(over(alpha), over(guide), there), refine_edges(alpha, guide, here), 3e-4)


@pytest.mark.parametrize("masks", [MASKS, {1: MASKS[1], 2: NOBODY}, {1: NOBODY}])
def test_people_whom_a_network_saw_together(masks):
    def shares(network, masks):
        group = GroupMasks.of(network, masks)
        made = group.instances(group.matte(network.alpha, GuidedRefiner()))
        seen = {p: i.alpha for p, i in made.items()}, {p: i.logits(WINDOW) for p, i in made.items()}
        again = resplit_instances(network, made, {p: masks[p] for p in reversed(masks)})
        return (
            *seen,
            {p: i.alpha for p, i in again.items()},
            {p: i.sampled(m.logits) for (p, i), m in zip(made.items(), masks.values(), strict=True)},
        )

    given = network(), masks
    found, expected = shares(*over(given)), shares(*given)
    same(found[0], expected[0], 3e-3, FLIPS)
    same(found[2], expected[2], 3e-3, FLIPS)
    same(found[3], expected[3], 2e-2, FLIPS)


def test_both_eyes():
    def each(function, items):
        return map(function, items)

    left, right = network(), network(3.0, seed=0)

    def alphas(*groups):
        return [{p: i.alpha for p, i in made.items()} for made in fuse_groups(groups, GuidedRefiner(), each)]

    given = Group(LEFT, left, MASKS), Group(RIGHT, right, MASKS)
    found, expected = alphas(*over(given)), alphas(*given)
    for one, other in zip(found, expected, strict=True):
        for p in other:
            difference = np.abs(host(one[p]) - other[p])
            assert difference.mean() < 2e-4 and np.mean(difference > 2e-2) <= FLIPS


@pytest.mark.parametrize("recorded", [False, True])
def test_pictures_at_once_are_pictures_one_by_one(recorded, monkeypatch):
    """Of one size and of others, with and without people that have no mask; by recordings, too, where what comes twice is replayed."""
    if recorded:
        from vr180_ofx.weights.graphs import Rehearsal

        monkeypatch.setattr("vr180_ofx.weights.graphs.recorder_for", lambda device: Rehearsal())
        monkeypatch.setattr("vr180_ofx.matte.together._here", SimpleNamespace())
    smaller = replace(network(), alpha=network().alpha[:80], guide=network().guide[:80], crop=Crop((1, 2), 4.0, 6.0, 1.0, SIDE, 80))
    scenes = [(network(), MASKS), (smaller, MASKS), (network(0, 3), MASKS), (network(0, 4), {1: NOBODY, 2: MASKS[2]})]
    numbers = [(0, 1)] if recorded else [(0, 2), (1,), (3,)]
    if recorded:
        scenes = scenes[::2]
    # the third time it is recorded, and replayed
    for seed in range(3 if recorded else 1):
        given = [(n, m) if k else (network(0, 10 + seed), m) for k, (n, m) in enumerate(scenes)]
        groups = [GroupMasks.of(*over(g)) for g in given]
        made = list(batches(groups, GuidedRefiner()))
        assert sorted(b.numbers for b in made) == numbers
        results: dict[int, Any] = {}
        for batch in made:
            mattes = batch.mattes([groups[n].network.alpha for n in batch.numbers], GuidedRefiner())
            results |= dict(zip(batch.numbers, zip(mattes, batch.instances(mattes), strict=True), strict=True))
        for n, (alone, masks) in enumerate(given):
            group = GroupMasks.of(alone, masks)
            matte = group.matte(alone.alpha, GuidedRefiner())
            same(results[n][0], matte, 3e-3, FLIPS)
            found, expected = results[n][1], group.instances(matte)
            assert list(found) == list(expected)
            same({p: i.alpha for p, i in found.items()}, {p: i.alpha for p, i in expected.items()}, 3e-3, FLIPS)
            assert {p: i.refined.place for p, i in found.items()} == {p: i.refined.place for p, i in expected.items()}


def test_a_refiner_of_arrays_gets_arrays_of_one_window():
    class One(GuidedRefiner):
        takes_tensors = False

        def refine(self, guide, mask):
            assert isinstance(guide, np.ndarray) and mask.ndim == 2
            return super().refine(guide, mask)

    groups = [GroupMasks.of(*over((network(0, seed), MASKS))) for seed in range(2)]
    alone = list(batches(groups, One()))
    assert [b.numbers for b in alone] == [(0,), (1,)]
    matte = GroupMasks.of(network(0, 0), MASKS).matte(network(0, 0).alpha, One())
    same(alone[0].mattes([groups[0].network.alpha], One()), [matte], 3e-3, FLIPS)
    guide, _, _, mask = scene()
    check(lambda g, m: refine_all(One(), [g, g], [m, m]), guide, mask, most=1e-5)


def test_neighbours_in_time():
    guide, alpha, refined, _ = scene()
    luma = (guide[..., 0] * 255).astype(np.uint8)
    others = [Neighbour(refined, np.roll(luma, 1, axis=1), 1.5), Neighbour(alpha, luma, 1.75)]
    check(lambda a, y, n: temporal_smooth(a, y, n, 0.5), alpha, luma, others, most=2e-2)


def test_confidences():
    masks = {(p, v): Mask(m.logits, 0.9) for p, m in MASKS.items() for v in (LEFT, RIGHT)} | {(3, LEFT): Mask(NOBODY.logits, 0.2)}
    check(confidences, masks, most=1e-6)
    assert confidences({}) == {}


@pytest.mark.parametrize("window", [WINDOW, Window((0.9, 0.1, 0.2), 60, 10, 112)])
@pytest.mark.parametrize("colour", [True, False])
def test_pasting(window, colour):
    rng = np.random.default_rng(1)
    eye = RgbEye((rng.random((400, 400, 3)) * 255).astype(np.uint8), (0, 0), 400, 400)
    projection = Equirectangular(400, 400)
    mask = disc(56, 56, 30, soft=4, side=112)
    guide = eye.sample(window.grid(projection)).guide
    refined = refine(GuidedRefiner() if colour else NoRefiner(), guide, mask)
    confidence = 1 - mask / 2
    here = paste(refined, confidence, window, eye, projection)
    there = paste(over(refined), over(confidence), window, over(eye), projection)
    assert (here is None) == (there is None)
    if here is not None and there is not None:
        same(there, here, 5e-3)
        assert np.abs(host(there.alpha) - here.alpha).mean() < 1e-4


def test_nobody_is_pasted_nowhere():
    eye = RgbEye(np.zeros((100, 100, 3), np.uint8), (0, 0), 100, 100)
    nothing = constant(torch.zeros(112, 112))
    assert paste(nothing, torch.ones(112, 112), WINDOW, over(eye), Equirectangular(100, 100)) is None


@pytest.mark.parametrize("shared", [None, "a group"])
@pytest.mark.parametrize("rects", [(Rect(10, 20, 80, 90), Rect(60, 40, 120, 110)), (Rect(0, 0, 9, 9), Rect(20, 20, 30, 30))])
def test_people_who_overlap(shared, rects):
    def claims():
        rng = np.random.default_rng(2)
        patches = [Patch(r, rng.random((r.height, r.width), np.float32), np.ones((r.height, r.width), np.float32)) for r in rects]
        return {p: Claim(patch, MASKS[p], shared) for p, patch in zip((1, 2), patches, strict=True)}

    projection = Equirectangular(160, 160)
    check(lambda c: compose(c, projection), claims(), most=1e-5)
    here, there = ([c.patch for c in given.values()] for given in (claims(), over(claims())))
    fit_union(here)
    fit_union(there)
    same(there, here, 1e-6)


def test_little_claims_leave_pixels_as_they_are():
    """Where nobody claims more than there is, nothing is shared out."""
    rect = Rect(60, 60, 100, 100)

    def claims(first, second):
        given = {p: Patch(rect, np.full((40, 40), a, np.float32), np.ones((40, 40), np.float32)) for p, a in ((1, first), (2, second))}
        return {p: Claim(patch, MASKS[p]) for p, patch in given.items()}

    for first, second in ((0.2, 0.5), (0.7, 0.5)):
        made = compose(over(claims(first, second)), Equirectangular(160, 160))
        expected = compose(claims(first, second), Equirectangular(160, 160))
        same({p: m.alpha for p, m in made.items()}, {p: m.alpha for p, m in expected.items()}, 1e-5)


def test_mattes_in_other_rectangles():
    patch = Patch(Rect(3, 4, 13, 10), np.full((6, 10), 0.5, np.float32), np.full((6, 10), 0.25, np.float32))
    for given, rect in ((patch, Rect(0, 0, 8, 20)), (patch, Rect(20, 20, 30, 30))):
        same(spread(over(given), rect, around=1.0), spread(given, rect, around=1.0), 0)
    same(spread(None, Rect(0, 0, 2, 3), like=torch.zeros(1)), spread(None, Rect(0, 0, 2, 3)), 0)


@pytest.mark.parametrize("edge_aware", [True, False])
def test_larger_mattes(edge_aware):
    rng = np.random.default_rng(4)
    large = RgbEye((rng.random((120, 160, 3)) * 255).astype(np.uint8), (0, 0), 160, 120)
    patch = Patch(Rect(10, 5, 50, 45), disc(18, 18, 12, side=40), np.ones((40, 40), np.float32))

    def made(eye, patch):
        return enlarged([patch], eye.reduced(2), eye, 2, edge_aware=edge_aware)

    found, expected = made(over(large), over(patch)), made(large, patch)
    assert np.abs(host(found[0].alpha) - expected[0].alpha).mean() < 1e-3 and found[0].rect == expected[0].rect


def test_a_part_of_a_larger_matte():
    _, alpha, _, _ = scene()
    luma = texture(3, SIDE, SIDE)
    rect = Rect(31, 40, 131, 111)
    large = texture(4, rect.height, rect.width)
    check(lambda a, s, big: upsampled_part(a, s, big, rect=rect, scale=(1.7, 1.7)), alpha, luma, large, most=2e-2)
    check(lambda a, s: upsampled_part(a, s, None, rect=rect, scale=(1.7, 1.7)), alpha, luma, most=2e-2)

"""Edge controls on the mattes of an eye, against closed forms. Their parts have modules of their own."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vr180_ofx.controls.contract import EyeMattes, Mattes
from vr180_ofx.controls.edges import EdgeControls, acts, shaped
from vr180_ofx.controls.lengths import Pixels
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.vr180.projection import Equirectangular

WIDTH, HEIGHT = 120, 90
EYE = Equirectangular(WIDTH, HEIGHT)


class Nothing:
    """No other frame."""

    def picture(self, n: int) -> SourceFrame:
        raise AssertionError("nobody asked for a picture")

    def mattes(self, n: int) -> Mattes:
        raise AssertionError("nobody asked for other frames")

    def say(self, kind: str, name: str, fact: str) -> None:
        raise AssertionError("there is nothing to say")


NOBODY = Nothing()


def patch(rect: Rect, value: float = 1.0, confidence: float = 1.0) -> Patch:
    shape = (rect.height, rect.width)
    return Patch(rect, np.full(shape, value, np.float32), np.full(shape, confidence, np.float32))


def done(people: dict[int, Patch], own: dict[int, EdgesSettings] | None = None, **edges) -> dict[int, Patch]:
    everybody = EdgesSettings(**edges)
    controls = EdgeControls(lambda n, p: (own or {}).get(p or 0, everybody), (), EYE, ((0, 9),))
    return dict(controls.apply(0, {"left": EyeMattes(WIDTH, HEIGHT, people)}, around=NOBODY)["left"].people)


def whole(people: dict[int, Patch]) -> np.ndarray:
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for one in people.values():
        total[one.rect.slices] += one.alpha
    return total


def test_a_matte_grows_beyond_its_rectangle_and_not_beyond_the_picture():
    small = patch(Rect(10, 0, 20, 10))
    grown = whole(done({1: small}, size=3))
    assert grown[0, 7:23].min() == 1 and grown[0, [6, 23]].max() == 0 and grown[12, 15] == 1 and grown[13, 15] == 0
    assert small.alpha.shape == (10, 10) and (small.alpha == 1).all()


def test_a_matte_does_not_shrink_away_from_the_border_of_the_picture():
    shrunk = whole(done({1: patch(Rect(0, 20, 40, 60))}, size=-4))
    assert shrunk[40, 0] == 1 and shrunk[40, 35] == 1 and shrunk[40, 36] == 0 and shrunk[23, 10] == 0


def test_two_who_grow_into_each_other_add_up_to_one():
    made = done({1: patch(Rect(5, 25, 15, 35)), 2: patch(Rect(16, 25, 26, 35))}, size=4)
    total = whole(made)
    assert total.max() == pytest.approx(1, abs=1e-6) and total[30, 5:26].min() == pytest.approx(1, abs=1e-6)


def test_no_gap_opens_between_two_who_touch_and_their_border_stays():
    people = {1: patch(Rect(20, 20, 50, 70)), 2: patch(Rect(50, 20, 80, 70))}
    for size in (-5.0, 5.0):
        made = done(people, size=size)
        total = whole(made)
        assert total[45, 25:75].min() == pytest.approx(1, abs=1e-5)
        for number, inside, outside in ((1, 49, 50), (2, 50, 49)):
            row = np.zeros(WIDTH, np.float32)
            row[made[number].rect.x0 : made[number].rect.x1] = made[number].alpha[45 - made[number].rect.y0]
            assert row[inside] > 0.999 and row[outside] < 0.001
    assert whole(done(people, size=-5))[45, 24] == 0


def test_what_one_person_has_of_their_own_is_done_to_them_alone():
    people = {1: patch(Rect(10, 20, 30, 50)), 2: patch(Rect(70, 20, 90, 50))}
    made = done(people, {2: EdgesSettings(size=-3)}, size=3)
    total = whole(made)
    assert total[30, 7] == 1 and total[30, 32] == 1 and total[30, 72] == 0 and total[30, 73] == 1


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-20, 20), st.floats(0, 40), st.floats(-4, 1), st.floats(0, 0.49), st.floats(0.51, 1), st.floats(0.1, 10), st.floats(0, 500),
    st.floats(0, 500), st.sampled_from(["pixels", "milliradians"]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_layers_are_0_to_1_and_add_up_to_at_most_1_and_trust_never_rises(
    size, feather, softness, black, white, gamma, despeckle, holes, unit, seed
):
    random = np.random.default_rng(seed)
    rects = Rect(10, 10, 60, 70), Rect(40, 0, 110, 50)
    first, second = (random.random((r.height, r.width)).astype(np.float32) for r in rects)
    first[rects[0].intersection(rects[1]).shifted(-10, -10).slices] *= 0.4
    second[rects[0].intersection(rects[1]).shifted(-40, 0).slices] *= 0.5
    people = {k: Patch(r, a, random.random(a.shape).astype(np.float32)) for k, r, a in ((1, rects[0], first), (2, rects[1], second))}
    given_alpha = [p.alpha.copy() for p in people.values()]
    made = done(
        people, size=size, feather=feather, softness=softness, black_clip=black, white_clip=white, gamma=gamma, despeckle=despeckle,
        close_holes=holes, unit=unit,
    )  # fmt: skip
    total = whole(made)
    assert total.min() >= 0 and total.max() <= 1 + 1e-5
    for k, old in people.items():
        new = made[k]
        common = new.rect.intersection(old.rect)
        assert common == old.rect
        assert (new.confidence[old.rect.shifted(-new.rect.x0, -new.rect.y0).slices] <= old.confidence).all()
    assert all(np.array_equal(a, p.alpha) for a, p in zip(given_alpha, people.values(), strict=True))


def test_where_an_edge_moved_it_is_trusted_as_what_it_came_from():
    made = shaped(patch(Rect(30, 30, 50, 50), confidence=0.3), EdgesSettings(), Pixels(1), (WIDTH, HEIGHT))
    assert made.confidence.min() == pytest.approx(0.3)
    grown = done({1: patch(Rect(30, 30, 50, 50), confidence=0.3)}, size=4)[1]
    row = grown.confidence[40 - grown.rect.y0]
    assert row[28 - grown.rect.x0] == pytest.approx(0.3) and row[0] == 1


def test_at_half_the_scale_half_as_many_pixels_are_as_many_of_the_eye():
    full = whole(done({1: patch(Rect(30, 30, 60, 60))}, size=6))
    half = EyeMattes(WIDTH // 2, HEIGHT // 2, {1: patch(Rect(15, 15, 30, 30))})
    made = EdgeControls(lambda n, p: EdgesSettings(size=6), (), EYE, ((0, 9),)).apply(0, {"left": half}, around=NOBODY)["left"].people[1]
    assert made.alpha.sum() * 4 == pytest.approx(full.sum(), rel=0.01)


def test_both_eyes_get_the_same():
    same = {1: patch(Rect(30, 30, 60, 60), 0.7)}
    eyes = {view: EyeMattes(WIDTH, HEIGHT, same) for view in ("left", "right")}
    edges = EdgesSettings(size=2.3, feather=3, gamma=2, unit="milliradians")
    made = EdgeControls(lambda n, p: edges, (), EYE, ((0, 9),)).apply(0, eyes, around=NOBODY)
    assert np.array_equal(made["left"].people[1].alpha, made["right"].people[1].alpha)


def test_what_does_nothing_is_nothing_to_do():
    assert EdgeControls(lambda n, p: EdgesSettings(), (1,), EYE, ()).identity(0) == ""
    assert not acts(EdgesSettings(unit="milliradians", keep_motion_blur=True))
    assert EdgeControls(lambda n, p: EdgesSettings(size=1 if p == 1 else 0), (1,), EYE, ()).identity(0) != ""


def test_a_hole_that_is_closed_is_of_who_is_around_it_and_of_nobody_beside():
    shape = np.ones((60, 60), np.float32)
    shape[20:40, 20:40] = 0
    people = {1: Patch(Rect(10, 10, 70, 70), shape, np.ones_like(shape)), 2: patch(Rect(20, 10, 100, 70), 0.0)}
    people[2].alpha[:, 60:] = 1
    made = done(people, close_holes=500)
    own = made[1].alpha[Rect(32, 32, 48, 48).shifted(-made[1].rect.x0, -made[1].rect.y0).slices]
    assert own.min() == 1 and whole({2: made[2]})[:, :75].max() == 0


def test_who_reaches_from_border_to_border_keeps_what_they_grow_into():
    made = done({1: patch(Rect(0, 20, WIDTH, 40)), 2: patch(Rect(0, 50, WIDTH, 70))}, size=4)
    rows = whole({1: made[1]})[:, 60]
    assert rows[40:44].min() > 0.99 and rows[46:].max() < 0.01 and whole(made)[47, 60] == pytest.approx(1)


def test_what_goes_on_beyond_somebodys_rectangle_is_no_island_in_it():
    """An arm across another's picture, of which the other has a part: as large as it is, and not as what lies in that rectangle."""
    arm, other = patch(Rect(0, 40, 100, 44)), patch(Rect(40, 10, 60, 44), 0.0)
    arm.alpha[:, 40:60] = 0.7
    other.alpha[:20], other.alpha[30:] = 1, 0.3
    assert whole(done({1: arm, 2: other}, despeckle=150))[42, 41:59].min() == pytest.approx(1)

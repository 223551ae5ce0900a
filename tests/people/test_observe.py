"""One person in one eye: against what was painted, and with the network against the plan."""

import dataclasses

import numpy as np
import pytest

from tests.people.painted import EYE, Opinion, Painted, Segmenter, colours, eye
from vr180_ofx.engine.models import Models
from vr180_ofx.imaging.inpaint import cover
from vr180_ofx.people.masks import mask_iou
from vr180_ofx.people.observe import Observer
from vr180_ofx.people.parameters import ObserveParameters
from vr180_ofx.settings import Settings

ANNA, BEN = Painted(1, -0.4), Painted(3, 0.5)


@pytest.fixture
def observer():
    return Observer(Segmenter(), EYE)


def on_canvas(observer, person, view="left"):
    """What an ellipse covers, from its equation."""
    c = observer.canvas
    d = c.unproject(np.stack(np.meshgrid(np.arange(c.width) + 0.5, np.arange(c.height) + 0.5), -1))
    longitude, latitude = np.arctan2(d[..., 0], d[..., 2]), np.arcsin(d[..., 1])
    return ((longitude - person.at(view)) / person.width) ** 2 + ((latitude - person.latitude) / person.height) ** 2 < 1


def test_somebody_is_seen_where_they_are(observer):
    for person in (ANNA, BEN):
        seen = observer.observe(eye([ANNA, BEN]), person.body())
        assert seen.body.angle_to(person.body()) < 0.02 and seen.body.reach == pytest.approx(person.body().reach, rel=0.05)
        assert mask_iou(seen.mask, on_canvas(observer, person)) > 0.9
        x0, y0, x1, y1 = seen.box
        left, top = EYE.project(np.array(person.body().direction)) - np.array([person.width, person.height]) / np.pi * 256
        assert (x0, y0) == pytest.approx((left, top), abs=2.5) and x1 - x0 == pytest.approx(2 * person.width / np.pi * 256, abs=4)


def test_rounds_lead_from_a_rough_place_to_them(observer):
    rough = ANNA.moved(0.08).body()
    once, thrice = (observer.observe(eye([ANNA]), rough, rounds=k) for k in (1, 3))
    assert thrice.body.angle_to(ANNA.body()) <= once.body.angle_to(ANNA.body()) < rough.angle_to(ANNA.body())
    with pytest.raises(ValueError, match="rounds is 0"):
        observer.observe(eye([ANNA]), rough, rounds=0)


def test_nobody_is_nobody(observer):
    assert observer.observe(eye([]), ANNA.body()) is None
    assert observer.observe(eye([BEN]), ANNA.body()) is None


def test_who_is_small_in_the_square_must_be_large_enough():
    seen = Observer(Segmenter(), EYE, ObserveParameters(least_area=0.01)).observe(eye([ANNA]), ANNA.body())
    assert seen is not None
    assert Observer(Segmenter(), EYE, ObserveParameters(least_area=0.9)).observe(eye([ANNA]), ANNA.body()) is None


def test_whoever_stands_before_is_taken_out_of_the_picture(observer):
    """A child behind: the man in front is erased, and how much of the middle he hides is said."""
    child, man = Painted(1, 0.06, -0.2, 0.3), Painted(3, 0.0, -0.1, 0.35, 0.08)
    picture = eye([child, man])
    front = observer.observe(picture, man.body()).mask
    seen = observer.observe(picture, child.body(), erased=front)
    assert seen.occluded > 0.1 and not (seen.mask & front).any()
    assert mask_iou(seen.mask, on_canvas(observer, child) & ~on_canvas(observer, man)) > 0.6
    assert observer.seen_again(picture, seen, erased=front, least=0.5, fill=cover)
    # what was there because of a colour alone is not there without it
    assert not observer.seen_again(picture, seen, erased=front | seen.mask, least=0.5, fill=cover)
    assert observer.observe(picture, man.body()).occluded == 0.0


def test_who_is_near_has_a_mask_in_the_square(observer):
    masks = {k: observer.observe(eye([p]), p.body()).mask for k, p in ((1, ANNA), (2, BEN))}
    assert observer.near(masks, ANNA.body(), 0.8) == {1} and observer.near(masks, BEN.body(), 0.8) == {2}
    assert observer.near(masks, ANNA.body(), 3.0) == {1, 2} and observer.near({}, ANNA.body(), 3.0) == frozenset()


def test_a_mask_in_a_window_is_the_mask_that_the_window_shows(observer):
    seen = observer.observe(eye([ANNA]), ANNA.body())
    window = ANNA.body().window(96, 1.25)
    shown = Segmenter().segment(eye([ANNA]).sample(window.grid(EYE)).rgb).logits > 0
    assert mask_iou(observer.in_window(seen.mask, window), shown) > 0.85


def test_a_second_network_is_asked_about_the_picture_as_it_is():
    """Half of the answer is how far it sees the same, half how steady the first one is."""
    asked = Observer(Segmenter(), EYE, opinion=Opinion())
    picture = eye([ANNA])
    now = asked.observe(picture, ANNA.body())
    assert now is not None and now.agreed is None
    assert share(asked, picture, now) > 0.9
    # where nobody is, and where half of the mask is nobody
    assert asked.agreement(eye([]), now) == 0
    beside = dataclasses.replace(now, mask=now.mask | np.roll(now.mask, np.ptp(np.nonzero(now.mask)[1]) + 1, axis=1))
    assert share(asked, picture, beside) == pytest.approx(0.5, abs=0.1)
    # what it sees beside the mask counts, too, but for what others cover
    both, ben = eye([ANNA, Painted(3, -0.1)]), asked.observe(eye([Painted(3, -0.1)]), Painted(3, -0.1).body())
    assert ben is not None and share(asked, both, now) < 0.75 and share(asked, both, now, ben.mask) > 0.9
    # who lies in the mask of another does not vanish from it
    assert share(asked, picture, now, np.ones_like(now.mask)) > 0.9
    assert Observer(Segmenter(), EYE).agreement(picture, now) is None


def share(observer, picture, found, others=None):
    """How far the second network sees the same, 0..1."""
    agreed = observer.agreement(picture, found, others)
    assert agreed is not None
    return 2 * agreed - observer.steadiness(picture, found.body)


class Partial(Segmenter):
    """Sees somebody only where the colours of a picture say so."""

    def __init__(self, sees):
        self.sees = sees

    def segment(self, image):
        seen = super().segment(image)
        return dataclasses.replace(seen, presence=seen.presence if self.sees(colours(image)) else 0.0)


@pytest.mark.parametrize(
    ("sees", "squares"),
    [
        (lambda found: True, 4),
        # not in the mirror: there Ben stands to the left of Anna
        (lambda found: np.nonzero(found == 3)[1].mean() > np.nonzero(found == 1)[1].mean(), 3),
        # Anna covers 0.15 of the square, 0.10 of the larger one and 0.23 of the smaller one
        (lambda found: (found == 1).mean() > 0.12, 3),
        (lambda found: (found == 1).mean() < 0.12, 1),
    ],
    ids=["always", "not in the mirror", "not where she is smaller", "only there"],
)
def test_the_steady_are_seen_however_they_are_shown(sees, squares):
    picture, observer = eye([Painted(1, -0.1), Painted(3, 0.25)]), Observer(Partial(sees), EYE)
    assert observer.steadiness(picture, Painted(1, -0.1).body()) == pytest.approx(0.95 * squares / 4, abs=0.03)


def test_who_stands_behind_is_steady_with_those_before_taken_out():
    behind, before = Painted(1, 0.0, height=0.45, width=0.3), Painted(3, 0.1, height=0.35, width=0.12)
    picture, observer = eye([behind, before]), Observer(Segmenter(), EYE)
    front = observer.observe(eye([before]), before.body())
    assert front is not None and observer.steadiness(picture, behind.body(), front.mask) > 0.8


def test_an_observation_shows_its_shape_and_not_its_pixels(observer):
    text = repr(observer.observe(eye([ANNA]), ANNA.body()))
    assert "mask=bool (256, 256)" in text and len(text) < 400


def test_the_network_sees_people_where_the_plan_has_them(planned):
    clip, plan = planned
    observer = Observer(Models.of(Settings()).load_segmenter(), clip.projection)
    frame = clip.frame(5)
    for person in plan.people:
        for view in plan.views:
            body = plan.track(person, view).bodies[5]
            seen = observer.observe(frame.eyes[view], body)
            assert seen is not None and seen.presence > 0.5 and seen.body.angle_to(body) < 0.1 * body.reach
            # what is observed does not depend on the size of the picture
            half = observer.observe(frame.eyes[view].reduced(2), body)
            assert half is not None and half.body.angle_to(seen.body) < 0.1 * body.reach and mask_iou(half.mask, seen.mask) > 0.8

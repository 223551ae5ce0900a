"""Guesses that come to rest: against what was painted, and against masks whose overlaps are known."""

import dataclasses
import math

import numpy as np
import pytest

from tests.people.painted import EYE, Painted, Segmenter, eye
from vr180_ofx.people.contract import Candidate
from vr180_ofx.people.observe import Observation, Observer
from vr180_ofx.people.settle import Find, quality, settled, without_repeats
from vr180_ofx.vr180.body import Body

ANNA, BEN = Painted(1, -0.4), Painted(3, 0.5)


def beside(person, reaches, score):
    body = person.body()
    return Candidate(body.shifted(reaches * body.reach), score)


def observation(mask, presence=1.0, roll=0.0):
    return Observation(Body(0.0, 0.0, 0.3, roll), (0.0, 0.0, 1.0, 1.0), presence, mask)


def rows(first, last):
    """A mask of (16, 16) of whole rows."""
    mask = np.zeros((16, 16), bool)
    mask[first:last] = True
    return mask


def test_guesses_beside_somebody_come_to_rest_on_them():
    guesses = [beside(ANNA, 0.3, 0.4), beside(ANNA, -0.25, 0.2), beside(ANNA, 0.1, 0.15), beside(BEN, 0.2, 0.9)]
    found = sorted(settled(Observer(Segmenter(), EYE), eye([ANNA, BEN]), guesses), key=lambda f: f.observation.body.longitude)
    assert [f.support for f in found] == pytest.approx([0.75, 0.9])
    for find, person in zip(found, (ANNA, BEN), strict=True):
        assert find.observation.body.angle_to(person.body()) < 0.02
    # however many guesses lead there, a score is a score
    assert Find(found[0].observation, 3.5).candidate.score == 1.0


def test_nobody_is_where_no_guess_comes_to_rest():
    observer = Observer(Segmenter(), EYE)
    assert settled(observer, eye([]), [beside(ANNA, 0.0, 0.9)]) == []
    assert settled(observer, eye([ANNA]), []) == []


class Unsure(Segmenter):
    def segment(self, image):
        seen = super().segment(image)
        return dataclasses.replace(seen, presence=min(seen.presence, 0.45))


def test_who_is_not_surely_there_when_all_is_at_rest_is_nobody():
    assert settled(Observer(Unsure(), EYE), eye([ANNA]), [beside(ANNA, 0.1, 0.9)]) == []


@pytest.mark.parametrize(
    ("presence", "roll", "expected"),
    [(1.0, 0.0, 1.0), (0.8, 0.0, 0.8), (1.0, math.pi, 0.0), (1.0, math.pi / 2, 0.5), (0.6, math.pi / 3, 0.45)],
)
def test_the_upright_are_seen_best(presence, roll, expected):
    assert quality(observation(rows(0, 4), presence, roll)) == pytest.approx(expected)


def test_half_a_person_upside_down_is_the_whole_person_upright():
    whole, half, aside = observation(rows(0, 8), 0.9), observation(rows(3, 8), 1.0, math.radians(150)), observation(rows(10, 16), 0.7)
    found = without_repeats([Find(half, 0.9), Find(whole, 0.3), Find(aside, 0.5)])
    assert [f.observation for f in found] == [whole, aside] and [f.support for f in found] == pytest.approx([1.2, 0.5])


def test_who_is_half_covered_by_another_is_somebody_else():
    """A share of 0.5 of either, below what is one person."""
    one, other = observation(rows(0, 8)), observation(rows(4, 12), 0.9)
    assert len(without_repeats([Find(one, 0.5), Find(other, 0.5)])) == 2
    assert without_repeats([]) == []

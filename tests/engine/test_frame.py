"""The values that the engine delivers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.frame import Frame, Layer, ViewMatte, cross_fade, joined
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.vr180.layout import Layout

WIDTH, HEIGHT = 12, 10


def layer(person: int, rect: Rect, value: float = 0.5, sure: float = 0.75) -> Layer:
    shape = (rect.height, rect.width)
    return Layer(person, f"person{person:02d}", rect, np.full(shape, value, np.float16), np.full(shape, sure, np.float16))


def view(*layers: Layer) -> ViewMatte:
    return ViewMatte(WIDTH, HEIGHT, layers)


@st.composite
def views(draw: st.DrawFn) -> ViewMatte:
    """People who together are never more than one."""
    layers = []
    numbers = draw(st.lists(st.integers(1, 4), unique=True, max_size=3))
    for number in numbers:
        x, y = draw(st.integers(0, WIDTH - 1)), draw(st.integers(0, HEIGHT - 1))
        rect = Rect(x, y, draw(st.integers(x, WIDTH)), draw(st.integers(y, HEIGHT)))
        values = np.random.default_rng(draw(st.integers(0, 99))).random((2, rect.height, rect.width)) / len(numbers)
        layers.append(Layer(number, f"person{number:02d}", rect, *values.astype(np.float16)))
    return ViewMatte(WIDTH, HEIGHT, tuple(layers))


def test_what_cannot_be_is_refused():
    rect = Rect(1, 2, 4, 4)
    with pytest.raises(ValueError, match=r"alpha is float32 \(2, 3\); of this rectangle it is float16 \(2, 3\)"):
        Layer(1, "anna", rect, np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float16))
    with pytest.raises(ValueError, match=r"confidence is float16 \(3, 2\)"):
        Layer(1, "anna", rect, np.zeros((2, 3), np.float16), np.zeros((3, 2), np.float16))
    with pytest.raises(ValueError, match="person01 lies in .* not within the eye's 12x10 pixels"):
        view(layer(1, Rect(5, 5, WIDTH + 1, 7)))
    with pytest.raises(ValueError, match="index is -1; frames are counted from 0"):
        Frame(-1, {})


def test_values_show_themselves_without_their_pixels():
    frame = Frame(3, {"left": view(layer(1, Rect(1, 2, 4, 4))), "right": view()}, {"engine": "x" * 999})
    assert repr(frame) == "Frame(index=3, views={'left': ViewMatte(12x10, person01), 'right': ViewMatte(12x10, nobody)})"
    assert repr(frame.views["left"].layers[0]) == (
        "Layer(person=1, name='person01', rect=Rect(x0=1, y0=2, x1=4, y1=4), alpha=float16 (2, 3), confidence=float16 (2, 3))"
    )


@given(views())
def test_everybody_is_the_sum_of_all(matte):
    assert np.allclose(sum(matte.people.values(), np.zeros((HEIGHT, WIDTH))), matte.alpha, atol=1e-6)
    assert all(np.array_equal(matte.person(n), a) for n, a in matte.people.items()) and not matte.person(9).any()
    # as files get them: one rounding for each person
    assert np.abs(matte.alpha_half() - matte.alpha).max() <= len(matte.layers) * 2**-11
    assert np.array_equal(matte.confidence_half(), matte.confidence.astype(np.float16))
    seen = np.argwhere(matte.alpha > 0)
    assert all(matte.bounds.y0 <= y < matte.bounds.y1 and matte.bounds.x0 <= x < matte.bounds.x1 for y, x in seen)
    assert matte.nbytes == sum(4 * x.rect.width * x.rect.height for x in matte.layers)


@given(views(), views(), st.sampled_from([0.0, 0.25, 0.5, 1.0]))
def test_a_cross_fade_is_the_weighted_mean(a, b, share):
    mixed, difference = cross_fade(Frame(1, {"left": a}, {"chunk": 0}), Frame(1, {"left": b}, {"chunk": 1}), share)
    matte = mixed.views["left"]
    for number in {*a.people, *b.people}:
        expected = (1 - share) * a.person(number) + share * b.person(number)
        assert np.abs(matte.person(number) - expected).max() <= 2**-11
    assert mixed.metadata == {"chunk": 0} and difference >= 0
    assert difference == 0 or not np.array_equal(a.alpha, b.alpha) or len(a.layers) > 1
    assert cross_fade(mixed, mixed, share)[1] == 0


def test_a_cross_fade_is_no_surer_than_either():
    rect, wide = Rect(2, 2, 6, 6), Rect(4, 4, 8, 8)
    before, after = (Frame(0, {"left": view(layer(1, r, sure=sure))}) for r, sure in ((rect, 0.5), (wide, 0.25)))
    matte = cross_fade(before, after, 0.5)[0].views["left"].layers[0]
    assert matte.rect == Rect(2, 2, 8, 8)
    assert matte.confidence[0, 0] == 0.5 and matte.confidence[3, 3] == 0.25 and matte.confidence[5, 0] == 1


def test_frames_are_the_same_when_every_bit_is():
    one = Frame(0, {"left": view(layer(1, Rect(1, 1, 4, 4)))})
    others = [view(layer(1, Rect(1, 1, 4, 4), 0.25)), view(layer(2, Rect(1, 1, 4, 4))), view(layer(1, Rect(1, 1, 4, 5))), view()]
    assert one.same(Frame(5, {"left": view(layer(1, Rect(1, 1, 4, 4)))}, {"a": 1}))
    assert not any(one.same(Frame(0, {"left": other})) for other in others) and not one.same(Frame(0, {"right": one.views["left"]}))


@pytest.mark.parametrize(("name", "place"), [("sbs", (WIDTH, 0)), ("tb", (0, HEIGHT))])
def test_eyes_side_by_side_as_they_lie_in_the_clip(name, place):
    size = (2 * WIDTH, HEIGHT) if name == "sbs" else (WIDTH, 2 * HEIGHT)
    frame = Frame(0, {"left": view(layer(1, Rect(1, 1, 4, 4))), "right": view(layer(1, Rect(2, 1, 5, 4)))})
    whole = joined(frame, ("left", "right"), Layout(name, *size)).views["main"]
    assert (whole.width, whole.height) == size
    for eye, (x, y) in (("left", (0, 0)), ("right", place)):
        assert np.array_equal(whole.alpha[y : y + HEIGHT, x : x + WIDTH], frame.views[eye].alpha)


def test_eyes_at_half_the_scale_lie_at_half_the_place():
    frame = Frame(0, {v: view(layer(1, Rect(0, 0, WIDTH, HEIGHT))) for v in ("left", "right")})
    whole = joined(frame, ("left", "right"), Layout("sbs", 4 * WIDTH, 2 * HEIGHT)).views["main"]
    assert (whole.width, whole.height) == (2 * WIDTH, HEIGHT) and whole.alpha.min() == 0.5

from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.small import recipe
from vr180_ofx.training.order import Draw, Order, evaluation_random
from vr180_ofx.training.recipe import Recipe, Stage
from vr180_ofx.training.sections import checked


def stage(**more) -> Stage:
    values = recipe()
    values["stages"]["first"] |= more
    return checked(Recipe, values).stages["first"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**63 - 1), batch=st.integers(1, 7), sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_every_sample_comes_once_before_any_comes_twice(seed, batch, sizes):
    of = stage(steps=40, batch=batch)
    order = Order(seed, 0, of, dict(zip(of.sources, sizes, strict=True)))
    seen: dict[int, Counter[tuple[int, int]]] = {0: Counter(), 1: Counter()}
    for step in range(40):
        draws = order.draws(step)
        assert len(draws) == batch and {order.names[d.source] for d in draws} == {order.source(step)}
        for d in draws:
            seen[d.source][d.epoch, d.index] += 1
    for source, counts in seen.items():
        assert set(counts.values()) <= {1}
        epochs = Counter(e for e, _ in counts)
        assert all(n == sizes[source] for e, n in epochs.items() if e < max(epochs))


def test_steps_are_known_without_those_before():
    of = stage(steps=30)
    a, b = (Order(5, 1, of, {"noise": 10, "other": 3}) for _ in range(2))
    forwards = [a.draws(k) for k in range(30)]
    assert [b.draws(k) for k in reversed(range(30))] == forwards[::-1]
    assert [Order(6, 1, of, {"noise": 10, "other": 3}).draws(k) for k in range(30)] != forwards
    assert [Order(5, 2, of, {"noise": 10, "other": 3}).draws(k) for k in range(30)] != forwards


def test_sources_come_as_often_as_they_weigh():
    of = stage(steps=6000)
    order = Order(1, 0, of, {"noise": 10, "other": 3})
    share = np.mean([order.source(k) == "noise" for k in range(6000)])
    # of 6000 draws with p = 2/3 the share is within four standard deviations
    assert abs(share - 2 / 3) < 4 * np.sqrt(2 / 9 / 6000)


def test_no_two_uses_share_random_numbers():
    order = Order(1, 0, stage(), {"noise": 10, "other": 3})
    draws = [Draw(s, e, i) for s in (0, 1) for e in (0, 1) for i in (0, 1, 2)]
    numbers = [float(order.random(d).random()) for d in draws] + [float(evaluation_random(1, 0, i).random()) for i in range(3)]
    assert len(set(numbers)) == len(numbers)
    seeds = [order.augment_seed(d) for d in draws] + [order.step_seed(k, r) for k in range(5) for r in (0, 1)]
    assert len(set(seeds)) == len(seeds)

"""The tuned numbers: documented, checked, and known to whatever is known by what it was made with."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError, fields, is_dataclass, replace

import pytest

from vr180_ofx.matte import parameters
from vr180_ofx.matte.parameters import MATTE, EdgeParameters, GuidedParameters, HeightCurve, MatteParameters

CLASSES = [
    c for c in vars(parameters).values() if inspect.isclass(c) and is_dataclass(c) and c.__module__ == parameters.__name__
]  # fmt: skip


def leaves(value, path=()):
    """(path of field names, number) of every number in a tree of parameters."""
    for f in fields(value):
        found = getattr(value, f.name)
        if is_dataclass(found):
            yield from leaves(found, (*path, f.name))
        else:
            yield (*path, f.name), found


def changed(value, path):
    """The same with another number at a path."""
    name, *rest = path
    old = getattr(value, name)
    if rest:
        return replace(value, **{name: changed(old, rest)})
    return replace(value, **{name: tuple(v + 0.001 for v in old) if isinstance(old, tuple) else old + 1})


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_every_number_is_documented_and_fixed(kind):
    for f in fields(kind):
        assert f.name in kind.__doc__, f"{kind.__name__} does not say what {f.name} is"
    assert kind.__dataclass_params__.frozen


def test_every_number_of_the_room_is_part_of_its_identity():
    paths = [path for path, _ in leaves(MATTE)]
    assert len(paths) > 40 and ("edges", "snap", "gain") in paths
    identities = {path: changed(MATTE, path).identity() for path in paths}
    assert MATTE.identity() not in identities.values()
    assert len(set(identities.values())) == len(paths)
    assert MatteParameters().identity() == MATTE.identity()


def test_numbers_that_cannot_be_are_refused():
    with pytest.raises(ValueError, match="2 heights and 1 values"):
        HeightCurve((0.0, 1.0), (0.0,))
    with pytest.raises(ValueError, match="must increase"):
        HeightCurve((0.5, 0.5), (0.0, 1.0))
    with pytest.raises(ValueError, match="radius_px 0"):
        GuidedParameters(radius_px=0)
    with pytest.raises(FrozenInstanceError):
        EdgeParameters().contrast = 2.0  # type: ignore[misc]

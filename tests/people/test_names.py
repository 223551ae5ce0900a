"""Names that cannot be layers are refused before they are."""

import json

import pytest

from tests.engine.numbers import number_clip
from vr180_ofx.errors import PlanError
from vr180_ofx.output.jumps import BOTH, EVERYBODY
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.people.edit import apply_edits
from vr180_ofx.people.names import is_reserved
from vr180_ofx.people.plan import Plan
from vr180_ofx.vr180.layout import LEFT, RIGHT

TAKEN = [*(m.name for m in MEASURES), LEFT, RIGHT, "main", EVERYBODY, BOTH, *"RGBA", "rgba"]


def document(clip, *names):
    data = json.loads(Plan.of_nobody(clip).to_json())
    rows = {"left": {"0": {"box": [1, 1, 6, 7]}}}
    return data | {"people": [{"id": k, "name": name, "views": rows} for k, name in enumerate(names, 1)]}


def test_whatever_files_and_measures_call_their_own_is_taken():
    assert all(is_reserved(name) and is_reserved(name.swapcase()) for name in TAKEN)
    assert not any(is_reserved(name) for name in ("person01", "Ada", "confidence2", "Lefty", "AA", "J"))


@pytest.mark.parametrize("name", [*TAKEN, "Confidence", "LEFT", "a.b", "left.A", "A.", "a b", "\u00e9lan", "Ada\n", "x" * 64])
def test_plans_and_edits_refuse_them(name):
    clip = number_clip()
    with pytest.raises(PlanError, match=r"people\[0\]\.name is .*it becomes a layer"):
        Plan.from_data(document(clip, name), clip)
    plan = Plan.from_data(document(clip, "Ada"), clip)
    with pytest.raises(PlanError, match="it becomes a layer"):
        apply_edits(plan, [{"op": "rename", "person": 1, "name": name}], clip, load_segmenter=lambda: pytest.fail("nobody is followed"))

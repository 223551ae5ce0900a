"""The node's definition: consistent in itself, and with the settings that its parameters stand for."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from vr180_ofx.node import NODE, Parameter
from vr180_ofx.settings import Settings, sections


def test_names_are_unique_and_groups_exist():
    # OpenFX keeps groups, parameters and buttons in one space of names
    names = [*(p.name for p in NODE.parameters), *(a.name for a in NODE.actions), *(g for g, _ in NODE.groups)]
    assert len(set(names)) == len(names) and all(n.isidentifier() and n.islower() for n in names)
    groups = {g for g, _ in NODE.groups}
    assert {p.group for p in NODE.parameters} | {a.group for a in NODE.actions} <= groups
    helps = [x.help for part in (NODE.parameters, NODE.actions, NODE.inputs, NODE.outputs) for x in part]
    assert all(text.endswith(".") for text in helps)


@pytest.mark.parametrize("p", [p for p in NODE.parameters if p.setting], ids=lambda p: p.name)
def test_parameters_that_stand_for_settings_allow_what_they_allow(p):
    """Every choice and both limits are taken by the settings, and the default is theirs."""
    section, key = p.setting.split(".")
    field = sections()[section].model_fields[key]
    adapter = TypeAdapter(field.rebuild_annotation())
    if p.setting != "input.fov_degrees":
        default = float(p.default) if p.name == "scale" else p.default
        assert default == field.default
    for choice in p.choices:
        Settings.from_values({section: {key: float(choice) if p.name == "scale" else choice}})
    # a slider's ends are values of the setting, in hosts that hold single precision (Blender), too; and what is beyond them is not
    made = int if p.kind == "int" else float
    step = 1 if p.kind == "int" else 0.0011
    for limit, beyond in ((p.minimum, -step), (p.maximum, step)):
        if limit is not None:
            none = p.setting == "input.fov_degrees" and limit == 0  # stands for no number
            for end in () if none else (limit, float(np.float32(limit))):
                adapter.validate_python(made(end))
            with pytest.raises(ValidationError):
                adapter.validate_python(made(limit + beyond))


def test_a_definition_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="not among"):
        Parameter("a", "A", "choice", "x", "", "clip", choices=("y",))
    with pytest.raises(ValueError, match="outside"):
        Parameter("a", "A", "int", 9, "", "clip", minimum=0, maximum=3)

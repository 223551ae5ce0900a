"""One definition, and everything that is made from it."""

import json

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from nodes.generate import files
from vr180_ofx.client import Node
from vr180_ofx.node import NODE, Parameter
from vr180_ofx.settings import Settings, sections


def test_nothing_has_drifted():
    """Whoever changes the definition runs `python nodes/generate.py`."""
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is not what the definition makes"


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


def test_values_become_sections_of_settings():
    node = Node(str(files_by_name()["node.json"]))
    values = {p["name"]: p["default"] for p in node.data["parameters"]}
    assert node.settings(values) == {} and node.output(values) == {}
    values |= {"max_people": 2, "scale": "0.5", "tracker": "blazepose", "compression": "piz", "clip": "/x.mp4"}
    assert node.settings(values) == {
        "matting": {"tracker": "blazepose"}, "processing": {"scale_factor": 0.5}, "detection": {"max_people": 2},
    }  # fmt: skip
    assert node.output(values) == {"compression": "piz"}
    Settings.from_values(node.settings(values))


@pytest.mark.parametrize("p", [p for p in NODE.parameters if p.kind == "float" and p.setting], ids=lambda p: p.name)
def test_hosts_that_hold_single_precision_send_what_others_send(p):
    """Blender's 0.7 is 0.699999988: settings that differ there would be other results, and other keys."""
    node = Node(str(files_by_name()["node.json"]))
    section, key = p.setting.split(".")
    assert node.settings({p.name: float(np.float32(p.default))}) == {}
    for wished in (0.35, 0.123, 0.999, 190.5 if p.maximum > 190 else 0.05):
        assert node.settings({p.name: float(np.float32(wished))}) == node.settings({p.name: wished}) == {section: {key: wished}}
    # what only double precision can hold is sent as it is
    assert node.settings({p.name: 0.123456789012345}) == {section: {key: 0.123456789012345}}


def test_frames_are_counted_as_the_host_does():
    assert Node.index(1001, {"first_frame": 1001}, 10) == 0 and Node.index(1010, {"first_frame": 1001}, 10) == 9
    assert Node.index(1000, {"first_frame": 1001}, 10) is None and Node.index(1011, {"first_frame": 1001}, 10) is None
    assert Node.ranges("1001-1004, 1010", 1001) == "0-3,9" and Node.ranges(" all", 5) == "all"
    for wrong in ("x", "1-", "4-2", "0-3"):
        with pytest.raises(ValueError, match="frames is"):
            Node.ranges(wrong, 1)


def test_a_definition_that_contradicts_itself_is_refused():
    with pytest.raises(ValueError, match="not among"):
        Parameter("a", "A", "choice", "x", "", "clip", choices=("y",))
    with pytest.raises(ValueError, match="outside"):
        Parameter("a", "A", "int", 9, "", "clip", minimum=0, maximum=3)


def files_by_name():
    return {path.name: path for path in files()}


def test_the_json_is_what_bridges_read():
    data = json.loads(files_by_name()["node.json"].read_text())
    assert data["name"] == "VR180Matte" and len(data["parameters"]) == len(NODE.parameters)


@pytest.mark.parametrize("command", ["render", "analyse"])
def test_the_command_line_has_every_parameter_that_stands_for_a_setting(command):
    """As a flag with the node's help; what is given there becomes that setting."""
    import argparse

    from vr180_ofx.cli.common import settings_from
    from vr180_ofx.cli.main import build_parser

    parser = build_parser()
    (commands,) = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
    actions = {flag: a for a in commands.choices[command]._actions for flag in a.option_strings}
    for p in NODE.parameters:
        flag = f"--{p.name.replace('_', '-')}"
        if p.setting is None:
            continue
        if actions[flag].dest == f"node_{p.name}":
            assert actions[flag].help.replace("%%", "%").startswith(p.help) and p.setting in actions[flag].help
    words = [
        command,
        "clip.mp4",
        "--max-people",
        "2",
        "--scale",
        "0.5",
        "--swap-eyes",
        "--confidence",
        "0.6",
        "--set",
        "detection.max_people=5",
    ]
    settings = settings_from(parser.parse_args(words))
    assert (settings.detection.max_people, settings.processing.scale_factor, settings.input.swap_eyes) == (2, 0.5, True)

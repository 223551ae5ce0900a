"""One definition, and everything that is made from it."""

import json

import numpy as np
import pytest

from nodes.generate import files
from vr180_ofx.client import Node
from vr180_ofx.node import NODE
from vr180_ofx.settings import Settings


def test_nothing_has_drifted():
    """Whoever changes the definition runs `python nodes/generate.py`."""
    for path, text in files().items():
        assert path.read_text(encoding="utf-8") == text, f"{path} is not what the definition makes"


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

    def sent(value):
        # edges go with each frame
        values = {p.name: value}
        return {"edges": node.edges(values)} if section == "edges" else node.settings(values)

    for wished in (0.35, 0.123, 0.999, 190.5 if p.maximum > 190 else 0.05):
        assert sent(float(np.float32(wished))) == sent(wished) == {section: {key: wished}}
    # what only double precision can hold is sent as it is
    assert sent(0.123456789012345) == {section: {key: 0.123456789012345}}


def test_frames_are_counted_as_the_host_does():
    assert Node.index(1001, {"first_frame": 1001}, 10) == 0 and Node.index(1010, {"first_frame": 1001}, 10) == 9
    assert Node.index(1000, {"first_frame": 1001}, 10) is None and Node.index(1011, {"first_frame": 1001}, 10) is None
    assert Node.ranges("1001-1004, 1010", 1001) == "0-3,9" and Node.ranges(" all", 5) == "all"
    for wrong in ("x", "1-", "4-2", "0-3"):
        with pytest.raises(ValueError, match="frames is"):
            Node.ranges(wrong, 1)


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
            assert actions[flag].help.replace("%%", "%").startswith(p.help.rstrip(".")) and p.setting in actions[flag].help
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

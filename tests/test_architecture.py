"""The order of the layers, held against the code (docs/layers.py), and that the check itself finds what it is there to find."""

import ast
from pathlib import Path

import pytest

from tests.revisions import layers_module

ROOT = Path(__file__).resolve().parents[1]
layers = layers_module()

#: Longer than this a module is more than one room; exempt are files that are copied into hosts whole.
MOST_LINES = 400
WHOLE = {"vr180_ofx/client.py"}
#: Modules that choose by name, and the implementations that nobody else may import.
CONSTRUCTORS = {
    "vr180_ofx.engine.models": [
        "vr180_ofx.trackers.blazepose", "vr180_ofx.trackers.sam2.tracker", "vr180_ofx.matte.rvm.whole_frame",
        "vr180_ofx.matte.closed_form", "vr180_ofx.matte.rvm.windows", "vr180_ofx.matte.rvm.compiled",
        "vr180_ofx.people.blazepose", "vr180_ofx.people.yolo",
    ],
    "vr180_ofx.media.open": ["vr180_ofx.media.sequence", "vr180_ofx.media.video_source"],
    "vr180_ofx.output.formats": ["vr180_ofx.output.exr_output", "vr180_ofx.output.video"],
}  # fmt: skip


def test_no_arrow_runs_back():
    assert layers.arrows_back(layers.imports()) == []


def test_there_are_no_circles():
    assert layers.circles(layers.imports()) == []


def test_no_module_is_more_than_one_room():
    long = {}
    for folder in ("vr180_ofx", "nodes"):
        for path in (ROOT / folder).rglob("*.py"):
            count = len(path.read_text(encoding="utf-8").splitlines())
            if count > MOST_LINES and path.relative_to(ROOT).as_posix() not in WHOLE:
                long[path.relative_to(ROOT).as_posix()] = count
    assert long == {}


def test_implementations_are_constructed_in_one_place_each():
    wrong = []
    for constructor, implementations in CONSTRUCTORS.items():
        known = layers.modules()
        assert constructor in known and set(implementations) <= set(known)
        for i in layers.imports():
            inside = i.source.rpartition(".")[0] == i.target.rpartition(".")[0]
            if i.target in implementations and i.source != constructor and not inside:
                wrong.append(str(i))
    assert wrong == []


def test_only_imaging_calls_opencv():
    wrong = []
    for name, path in layers.modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, (ast.Import, ast.ImportFrom)):
                continue
            named = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            if "cv2" in [n.split(".")[0] for n in named] and layers.room(name) != "imaging":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_tests_import_no_other_test():
    """What several need has a module of its own: pytest would collect an imported test twice."""
    wrong = []
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            parts = [*names, node.module or ""] if isinstance(node, ast.ImportFrom) else names
            if any(word.startswith("test_") for part in parts for word in part.split(".")):
                wrong.append(f"{path.relative_to(ROOT)}: {ast.unparse(node)}")
    assert wrong == []


def test_the_picture_of_the_layers_is_that_of_the_code():
    assert layers.PICTURE.read_text(encoding="utf-8") == layers.picture(), "run: python docs/layers.py"


# the check itself


@pytest.fixture
def package(tmp_path):
    """A small package with the rooms of the real one."""

    def make(**files):
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / "vr180_ofx" / Path(*name.split("__in__")).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return layers.imports(tmp_path / "vr180_ofx")

    return make


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"media__in__clip": "from vr180_ofx.engine.server import X", "engine__in__server": ""},
            "engine stands on a later line than media",
        ),
        (
            {"media__in__clip": "def f():\n    import vr180_ofx.engine.server", "engine__in__server": ""},
            "vr180_ofx/media/clip.py:2 imports",
        ),
        (
            {
                "matte__in__edges": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from vr180_ofx.people.plan import Plan",
                "people__in__plan": "",
            },
            "people stands on a later line than matte",
        ),
        ({"engine__in__keys": "from vr180_ofx import __version__"}, "__init__ stands on a later line than engine"),
        ({"engine__in__keys": "from .. import __version__"}, "__init__ stands on a later line than engine"),
        ({"media__in__a": "from ..stereo import b", "stereo__in__b": "", "stereo__in____init__": ""}, "stereo stands on a later line"),
        ({"output__in__contract": "from vr180_ofx.output import exr", "output__in__exr": ""}, "a contract knows no implementation"),
        ({"storage": "import vr180_ofx.telemetry", "telemetry": ""}, "independent of each other"),
    ],
)
def test_an_arrow_back_is_found(package, files, said):
    (problem,) = layers.arrows_back(package(**files))
    assert said in problem


def test_an_arrow_that_is_right_is_not_one(package):
    found = package(
        engine__in__server="from vr180_ofx.media.clip import Clip\nfrom vr180_ofx.engine.keys import key",
        media__in__clip="",
        engine__in__keys="",
    )
    assert len(found) == 2 and layers.arrows_back(found) == []


def test_circles_are_found(package):
    found = package(
        matte__in__a="from vr180_ofx.matte.b import x",
        matte__in__b="def f():\n    from vr180_ofx.matte import c",
        matte__in__c="from vr180_ofx.matte import a",
        matte__in__d="from vr180_ofx.matte import a",
        matte__in____init__="",
    )
    assert layers.circles(found) == [["vr180_ofx.matte.a", "vr180_ofx.matte.b", "vr180_ofx.matte.c"]]


def test_a_room_without_a_line_is_an_error(package):
    with pytest.raises(ValueError, match="stands on no line; add its room 'attic'"):
        layers.arrows_back(package(attic__in__x="from vr180_ofx.attic import y", attic__in__y=""))

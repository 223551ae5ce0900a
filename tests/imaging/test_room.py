"""What another implementation must be able to stand behind: functions of arrays and plain numbers, whose words are not OpenCV's."""

import ast
import importlib
import inspect
from pathlib import Path

import pytest

import vr180_ofx.imaging

ROOM = Path(vr180_ofx.imaging.__file__).parent
MODULES = sorted(p.stem for p in ROOM.glob("*.py") if p.stem not in ("__init__", "opencv"))


def public(module):
    """Functions, classes and methods of a module that are not private: (name, syntax tree)."""
    for node in ast.parse((ROOM / f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node.name, node
            if isinstance(node, ast.ClassDef):
                for inner in node.body:
                    if isinstance(inner, ast.FunctionDef) and not inner.name.startswith("_"):
                        yield f"{node.name}.{inner.name}", inner


@pytest.mark.parametrize("module", MODULES)
def test_signatures_know_nothing_of_opencv(module):
    for name, node in public(module):
        if isinstance(node, ast.FunctionDef):
            parts = [node.args, *([] if node.returns is None else [node.returns])]
            words = {n.id for part in parts for n in ast.walk(part) if isinstance(n, ast.Name)}
            assert not {w for w in words if w.startswith("cv")}, name


@pytest.mark.parametrize("module", MODULES)
def test_everything_public_says_what_it_takes(module):
    loaded = importlib.import_module(f"vr180_ofx.imaging.{module}")
    assert (loaded.__doc__ or "").strip()
    for name, node in public(module):
        simple = isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Name) and d.id == "property" for d in node.decorator_list)
        assert simple or ast.get_docstring(node), f"{module}.{name} has no docstring"


def test_tests_stand_beside_what_they_test():
    here = {p.stem.removeprefix("test_") for p in Path(__file__).parent.glob("test_*.py")}
    assert set(MODULES) - here == set()


def test_the_translation_to_opencv_stays_in_the_room():
    package = ROOM.parent
    users = {p for p in package.rglob("*.py") if "imaging.opencv" in p.read_text(encoding="utf-8")}
    assert users and all(p.is_relative_to(ROOM) for p in users)


def test_interpolation_and_borders_are_words_and_numbers():
    from vr180_ofx.imaging.sample import sample

    parameters = inspect.signature(sample).parameters
    assert parameters["border"].default == 0.0 and parameters["interpolation"].default == "linear"
    assert all(p.kind is p.KEYWORD_ONLY for n, p in parameters.items() if n not in ("values", "places"))

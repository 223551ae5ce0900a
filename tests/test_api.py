"""What the package offers is what its documents say, nothing is loaded before it is asked for, and types are known."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import vr180_ofx

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "guide"


def named(page):
    """The names in the first column of a page's first table."""
    table = re.split(r"\n\|(?:---\|)+\n", (GUIDE / page).read_text(encoding="utf-8"))[1].split("\n\n")[0]
    rows = [re.match(r"\| `(\w+)`", line) for line in table.splitlines()]
    assert all(rows), page
    return [row[1] for row in rows if row]


def test_the_exported_members_are_those_of_the_documents():
    documented = [*named("python.md"), "Vr180Error", *named("errors.md")]
    assert sorted(documented) == sorted(vr180_ofx.__all__) and len(set(documented)) == len(documented)


@pytest.mark.parametrize("name", vr180_ofx.__all__)
def test_each_is_there_and_comes_from_where_the_stub_says(name):
    value = getattr(vr180_ofx, name)
    assert value is getattr(importlib.import_module(vars(vr180_ofx)["_HOMES"][name]), name) and name in dir(vr180_ofx)
    if name != "__version__":
        assert value.__doc__ and value.__name__ == name


def test_all_errors_are_exported():
    from vr180_ofx import errors

    tree = {n for n, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.Vr180Error)}
    assert tree <= set(vr180_ofx.__all__)


def test_what_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = vr180_ofx.nonsense  # type: ignore[attr-defined]


def test_no_room_is_called_like_something_that_is_offered():
    """Importing a module sets its name in the package: the room would take the function's place."""
    rooms = {p.stem for p in Path(vr180_ofx.__file__).parent.iterdir() if p.suffix == ".py" or p.is_dir()}
    assert not rooms & set(vr180_ofx.__all__)


def test_importing_the_package_loads_nothing_heavy():
    heavy = ("av", "cv2", "numpy", "pydantic", "torch")
    code = f"import sys, vr180_ofx; vr180_ofx.MediaError; sys.exit(any(m in sys.modules for m in {heavy!r}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_type_checkers_know_the_types(tmp_path):
    (tmp_path / "use.py").write_text("import vr180_ofx as vr\nreveal_type(vr.open_clip)\nreveal_type(vr.SettingsError)\nvr.nonsense\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", str(tmp_path / "use.py")],
        env={**os.environ, "MYPYPATH": str(GUIDE.parents[1])}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    shown = re.findall(r'Revealed type is "(.*)"', done.stdout)
    assert len(shown) == 2 and re.search(r"-> (vr180_ofx\.media\.contract\.)?Clip$", shown[0]) and "SettingsError" in shown[1], done.stdout
    assert 'Module has no attribute "nonsense"' in done.stdout

"""One tree of errors: nothing beside it, statuses of its own for each, and the page says the same."""

import ast
import errno
import re
from pathlib import Path

import pytest

from vr180_ofx import errors
from vr180_ofx.errors import ExitStatus, FrameError, ServiceError, SettingsError, Vr180Error, statuses_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "guide" / "errors.md").read_text(encoding="utf-8")
TREE = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, Vr180Error) and kind is not Vr180Error
}  # fmt: skip


def rows(head):
    """Cells of the rows of the page's table with these columns."""
    lines = PAGE.split(head, 1)[1].split("\n\n", 1)[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_every_error_of_the_program_is_in_the_tree():
    """What is private to a module, or is not called an error, is none for people; the client stands alone, because hosts copy it."""
    stray = []
    for path in (ROOT / "vr180_ofx").rglob("*.py"):
        if path.name in ("errors.py", "client.py"):
            continue
        tree = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        names = [node.name for node in tree if isinstance(node, ast.ClassDef)]
        stray += [f"{path.name}: {name}" for name in names if re.fullmatch(r"[A-Z]\w*(Error|Exception)", name)]
    assert stray == []


def test_each_has_statuses_of_its_own():
    assert len(TREE) >= 15
    for name, kind in TREE.items():
        assert kind.exit_status in (ExitStatus.USAGE, ExitStatus.INPUT, ExitStatus.RESOURCES), name
        if kind is not ServiceError:
            assert 400 <= kind.http_status < 600 and kind.http_status != 500, name


def test_the_page_says_what_the_code_does():
    said = {}
    for error, exit_status, http_status, _ in rows("| error | exit | HTTP | what happened |\n"):
        row = re.fullmatch(r"`(\w+)`(?: \(an? `(\w+)`\))?", error)
        assert row, error
        name, base = row.groups()
        said[name] = (base or "Vr180Error", int(exit_status), http_status)
    assert said == {
        name: (kind.__bases__[0].__name__, int(kind.exit_status), "its own" if kind is ServiceError else str(kind.http_status))
        for name, kind in TREE.items()
    }
    assert [int(row[0]) for row in rows("| exit status | |\n")] == sorted(ExitStatus)


@pytest.mark.parametrize(
    ("error", "statuses"),
    [
        (SettingsError("x"), (2, 422)),
        (FrameError("c.mp4", 3, "damaged"), (3, 404)),
        (ServiceError(429, "too many"), (4, 429)),
        (MemoryError(), (4, 507)),
        (OSError(errno.ENOSPC, "full"), (4, 507)),
        (FileNotFoundError(errno.ENOENT, "gone"), (3, 422)),
        (KeyError("a bug"), None),
        (IndexError("a bug"), None),
    ],
)
def test_statuses(error, statuses):
    assert statuses_of(error) == statuses


def test_what_callers_catch_beside_the_tree():
    assert issubclass(errors.SettingsError, ValueError) and issubclass(errors.PlanError, ValueError)
    assert issubclass(errors.ColourError, ValueError) and issubclass(errors.ServerBusyError, RuntimeError)
    with pytest.raises(IndexError, match=r"frame 7 is outside the clip, which has frames 0\.\.4"):
        raise errors.FrameIndexError(7, 5)

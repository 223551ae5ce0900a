import os.path
import sys
from typing import Any

import pytest

from vr180_ofx.errors import SettingsError
from vr180_ofx.training import registry


def test_a_row_is_the_function_that_it_names(monkeypatch):
    monkeypatch.setitem(registry.TASKS, "paths", "os.path:join")
    found: list[Any] = [registry.task_maker("paths"), registry.source_maker("os.path:split")]
    assert found == [os.path.join, os.path.split]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mattin", "did you mean 'matting'"),
        ("zzz", "tasks are"),
        ("no.such.module:make", "cannot be had"),
        ("os.path:no_such", "cannot be had"),
        ("os:sep", "is no function"),
        (":", "cannot be had"),
    ],
)
def test_a_task_that_there_is_not_is_said(name, said, monkeypatch):
    monkeypatch.setitem(registry.TASKS, "matting", "os.path:join")
    with pytest.raises(SettingsError, match=said):
        registry.task_maker(name)


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(SettingsError, match=r"vr180-ofx\[training\]"):
        registry.task_maker("torch:nn")

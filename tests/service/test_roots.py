"""Folders that clips may be read from and renders written to, and somebody who puts links in their place."""

import contextlib

import pytest

from tests.swapping import swapping
from vr180_ofx.errors import ServiceError, Vr180Error
from vr180_ofx.rendering.folder import output_folder
from vr180_ofx.service.access import Roots
from vr180_ofx.settings import Settings
from vr180_ofx.storage import write_atomic

#: Of 400 tries 31 to 70 got out while a path was looked at and then opened by its name.
TRIES = 150


@pytest.mark.parametrize("deep", [False, True], ids=["the folder", "a folder above it"])
def test_no_link_that_comes_between_look_and_opening_is_written_through(tmp_path, deep):
    root, outside = tmp_path / "root", tmp_path / "outside"
    swapped = root / "out"
    asked = swapped / "sub" if deep else swapped
    asked.mkdir(parents=True)
    outside.mkdir()
    roots = Roots([root])
    tried = written = 0
    with swapping(swapped, outside):
        while tried < TRIES:
            try:
                folder = roots.writable(str(asked))
            except ServiceError:
                continue
            tried += 1
            with contextlib.suppress(Vr180Error, OSError), output_folder(folder, Settings(), links=False) as opened:
                write_atomic(opened.path / f"{tried}.json", b"{}", steady=True)
                written += 1
    assert not list(outside.rglob("*")) and written > 0

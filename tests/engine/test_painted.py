"""Painted mattes as prompts: whether what they hold is what was named."""

import os
import time

import cv2
import numpy as np
import pytest

from vr180_ofx.engine import painted
from vr180_ofx.engine.painted import PaintedPrompts
from vr180_ofx.errors import InputMatteError

EYE = (32, 16)


def write(path, value):
    cv2.imwrite(str(path), np.full((*EYE[::-1], 1), value, np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 0])


def test_another_picture_is_noticed_and_the_same_one_is_none(tmp_path):
    file = tmp_path / "a.png"
    write(file, 255)
    os.utime(file, ns=(10**18, 10**18))
    seen = PaintedPrompts([str(file)])
    assert seen.read(str(file), 3, "anna", EYE).value.min() == 1 and not seen.changed()
    # touched, or written anew with the same
    os.utime(file)
    assert not seen.changed()
    write(file, 255)
    assert not seen.changed() and PaintedPrompts([str(file)]).digest(str(file)) == seen.digest(str(file))
    # of the same size, with the same time of change as before
    write(file, 0)
    os.utime(file, ns=(10**18, 10**18))
    assert seen.changed()
    with pytest.raises(InputMatteError, match="changed while it was read"):
        seen.read(str(file), 4, "anna", EYE)
    now = PaintedPrompts([str(file)])
    assert now.digest(str(file)) != seen.digest(str(file)) and now.read(str(file), 3, "anna", EYE).value.max() == 0


def test_a_file_that_changed_within_a_tick_of_the_clock_is_looked_at_again(tmp_path, monkeypatch):
    """Size and times say nothing where the clock stands still."""
    file = tmp_path / "a.png"
    monkeypatch.setattr(painted, "_stamp", lambda path: (1, 2, 3, 4))
    monkeypatch.setattr(time, "time_ns", lambda: 5)
    write(file, 255)
    seen = PaintedPrompts([str(file)])
    assert not seen.changed()
    write(file, 0)
    assert seen.changed()


def test_what_cannot_be_read_has_a_name_of_its_own_until_it_can(tmp_path):
    pipe, missing = tmp_path / "pipe.png", tmp_path / "missing.png"
    os.mkfifo(pipe)
    seen = PaintedPrompts([str(pipe), str(missing)])
    assert seen.digest(str(pipe)) == seen.digest(str(missing)) == "" and not seen.changed()
    for file, what in ((pipe, "pipe"), (missing, "does not exist")):
        with pytest.raises(InputMatteError, match=what):
            seen.read(str(file), 0, "anna", EYE)
    write(missing, 255)
    assert seen.changed()

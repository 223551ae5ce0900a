"""Pictures that a render goes by, looked for beforehand."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import MediaError
from vr180_ofx.rendering.inputs import refuse_absent
from vr180_ofx.settings.inputs import InputMattesSettings


def test_what_is_there_in_any_way_that_pictures_are_named_is_let_pass(tmp_path):
    for name in ("one.png", "many.0004.exr", "own_right.png"):
        (tmp_path / name).touch()
    for name in ("one.png", "many.%04d.exr", "many.####.exr", "own_%V.png"):
        refuse_absent(InputMattesSettings(garbage=str(tmp_path / name)))
    refuse_absent(InputMattesSettings())


@pytest.mark.parametrize("kind", ["garbage", "holdout"])
@pytest.mark.parametrize("name", ["none.png", "none.%04d.png", "none_%V.png", "nowhere/none.png", ""])
def test_what_is_not_there_is_said_with_its_setting(tmp_path, kind, name):
    with pytest.raises(MediaError, match=rf"mattes\.{kind} is .*; there is no such file"):
        refuse_absent(InputMattesSettings(**{kind: str(tmp_path / name)}))

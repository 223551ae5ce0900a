"""What a render takes in beside its clip, looked for before minutes are spent."""

from __future__ import annotations

from pathlib import Path

from vr180_ofx.errors import MediaError
from vr180_ofx.media.pattern import file_of, numbers_of
from vr180_ofx.settings.inputs import InputMattesSettings
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.wording import short


def refuse_absent(settings: InputMattesSettings) -> None:
    """Raises MediaError for garbage and holdout pictures of which not one is there."""
    for kind, name in (("garbage", settings.garbage), ("holdout", settings.holdout)):
        if name is None:
            continue
        path = Path(name).absolute()
        try:
            if any(numbers_of(path, view) or file_of(path, 0, view).is_file() for view in (LEFT, RIGHT)):
                continue
        except OSError as error:
            raise MediaError(f"mattes.{kind} is {short(name)}, which cannot be looked for: {error.strerror}") from None
        raise MediaError(f"mattes.{kind} is {short(name)}; there is no such file, and none fits it as a pattern")

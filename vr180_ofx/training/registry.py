"""Tasks and sources by name. A row is ``module:function``, imported when it is asked for: nothing else pays for it.

Recipes may name a function of their own in the same way.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from vr180_ofx.errors import SettingsError
from vr180_ofx.wording import short

if TYPE_CHECKING:
    from vr180_ofx.training.contract import SourceMaker, TaskMaker

#: Name -> `TaskMaker`.
TASKS: dict[str, str] = {
    "matting": "vr180_ofx.training.matting_task:matting_task",
    "student": "vr180_ofx.training.student.task:student_task",
}
#: Name -> `SourceMaker`.
SOURCES: dict[str, str] = {
    "student_windows": "vr180_ofx.training.student.source:student_windows",
    "scenes": "vr180_ofx.training.data.scenes:scenes",
    "stills": "vr180_ofx.training.data.folders:images",
    "images": "vr180_ofx.training.data.folders:images",
    "videomatte": "vr180_ofx.training.data.folders:videomatte",
    "refmatte": "vr180_ofx.training.data.folders:images",
    "coco": "vr180_ofx.training.data.masks:coco",
    "supervisely": "vr180_ofx.training.data.masks:supervisely",
}


def task_maker(name: str) -> TaskMaker:
    """Raises SettingsError."""
    return cast("TaskMaker", _found(name, TASKS, "task"))


def source_maker(name: str) -> SourceMaker:
    """Raises SettingsError."""
    return cast("SourceMaker", _found(name, SOURCES, "source"))


def _found(name: str, table: Mapping[str, str], what: str) -> Any:
    place = table.get(name, name)
    module, colon, function = place.partition(":")
    if not colon:
        near = difflib.get_close_matches(name, list(table), 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        known = ", ".join(sorted(table))
        raise SettingsError(f"{short(name)} is no {what}{hint or f'; {what}s are {known}, or module:function for one of your own'}")
    try:
        found = getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError, ValueError) as error:
        missing = getattr(error, "name", None)
        if missing in ("torch", "torchvision"):
            raise SettingsError(f"training needs {missing}, which is not installed; run: pip install 'vr180-ofx[training]'") from None
        raise SettingsError(f"the {what} {short(place)} cannot be had: {error}") from None
    if not callable(found):
        raise SettingsError(f"the {what} {short(place)} is no function")
    return found

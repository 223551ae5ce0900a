"""Parts of recipes as values: checked when made, with errors that name the key, the value, what is allowed, and the nearest key."""

from __future__ import annotations

import difflib
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings.traits import Section
from vr180_ofx.wording import short

S = TypeVar("S", bound=Section)
#: How much alike a mistyped key is to the one that is meant (difflib's ratio): as for settings.
_LIKE = 0.6


def checked(kind: type[S], values: Mapping[str, Any], where: str = "") -> S:
    """A section made of what somebody wrote. where: the path of keys that leads to it. Raises SettingsError, one line for each problem."""
    try:
        return kind(**values)
    except ValidationError as error:
        raise SettingsError(explained(error, kind, where)) from None
    except TypeError:
        bad = next(k for k in values if not isinstance(k, str))
        raise SettingsError(f"{where or 'the recipe'} has the key {short(bad)}; keys are texts") from None


def explained(error: ValidationError, kind: type[Section], where: str = "") -> str:
    """One line for each problem: the key, the value, and what is allowed. kind: what was to be made."""
    lines: dict[str, None] = {}
    for problem in error.errors():
        # pydantic names the member of a union that it tried; no key is called so
        keys = [str(k) for k in problem["loc"] if not (isinstance(k, str) and ("[" in k or k in _MEMBERS))]
        path = ".".join([*([where] if where else []), *keys])
        if problem["type"] == "extra_forbidden":
            lines[f"{path} is not known{nearest(keys[-1], allowed(kind, keys[:-1]))}"] = None
        elif problem["type"] == "missing":
            lines[f"{path} is missing"] = None
        else:
            message = problem["msg"].removeprefix("Value error, ")
            said = f"{path} is {short(problem.get('input'))}: " if keys else (f"{where}: " if where else "")
            lines[f"{said}{message[:1].lower()}{message[1:]}"] = None
    return "\n".join(lines)


_MEMBERS = frozenset(("int", "float", "str", "bool", "Share", "tuple", "list"))


def nearest(key: str, known: list[str]) -> str:
    """What might have been meant, as the end of a sentence."""
    near = difflib.get_close_matches(key[:100], known, 1, _LIKE)
    return f"; did you mean {near[0]!r}?" if near else f"; allowed are {', '.join(known)}" if known else ""


def allowed(kind: Any, path: list[str]) -> list[str]:
    """The keys of the section that lies at ``path`` in ``kind``."""
    for key in path:
        kind = _inside(kind, key)
    return list(kind.model_fields) if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def _inside(kind: Any, key: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(key)
        return _section_of(field.annotation) if field is not None else None
    if typing.get_origin(kind) is dict:
        return _section_of(typing.get_args(kind)[1])
    return None


def _section_of(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return next((a for a in typing.get_args(annotation) if isinstance(a, type) and issubclass(a, BaseModel)), annotation)
    return annotation

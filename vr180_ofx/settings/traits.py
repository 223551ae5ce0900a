"""What a setting says of itself, beside its type, its default, what is allowed, and what it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.fields import FieldInfo

#: Whether results depend on a setting. yes: by itself. clip, plan, networks: by what has an identity of its own (what the clip holds and
#: how it is read; who is where; which networks, with which weights, on which kind of device, in which precision), so that two ways to say
#: the same are not taken for two. no: not at all.
Pixels = Literal["yes", "clip", "plan", "networks", "no"]


@dataclass(frozen=True, slots=True)
class Traits:
    """pixels: whether results depend on it. http: whether a request may set it, or the values that it may set it to. effect: whether this
    version does anything with it.
    """

    pixels: Pixels
    http: bool | tuple[str, ...]
    effect: bool

    @staticmethod
    def of(field: FieldInfo) -> Traits:
        """Those of a field that was made by `setting`. Raises TypeError for any other."""
        extra = field.json_schema_extra
        if not isinstance(extra, Mapping) or not {"pixels", "http", "effect"} <= extra.keys():
            raise TypeError("this setting does not say whether it changes pixels and may be set over HTTP; declare it with setting(...)")
        known: dict[str, Any] = dict(extra)
        return Traits(known["pixels"], known["http"], known["effect"])


def setting(default: Any, *, pixels: Pixels, http: bool | tuple[str, ...], effect: bool = True, **field: Any) -> Any:
    """A field of a section, as pydantic's ``Field`` (which takes ``field``), with its traits: see `Traits`."""
    return Field(default, json_schema_extra=asdict(Traits(pixels, http, effect)), **field)


class Section(BaseModel):
    """Settings are values: two equal ones give equal results."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, str_strip_whitespace=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _a_name_can_be(cls, value: Any) -> Any:
        # the system ends a name there: another file would be meant
        if any(isinstance(v, str) and "\0" in v for v in (value if isinstance(value, (list, tuple)) else (value,))):
            raise ValueError("a text has no NUL in it")
        return value

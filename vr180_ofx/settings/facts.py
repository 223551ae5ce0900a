"""What can be said of every setting, in words: for the page of settings, for `vr180-ofx settings`, and for other programs."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vr180_ofx.settings import Settings, sections
from vr180_ofx.settings.traits import Pixels

#: What a change of a setting means, by its trait `Pixels`.
CHANGES: Mapping[Pixels, str] = {
    "yes": "the mattes or their files: a render with another value makes its frames anew",
    "clip": "how the clip is read: another value is another clip, which is analysed and rendered anew",
    "plan": "who is found: another value is another analysis, and another render where it finds others",
    "networks": "which networks run, and how: a render whose networks differ makes its frames anew",
    "no": "no pixel: a render goes on with what is there",
}
_LIMITS = (("exclusiveMinimum", "above"), ("minimum", "from"), ("exclusiveMaximum", "below"), ("maximum", "to"))
_KINDS = {
    "number": "number", "integer": "whole number", "boolean": "true, false", "string": "text", "null": "nothing", "array": "list",
    "object": "table",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting. default: as JSON knows it. allowed: in words, with Markdown's quotes around values. http: what a request may set."""

    section: str
    key: str
    default: Any
    allowed: str
    about: str
    pixels: Pixels
    http: bool | tuple[str, ...]
    effect: bool

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"


@functools.cache
def facts() -> tuple[Fact, ...]:
    """All settings, section by section."""
    schema = Settings.model_json_schema()["$defs"]
    out = []
    for section, model in sections().items():
        for key, field in schema[model.__name__]["properties"].items():
            http = field["http"] if isinstance(field["http"], bool) else tuple(field["http"])
            about = field.get("description", "")
            out.append(Fact(section, key, field.get("default"), allowed(field), about, field["pixels"], http, field["effect"]))
    return tuple(out)


def allowed(field: Mapping[str, Any]) -> str:
    """What a field of a JSON schema may be, in words; values stand in backticks."""
    if "enum" in field:
        return ", ".join(f"`{v}`" for v in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "anyOf" in field:
        return " or ".join(allowed(f) for f in field["anyOf"])
    limits = [f"{word} {field[key]}" for key, word in _LIMITS if key in field]
    return " ".join([_KINDS.get(field.get("type", ""), ""), *limits]).strip()

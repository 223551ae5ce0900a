"""Writes docs/guide/settings.md from the settings themselves: python docs/settings_page.py"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

from vr180_ofx.settings import Settings, sections

PAGE = Path(__file__).parent / "guide" / "settings.md"
HEAD = """# Settings

A YAML or TOML file (`--config clip.yaml`), and `--set section.key=value` on top of it. Unknown
keys, wrong types and values out of range are errors that name the key, the value, what is allowed
and the closest valid key. Keys that stand outside a section, as in older files, are put into
theirs. Former names keep loading ([how long](../contributing/deprecation.md)).

**pixels** says whether results depend on a key: by itself (yes), by way of what the clip holds and
how it is read (clip), of who is where (plan), or of which networks run, with which weights, on
which kind of device (networks); or not at all (no). A render that was interrupted goes on when keys
have changed that it does not depend on. **HTTP** says whether a request to the [frame
server](server.md) may set it.

This page is made from the program: `python docs/settings_page.py`.
"""


def page() -> str:
    """The page's text."""
    schema = Settings.model_json_schema()["$defs"]
    parts = [HEAD]
    for name, model in sections().items():
        facts = schema[model.__name__]
        about = textwrap.fill((model.__doc__ or "").strip(), 100, break_long_words=False, break_on_hyphens=False)
        parts.append(f"\n## {name}\n\n{about}\n\n| key | default | allowed | pixels | HTTP | |\n|---|---|---|---|---|---|")
        for key, field in facts["properties"].items():
            http = "yes" if field["http"] is True else "no" if field["http"] is False else ", ".join(f"`{v}`" for v in field["http"])
            default, about = json.dumps(field.get("default")), field.get("description", "")
            parts.append(f"| `{key}` | `{default}` | {_allowed(field)} | {field['pixels']} | {http} | {about} |")
    return "\n".join(parts) + "\n"


def _allowed(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{v}`" for v in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'])}`"
    if "anyOf" in field:
        return " or ".join(_allowed(f) for f in field["anyOf"])
    limits = [
        f"{word} {field[key]}"
        for key, word in (("exclusiveMinimum", "above"), ("minimum", "from"), ("exclusiveMaximum", "below"), ("maximum", "to"))
        if key in field
    ]
    kind = {"number": "number", "integer": "whole number", "boolean": "true, false", "string": "text", "null": "nothing", "array": "list"}
    return " ".join([kind.get(field.get("type", ""), ""), *limits]).strip()


if __name__ == "__main__":
    PAGE.write_text(page())

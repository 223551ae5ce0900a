"""Writes docs/guide/settings.md from the settings themselves: python docs/settings_page.py"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

from vr180_ofx.settings import sections
from vr180_ofx.settings.facts import facts

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
    parts = [HEAD]
    for name, model in sections().items():
        about = textwrap.fill((model.__doc__ or "").strip(), 100, break_long_words=False, break_on_hyphens=False)
        parts.append(f"\n## {name}\n\n{about}\n\n| key | default | allowed | pixels | HTTP | |\n|---|---|---|---|---|---|")
        for f in facts():
            if f.section == name:
                http = {True: "yes", False: "no"}[f.http] if isinstance(f.http, bool) else ", ".join(f"`{v}`" for v in f.http)
                parts.append(f"| `{f.key}` | `{json.dumps(f.default)}` | {f.allowed} | {f.pixels} | {http} | {f.about} |")
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())

"""The leaderboard of the guide: tables between two marks of a Markdown file, whose other words are people's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.report import tables
from vr180_ofx.errors import DocumentError
from vr180_ofx.storage import write_atomic

BEGIN, END = "<!-- made by `python -m bench report --leaderboard`: begin -->", "<!-- end -->"


def write_leaderboard(path: Path, results: Sequence[dict[str, Any]], against: str | None = None) -> None:
    """Raises DocumentError where a file that is there has no marks."""
    made = f"{BEGIN}\n\n{made_of(results, against)}\n{END}\n"
    if not path.exists():
        write_atomic(path, f"# Leaderboard\n\n{made}".encode())
        return
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise DocumentError(f"{path} has no marks to write between; a line {BEGIN!r} and a line {END!r} are looked for")
    write_atomic(path, f"{before}{made}{after.lstrip(chr(10)) and chr(10) + after.lstrip(chr(10))}".encode())


def made_of(results: Sequence[dict[str, Any]], against: str | None = None) -> str:
    """The tables. Results of one set of scenes; what others are there is said."""
    ordered = sorted(results, key=lambda r: -(r["overall"].get("iou") or {"value": -1})["value"])
    scenes = sorted({s for r in results for s in r["scenes"]})
    parts = [f"{len(scenes)} scenes. In brackets: 95 % of draws of scenes (bootstrap, at least 5 scenes).\n"]
    parts.append(tables.markdown(tables.leaderboard(ordered)))
    what = [f"- **{r['method']['name']}**: {r['method']['what']}" for r in ordered if r["method"].get("what")]
    parts.append("\n".join(what) + "\n")
    tables_of = [(f"IoU, compared with {against}", tables.compared(ordered, against))] if against else []
    for title, rows in (
        *tables_of,
        ("IoU by tag", tables.by_tag(ordered)),
        ("Ghosts for each eye of a frame, by tag", tables.by_tag(ordered, "ghosts")),
        ("IoU around people, by their angle from the axis", tables.by_group(ordered, "by_angle", "iou")),
        ("IoU around people, by their size", tables.by_group(ordered, "by_size", "iou")),
        ("Recall, by size", tables.by_group(ordered, "by_size", "recall")),
    ):
        if len(rows) > 1:
            parts.append(f"## {title}\n\n{tables.markdown(rows)}")
    return "\n".join(parts)

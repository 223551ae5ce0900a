"""The page: all of some results in one HTML file, with its plots and pictures, to be sent to somebody and opened anywhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.report import tables
from bench.score.measures import MAIN, MEASURES
from vr180_ofx.quality.page import STYLE, Picture, data_uri
from vr180_ofx.storage import write_atomic

_OWN = """
body{max-width:1240px}td,th{padding:3px 8px}table{font-size:14px}.wide{overflow-x:auto}
figure,figure img,figcaption{max-width:1180px}
"""
_COLOURS = ("#5cc8ff", "#ff9f5c", "#8fe388", "#e58cff", "#ffd75c", "#ff7b8a", "#9db4ff", "#c9c9c9")
_WIDTH, _BAR, _LEFT = 900, 15, 190
_PICTURE = 1120


def write_page(
    path: Path, results: Sequence[dict[str, Any]], worst: Iterable[tuple[str, Iterable[Picture]]] = (), against: str | None = None
) -> None:  # fmt: skip
    """Written whole or not at all. worst: (a method's name, its worst frames). against: the method that others are compared with."""
    scenes = sorted({s for r in results for s in r["scenes"]})
    parts = [
        "<h1>VR180-Matte-Bench</h1>",
        f"<p class=dim>{len(scenes)} scenes · {len(results)} methods · intervals: 95 % by bootstrap over scenes, where there are five</p>",
        _table(tables.leaderboard(results)),
        "<p class=dim>" + "; ".join(f"<b>{m.title}</b>: {html.escape(m.what)}" for m in (MEASURES[n] for n in MAIN)) + "</p>",
        "<h2>IoU of each scene</h2>", _bars(results, scenes),
    ]  # fmt: skip
    for name in ("iou", "stereo_error") if against else ():
        rows = tables.compared(results, against or "", name)
        parts += [f"<h2>{MEASURES[name].title}, compared with {html.escape(against or '')}</h2>", _table(rows)]
    for name in ("iou", "ghosts", "recall", "stereo_error"):
        parts += [f"<h2>{MEASURES[name].title} by scene</h2>", _table(tables.by_scene(results, name))]
    for name in ("iou", "recall", "ghosts"):
        rows = tables.by_tag(results, name)
        if len(rows) > 1:
            parts += [f"<h2>{MEASURES[name].title} by tag</h2>", _table(rows)]
    for key, words in (("by_angle", "angle from the view's axis"), ("by_size", "size of people")):
        for name in ("iou", "recall"):
            parts += [f"<h2>{MEASURES[name].title} around people by {words}</h2>", _table(tables.by_group(results, key, name))]
    for method, pictures in worst:
        parts.append(f"<h2>Worst frames of {html.escape(method)}</h2>")
        parts += [
            f"<figure><img src='{data_uri(p.rgb, _PICTURE)}' alt=''><figcaption>{html.escape(p.caption)}</figcaption></figure>"
            for p in pictures
        ]
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>VR180-Matte-Bench</title><style>{STYLE}{_OWN}</style>"
    write_atomic(path, f"{head}<body>{''.join(parts)}</body></html>\n".encode())


def _table(rows: tables.Rows) -> str:
    out = ["<div class=wide><table><tr>", *(f"<th{' class=n' if k else ''}>{html.escape(c)}" for k, c in enumerate(rows[0])), "</tr>"]
    for row in rows[1:]:
        out += ["<tr>", *(f"<td{' class=n' if k else ''}>{html.escape(c)}" for k, c in enumerate(row)), "</tr>"]
    return "".join([*out, "</table></div>"])


def _bars(results: Sequence[dict[str, Any]], scenes: Sequence[str]) -> str:
    """A bar for each method in each scene."""
    rows = [(s, k, r["scenes"][s]["measures"].get("iou")) for s in scenes for k, r in enumerate(results) if s in r["scenes"]]
    told = [row for row in rows if row[2] is not None]
    if not told:
        return "<p class=dim>There is nobody in these scenes.</p>"
    gap = 8
    height = _BAR * len(told) + gap * len({s for s, *_ in told}) + 20
    keys = "".join(
        f"<span style='white-space:nowrap'><span class=key style='background:{_COLOURS[k % len(_COLOURS)]}'></span>"
        f"{html.escape(r['method']['name'])}</span> "
        for k, r in enumerate(results)
    )
    parts, y, last = [f"<p class=dim>{keys}</p><svg viewBox='0 0 {_WIDTH} {height}' role=img aria-label='IoU of each scene'>"], 0, ""
    for scene, k, value in told:
        if scene != last:
            y += gap
            parts.append(f"<text x='{_LEFT - 8}' y='{y + 12}' text-anchor=end>{html.escape(scene)}</text>")
            last = scene
        length = (_WIDTH - _LEFT - 60) * float(value or 0)
        parts.append(f"<rect x='{_LEFT}' y='{y}' width='{max(length, 1):.1f}' height='{_BAR - 3}' fill='{_COLOURS[k % len(_COLOURS)]}' />")
        parts.append(f"<text x='{_LEFT + length + 6:.1f}' y='{y + 11}'>{value:.3f}</text>")
        y += _BAR
    return "".join([*parts, "</svg>"])

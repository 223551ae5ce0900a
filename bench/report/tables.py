"""Results as tables: rows of text, which pages and Markdown share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.score.intervals import difference
from bench.score.measures import MAIN, MEASURES

Rows = list[list[str]]


def figure(found: dict[str, Any] | None, name: str, *, interval: bool = False) -> str:
    """A figure in its unit; with its interval, if there is one and it is asked for."""
    if found is None:
        return "–"
    m = MEASURES[name]
    value = f"{found['value'] * m.factor:.3g}"
    if interval and found.get("low") is not None:
        value += f" ({found['low'] * m.factor:.3g} to {found['high'] * m.factor:.3g})"
    return value


def leaderboard(results: Sequence[dict[str, Any]], *, intervals: bool = True) -> Rows:
    """A row for each method, those with the highest IoU first; the first row is the head."""
    ordered = sorted(results, key=lambda r: -(r["overall"].get("iou") or {"value": -1})["value"])
    head = ["method", *(MEASURES[m].title for m in MAIN), "worst IoU"]
    rows = [head]
    for r in ordered:
        worst = r["worst"].get("iou")
        cells = [figure(r["overall"].get(m), m, interval=intervals) for m in MAIN]
        rows.append([r["method"]["name"], *cells, "–" if worst is None else f"{worst['value']:.3g} ({worst['scene']})"])
    return rows


def by_scene(results: Sequence[dict[str, Any]], name: str = "iou") -> Rows:
    """A row for each scene, a column for each method."""
    scenes = sorted({s for r in results for s in r["scenes"]})
    rows = [["scene", *(r["method"]["name"] for r in results)]]
    for s in scenes:
        cells = []
        for r in results:
            total, weight = MEASURES[name].part(name, r["scenes"][s]) if s in r["scenes"] else (0.0, 0.0)
            cells.append(f"{total / weight * MEASURES[name].factor:.3g}" if weight else "–")
        rows.append([s, *cells])
    return rows


def compared(results: Sequence[dict[str, Any]], against: str, name: str = "iou") -> Rows:
    """How far each method is above ``against``, on scenes that both have; and the scene where it falls behind most."""
    base = next(r for r in results if r["method"]["name"] == against)
    m = MEASURES[name]
    rows = [["method", f"{m.title} above {against}", "least", "in", "scenes"]]
    for r in results:
        shared = [s for s in base["scenes"] if s in r["scenes"]]
        ours, theirs = ([m.part(name, x["scenes"][s]) for s in shared] for x in (r, base))
        found = difference(ours, theirs, r["seed"])
        if r is base or found is None:
            continue
        gaps = {s: a[0] / a[1] - b[0] / b[1] for s, a, b in zip(shared, ours, theirs, strict=True) if a[1] > 0 and b[1] > 0}
        worst = min(gaps, key=lambda s: gaps[s] if m.better == "high" else -gaps[s])
        between = "" if found.low is None or found.high is None else f" ({found.low * m.factor:+.3g} to {found.high * m.factor:+.3g})"
        cells = [f"{found.value * m.factor:+.3g}{between}", f"{gaps[worst] * m.factor:+.3g}", worst, str(found.scenes)]
        rows.append([r["method"]["name"], *cells])
    return rows


def by_tag(results: Sequence[dict[str, Any]], name: str = "iou") -> Rows:
    """A row for each tag, with how many scenes have it, a column for each method."""
    tags = sorted({t for r in results for t in r["by_tag"]})
    rows = [["tag", "scenes", *(r["method"]["name"] for r in results)]]
    for t in tags:
        found = [r["by_tag"].get(t, {}).get(name) for r in results]
        count = max((sum(t in s["tags"] for s in r["scenes"].values()) for r in results), default=0)
        rows.append([t, str(count), *(figure(f, name) for f in found)])
    return rows


def by_group(results: Sequence[dict[str, Any]], key: str, name: str) -> Rows:
    """key: "by_angle" or "by_size". A row for each group of degrees, a column for each method. name: "recall" or "iou"."""
    groups = sorted({(g["from"], g["to"]) for r in results for g in r[key]})
    rows = [["degrees", *(r["method"]["name"] for r in results)]]
    for low, high in groups:
        found = [next((g.get(name) for g in r[key] if g["from"] == low), None) for r in results]
        rows.append([f"{low} to {high}" if high < 180 else f"above {low}", *(figure(f, name) for f in found)])
    return rows


def markdown(rows: Rows) -> str:
    """As a table of Markdown; figures to the right."""
    marks = ["---", *("---:" for _ in rows[0][1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], marks, *rows[1:]]) + "\n"

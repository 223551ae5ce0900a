"""The learning curves of docs/guide/training.md, drawn from what runs wrote: python docs/training_curves.py [NAME=RUN ...]

With runs, their evaluations are taken into docs/training/curves.json first. It holds all that is drawn, so that the picture can be made
without the runs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from xml.sax.saxutils import escape

HERE = Path(__file__).parent
CURVES = HERE / "training" / "curves.json"
PICTURE = HERE / "images" / "training_curves.svg"
_COLOURS = ("#2f6db5", "#d1662a", "#3d8b4f", "#8a4fa3")
_WIDTH, _HEIGHT, _LEFT, _TOP, _GAP = 380, 220, 56, 34, 70

Curves = dict[str, dict[str, list[list[float]]]]


def taken(runs: dict[str, Path]) -> Curves:
    """name -> data that are evaluated on -> [step, MAD] of a run's log."""
    found: Curves = {}
    for name, folder in runs.items():
        of: dict[str, list[list[float]]] = {}
        for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            for data, measures in row.get("evaluation", {}).items():
                of.setdefault(data, []).append([row["step"], round(measures["mad"], 5)])
        found[name] = of
    return found


def picture(curves: Curves) -> str:
    """A panel for each of the data, a line for each run."""
    panels = list(dict.fromkeys(data for of in curves.values() for data in of))
    width = len(panels) * (_WIDTH + _GAP) + 10
    parts = []
    for k, data in enumerate(panels):
        x0 = _LEFT + k * (_WIDTH + _GAP)
        rows = {name: of[data] for name, of in curves.items() if data in of}
        most = max(v for points in rows.values() for _, v in points) * 1.08
        last = max(s for points in rows.values() for s, _ in points)
        parts.append(f'<text x="{x0}" y="20" font-weight="bold">{escape(data.replace("_", " "))}: MAD</text>')
        for n in range(5):
            y = _TOP + _HEIGHT * (1 - n / 4)
            parts.append(f'<path d="M {x0} {y:.1f} h {_WIDTH}" stroke="#ddd"/>')
            parts.append(f'<text x="{x0 - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{most * n / 4:.2f}</text>')
            parts.append(
                f'<text x="{x0 + _WIDTH * n / 4:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle" fill="#555">{last * n / 4:.0f}</text>'
            )
        for (name, points), colour in zip(rows.items(), _COLOURS, strict=False):
            path = " ".join(f"{x0 + _WIDTH * s / last:.1f},{_TOP + _HEIGHT * (1 - v / most):.1f}" for s, v in points)
            parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
            if k == 0:
                row = list(rows).index(name)
                parts.append(
                    f'<text x="{x0 + _WIDTH - 8}" y="{_TOP + 16 + 17 * row}" text-anchor="end" fill="{colour}">{escape(name)}</text>'
                )
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {_HEIGHT + 70}" font-family="sans-serif" font-size="12">'
        "<title>Errors of three networks on data that they are not trained on, over steps</title>"
        f'<rect width="{width}" height="{_HEIGHT + 70}" fill="white"/>'
    )
    return "\n".join([head, *parts, f'<text x="{_LEFT}" y="{_HEIGHT + 66}" fill="#555">steps</text>', "</svg>\n"])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        made = taken({name: Path(folder) for name, _, folder in (word.partition("=") for word in sys.argv[1:])})
        CURVES.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    PICTURE.write_text(picture(json.loads(CURVES.read_text(encoding="utf-8"))), encoding="utf-8")

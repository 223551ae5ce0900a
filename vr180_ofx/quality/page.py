"""The report on mattes without a truth: one HTML file that holds its pictures and plots, to be sent to somebody and opened anywhere.

The plots are polylines in SVG; a plotting library would make the file a hundred times as large, and the installation, too.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.encode import jpeg
from vr180_ofx.imaging.morphology import dilate, square
from vr180_ofx.imaging.resize import resize
from vr180_ofx.output.colour import unmixed
from vr180_ofx.quality.blind import METRICS, Judgement
from vr180_ofx.storage import write_atomic
from vr180_ofx.version import __version__

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 860, 150, 54, 22
_PICTURE = 460
_JPEG_QUALITY = 86
_COLOURS = ("#5cc8ff", "#ff9f5c", "#8fe388", "#e58cff", "#ffd75c", "#ff7b8a", "#9db4ff", "#c9c9c9")
#: Of pages that stand alone.
STYLE = """
:root{color-scheme:dark}
body{background:#15171b;color:#d7dae0;font:15px/1.5 system-ui,sans-serif;margin:0 auto;max-width:1040px;padding:24px}
h1{font-size:22px;margin:0 0 4px}h2{font-size:17px;margin:32px 0 8px;border-bottom:1px solid #2c3038;padding-bottom:4px}
table{border-collapse:collapse;width:100%}td,th{padding:4px 10px;text-align:left;border-bottom:1px solid #24282f}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.bad{color:#ff9f5c}.good{color:#8fe388}.dim{color:#8b919c}
figure{margin:0 0 18px;display:inline-block;vertical-align:top;margin-right:14px}figcaption{color:#8b919c;font-size:13px;max-width:460px}
img{display:block;border-radius:4px;max-width:460px}svg{background:#1b1e23;border-radius:6px;width:100%;height:auto}
svg text{fill:#8b919c;font:11px system-ui,sans-serif}.key{display:inline-block;width:12px;height:3px;margin:0 6px 3px 14px}
.wiggle{position:relative}.wiggle img+img{position:absolute;top:0;left:0;animation:w .5s steps(1) infinite}
@keyframes w{0%{opacity:0}50%{opacity:1}}
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """rgb: (h, w, 3) 0..1. caption: what it shows."""

    rgb: FloatArray
    caption: str


def write_page(
    path: Path, judgement: Judgement, *, facts: dict[str, Any], worst: Iterable[Picture] = (), anaglyph: Picture | None = None,
    wiggle: tuple[Picture, Picture] | None = None,
) -> None:  # fmt: skip
    """Written whole or not at all.

    facts: what stands below the title, name and value. worst: the frames that are worth a look. anaglyph: both eyes in one picture.
    wiggle: the left eye and the right one, to be shown in turn.
    """
    parts = [f"<h1>Mattes of {html.escape(str(facts.get('clip', '')))}</h1>", f"<p class=dim>{_facts(facts)}</p>", _table(judgement)]
    warnings = judgement.warnings()
    parts.append("<h2>Worth a look</h2>")
    if warnings:
        parts.append("<table><tr><th>what<th>who<th>eye<th class=n>frames<th class=n>worst at<th class=n>value<th class=n>limit</tr>")
        parts += [
            f"<tr><td>{w['metric']}<td>{html.escape(w['person'])}<td>{w['view']}<td class=n>{len(w['frames'])}<td class=n>{w['worst']}"
            f"<td class='n bad'>{w['value']:.3g}<td class=n>{w['limit']:.3g}</tr>"
            for w in warnings
        ]
        parts.append("</table>")
    else:
        parts.append("<p class=good>Nothing lies above its limit.</p>")
    pictures = list(worst)
    if pictures:
        parts.append("<h2>The worst of each</h2>")
        parts += [_figure(p) for p in pictures]
    parts.append("<h2>Over time</h2>")
    parts.append(_legend(judgement))
    parts += [_plot(judgement, name) for name in METRICS]
    if anaglyph is not None or wiggle is not None:
        parts.append("<h2>Both eyes</h2>")
    if anaglyph is not None:
        parts.append(_figure(anaglyph))
    if wiggle is not None:
        left, right = (f"<img src='{data_uri(p.rgb)}' alt=''>" for p in wiggle)
        parts.append(f"<figure><div class=wiggle>{left}{right}</div><figcaption>{html.escape(wiggle[0].caption)}</figcaption></figure>")
    title = html.escape(f"Mattes of {facts.get('clip', '')}")
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
    write_atomic(path, f"{head}<body>{''.join(parts)}</body></html>\n".encode())


def _facts(facts: dict[str, Any]) -> str:
    words = [f"{html.escape(k)} {html.escape(str(v))}" for k, v in facts.items() if k != "clip"]
    return " · ".join([*words, f"vr180-ofx {__version__}"])


def _table(judgement: Judgement) -> str:
    rows = ["<table><tr><th>measure<th class=n>mean<th class=n>worst<th class=n>limit<th>what it is</tr>"]
    summary = judgement.summary()
    for name, (meaning, _) in METRICS.items():
        limit = judgement.limits[name]
        if name not in summary:
            rows.append(f"<tr><td>{name}<td class=n>–<td class=n>–<td class=n>{limit:.3g}<td class=dim>{meaning}; not measured</tr>")
            continue
        mean, most = summary[name]["mean"], summary[name]["worst"]
        kind = "bad" if most > limit else "good"
        rows.append(
            f"<tr><td>{name}<td class=n>{mean:.3g}<td class='n {kind}'>{most:.3g}<td class=n>{limit:.3g}<td class=dim>{meaning}</tr>"
        )
    return "".join([*rows, "</table>"])


def _tracks(judgement: Judgement) -> list[tuple[str, str]]:
    return sorted({(r.person, r.view) for r in judgement.rows})


def _legend(judgement: Judgement) -> str:
    out = []
    for k, (person, view) in enumerate(_tracks(judgement)):
        key = f"<span class=key style='background:{_COLOURS[k % len(_COLOURS)]}'></span>"
        out.append(f"<span style='white-space:nowrap'>{key}{html.escape(person)} {view}</span> ")
    return f"<p class=dim>{''.join(out)}</p>"


def _plot(judgement: Judgement, name: str) -> str:
    """Frames to the right, the metric upwards, its limit dashed."""
    rows = [r for r in judgement.rows if name in r.values]
    if not rows:
        return ""
    first, last = min(r.frame for r in judgement.rows), max(r.frame for r in judgement.rows)
    limit = judgement.limits[name]
    top = 1.1 * max(limit, *(r.values[name] for r in rows))

    def x(frame: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * (frame - first) / max(1, last - first)

    def y(value: float) -> float:
        return 8 + (_HEIGHT - _BOTTOM - 8) * (1 - value / top)

    parts = [f"<p>{name}</p><svg viewBox='0 0 {_WIDTH} {_HEIGHT}' role=img aria-label='{name} over time'>"]
    marks = (0.0, limit, top / 1.1) if top / 1.1 > 1.15 * limit else (0.0, limit)
    parts += [f"<text x='{_LEFT - 6}' y='{y(value) + 4:.1f}' text-anchor=end>{value:.3g}</text>" for value in marks]
    parts.append(
        f"<line x1={_LEFT} x2={_WIDTH - 10} y1={y(limit):.1f} y2={y(limit):.1f} stroke='#ff9f5c' stroke-dasharray='4 4' opacity=.6 />"
        f"<line x1={_LEFT} x2={_WIDTH - 10} y1={y(0):.1f} y2={y(0):.1f} stroke='#3a3f48' />"
    )
    ticks = sorted({first, (first + last) // 2, last})
    parts += [f"<text x='{x(frame):.1f}' y='{_HEIGHT - 6}' text-anchor=middle>{frame}</text>" for frame in ticks]
    for k, (person, view) in enumerate(_tracks(judgement)):
        own = [r for r in rows if (r.person, r.view) == (person, view)]
        if not own:
            continue
        colour, runs = _COLOURS[k % len(_COLOURS)], [[own[0]]]
        for r in own[1:]:
            if r.frame == runs[-1][-1].frame + 1:
                runs[-1].append(r)
            else:
                runs.append([r])
        for run in runs:
            points = " ".join(f"{x(r.frame):.1f},{y(r.values[name]):.1f}" for r in run)
            if len(run) == 1:
                points = f"{points} {x(run[0].frame) + 2:.1f},{y(run[0].values[name]):.1f}"
            parts.append(f"<polyline points='{points}' fill=none stroke='{colour}' stroke-width=1.5 />")
    return "".join([*parts, "</svg>"])


def _figure(picture: Picture) -> str:
    return f"<figure><img src='{data_uri(picture.rgb)}' alt=''><figcaption>{html.escape(picture.caption)}</figcaption></figure>"


def data_uri(rgb: FloatArray, size: int = _PICTURE) -> str:
    """A JPEG of the longer side ``size``, to be the source of an image. rgb: (h, w, 3) 0..1."""
    scale = size / max(rgb.shape[:2])
    shape = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = resize(rgb.astype(np.float32), shape, "area" if scale < 1 else "cubic")
    data = jpeg(np.clip(small * 255, 0, 255).astype(np.uint8), _JPEG_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"


def outlined(plate: FloatArray, alpha: FloatArray) -> FloatArray:
    """The plate, darker where nobody is, and the outline of the matte on it. (h, w, 3)."""
    out = plate * (0.45 + 0.55 * alpha[..., None])
    inside = alpha > 0.5
    out[dilate(inside, square(1)) & ~inside] = (1.0, 0.25, 0.8)
    return out.astype(np.float32)


def over_grey(plate: FloatArray, alpha: FloatArray) -> FloatArray:
    """The people over an even grey: edges show."""
    out: FloatArray = unmixed(plate, alpha) * alpha[..., None] + np.float32(0.42) * (1 - alpha[..., None])
    return np.clip(out, 0, 1)

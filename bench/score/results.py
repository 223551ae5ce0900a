"""A method's result over scenes: figures with intervals; all of them together, and by what is hard about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from bench.score.intervals import estimate
from bench.score.measures import ANGLES, MEASURES, SIZES
from vr180_ofx.errors import MediaError
from vr180_ofx.storage import write_atomic

FORMAT = "vr180-bench result 1"
Scenes = Mapping[str, dict[str, Any]]


def assembled(method: dict[str, Any], scenes: Scenes, seed: int = 0) -> dict[str, Any]:
    """What ``score`` writes. method: name, and what else is known of it. scenes: name -> `scene.score_scene`. seed: of the intervals."""
    tags = sorted({t for s in scenes.values() for t in s["tags"]})
    return {
        "format": FORMAT,
        "method": method,
        "seed": seed,
        "overall": _figures(scenes, seed),
        "worst": _worst(scenes),
        "with_nobody": _figures({k: s for k, s in scenes.items() if s["nobody"]}, seed),
        "by_tag": {t: _figures({k: s for k, s in scenes.items() if t in s["tags"]}, seed) for t in tags},
        "by_angle": _by(scenes, "angle_degrees", ANGLES, seed),
        "by_size": _by(scenes, "size_degrees", SIZES, seed),
        "scenes": dict(scenes),
    }


def _figures(scenes: Scenes, seed: int) -> dict[str, Any]:
    out = {}
    for name, measure in MEASURES.items():
        found = estimate([measure.part(name, s) for s in scenes.values()], seed)
        if found is not None:
            out[name] = found.to_dict()
    return out


def _worst(scenes: Scenes) -> dict[str, Any]:
    """Measure -> the scene where it is worst, and how bad."""
    out = {}
    for name, measure in MEASURES.items():
        parts = {k: measure.part(name, s) for k, s in scenes.items()}
        values = {k: total / weight for k, (total, weight) in parts.items() if weight > 0}
        if values:
            scene = (min if measure.better == "high" else max)(values, key=lambda k: values[k])
            out[name] = {"scene": scene, "value": round(values[scene], 6)}
    return out


def _by(scenes: Scenes, key: str, edges: Sequence[int], seed: int) -> list[dict[str, Any]]:
    """Recall and IoU around people, in groups of ``key``: people in eyes of frames count the same, scenes are drawn."""
    rows = []
    for low, high in pairwise(edges):
        inside: Callable[[dict[str, Any]], bool] = lambda s, low=low, high=high: low <= s[key] < high  # type: ignore[misc]  # noqa: E731
        groups = [[s for s in scene["sightings"] if inside(s)] for scene in scenes.values()]
        if not any(groups):
            continue
        recall = estimate([(sum(s["found"] for s in g if s["counts"]), sum(s["counts"] for s in g)) for g in groups], seed)
        iou = estimate([(sum(s["iou"] for s in g), len(g)) for g in groups], seed)
        rows.append(
            {"from": low, "to": high, "sightings": sum(len(g) for g in groups)}
            | {k: e.to_dict() for k, e in (("recall", recall), ("iou", iou)) if e is not None}
        )
    return rows


def write_result(path: Path, result: dict[str, Any]) -> None:
    """Written whole or not at all."""
    write_atomic(path, (json.dumps(result, indent=1) + "\n").encode())


def read_result(path: Path) -> dict[str, Any]:
    """Raises MediaError where a file is none that ``score`` wrote."""
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be read as a result: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        said = data.get("format") if isinstance(data, dict) else type(data).__name__
        raise MediaError(f"{path} says its format is {said!r}; it must be {FORMAT!r}, as `python -m bench score` writes it")
    return data

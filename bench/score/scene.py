"""One scene: its truth, and the scores of a method's mattes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from bench.score.observer import Observer
from bench.score.outputs import Whole, nothing, open_output
from vr180_ofx.errors import MediaError
from vr180_ofx.quality.evaluate import evaluate
from vr180_ofx.quality.truth import Truth

#: Kept of `evaluate`, as means over eyes.
_KEPT = ("mad", "mse", "sad", "grad", "conn", "band_mad", "dtssd", "stereo_error", "stereo_error_of_the_truth")


def is_scene(folder: Path) -> bool:
    """Whether a folder holds a clip with truth."""
    return (folder / "gt_everybody.mkv").exists() or any(folder.glob("gt_person*.mkv"))


def find_scenes(folder: Path, names: Sequence[str] = ()) -> dict[str, Path]:
    """Name -> folder, of one scene, or of all in a folder; names: only these. Raises MediaError."""
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder; scenes are folders with clip.mp4 and gt_person1.mkv, or a folder of those")
    # a hidden folder is a scene that is still being rendered
    inside = [p for p in sorted(folder.iterdir()) if p.is_dir() and not p.name.startswith(".")]
    found = {folder.name: folder} if is_scene(folder) else {p.name: p for p in inside if is_scene(p)}
    if not found:
        raise MediaError(f"{folder} holds no scenes: folders with gt_person1.mkv, ..., or gt_everybody.mkv, are looked for")
    unknown = [n for n in names if n not in found]
    if unknown:
        raise MediaError(f"{folder} has no scene {', '.join(unknown)}; it has {', '.join(found)}")
    return {n: p for n, p in found.items() if not names or n in names}


def tags_of(scene: dict[str, Any]) -> list[str]:
    """Sorted words: "hair:long" where a tag has a value."""
    tags = scene.get("tags", [])
    if isinstance(tags, dict):
        pairs = [(k, v) for k, values in tags.items() for v in (values if isinstance(values, list) else [values])]
        return sorted({str(k) if v is True else f"{k}:{v}" for k, v in pairs if v is not False and v is not None})
    return sorted({str(t) for t in tags})


def score_scene(folder: Path, output: Path | None) -> dict[str, Any]:
    """Everything about one scene, as JSON has it. output: the method's folder of this scene; None: it wrote none, which counts as empty.

    Frames and eyes that were not written count as empty, too. Raises MediaError.
    """
    truth = Truth(folder)
    count = len(truth)
    written: Whole = nothing(truth.layout, count) if output is None else open_output(output, truth.layout, count)
    observer = Observer(truth)
    found = evaluate(written, folder, written.first, observe=observer, people=False)
    with_somebody = {(e["frame"], e["view"]) for e in observer.eyes if e["covered"] > 0}
    per_frame = [{**row, "frame": int(row["frame"]) - written.first} for row in found.per_frame]
    ious = [row[f"{v}.iou"] for row in per_frame for v in truth.layout.views if (row["frame"], v) in with_somebody]
    measures: dict[str, float | None] = {key: found.overall.get(key) for key in _KEPT}
    measures["iou"] = float(np.mean(ious)) if ious else None
    must = [s for s in observer.sightings if s.counts]
    switches, steps = observer.switches()
    disagree, both = observer.eyes_disagree()
    counts: dict[str, float] = {
        "eyes": len(observer.eyes), "people": len(truth.files), "must_find": len(must), "found": sum(s.found for s in must),
        "missed": sum(not s.found for s in must), "ghosts": sum(e["ghosts"] for e in observer.eyes),
        "on_likenesses": sum(e["on_likenesses"] for e in observer.eyes),
        "false_area": round(sum(e["false_area"] for e in observer.eyes), 6),
    }  # fmt: skip
    if observer.has_layers:
        counts |= {
            "switches": switches, "steps": steps, "eyes_disagree": disagree, "both_eyes": both, "shared_layers": observer.shared(),
            "ghost_layers": len(found.ghosts),
        }  # fmt: skip
    return {
        "frames": count,
        "frames_missing": written.missing,
        "tags": tags_of(truth.scene),
        "nobody": not with_somebody,
        "measures": {k: None if v is None else round(float(v), 6) for k, v in measures.items()},
        "counts": counts,
        "per_frame": [{k: round(v, 6) if isinstance(v, float) else v for k, v in row.items()} for row in per_frame],
        "eyes": [{k: round(v, 6) if isinstance(v, float) else v for k, v in e.items()} for e in observer.eyes],
        "sightings": [{k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(s).items()} for s in observer.sightings],
    }

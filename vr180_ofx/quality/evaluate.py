"""Holding rendered frames against the truth: per eye, per person, over time, and between the eyes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import MediaError
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Mattes, Truth, TruthFrame, find_prediction

#: A truth person is found in an eye of a frame when its layers cover at least so much of them.
FOUND = 0.3
#: A layer whose pixels lie on people for less than this share shows somebody who is not there.
GHOST = 0.3
_PRESENT_PIXELS_AT_1024 = 60
Progress = Callable[[int, int], None]
#: Called with a frame of truth, the view, its layers (name -> alpha, '' for everybody) and the frame's index, for measures of one's own.
Observe = Callable[[TruthFrame, str, dict[str, FloatArray], int], None]


@dataclass(slots=True)
class Evaluation:
    """Metrics; ``to_dict`` is what ``--json`` prints.

    views: the eyes that were compared. start_frame: the number of the file that shows the truth's first frame. start_known: how that is
    known, in words. unmatched: numbers of files that show no frame of the truth.
    """

    frames: int = 0
    start_frame: int = 1
    start_known: str = ""
    views: tuple[str, ...] = ()
    unmatched: list[int] = field(default_factory=list)
    eyes: dict[str, dict[str, float]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    overall: dict[str, float | None] = field(default_factory=dict)
    ghosts: list[dict[str, Any]] = field(default_factory=list)
    layers: list[str] = field(default_factory=list)
    per_frame: list[dict[str, float]] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        return {
            "frames": self.frames,
            "start_frame": self.start_frame,
            "unmatched": self.unmatched,
            "overall": _rounded(self.overall),
            "eyes": {k: _rounded(v) for k, v in self.eyes.items()},
            "people": {k: _rounded(v) for k, v in self.people.items()},
            "layers": self.layers,
            "ghosts": self.ghosts,
            "per_frame": [_rounded(f) for f in self.per_frame],
        }


def evaluate(
    prediction: Path | Mattes, truth_folder: Path, start_frame: int | None = None, progress: Progress | None = None, *,
    observe: Observe | None = None, people: bool = True,
) -> Evaluation:  # fmt: skip
    """prediction: a folder of EXR frames, or what gives mattes by number. start_frame: the number of the one that shows the truth's first
    frame; by default as the files tell, see `Prediction.first_number`. people: whether each person's own layers are judged, too, for which
    everything is read once more. Raises MediaError.
    """
    truth, found = Truth(truth_folder), find_prediction(prediction) if isinstance(prediction, Path) else prediction
    known = "as --start-frame says"
    if start_frame is None:
        start_frame, known = found.first_number(len(truth), str(truth_folder))
    # a render of one eye is held against that eye; that one lacks an eye which does not say so is an error
    eye = found.eye
    views = tuple(v for v in truth.layout.views if eye in (None, v))
    if not views:
        raise MediaError(f"{prediction} holds the {eye} eye alone, and the truth has {', '.join(truth.layout.views)}")
    count = len(truth)
    outside = [n for n in sorted(found.files) if not start_frame <= n < start_frame + count]
    result = Evaluation(start_frame=start_frame, start_known=known, views=views, unmatched=outside)
    sums: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    before: dict[str, tuple[FloatArray, FloatArray]] = {}
    stereo: list[float] = []
    floor: list[float] = []
    radius = metrics.band_radius(truth.layout.eye_size[0])
    coverage = _Coverage(_PRESENT_PIXELS_AT_1024 * (truth.layout.eye_size[0] / 1024) ** 2)
    for index, frame in enumerate(truth.frames()):
        number = index + start_frame
        if number not in found.files:
            # what changed over a gap is no change from frame to frame
            before.clear()
            continue
        read = found.read(number)
        row: dict[str, float] = {"frame": number}
        for view in views:
            if view not in read:
                raise MediaError(f"frame {number} of {prediction} has no view {view}; it has {', '.join(read)}")
            if "" not in read[view]:
                raise MediaError(f"frame {number} of {prediction} has no alpha channel (A) in view {view}")
            alpha, real = read[view][""], frame.union(view)
            if alpha.shape != real.shape:
                raise MediaError(
                    f"frame {number} of {prediction} is {alpha.shape[1]}x{alpha.shape[0]} and the truth is {real.shape[1]}x{real.shape[0]}"
                )
            values = _compare(alpha, real, radius)
            if view in before:
                values["dtssd"] = metrics.dtssd(alpha, before[view][0], real, before[view][1])
            before[view] = (alpha, real)
            for key, value in values.items():
                sums[view][key].append(value)
                row[f"{view}.{key}"] = value
            coverage.add(frame, view, read[view], index)
            if observe is not None:
                observe(frame, view, read[view], index)
        error = _stereo(truth, frame, read) if len(views) == len(truth.layout.views) else None
        if error is not None:
            stereo.append(error[0])
            floor.append(error[1])
            row["stereo"] = error[0]
        result.frames += 1
        result.per_frame.append(row)
        if progress:
            progress(result.frames, len(found.files))
    if result.frames == 0:
        raise MediaError(
            f"no frame of {prediction} has a counterpart in {truth_folder}: its files are numbered {min(found.files)} to "
            f"{max(found.files)}, and the truth's {count} frames begin at number {start_frame}, {known}"
        )
    result.eyes = {view: {k: float(np.mean(v)) for k, v in sums[view].items()} for view in views}
    keys = sorted({k for e in result.eyes.values() for k in e})
    result.overall = {k: float(np.mean([e[k] for e in result.eyes.values() if k in e])) for k in keys}
    result.overall["stereo_error"] = float(np.mean(stereo)) if stereo else None
    result.overall["stereo_error_of_the_truth"] = float(np.mean(floor)) if floor else None
    _people(result, truth, coverage)
    if people:
        _person_quality(result, truth, found, start_frame)
    return result


def _compare(alpha: FloatArray, real: FloatArray, radius: int) -> dict[str, float]:
    values = {
        "iou": metrics.iou(alpha, real),
        "mad": metrics.mad(alpha, real),
        "mse": metrics.mse(alpha, real),
        "sad": metrics.sad(alpha, real),
        "grad": metrics.gradient_error(alpha, real),
        "conn": metrics.connectivity_error(alpha, real),
    }
    band = metrics.band_mad(alpha, real, radius)
    if band is not None:
        values["band_mad"] = band
    return values


@dataclass(slots=True)
class _Coverage:
    """Which layers cover whom, over all frames. least: pixels of somebody who counts as present.

    overlap: (layer, person) -> pixels that both have. layer_area: layer -> its pixels; layer_on_people: of these, on anybody.
    present: (view, person, layer -> share of them that it covers, frame), for everybody present.
    """

    least: float
    overlap: dict[tuple[str, int], float] = field(default_factory=lambda: defaultdict(float))
    layer_area: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    layer_on_people: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    present: list[tuple[str, int, dict[str, float], int]] = field(default_factory=list)

    def add(self, frame: TruthFrame, view: str, layers: dict[str, FloatArray], index: int) -> None:
        """One eye of a frame, in place. layers: name -> alpha."""
        real = frame.union(view) > 0.2
        inside = {name: a > 0.5 for name, a in layers.items() if name}
        for name, mask in inside.items():
            self.layer_area[name] += float(np.count_nonzero(mask))
            self.layer_on_people[name] += float(np.count_nonzero(mask & real))
        for k, alpha in frame.people[view].items():
            body = alpha > 0.5
            area = float(np.count_nonzero(body))
            shares = {}
            for name, mask in inside.items():
                common = float(np.count_nonzero(mask & body))
                self.overlap[name, k] += common
                shares[name] = common / max(area, 1.0)
            if area >= self.least:
                self.present.append((view, k, shares, index))


def _people(result: Evaluation, truth: Truth, coverage: _Coverage) -> None:
    """Whose layer each is, who was found, and who is not there."""
    owner: dict[str, int] = {}
    result.layers = sorted(coverage.layer_area)
    for name, area in coverage.layer_area.items():
        share = coverage.layer_on_people[name] / area if area else 1.0
        if area and share < GHOST:
            result.ghosts.append({"layer": name, "share_on_people": round(share, 3)})
        if area and truth.files:
            owner[name] = max(truth.files, key=lambda k: coverage.overlap[name, k])
    for k in truth.files:
        mine = [name for name in owner if owner[name] == k]
        rows: dict[str, Any] = {"layers": ", ".join(sorted(mine))}
        for view in result.views:
            seen = [shares for v, person, shares, _ in coverage.present if v == view and person == k]
            hits = [sum(s for name, s in shares.items() if name in mine) >= FOUND for shares in seen]
            rows[f"{view}.frames_present"] = len(hits)
            rows[f"{view}.found"] = float(np.mean(hits)) if hits else None
        both: dict[int, list[bool]] = defaultdict(list)
        for _view, person, shares, index in coverage.present:
            if person == k:
                both[index].append(sum(s for name, s in shares.items() if name in mine) >= FOUND)
        rows["found_in_all_eyes"] = float(np.mean([all(v) for v in both.values()])) if both else None
        result.people[f"truth {k}"] = rows
    together: dict[int, list[bool]] = defaultdict(list)
    for _view, person, shares, index in coverage.present:
        together[index].append(sum(s for name, s in shares.items() if owner.get(name) == person) >= FOUND)
    result.overall["everybody_found"] = float(np.mean([all(v) for v in together.values()])) if together else None


def _person_quality(result: Evaluation, truth: Truth, found: Mattes, start_frame: int) -> None:
    """What each person's own layers say of them."""
    person_iou: dict[tuple[str, int, str], list[float]] = defaultdict(list)
    for index, frame in enumerate(truth.frames()):
        if index + start_frame not in found.files:
            continue
        views = found.read(index + start_frame)
        for view in result.views:
            for k, real in frame.people[view].items():
                names = [n for n in result.people[f"truth {k}"]["layers"].split(", ") if n]
                mine = np.zeros_like(real)
                for name in names:
                    mine = mine + views[view].get(name, 0)
                mine = np.clip(mine, 0, 1)
                person_iou[view, k, "iou"].append(metrics.iou(mine, real))
                person_iou[view, k, "mad"].append(metrics.mad(mine, real))
    for (view, k, key), values in person_iou.items():
        result.people[f"truth {k}"][f"{view}.{key}"] = float(np.mean(values))


def _stereo(truth: Truth, frame: TruthFrame, views: dict[str, dict[str, FloatArray]]) -> tuple[float, float] | None:
    """Mean |left alpha warped to the right eye - right alpha| near people: of the prediction, and of the truth itself (resampling and
    the depth map's edges: about the least that can be had).
    """
    known = truth.counterpart(frame)
    if known is None:
        return None
    places, valid = known
    real_left, real_right = frame.union("left"), frame.union("right")
    expected = np.nan_to_num(metrics.warp(real_left, places, valid))
    # what the left eye does not see (another person stands before it there) cannot be compared
    valid = valid & (np.abs(expected - real_right) < 0.5)
    if not valid.any():
        return None
    warped = np.nan_to_num(metrics.warp(views["left"][""], places, valid))
    error = float(np.abs(warped - views["right"][""])[valid].mean())
    floor = float(np.abs(expected - real_right)[valid].mean())
    return error, floor


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {k: round(v, 6) if isinstance(v, float) else v for k, v in values.items()}

"""The measures of the benchmark: what each is, and of which sums over scenes it is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure.

    title: for tables. factor: what it is printed times. better: "high" or "low". what: in words. sums: names of the sum and the weight
    among a scene's counts; empty: the scene's own value, each scene weighing the same.
    """

    title: str
    factor: float
    better: str
    what: str
    sums: tuple[str, str] | None = None

    def part(self, name: str, scene: Mapping[str, Mapping[str, float | None]]) -> tuple[float, float]:
        """(sum, weight) of a scene; no weight where it has nothing to say."""
        if self.sums is None:
            value = scene["measures"].get(name)
            return (0.0, 0.0) if value is None else (value, 1.0)
        total, weight = (scene["counts"].get(key) for key in self.sums)
        return float(total or 0), float(weight or 0)


MEASURES: dict[str, Measure] = {
    "iou": Measure("IoU", 1, "high", "of what is more than half covered, in eyes of frames with somebody"),
    "mad": Measure("MAD x 1e-3", 1e3, "low", "mean absolute difference over all pixels of an eye"),
    "mse": Measure("MSE x 1e-3", 1e3, "low", "mean squared difference"),
    "sad": Measure("SAD", 1, "low", "sum of absolute differences of an eye, in thousands"),
    "grad": Measure("Grad", 1, "low", "Rhemann and others 2009, in thousands"),
    "conn": Measure("Conn", 1, "low", "Rhemann and others 2009, in thousands"),
    "band_mad": Measure("band MAD", 1, "low", "MAD within 5 pixels (of 1024) around the truth's outline"),
    "dtssd": Measure("dtSSD x 100", 1, "low", "error of changes over time, Erofeev and others 2015"),
    "stereo_error": Measure("stereo error", 1, "low", "the left alpha, warped to the right eye by the true geometry, and the right one"),
    "recall": Measure(
        "recall", 1, "high", "people of at least a twentieth of the view, a third visible, of whom 30 % are covered", ("found", "must_find")
    ),
    "misses": Measure("misses", 1, "low", "people who were not found, for each eye of a frame", ("missed", "eyes")),
    "ghosts": Measure("ghosts", 1, "low", "mattes as large as a person where nobody is, for each eye of a frame", ("ghosts", "eyes")),
    "on_likenesses": Measure(
        "of these on likenesses", 1, "low", "ghosts on mannequins, statues and posters of people", ("on_likenesses", "eyes")
    ),
    "false_area": Measure("false area x 1e-3", 1e3, "low", "share of the view that is covered away from everybody", ("false_area", "eyes")),
    "switches": Measure(
        "identity switches", 1, "low", "share of steps from frame to frame at which somebody's layer is another one", ("switches", "steps")
    ),
    "eyes_disagree": Measure(
        "eyes disagree", 1, "low", "share of frames in which somebody's layer is another one in the other eye",
        ("eyes_disagree", "both_eyes"),
    ),
}  # fmt: skip
#: What the leaderboard shows.
MAIN = ("iou", "recall", "ghosts", "on_likenesses", "mad", "band_mad", "dtssd", "stereo_error", "switches")
#: Edges of groups, in degrees: how far from the view's axis, how large.
ANGLES, SIZES = (0, 15, 30, 45, 60, 180), (0, 9, 20, 40, 70, 180)

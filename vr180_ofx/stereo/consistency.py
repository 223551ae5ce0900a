"""What the eyes owe each other: modes, and what is done about an eye that does not keep up.

independent: each eye alone. master_slave: the eyes are compared for each person and frame, and where they do not agree the weaker one is
corrected. joint: the same, and where they agree, they decide on each edge together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.logistic import logit, sigmoid
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import EyeImage
from vr180_ofx.stereo.reconcile import join
from vr180_ofx.stereo.transfer import correct, without
from vr180_ofx.stereo.validate import Agreement, Seen, carried, validate
from vr180_ofx.trackers.contract import Key, Mask, Prompt, WindowImage
from vr180_ofx.vr180.alignment import LEVEL, Alignment
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye
from vr180_ofx.vr180.projection import Projection

#: Decimals in what is reported.
_DECIMALS = 4
#: How much an eye is heard whose picture is damaged.
_DAMAGED = 0.1


@dataclass(frozen=True, slots=True)
class Consistency:
    """The settings of the section stereo, as frames need them. alignment: how the cameras are turned against each other."""

    mode: str
    threshold: float
    method: str
    master: str
    alignment: Alignment = LEVEL

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return f"{self.mode}:{self.threshold:g}:{self.method}:{self.master}:{self.alignment.identity()}"

    def validate(
        self, masks: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], projection: Projection, shifts: Mapping[int, float | None]
    ) -> dict[int, Agreement]:
        """Person -> what both eyes say of them, for those whom the plan has in both. shifts: what it knows of their distance."""
        soft = {key: sigmoid(mask.logits) for key, mask in masks.items()}

        def seen(key: Key) -> Seen:
            image = windows[key]
            before = [(soft[k], windows[k].window) for k in ((other, key[1]) for other in image.occluders) if k in soft and k != key]
            return Seen(soft[key], image.sample.guide[..., 0], image.window, masks[key].score, before)

        both = [k for k, view in masks if view == LEFT and (k, RIGHT) in masks]
        given = projection, self.threshold, self.master
        return {k: validate(seen((k, LEFT)), seen((k, RIGHT)), *given, shifts.get(k), self.alignment) for k in both}


@dataclass(slots=True)
class Report:
    """What became of the eyes in one frame, by the names of people; what a frame's metadata says of it."""

    agreement: dict[str, float]
    corrected: dict[str, str]
    damage: dict[str, str]
    joined: list[str]

    def to_dict(self) -> dict[str, object]:
        """Without what is empty."""
        facts = {"agreement": self.agreement, "corrected": self.corrected, "damage": self.damage, "joined": self.joined}
        return {k: v for k, v in facts.items() if v}


def guided(
    verdict: Agreement, masks: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], person: int, boxes: bool,
    alignment: Alignment = LEVEL,
) -> WindowImage | None:  # fmt: skip
    """The weaker eye's window with a prompt from the better one. boxes: a box and points in it; else the mask itself."""
    assert verdict.weaker is not None
    weak, strong = (person, verdict.weaker), (person, other_eye(verdict.weaker))
    image = windows[weak]
    soft = _carried(strong, weak, masks, windows, verdict.shift, alignment)
    inside = soft > 0.5
    if not inside.any():
        return None
    prompt = _box_and_points(inside) if boxes else Prompt(mask=inside)
    return replace(image, prompt=prompt, anchor=True)


def carried_mask(
    verdict: Agreement, masks: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], person: int, alignment: Alignment = LEVEL
) -> Mask:  # fmt: skip
    """The weaker eye's mask as the better one has it."""
    assert verdict.weaker is not None
    strong, weak = (person, other_eye(verdict.weaker)), (person, verdict.weaker)
    return Mask(carried_logits(weak, verdict.shift, masks, windows, alignment), masks[strong].score)


def carried_logits(
    key: Key, shift: float, masks: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], alignment: Alignment = LEVEL
) -> FloatArray:  # fmt: skip
    """What the other eye says of a person, in their window in this one. shift: see `validate.Agreement`."""
    return logit(_carried((key[0], other_eye(key[1])), key, masks, windows, shift, alignment))


def settle(
    consistency: Consistency, verdicts: Mapping[int, Agreement], patches: dict[Key, Patch | None], scores: Mapping[Key, float],
    windows: Mapping[Key, WindowImage], eyes: dict[str, EyeImage], projection: Projection, names: Mapping[int, str],
    run: Callable[[Callable[[int], None], list[int]], object], edges_only: bool = False,
) -> Report:  # fmt: skip
    """Corrects and joins mattes, in place.

    edges_only: see `reconcile.join`. scores: how sure trackers were. run: calls a function for each of several people, at once if it can.
    """
    report = Report({}, {}, {}, [])
    for person, verdict in verdicts.items():
        if verdict.agreement is not None:
            report.agreement[names[person]] = round(verdict.agreement, _DECIMALS)
        if verdict.damage:
            report.damage[names[person]] = verdict.describe()
        if verdict.mended:
            report.corrected[names[person]] = f"{verdict.mended}: {verdict.how}"

    # those in front come first: what they hide of others is cut out of what is carried
    for person in sorted(verdicts, key=lambda p: -verdicts[p].shift):
        verdict = verdicts[person]
        if verdict.weaker is None:
            continue
        weak, strong = (person, verdict.weaker), (person, other_eye(verdict.weaker))
        better = patches.get(strong)
        if better is None:
            continue
        method = "ensemble" if consistency.method == "ensemble" else "transfer"
        # an eye that sees something else is heard the less, the less it agrees
        say = scores[weak] * (verdict.agreement or 0.0) ** 2 * (_DAMAGED if verdict.weaker in dict(verdict.damage) else 1.0)
        made = correct(method, eyes, better, patches.get(weak), verdict.weaker, verdict.shift, say, projection, consistency.alignment)
        nearer = [p for k in windows[weak].occluders if (p := patches.get((k, verdict.weaker))) is not None]
        patches[weak] = without(made, nearer)
        report.corrected[names[person]] = f"{verdict.weaker}: {method}"

    pairs = [] if consistency.mode != "joint" else [
        p for p, v in verdicts.items() if v.weaker is None and patches.get((p, LEFT)) is not None and patches.get((p, RIGHT)) is not None
    ]  # fmt: skip
    used: dict[int, bool] = {}

    def work(person: int) -> None:
        left, right = patches[person, LEFT], patches[person, RIGHT]
        assert left is not None and right is not None
        agreed = join(eyes[LEFT], eyes[RIGHT], left, right, projection, consistency.alignment, edges_only)
        patches[person, LEFT], patches[person, RIGHT] = agreed.left, agreed.right
        used[person] = agreed.used

    run(work, pairs)
    report.joined = [names[p] for p in sorted(used) if used[p]]
    return report


def _carried(
    strong: Key, weak: Key, masks: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], shift: float, alignment: Alignment
) -> FloatArray:  # fmt: skip
    image = windows[strong]
    seen = Seen(sigmoid(masks[strong].logits), image.sample.guide[..., 0], image.window, masks[strong].score)
    return carried(seen, windows[weak].window, shift, weak[1] == RIGHT, alignment)


def _box_and_points(inside: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Prompt:
    x, y, w, h = cv2.boundingRect(inside.astype(np.uint8))
    # the place that is furthest from the outline surely belongs to the person
    depth = cv2.distanceTransform(np.pad(inside, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
    py, px = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return Prompt(box=(float(x), float(y), float(x + w), float(y + h)), points=((float(px) + 0.5, float(py) + 0.5, 1),))

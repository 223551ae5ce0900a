"""One frame through all stages: crop, track, refine, paste. A function of its inputs; no threads, no caches."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import replace
from itertools import combinations
from typing import Any, TypeVar

import cv2
import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.enlarge import enlarged
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.maker import Ahead, nothing_ahead
from vr180_ofx.engine.scale import FULL, Scale, reduced_eyes
from vr180_ofx.imaging.half import half
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.both_eyes import Group, fuse_groups
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.fusion import InstanceAlpha, InstanceMask, resplit_instances
from vr180_ofx.matte.paste import paste
from vr180_ofx.matte.patch import Patch
from vr180_ofx.matte.refine import refine
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.people.plan import Person, Plan
from vr180_ofx.stereo.consistency import Consistency, carried_logits, carried_mask, guided, settle
from vr180_ofx.stereo.validate import Agreement
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import CropSource, Key, Mask, Memory, Prompt, Tracker, WindowImage
from vr180_ofx.vr180.body import Box, outline
from vr180_ofx.vr180.layout import LEFT, other_eye
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

T = TypeVar("T")
U = TypeVar("U")
#: Eyes that agree less than this on a person see different things.
_AT_ODDS = 0.5


class Pipeline:
    """Makes a frame's mattes from its picture, the plan and the tracker's memory.

    executor: windows are independent of each other and may be worked on at once; the result is the same.
    batch: windows that the tracker sees at once, 0 for all of them. consistency: what the eyes owe each other; None: nothing.
    """

    def __init__(
        self, plan: Plan, tracker: Tracker, refiner: Refiner, scale: Scale = FULL, executor: Executor | None = None,
        stages: Stages | None = None, batch: int = 0, consistency: Consistency | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan
        self.tracker = tracker
        self.refiner = refiner
        self.scale = scale
        self._executor = executor
        self.stages = stages or Stages()
        self.batch = batch
        self.consistency = consistency

    def advance(
        self, frame: SourceFrame, memory: Memory, ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, dict[Key, Mask], dict[Key, WindowImage]]:  # fmt: skip
        """Steps the tracker: what warm-up frames need. ahead: asked by trackers that look ahead."""
        windows = self._crop(frame, ahead)
        with self.stages.measure("track"):
            memory, masks = self.tracker.step(memory, windows, self.batch)
        return memory, masks, windows

    def make(self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any]) -> tuple[Memory, Frame]:
        """Steps the tracker and finishes the frame."""
        memory, finish = self.start(frame, memory, metadata)
        return memory, finish()

    def start(
        self, frame: SourceFrame, memory: Memory, metadata: dict[str, Any], ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, Callable[[], Frame]]:  # fmt: skip
        """Steps the tracker; what comes with the memory finishes the frame, on any thread."""
        memory, masks, windows = self.advance(frame, memory, ahead)
        return memory, lambda: self._finish(frame, masks, windows, metadata)

    @property
    def steps_to_finish(self) -> bool:
        """Whether finishing a frame may step the tracker once more."""
        return self.consistency is not None and self.consistency.method == "reprocess"

    def _finish(self, frame: SourceFrame, masks: dict[Key, Mask], windows: dict[Key, WindowImage], metadata: dict[str, Any]) -> Frame:
        eyes = reduced_eyes(frame, self.scale.made)
        softened = self._soften(masks, windows)
        claims = masks
        # what is compared between the eyes is what will be seen
        masks = _as_seen(masks, softened, windows)
        compared = masks
        verdicts: dict[int, Agreement] = {}
        scores = {k: m.score for k, m in masks.items()}
        if self.consistency is not None:
            with self.stages.measure("validate"):
                given, projection = (self.consistency, frame.index), self._projection(eyes[LEFT])
                verdicts = self._compare(*given, masks, windows, projection)
                verdicts, softened, compared = self._share_again(*given, verdicts, claims, softened, masks, windows, projection)
                verdicts, masks = self._validate(*given, verdicts, compared, windows, projection)
        confidences = self._confidence(masks)
        keys = list(masks)
        # an eye that was given another mask goes by that
        softened = {key: shape for key, shape in softened.items() if masks[key] is compared[key]}

        def finish(key: Key) -> Patch | None:
            image, eye = windows[key], eyes[key[1]]
            shape = softened.get(key)
            if shape is None:
                with self.stages.measure("refine"):
                    shape = InstanceAlpha(refine(self.refiner, image.sample.guide, sigmoid(masks[key].logits)), image.window)
            with self.stages.measure("paste"):
                return paste(shape.refined, shape.sampled(confidences[key]), shape.window, eye, self._projection(eye))

        patches = dict(zip(keys, self._map(finish, keys), strict=True))
        if self.consistency is not None:
            with self.stages.measure("stereo"):
                names, projection = {p.id: p.name for p in self.plan.people}, self._projection(eyes[LEFT])
                report = settle(
                    self.consistency, verdicts, patches, scores, windows, eyes, projection, names,
                    lambda function, items: list(self._map(function, items)), bool(softened),
                )  # fmt: skip
            metadata = metadata | report.to_dict()
        with self.stages.measure("combine"):
            views = {view: self._combine(view, eye, patches, claims, windows, set(softened)) for view, eye in eyes.items()}
        if self.scale.made > self.scale.delivered:
            with self.stages.measure("upsample"):
                factor, large = self.scale.made // self.scale.delivered, reduced_eyes(frame, self.scale.delivered)
                enlarge = [(v, eyes[view], large[view], factor, self.scale.edge_aware) for view, v in views.items()]
                views = dict(zip(views, self._map(lambda a: enlarged(*a), enlarge), strict=True))
        return Frame(frame.index, views, metadata)

    def _soften(self, masks: dict[Key, Mask], windows: dict[Key, WindowImage]) -> dict[Key, InstanceAlpha]:
        """Those whom a matting network saw; people who were seen together at once."""
        together: dict[int, list[Key]] = {}
        for key, mask in masks.items():
            if mask.network_alpha is not None:
                together.setdefault(id(mask.network_alpha), []).append(key)
        groups = []
        for keys in together.values():
            soft = masks[keys[0]].network_alpha
            assert soft is not None
            groups.append(Group(keys[0][1], soft, {k[0]: InstanceMask(masks[k].logits, windows[k].window) for k in keys}))

        def each(function: Callable[[T], U], items: Iterable[T]) -> Iterable[U]:
            def measured(item: T) -> U:
                with self.stages.measure("refine"):
                    return function(item)

            return self._map(measured, items)

        shapes = fuse_groups(groups, self.refiner, each, agree=self.consistency is not None)
        return {(p, group.view): shape for group, part in zip(groups, shapes, strict=True) for p, shape in part.items()}

    def _compare(
        self, consistency: Consistency, n: int, masks: dict[Key, Mask], windows: dict[Key, WindowImage], projection: Projection
    ) -> dict[int, Agreement]:
        """What both eyes say of everybody."""
        return consistency.validate(masks, windows, projection, {p.id: p.shift(n) for p in self.plan.people})

    def _share_again(
        self, consistency: Consistency, n: int, verdicts: dict[int, Agreement], claims: dict[Key, Mask], softened: dict[Key, InstanceAlpha],
        masks: dict[Key, Mask], windows: dict[Key, WindowImage], projection: Projection,
    ) -> tuple[dict[int, Agreement], dict[Key, InstanceAlpha], dict[Key, Mask]]:  # fmt: skip
        """People whom a matting network saw together, and who are told apart otherwise in one eye than in the other: as in the better eye,
        if the eyes agree then; else, unless the eyes are at odds, each eye goes by its own. What is seen of all of them stays as it is.
        claims: what the tracker says; masks: `_as_seen`.
        """
        for person in list(verdicts):
            verdict = verdicts[person]
            if verdict.weaker is None or other_eye(verdict.weaker) in dict(verdict.damage):
                continue
            soft = masks[person, verdict.weaker].network_alpha
            group = [k for k in softened if masks[k].network_alpha is soft]
            if soft is None or len(group) < 2:
                continue
            people = {}
            for k in group:
                known = k[0] in verdicts and (k[0], other_eye(k[1])) in masks
                logits = carried_logits(k, verdicts[k[0]].shift, masks, windows, consistency.alignment) if known else claims[k].logits
                people[k[0]] = InstanceMask(logits, windows[k].window)
            shapes = resplit_instances(soft, {k[0]: softened[k] for k in group}, people)
            made = {(p, verdict.weaker): shape for p, shape in shapes.items()}
            seen = _as_seen(masks, made, windows)
            after = self._compare(consistency, n, seen, windows, projection)
            # nothing that can be compared is no agreement
            fine = {p for p, v in after.items() if v.agreement is not None and v.weaker is None}
            if person in fine and all(p in fine or v.agreement is None for p, v in verdicts.items() if v.weaker is None):
                mended = replace(after[person], mended=verdict.weaker, how="reshare")
                verdicts = verdicts | {p: after[p] for p in fine if verdicts[p].mended is None} | {person: mended}
                softened, masks = softened | made, seen
            elif not verdict.damage and (verdict.agreement or 0.0) >= _AT_ODDS:
                # one person's matte carried into what is shared out among several tears holes: what the other eye gives to somebody else
                # is missing. Each eye's own is better than that
                verdicts = verdicts | {person: replace(verdict, weaker=None)}
        return verdicts, softened, masks

    def _validate(
        self, consistency: Consistency, n: int, verdicts: dict[int, Agreement], masks: dict[Key, Mask], windows: dict[Key, WindowImage],
        projection: Projection,
    ) -> tuple[dict[int, Agreement], dict[Key, Mask]]:  # fmt: skip
        """What both eyes say of everybody in the end, and the masks to go on with: an eye that cannot be trusted gets the other one's, or,
        with ``reprocess``, what the tracker finds when it is shown where to look, if the eyes agree then.
        """
        weak = {(p, v.weaker): v for p, v in verdicts.items() if v.weaker is not None}
        if weak and consistency.method == "reprocess":
            shown = {key: guided(v, masks, windows, key[0], self.tracker.wants_prompts, consistency.alignment) for key, v in weak.items()}
            prompted = {key: image for key, image in shown.items() if image is not None}
            found = self.tracker.step(self.tracker.begin(), prompted, self.batch)[1] if prompted else {}
            again = self._compare(consistency, n, masks | found, windows, projection)
            for key in found:
                after = again[key[0]]
                if after.agreement is not None and after.weaker is None:
                    verdicts[key[0]] = replace(after, mended=key[1])
                    masks = masks | {key: found[key]}
        if consistency.method != "ensemble":
            for person, v in verdicts.items():
                if v.weaker is not None:
                    masks = masks | {(person, v.weaker): carried_mask(v, masks, windows, person, consistency.alignment)}
        return verdicts, masks

    def _map(self, function: Callable[[T], U], items: Iterable[T]) -> Iterable[U]:
        return self._executor.map(function, items) if self._executor is not None else map(function, items)

    def _projection(self, eye: EyeImage) -> Projection:
        return self.plan.projection.resized(eye.width, eye.height)

    def _crop(self, frame: SourceFrame, ahead: Ahead) -> dict[Key, WindowImage]:
        keys = [(p.id, view) for view in frame.eyes for p in self.plan.present(frame.index, view)]
        people = {p.id: p for p in self.plan.people}

        def following(key: Key) -> CropSource | None:
            person, n = people[key[0]], frame.index + 1
            later = ahead(1) if self.plan.track(person, key[1]).has(n) else None
            if later is None:
                return None
            eye = later.eyes[key[1]]
            return CropSource(self.plan.window(person, key[1], n, self.tracker.window_size), eye, self._projection(eye))

        def crop(key: Key) -> WindowImage:
            with self.stages.measure("crop"):
                person: Person = people[key[0]]
                eye = frame.eyes[key[1]]
                window = self.plan.window(person, key[1], frame.index, self.tracker.window_size)
                track = self.plan.track(person, key[1])
                projection = self._projection(eye)
                sample = eye.sample(window.grid(projection))
                occluders = track.behind.get(frame.index, ())
                image = WindowImage(sample, window, occluders, eye=eye, projection=projection, following=lambda: following(key))
                if not self.tracker.wants_prompts:
                    return image
                n = frame.index
                prompt = prompt_in_window(track.boxes[n], window, self.plan.projection)
                return replace(image, prompt=prompt, anchor=n in track.anchors, sure=track.scores[n])

        return dict(zip(keys, self._map(crop, keys), strict=True))

    def _confidence(self, masks: dict[Key, Mask]) -> dict[Key, FloatArray]:
        """How far the logit is from the boundary, times the object score, times the agreement with the other eye.

        The windows of a person in both eyes show the body in the same place, so the masks are compared as they lie, with
        some tolerance for depth.
        """
        soft = {key: sigmoid(m.logits) for key, m in masks.items()}
        out = {}
        for key, m in masks.items():
            value = np.abs(2 * soft[key] - 1) * np.float32(m.score)
            other = next((k for k in masks if k[0] == key[0] and k[1] != key[1]), None)
            if other is not None:
                mine, theirs = soft[key], soft[other]
                kernel = np.ones((1, 17), np.uint8)
                low, high = cv2.erode(theirs, kernel), cv2.dilate(theirs, kernel)
                value *= 1 - np.maximum(np.maximum(low - mine, mine - high), 0)
            out[key] = value.astype(np.float32)
        return out

    def _combine(
        self, view: str, eye: EyeImage, patches: dict[Key, Patch | None], masks: dict[Key, Mask], windows: dict[Key, WindowImage],
        softened: set[Key],
    ) -> ViewMatte:  # fmt: skip
        """Where people overlap, each pixel is shared out so that the layers add up to the union. softened: whose patches a matting network
        made.
        """
        mine = {key[0]: p for key, p in patches.items() if key[1] == view and p is not None}
        projection = self._projection(eye)
        alphas = {k: p.alpha for k, p in mine.items()}
        for a, b in combinations(sorted(mine), 2):
            ra, rb = mine[a].rect, mine[b].rect
            overlap = ra.intersection(rb)
            if overlap.empty:
                continue
            pa, pb = (alphas[k][overlap.shifted(-r.x0, -r.y0).slices] for k, r in ((a, ra), (b, rb)))
            seen = masks[a, view].network_alpha
            if seen is not None and seen is masks[b, view].network_alpha and {(a, view), (b, view)} <= softened:
                # shared out already: together they are the union, but for what interpolation added
                total = np.maximum(pa + pb, 1)
                pa /= total
                pb /= total
                continue
            # only where both claim more than there is, and nothing is computed elsewhere
            crowded = np.minimum(pa, pb) > 1e-3
            if not crowded.any() or (pa + pb).max() <= 1:
                continue
            x, y, w, h = cv2.boundingRect(crowded.astype(np.uint8))
            part = Rect(x, y, x + w, y + h)
            crowded, pa, pb = crowded[part.slices], pa[part.slices], pb[part.slices]
            place = part.shifted(overlap.x0, overlap.y0)
            union = np.maximum(pa, pb)
            la = _logits_at(masks[a, view], windows[a, view], projection, place)
            lb = _logits_at(masks[b, view], windows[b, view], projection, place)
            share = pa * sigmoid(la - lb)
            total = share + pb * sigmoid(lb - la)
            share = np.where(total > 1e-6, share / np.maximum(total, 1e-6), 0.5)
            np.copyto(pa, union * share, where=crowded)
            np.copyto(pb, union * (1 - share), where=crowded)
        people = {p.id: p for p in self.plan.people}
        layers = tuple(Layer(k, people[k].name, mine[k].rect, half(alphas[k]), half(mine[k].confidence)) for k in sorted(mine))
        return ViewMatte(eye.width, eye.height, layers)


def _as_seen(masks: dict[Key, Mask], softened: dict[Key, InstanceAlpha], windows: dict[Key, WindowImage]) -> dict[Key, Mask]:
    """Masks, and what a matting network made of them where it did."""
    return masks | {key: replace(masks[key], logits=shape.logits(windows[key].window)) for key, shape in softened.items()}


def prompt_in_window(box: Box, window: Window, projection: Projection) -> Prompt | None:
    """A box in the eye's pixels as the window shows it; None when it shows nothing of it."""
    inside = np.clip(outline(box), 0.5, (projection.width - 0.5, projection.height - 0.5))
    p = window.points(projection.unproject(inside))
    p = p[np.isfinite(p).all(axis=1)]
    if not len(p):
        return None
    low, high = np.clip(p.min(axis=0), 0, window.size), np.clip(p.max(axis=0), 0, window.size)
    if (high - low).min() < 1:
        return None
    return Prompt(box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])))


def _logits_at(mask: Mask, image: WindowImage, projection: Projection, place: Rect) -> FloatArray:
    grid = image.window.inverse_map(projection, place) - np.float32(0.5)
    places = np.nan_to_num(grid, nan=-1e4)
    out: FloatArray = cv2.remap(mask.logits, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=-8)
    return out

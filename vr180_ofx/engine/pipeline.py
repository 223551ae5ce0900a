"""One frame through all stages: crop, track, matte, agree, refine, paste, correct, compose, upsample.

A function of its inputs; no threads, no caches. What is done to pixels is said by the stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, TypeVar

from vr180_ofx.engine.enlarge import enlarged, halved
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.engine.maker import Ahead, nothing_ahead
from vr180_ofx.engine.painted import PaintedPrompts
from vr180_ofx.engine.scale import FULL, Scale, reduced_eyes
from vr180_ofx.imaging.either import hosts, is_tensor
from vr180_ofx.imaging.logistic import sigmoid
from vr180_ofx.matte.both_eyes import fuse_groups
from vr180_ofx.matte.composite import compose
from vr180_ofx.matte.confidence import confidences
from vr180_ofx.matte.contract import Refiner
from vr180_ofx.matte.fusion import InstanceAlpha
from vr180_ofx.matte.paste import occupied_parts, paste
from vr180_ofx.matte.patch import Patch
from vr180_ofx.matte.refine import refine_all
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.people.corrections import NO_POINTS
from vr180_ofx.people.outline import polygons
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.correct import correct_views
from vr180_ofx.stereo.masks import agree
from vr180_ofx.stereo.pair import StereoPair
from vr180_ofx.stereo.state import FrameState
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.contract import CropSource, Key, Mask, Memory, Prompt, Tracker, WindowImage
from vr180_ofx.trackers.prompts import covered_in_window, prompt_in_window, with_painted
from vr180_ofx.vr180.projection import Projection
from vr180_ofx.vr180.window import Window

T = TypeVar("T")
U = TypeVar("U")


class Pipeline:
    """Makes a frame's mattes from its picture, the plan and the tracker's memory.

    executor: windows are independent of each other and may be worked on at once; the result is the same.
    batch: windows that the tracker sees at once, 0 for all of them. consistency: what the eyes owe each other; None: nothing. paint: the
    painted mattes that the tracker is shown; None: none.
    """

    def __init__(
        self, plan: Plan, tracker: Tracker, refiner: Refiner, *, scale: Scale = FULL, executor: Executor | None = None,
        stages: Stages | None = None, batch: int = 0, consistency: Consistency | None = None,
        paint: PaintedPrompts | None = None,
    ) -> None:  # fmt: skip
        self.plan = plan
        self._people = {p.id: p for p in plan.people}
        self._names = {p.id: p.name for p in plan.people}
        self.tracker = tracker
        self.refiner = refiner
        self.scale = scale
        self._executor = executor
        self.stages = stages or Stages()
        self.batch = batch
        self.consistency = consistency
        self.paint = paint

    def advance(
        self, frame: SourceFrame, memory: Memory, ahead: Ahead = nothing_ahead
    ) -> tuple[Memory, dict[Key, Mask], dict[Key, WindowImage]]:  # fmt: skip
        """Steps the tracker: what warm-up frames need. ahead: asked by trackers that look ahead."""
        windows = self._crop(frame, ahead)
        with self.stages.measure("track"):
            memory, masks = self.tracker.step(memory, windows, self.batch)
        return memory, masks, windows

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

    def _finish(
        self, frame: SourceFrame, tracked: Mapping[Key, Mask], windows: Mapping[Key, WindowImage], metadata: dict[str, Any]
    ) -> Frame:  # fmt: skip
        """The rest of what `start` began."""
        eyes = reduced_eyes(frame, self.scale.made)
        # eyes are of one size
        projection = self._projection(next(iter(eyes.values())))
        shifts = {p.id: p.shift(frame.index) for p in self.plan.people}
        state = self._agree(self._matte(FrameState.of(windows, tracked, projection, shifts)))
        patches = self._paste(state, eyes)
        if self.consistency is not None:
            with self.stages.measure("stereo"):
                pair = StereoPair.of(eyes, projection, self.consistency.alignment)
                patches, report = correct_views(state, patches, pair, self.consistency, self._map)
            metadata = metadata | report.to_dict(self._names)
        with self.stages.measure("combine"):
            made = {view: self._compose(view, eye, patches, state) for view, eye in eyes.items()}
        large = eyes if self.scale.made == self.scale.delivered else reduced_eyes(frame, self.scale.delivered)
        return Frame(frame.index, self._deliver(large, self._upsample(made, eyes, large)), metadata)

    def _matte(self, state: FrameState) -> FrameState:
        """With what a matting network's alphas give to everybody whom one saw."""

        def each(function: Callable[[T], U], items: Iterable[T]) -> Iterable[U]:
            def measured(item: T) -> U:
                with self.stages.measure("refine"):
                    return function(item)

            return self._map(measured, items)

        groups = state.seen_together()
        agree = self.consistency is not None
        if any(is_tensor(group.network.alpha) for group in groups):
            # all at once: threads find flows alone
            with self.stages.measure("refine"):
                shares = fuse_groups(groups, self.refiner, self._map, agree=agree)
        else:
            shares = fuse_groups(groups, self.refiner, each, agree=agree)
        # what is compared between the eyes is what will be seen
        return state.with_alphas({(p, g.view): alpha for g, share in zip(groups, shares, strict=True) for p, alpha in share.items()})

    def _agree(self, state: FrameState) -> FrameState:
        """With masks that both eyes agree on, as far as they owe that to each other."""
        if self.consistency is None:
            return state

        def look_again(windows: Mapping[Key, WindowImage]) -> Mapping[Key, Mask]:
            return self.tracker.step(self.tracker.begin(), windows, self.batch)[1]

        with self.stages.measure("validate"):
            return agree(state, self.consistency, look_again, boxes=self.tracker.wants_prompts)

    def _paste(self, state: FrameState, eyes: Mapping[str, EyeImage]) -> dict[Key, Patch | None]:
        """Everybody's matte in the pixels of each eye; None for who is not in the picture."""
        sure = confidences(state.masks)
        on_device = any(is_tensor(mask.logits) for mask in state.masks.values())
        alphas = self._refined(state, list(state.masks)) if on_device else {}
        # where they are is asked once for everybody: a graphics card is waited for
        occupied = dict(zip(alphas, occupied_parts([alpha.refined for alpha in alphas.values()]), strict=True))

        def finish(key: Key) -> Patch | None:
            eye = eyes[key[1]]
            alpha = alphas[key] if on_device else self._refined(state, [key])[key]
            with self.stages.measure("paste"):
                confidence = alpha.sampled(sure[key])
                return paste(alpha.refined, confidence, alpha.window, eye, self._projection(eye), occupied=occupied.get(key))

        return dict(zip(state.masks, self._map(finish, state.masks), strict=True))

    def _refined(self, state: FrameState, keys: Sequence[Key]) -> dict[Key, InstanceAlpha]:
        """The alphas that some have from a network, and the others by the refiner."""
        alone = [key for key in keys if key not in state.alphas]
        made: dict[Key, InstanceAlpha] = {}
        if alone:
            with self.stages.measure("refine"):
                guides = [state.windows[key].sample.guide for key in alone]
                refined = refine_all(self.refiner, guides, [sigmoid(state.masks[key].logits) for key in alone])
                made = {key: InstanceAlpha(r, state.windows[key].window) for key, r in zip(alone, refined, strict=True)}
        return {key: made[key] if key in made else state.alphas[key] for key in keys}

    def _compose(self, view: str, eye: EyeImage, patches: Mapping[Key, Patch | None], state: FrameState) -> dict[int, Patch]:
        layers = compose(state.claims(view, patches), self._projection(eye))
        return {person: halved(patch) for person, patch in layers.items()}

    def _upsample(
        self, made: dict[str, dict[int, Patch]], eyes: Mapping[str, EyeImage], large: Mapping[str, EyeImage]
    ) -> dict[str, dict[int, Patch]]:  # fmt: skip
        """As large as they are delivered."""
        if self.scale.made == self.scale.delivered:
            return made
        with self.stages.measure("upsample"):
            factor = self.scale.made // self.scale.delivered

            def enlarge(view: str) -> dict[int, Patch]:
                return enlarged(made[view], eyes[view], large[view], factor, edge_aware=self.scale.edge_aware)

            return dict(zip(made, self._map(enlarge, made), strict=True))

    def _deliver(self, eyes: Mapping[str, EyeImage], made: Mapping[str, Mapping[int, Patch]]) -> dict[str, ViewMatte]:
        """On the host, whatever they were made on: all of them in one transfer."""
        down = iter(hosts(*(values for patches in made.values() for p in patches.values() for values in (p.alpha, p.confidence))))
        return {
            view: ViewMatte(
                eyes[view].width, eyes[view].height,
                tuple(Layer(person, self._names[person], p.rect, next(down), next(down)) for person, p in patches.items()),
            )
            for view, patches in made.items()
        }  # fmt: skip

    def _painted(self, prompt: Prompt | None, person: Person, view: str, n: int, window: Window) -> Prompt | None:
        """With what somebody painted of a person in this frame and eye."""
        file = person.paint.get(view, {}).get(n)
        if file is None or self.paint is None:
            return prompt
        whole = self.plan.projection
        said = self.paint.read(file, n, person.name, (whole.width, whole.height))
        return with_painted(prompt, said.value, said.said, window, whole)

    def _map(self, function: Callable[[T], U], items: Iterable[T]) -> Iterable[U]:
        return self._executor.map(function, items) if self._executor is not None else map(function, items)

    def _projection(self, eye: EyeImage) -> Projection:
        return self.plan.projection.resized(eye.width, eye.height)

    def _crop(self, frame: SourceFrame, ahead: Ahead) -> dict[Key, WindowImage]:
        keys = [(p.id, view) for view in frame.eyes for p in self.plan.present(frame.index, view)]
        people = self._people

        def following(key: Key) -> CropSource | None:
            person, n = people[key[0]], frame.index + 1
            later = ahead(1) if self.plan.track(person, key[1]).has(n) else None
            if later is None:
                return None
            eye = later.eyes[key[1]]
            return CropSource(self.plan.window(person, key[1], n, self.tracker.window_size), eye, self._projection(eye))

        def crop(key: Key) -> WindowImage:
            with self.stages.measure("crop"):
                person = people[key[0]]
                eye = frame.eyes[key[1]]
                window = self.plan.window(person, key[1], frame.index, self.tracker.window_size)
                track = self.plan.track(person, key[1])
                projection = self._projection(eye)
                rough = window.rough_grid(projection) if is_tensor(eye.like) else None
                sample = eye.sample(window.grid(projection, like=eye.like), rough)
                occluders = track.occluders.get(frame.index, ())
                outline = track.outlines.get(frame.index)
                image = WindowImage(
                    sample, window, occluders, eye=eye, projection=projection, following=lambda: following(key),
                    sure=track.scores[frame.index] if outline else 0.0,
                    covered=covered_in_window(polygons(outline), window, self.plan.projection) if outline else None,
                )  # fmt: skip
                if not self.tracker.wants_prompts:
                    return image
                n = frame.index
                said = person.points.get(key[1], {}).get(n, NO_POINTS)
                prompt = prompt_in_window(track.boxes[n], window, self.plan.projection, plus=said.plus, minus=said.minus)
                # what somebody says of this frame is to be believed over what is remembered
                pointed = prompt is not None and bool(prompt.points)
                if image.covered is not None and (image.covered > 0.5).any():
                    prompt, pointed = Prompt(mask=image.covered > 0.5), True
                prompt = self._painted(prompt, person, key[1], n, window)
                return replace(image, prompt=prompt, anchor=pointed or n in track.anchors, sure=track.scores[n])

        return dict(zip(keys, self._map(crop, keys), strict=True))

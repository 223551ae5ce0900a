"""Both eyes' masks of everybody made to agree: stages that take a frame's state and give another one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from vr180_ofx.arrays import BoolArray, FloatArray
from vr180_ofx.imaging.either import as_float, host, hosts
from vr180_ofx.imaging.logistic import logit, sigmoid
from vr180_ofx.imaging.parts import bounds, distance_to
from vr180_ofx.matte.fusion import InstanceMask, resplit_instances
from vr180_ofx.stereo.agreement import EyeView, compare_eyes, warp_mask
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.state import FrameState
from vr180_ofx.trackers.contract import Key, Mask, Prompt, WindowImage
from vr180_ofx.vr180.layout import LEFT, RIGHT, other_eye

#: Windows with prompts -> what a tracker that remembers nothing finds in them.
LookAgain = Callable[[Mapping[Key, WindowImage]], Mapping[Key, Mask]]


def agree(state: FrameState, consistency: Consistency, look_again: LookAgain, *, boxes: bool) -> FrameState:
    """All of what follows, in order. boxes: see `reprocess`."""
    state = resplit(compare(state, consistency), consistency)
    if consistency.method == "reprocess":
        state = reprocess(state, consistency, look_again, boxes=boxes)
    return state if consistency.method == "ensemble" else transfer(state, consistency)


def compare(state: FrameState, consistency: Consistency) -> FrameState:
    """What both eyes say of everybody whom the plan has in both."""
    both = [p for p, view in state.masks if view == LEFT and (p, RIGHT) in state.masks]
    seen = [(p, view) for p in both for view in (LEFT, RIGHT)]
    occluders = {key: [k for k in ((o, key[1]) for o in state.windows[key].occluders) if k in state.masks and k != key] for key in seen}
    needed = [*seen, *dict.fromkeys(k for keys in occluders.values() for k in keys if k not in seen)]
    # from a graphics card everything in one go
    masks, lumas = [sigmoid(state.masks[k].logits) for k in needed], [state.windows[k].sample.guide[..., 0] for k in seen]
    here = [as_float(v) for v in hosts(*masks, *lumas)]
    soft, luma = dict(zip(needed, here, strict=False)), dict(zip(seen, here[len(needed) :], strict=True))

    def view_of(key: Key) -> EyeView:
        hiding = [(soft[k], state.windows[k].window) for k in occluders[key]]
        return EyeView(soft[key], luma[key], state.windows[key].window, state.masks[key].score, hiding)

    found = {
        p: compare_eyes(view_of((p, LEFT)), view_of((p, RIGHT)), state.projection, consistency, state.shifts.get(p)) for p in both
    }  # fmt: skip
    return state.with_agreements(found)


def resplit(state: FrameState, consistency: Consistency) -> FrameState:
    """People whom a matting network saw together, and who are told apart otherwise in one eye than in the other: as in the better eye, if
    the eyes agree then; else, unless the eyes are at odds, each eye goes by its own. What is seen of all of them stays as it is.
    """
    for person in state.agreements:
        state = _resplit_for(state, person, consistency)
    return state


def _resplit_for(state: FrameState, person: int, consistency: Consistency) -> FrameState:
    agreement = state.agreements[person]
    weaker = agreement.weaker
    if weaker is None or agreement.damaged(other_eye(weaker)):
        return state
    together = state.together((person, weaker))
    if len(together) < 2:
        return state
    network = state.networks[state.groups[person, weaker]]
    wanted = {k[0]: InstanceMask(_wanted_logits(state, k, consistency), state.windows[k].window) for k in together}
    alphas = resplit_instances(network, {k[0]: state.alphas[k] for k in together}, wanted)
    tried = compare(state.with_alphas({(p, weaker): alpha for p, alpha in alphas.items()}), consistency)
    # nothing that can be compared is no agreement
    fine = {p for p, a in tried.agreements.items() if a.agrees}
    if person in fine and all(p in fine or a.overlap is None for p, a in state.agreements.items() if a.weaker is None):
        better = {p: tried.agreements[p] for p in fine if state.agreements[p].corrected is None}
        better[person] = replace(tried.agreements[person], corrected=weaker, how="reshare")
        return replace(tried, agreements={**state.agreements, **better})
    if not agreement.damage and (agreement.overlap or 0.0) >= consistency.parameters.correction.at_odds:
        # one person's matte carried into what is shared out among several tears holes: what the other eye gives to somebody else
        # is missing. Each eye's own is better than that
        return state.with_agreements({person: replace(agreement, weaker=None)})
    return state


def _wanted_logits(state: FrameState, key: Key, consistency: Consistency) -> FloatArray:
    """What the other eye says of somebody; what the tracker says, where there is no other eye."""
    compared = key[0] in state.agreements and (key[0], other_eye(key[1])) in state.masks
    return warped_logits(state, key, consistency) if compared else state.tracked[key].logits


def reprocess(state: FrameState, consistency: Consistency, look_again: LookAgain, *, boxes: bool) -> FrameState:
    """Weaker eyes are shown where to look, by the better ones, and what is found there is kept if the eyes agree then.

    boxes: the tracker is shown a box and a point in it; else the mask itself.
    """
    weak = [(p, a.weaker) for p, a in state.agreements.items() if a.weaker is not None]
    prompted = {key: image for key in weak if (image := prompted_window(state, key, consistency, boxes=boxes)) is not None}
    if not prompted:
        return state
    found = look_again(prompted)
    tried = compare(replace(state, masks={**state.masks, **found}), consistency)
    for key, mask in found.items():
        after = tried.agreements[key[0]]
        if after.agrees:
            state = state.with_masks({key: mask}, "reprocess").with_agreements({key[0]: replace(after, corrected=key[1])})
    return state


def transfer(state: FrameState, consistency: Consistency) -> FrameState:
    """Weaker eyes get the better ones' masks."""
    warped = {
        (p, a.weaker): Mask(warped_logits(state, (p, a.weaker), consistency), state.masks[p, other_eye(a.weaker)].score)
        for p, a in state.agreements.items()
        if a.weaker is not None
    }
    return state.with_masks(warped, "transfer")


def warped_logits(state: FrameState, key: Key, consistency: Consistency) -> FloatArray:
    """What the other eye says of a person, in their window in this one, (n, n)."""
    return logit(_warped(state, key, consistency))


def prompted_window(state: FrameState, key: Key, consistency: Consistency, *, boxes: bool) -> WindowImage | None:
    """The window of a person in an eye with a prompt from the other one; None when that sees nobody there. boxes: see `reprocess`."""
    inside = host(_warped(state, key, consistency) > 0.5)
    if not inside.any():
        return None
    prompt = _box_and_point(inside) if boxes else Prompt(mask=inside)
    return replace(state.windows[key], prompt=prompt, anchor=True)


def _warped(state: FrameState, key: Key, consistency: Consistency) -> FloatArray:
    """(n, n) 0..1 what the other eye says of a person, in their window in this one."""
    other = key[0], other_eye(key[1])
    image, mask = state.windows[other], state.masks[other]
    view = EyeView(sigmoid(mask.logits), image.sample.guide[..., 0], image.window, mask.score)
    shift = state.agreements[key[0]].shift
    parameters = consistency.parameters.agreement
    return warp_mask(view, state.windows[key].window, shift, consistency.alignment, parameters, to_right=key[1] == RIGHT)


def _box_and_point(inside: BoolArray) -> Prompt:
    box = bounds(inside)
    # the place that is furthest from the outline surely belongs to the person
    depth = distance_to(~np.pad(inside, 1))[1:-1, 1:-1]
    py, px = np.unravel_index(int(np.argmax(depth)), depth.shape)
    return Prompt(box=(float(box.x0), float(box.y0), float(box.x1), float(box.y1)), points=((float(px) + 0.5, float(py) + 0.5, 1),))

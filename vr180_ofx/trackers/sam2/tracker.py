"""SAM 2.1 as a streaming tracker: people x eyes windows as one batch, memory as a value."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import ComputationError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.imaging.parts import all_bounds
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.contract import Key, Mask, Memory, Prompt, WindowImage
from vr180_ofx.trackers.sam2.attention import MemoryTensors
from vr180_ofx.trackers.sam2.memory import MemoryBank, MemoryFrame, Past, Rules, trimmed
from vr180_ofx.trackers.sam2.network import Decoded, Features, Followed, Sam2Network
from vr180_ofx.vr180.body import box_iou
from vr180_ofx.weights.graphs import BUCKETS, filled
from vr180_ofx.weights.store import file_sha256


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How the tracker leads the network.

    rules: what is remembered. prompt_again_after: so many frames without a sign of somebody of whom the plan is sure make the
    plan's box a new conditioning frame; 0 never does. sure: how sure the plan must be for that, 0..1.
    """

    rules: Rules = field(default_factory=Rules)
    prompt_again_after: int = 4
    sure: float = 0.7
    #: Logits of somebody who is not there (the network says -1024; that far is of no use to anybody).
    absent_logit: float = -32.0
    #: Reliable memories (SAMURAI, Yang et al. 2024, section 4.2): a mask that the network itself believes in, by the overlap with the
    #: truth that it predicts, of somebody who is there, ...
    least_iou: float = 0.5
    #: ... where the plan's box says they are: intersection over union of the mask's bounds and the box.
    least_box_iou: float = 0.3


#: As the package's video predictor: for comparison.
REFERENCE = Behaviour(Rules(anchors=0), prompt_again_after=0)


@dataclass(frozen=True, slots=True)
class _Seen:
    """What was seen of a group, still where the network is.

    logits: (b, size, size). features: (b, 64, h, w) bfloat16. pointers: (b, 256). facts: (2, b), score and iou.
    """

    keys: list[Key]
    prompted: bool
    logits: Tensor
    features: Tensor
    pointers: Tensor
    facts: Tensor


class Sam2Tracker:
    """See `trackers.contract.Tracker`. identity: of the weights, for caches."""

    exact_after: int | None = None
    wants_prompts = True
    looks_ahead = 0

    def __init__(
        self, network: Sam2Network, identity: str, behaviour: Behaviour | None = None, *, offload: bool = True, at_once: int = 0,
        buckets: tuple[int, ...] = (),
    ) -> None:  # fmt: skip
        """offload: nothing of the memory stays on the network's device between steps. at_once: windows in a batch, 0 for all.
        buckets: see `weights.graphs.BUCKETS`; none: batches are as large as they are.
        """
        self.network = network
        self.window_size = network.size
        self.behaviour = behaviour or Behaviour(Rules(network.recent, network.reach))
        self._buckets = tuple(b for b in buckets if not at_once or b <= at_once)
        self.at_once = min(at_once or self._buckets[-1], self._buckets[-1]) if self._buckets else at_once
        self._offload = offload
        # a network's buffers are its own
        self._stepping = threading.Lock()
        filled = f":{','.join(map(str, self._buckets))}" if self._buckets else ""
        how = f"{network.size}:{network.precision}{':compiled' if network.compiled else ''}"
        self._identity = f"{network.name}:{identity}:{how}:{identity_of(self.behaviour)}:{at_once}{filled}"

    @classmethod
    def load(
        cls, *, name: str, weights: Path, size: int, device: str = "cpu", precision: str = "float32", behaviour: Behaviour | None = None,
        offload: bool = True, at_once: int = 0, compiled: bool = False, rehearsed: bool = False,
    ) -> Sam2Tracker:  # fmt: skip
        """From a file of weights. name, size, device, precision, compiled, rehearsed: see `Sam2Network`; the rest: see above."""
        network = Sam2Network(name, weights, size, device, precision, compiled=compiled, rehearsed=rehearsed)
        buckets = BUCKETS if network.device.type != "cpu" or rehearsed else ()
        return cls(network, file_sha256(weights)[:16], behaviour, offload=offload, at_once=at_once, buckets=buckets)

    def identity(self) -> str:
        return self._identity

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        with self._stepping:
            return self._step(memory, windows, batch)

    def _step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int) -> tuple[Memory, dict[Key, Mask]]:
        if batch:
            # memory is short
            self.network.graphs.clear()
        as_tensors = any(is_tensor(w.sample.rgb) for w in windows.values())
        near = not self._offload and (as_tensors or self.network.device.type != "cpu")
        bank = MemoryBank.from_memory(self._placed(memory) if near else memory.on_host())
        now, rules = bank.step, self.behaviour.rules
        pasts = {k: trimmed(p, now, rules) for k, p in bank.people.items() if p and now - p[-1].step < rules.forget_after}
        keys = list(windows)
        most = min(batch or len(keys), self.at_once or len(keys)) or 1
        seen: list[_Seen] = []
        for begin in range(0, len(keys), most):
            seen += self._segment({k: windows[k] for k in keys[begin : begin + most]}, pasts, now)
        masks: dict[Key, Mask] = {}
        for key, mask, remembered in self._results(seen, windows, now=now, near=near):
            masks[key] = mask
            pasts[key] = trimmed((*pasts.get(key, ()), remembered), now + 1, rules)
        return MemoryBank(now + 1, pasts).to_memory(), {k: masks[k] for k in keys}

    def _placed(self, memory: Memory) -> Memory:
        """With what is large on the network's device: a memory that was restored goes up once."""
        device = self.network.device

        def up(name: str, a: Any) -> Any:
            small = is_tensor(a) or not (".features." in name or name.endswith(".pointers"))
            return a if small else torch.from_numpy(a.copy()).to(device)

        return Memory({name: up(name, a) for name, a in memory.arrays.items()})

    def _segment(self, windows: Mapping[Key, WindowImage], pasts: Mapping[Key, Past], now: int) -> list[_Seen]:
        """What the network says of these windows. Nothing waits for it."""
        features, places = self._encode(windows)
        pictures = features.levels[0].shape[1]
        out = []
        for group, prompted in self._groups(list(windows), windows, pasts):
            own, count = [places[k] for k in group], len(group)
            found = None if prompted else self._followed(features, [pasts[k] for k in group], own, now)
            painted = _is_painted(windows[group[0]])
            if found is None or painted:
                of_group = features.take(self.network.index(own, pictures))
                prompts = [_prompt_of(windows[k]) for k in group]
                if painted:
                    # what nobody painted is as the network has it; together it is what is remembered
                    seen = self._prompt(of_group, prompts).high if found is None else found.high[:count]
                    prompted, prompts = True, _completed(prompts, seen)
                shown = self._prompt(of_group, prompts)
                memories = self.network.remember(of_group, shown, prompted=True)
                # of prompted frames the package's predictor keeps only the small masks
                high = F.interpolate(shown.low, size=(self.window_size, self.window_size), mode="bilinear", align_corners=False)
                pointers, score, iou = shown.pointer, shown.score, shown.iou
            else:
                memories, pointers = self.network.graphs.kept(found.memory[:count], found.pointer[:count])
                # other tensors are made of these
                high = found.high[:count]
                score, iou = found.score[:count], found.iou[:count]
            facts = torch.stack([score[:, 0], iou])
            out.append(_Seen(group, prompted, high[:, 0].clamp(min=self.behaviour.absent_logit), memories, pointers, facts))
        return out

    def _followed(self, features: Features, pasts: list[Past], places: list[int], now: int) -> Followed:
        """People who are remembered, each found again in the picture of their own."""
        bank = self._bank(filled(pasts, self._buckets), now)
        return self.network.followed(features, filled(places, self._buckets), bank)

    def _encode(self, windows: Mapping[Key, WindowImage]) -> tuple[Features, dict[Key, int]]:
        """Features of all pictures, and which is whose: people who share a window share its features."""
        pictures: list[Any] = []
        places: dict[Key, int] = {}
        known: dict[tuple[str, object], int] = {}
        for key, image in windows.items():
            view = (key[1], image.window)
            if view not in known:
                known[view] = len(pictures)
                pictures.append(image.sample.rgb)
            places[key] = known[view]
        pictures = filled(pictures, self._buckets)
        if is_tensor(pictures[0]):
            batch = torch.stack(pictures)
        else:
            batch = torch.from_numpy(np.stack([np.ascontiguousarray(p, np.float32) for p in pictures]))
        return self.network.encode(self.network.up(batch).permute(0, 3, 1, 2)), places

    def _groups(self, keys: list[Key], windows: Mapping[Key, WindowImage], pasts: Mapping[Key, Past]) -> list[tuple[list[Key], bool]]:
        """Batches: those who are prompted alike, and those who remember equally much. A function of plan and memory alone."""
        groups: dict[tuple[object, ...], list[Key]] = {}
        for key in keys:
            past = pasts.get(key, ())
            if self._wants_prompt(windows[key], past):
                kind: tuple[object, ...] = (True, *_kind(_prompt_of(windows[key])))
            else:
                kind = (False, sum(r.features is not None for r in past), len(past))
            kind = (*kind, _is_painted(windows[key]))
            groups.setdefault(kind, []).append(key)
        return [(group, bool(kind[0])) for kind, group in groups.items()]

    def _wants_prompt(self, image: WindowImage, past: Past) -> bool:
        if not any(r.anchor for r in past):
            return True
        if image.prompt is None:
            return False
        # a whole mask is what somebody says of this frame; what a part leaves out is remembered, unless points or a box say it anew
        if image.anchor or (image.prompt.mask is not None and image.prompt.said is None):
            return True
        patience = self.behaviour.prompt_again_after
        lost = past[-patience:]
        # whoever stands behind somebody is rightly out of sight
        return (
            patience > 0
            and not image.occluders
            and image.sure >= self.behaviour.sure
            and len(lost) == patience
            and all(r.score < 0 and not r.anchor for r in lost)
        )

    def _prompt(self, features: Features, prompts: list[Prompt]) -> Decoded:
        if _kind(prompts[0]) == ("mask",):
            size = self.network.size
            masks = torch.from_numpy(np.stack([np.asarray(p.mask, np.float32) for p in prompts]))[:, None]
            if masks.shape[-1] != size:
                masks = (F.interpolate(masks, size=(size, size), mode="bilinear", align_corners=False, antialias=True) >= 0.5).float()
            return self.network.prompt_masks(features, masks)
        points, labels = zip(*(p.points_and_labels() for p in prompts), strict=True)
        return self.network.prompt_points(features, torch.from_numpy(np.stack(points)), torch.from_numpy(np.stack(labels)))

    def _bank(self, pasts: list[Past], now: int) -> MemoryTensors:
        """What a batch of people with equally long memories remember, as the network takes it."""
        recent = self.behaviour.rules.recent
        spatial: list[list[Tensor]] = []
        pointers: list[list[Any]] = []
        slots, ages = [], []
        for past in pasts:
            anchors = [r for r in past if r.anchor]
            frames = [r for r in past if not r.anchor and r.features is not None]
            # temporal embeddings: the last one is for conditioning frames, the first for the frame just before
            count = len(frames)
            places = [count - 1 - i if self.behaviour.rules.reliable else now - r.step - 1 for i, r in enumerate(frames)]
            spatial.append([_as_bfloat16(r.features) for r in (*anchors, *frames)])
            slots.append([recent] * len(anchors) + places)
            others = sorted((r for r in past if not r.anchor), key=lambda r: -r.step)
            pointers.append([r.pointer for r in (*anchors, *others)])
            ages.append([now - r.step for r in (*anchors, *others)])
        up = self.network.up
        # stacked anew: the alignment of the numbers must not depend on where they came from
        return MemoryTensors(
            up(_stacked(spatial)), up(torch.tensor(slots)).T, up(_stacked(pointers)), up(torch.tensor(ages, dtype=torch.float32)).T
        )

    def _results(
        self, seen: Sequence[_Seen], windows: Mapping[Key, WindowImage], *, now: int, near: bool
    ) -> Iterator[tuple[Key, Mask, MemoryFrame]]:
        """What is seen of everybody, and to be remembered. What decides something comes down at once: the only wait of a step."""
        if not seen:
            return
        facts = iter(torch.cat([s.facts for s in seen], dim=1).T.tolist())
        for group in seen:
            images = [windows[k] for k in group.keys]
            # masks are of the pictures' kind
            logits: Any = group.logits if is_tensor(images[0].sample.rgb) else group.logits.cpu().numpy()
            features: Any = group.features.view(torch.uint16)
            pointers: Any = group.pointers
            if not near:
                features, pointers = features.cpu().numpy(), pointers.cpu().numpy()
            for i, key in enumerate(group.keys):
                score, iou = next(facts)
                self._refuse_nonsense(key, score, iou)
                trusted = group.prompted or not self.behaviour.rules.reliable or self._reliable(logits[i], score, iou, images[i].prompt)
                kept = features[i] if near else features[i].copy()
                pointer = pointers[i] if near else pointers[i].copy()
                remembered = MemoryFrame(now, group.prompted, pointer, score, iou, kept if trusted else None)
                present = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
                yield key, Mask(logits[i], float(present)), remembered

    def _refuse_nonsense(self, key: Key, score: float, iou: float) -> None:
        if not (math.isfinite(score) and math.isfinite(iou)):
            network = self.network
            half = "set matting.fp16=false, or " if network.precision != "float32" else ""
            raise ComputationError(
                f"{network.name} on {network.device} in {network.precision} says of person {key[0]} in the {key[1]} eye what is no number "
                f"(score {score}, overlap {iou}). To go on, {half}try other weights, or hardware.device=cpu"
            )

    def _reliable(self, logits: FloatArray, score: float, iou: float, prompt: Prompt | None) -> bool:
        """Whether a mask is to be remembered. score: logit of being there. iou: predicted by the network, 0..1."""
        if score < 0 or iou < self.behaviour.least_iou:
            return False
        if prompt is None or prompt.box is None:
            return True
        (seen,) = all_bounds([logits > 0])
        return not seen.empty and box_iou((seen.x0, seen.y0, seen.x1, seen.y1), prompt.box) >= self.behaviour.least_box_iou


def _prompt_of(image: WindowImage) -> Prompt:
    prompt = image.prompt
    if prompt is not None and (prompt.said is None or prompt.box is not None or any(inside for _, _, inside in prompt.points)):
        return prompt
    # nobody said where: the window was made for them, so they are in its middle
    n = image.window.size
    middle = Prompt(box=(0.2 * n, 0.1 * n, 0.8 * n, 0.9 * n))
    return middle if prompt is None else replace(prompt, box=middle.box)


def _is_painted(image: WindowImage) -> bool:
    """Whether a part of a mask is said of it."""
    return image.prompt is not None and image.prompt.said is not None


def _completed(prompts: list[Prompt], high: Tensor) -> list[Prompt]:
    """Parts of masks with what the network sees elsewhere: whole masks. high: (b, 1, size, size) logits."""
    out = []
    for prompt, logits in zip(prompts, high[:, 0], strict=True):
        assert prompt.mask is not None and prompt.said is not None
        theirs = F.interpolate(logits[None, None], size=prompt.mask.shape, mode="bilinear", align_corners=False)[0, 0] > 0
        out.append(Prompt(mask=np.where(prompt.said, prompt.mask, theirs.cpu().numpy())))
    return out


def _kind(prompt: Prompt) -> tuple[object, ...]:
    return ("mask",) if prompt.mask is not None and prompt.said is None else ("points", len(prompt.points_and_labels()[1]))


def _as_bfloat16(bits: Any) -> Tensor:
    # a copy of an array: PyTorch knows no read-only ones
    return (bits if is_tensor(bits) else torch.tensor(bits.view(np.int16))).view(torch.bfloat16)


def _stacked(rows: Sequence[Sequence[Any]]) -> Tensor:
    """(b, n) arrays or tensors as one tensor, (n, b, ...): one operation, however many they are."""
    count, length = len(rows), len(rows[0])
    flat = [torch.from_numpy(v.copy()) if isinstance(v, np.ndarray) else v for row in zip(*rows, strict=True) for v in row]
    return torch.stack(flat).view(length, count, *flat[0].shape)

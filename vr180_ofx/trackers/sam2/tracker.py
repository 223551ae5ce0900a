"""SAM 2.1 as a streaming tracker: people x eyes windows as one batch, memory as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.parts import bounds
from vr180_ofx.parameters import identity_of
from vr180_ofx.trackers.contract import Key, Mask, Memory, Prompt, WindowImage
from vr180_ofx.trackers.sam2.memory import MemoryBank, MemoryFrame, Past, Rules, trimmed
from vr180_ofx.trackers.sam2.network import Decoded, Features, MemoryTensors, Sam2Network
from vr180_ofx.vr180.body import box_iou
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


class Sam2Tracker:
    """See `trackers.contract.Tracker`. identity: of the weights, for caches."""

    exact_after: int | None = None
    wants_prompts = True
    looks_ahead = 0

    def __init__(
        self, network: Sam2Network, identity: str, behaviour: Behaviour | None = None, *, offload: bool = True, at_once: int = 0
    ) -> None:  # fmt: skip
        """offload: nothing of the memory stays on the network's device between steps. at_once: windows in a batch, 0 for all."""
        self.network = network
        #: id -> array of a memory, and the same on the device. Of the newest memory alone; the arrays keep the ids their own.
        self._near: dict[int, tuple[npt.NDArray[np.uint16], Tensor]] | None = None if offload else {}
        self.window_size = network.size
        self.behaviour = behaviour or Behaviour(Rules(network.recent, network.reach))
        self.at_once = at_once
        self._identity = f"{network.name}:{identity}:{network.size}:{network.precision}:{identity_of(self.behaviour)}:{at_once}"

    @classmethod
    def load(
        cls, *, name: str, weights: Path, size: int, device: str = "cpu", precision: str = "float32", behaviour: Behaviour | None = None,
        offload: bool = True, at_once: int = 0,
    ) -> Sam2Tracker:  # fmt: skip
        """From a file of weights. name, size, device, precision: see `Sam2Network`; the rest: see above."""
        network = Sam2Network(name, weights, size, device, precision)
        return cls(network, file_sha256(weights)[:16], behaviour, offload=offload, at_once=at_once)

    def identity(self) -> str:
        return self._identity

    def begin(self) -> Memory:
        return Memory()

    def step(self, memory: Memory, windows: Mapping[Key, WindowImage], batch: int = 0) -> tuple[Memory, dict[Key, Mask]]:
        bank = MemoryBank.from_memory(memory)
        now, rules = bank.step, self.behaviour.rules
        pasts = {k: trimmed(p, now, rules) for k, p in bank.people.items() if p and now - p[-1].step < rules.forget_after}
        masks: dict[Key, Mask] = {}
        keys = list(windows)
        most = min(batch or len(keys), self.at_once or len(keys)) or 1
        for begin in range(0, len(keys), most):
            part = {k: windows[k] for k in keys[begin : begin + most]}
            for key, mask, remembered in self._segment(part, pasts, now):
                masks[key] = mask
                pasts[key] = trimmed((*pasts.get(key, ()), remembered), now + 1, rules)
        self._tidy(pasts)
        return MemoryBank(now + 1, pasts).to_memory(), {k: masks[k] for k in keys}

    def _segment(self, windows: Mapping[Key, WindowImage], pasts: Mapping[Key, Past], now: int) -> list[tuple[Key, Mask, MemoryFrame]]:
        """What the network says of these windows, and what is to be remembered of it."""
        features, places = self._encode(windows)
        out = []
        for group, prompted in self._groups(list(windows), windows, pasts):
            own = [places[k] for k in group]
            of_group = features.take(own)
            images = [windows[k] for k in group]
            if prompted:
                seen = self._prompt(of_group, [_prompt_of(i) for i in images])
            else:
                seen = self.network.follow(features, own, self._bank([pasts[k] for k in group], now))
            if images[0].prompt is not None and images[0].prompt.said is not None:
                # what nobody painted is as the network has it; together it is what is remembered
                prompted, seen = True, self._prompt(of_group, _completed([_prompt_of(i) for i in images], seen))
            memories = self.network.remember(of_group, seen, prompted=prompted)
            out += self._results(group, images, seen=seen, memories=memories, now=now, prompted=prompted)
        return out

    def _encode(self, windows: Mapping[Key, WindowImage]) -> tuple[Features, dict[Key, int]]:
        """Features of all pictures, and which is whose: people who share a window share its features."""
        pictures: list[FloatArray] = []
        places: dict[Key, int] = {}
        known: dict[tuple[str, object], int] = {}
        for key, image in windows.items():
            view = (key[1], image.window)
            if view not in known:
                known[view] = len(pictures)
                pictures.append(image.sample.rgb)
            places[key] = known[view]
        batch = torch.from_numpy(np.stack([np.ascontiguousarray(p, np.float32) for p in pictures])).permute(0, 3, 1, 2)
        if self.network.device.type == "cuda":
            batch = batch.pin_memory()
        return self.network.encode(batch), places

    def _groups(self, keys: list[Key], windows: Mapping[Key, WindowImage], pasts: Mapping[Key, Past]) -> list[tuple[list[Key], bool]]:
        """Batches: those who are prompted alike, and those who remember equally much. A function of plan and memory alone."""
        groups: dict[tuple[object, ...], list[Key]] = {}
        for key in keys:
            past = pasts.get(key, ())
            if self._wants_prompt(windows[key], past):
                kind: tuple[object, ...] = (True, *_kind(_prompt_of(windows[key])))
            else:
                kind = (False, sum(r.features is not None for r in past), len(past))
            prompt = windows[key].prompt
            kind = (*kind, prompt is not None and prompt.said is not None)
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
        device = self.network.device
        recent = self.behaviour.rules.recent
        spatial, slots, pointers, ages = [], [], [], []
        for past in pasts:
            anchors = [r for r in past if r.anchor]
            frames = [r for r in past if not r.anchor and r.features is not None]
            # temporal embeddings: the last one is for conditioning frames, the first for the frame just before
            count = len(frames)
            places = [count - 1 - i if self.behaviour.rules.reliable else now - r.step - 1 for i, r in enumerate(frames)]
            spatial.append([self._features(r) for r in (*anchors, *frames)])
            slots.append([recent] * len(anchors) + places)
            others = sorted((r for r in past if not r.anchor), key=lambda r: -r.step)
            pointers.append(np.stack([r.pointer for r in (*anchors, *others)]))
            ages.append([now - r.step for r in (*anchors, *others)])
        # torch's own memory: the alignment of the numbers must not depend on where they came from
        stacked = torch.stack([torch.stack(frames) for frames in spatial], dim=1)
        return MemoryTensors(
            (self._put(stacked) if self._near is None else stacked).float(),
            torch.tensor(slots, device=device).T,
            self._put(torch.from_numpy(np.stack(pointers, axis=1)).clone()),
            torch.tensor(ages, dtype=torch.float32, device=device).T,
        )

    def _features(self, r: MemoryFrame) -> Tensor:
        """What is remembered of one frame: on the device when memory stays there, else on the CPU."""
        assert r.features is not None
        if self._near is None:
            return _as_bfloat16(r.features)
        if id(r.features) not in self._near:
            self._near[id(r.features)] = (r.features, self._put(_as_bfloat16(r.features)))
        return self._near[id(r.features)][1]

    def _tidy(self, pasts: Mapping[Key, Past]) -> None:
        """Lets everything go that the newest memory does not hold."""
        if self._near is not None:
            held = {id(r.features) for past in pasts.values() for r in past if r.features is not None}
            self._near = {k: v for k, v in self._near.items() if k in held}

    def _put(self, values: Tensor) -> Tensor:
        if self.network.device.type == "cuda":
            return values.pin_memory().to(self.network.device, non_blocking=True)
        return values

    def _results(
        self, group: list[Key], images: list[WindowImage], *, seen: Decoded, memories: Tensor, now: int, prompted: bool
    ) -> list[tuple[Key, Mask, MemoryFrame]]:
        size = self.window_size
        # of prompted frames the package's predictor keeps only the small masks
        high = F.interpolate(seen.low, size=(size, size), mode="bilinear", align_corners=False) if prompted else seen.high
        logits = high[:, 0].clamp(min=self.behaviour.absent_logit).cpu().numpy()
        features = memories.view(torch.int16).cpu().numpy().view(np.uint16)
        pointers, scores, ious = seen.pointer.cpu().numpy(), seen.score[:, 0].cpu().numpy(), seen.iou.cpu().numpy()
        out = []
        for i, key in enumerate(group):
            score, iou = float(scores[i]), float(ious[i])
            kept = features[i].copy()
            trusted = prompted or not self.behaviour.rules.reliable or self._reliable(logits[i], score, iou, images[i].prompt)
            if self._near is not None and trusted:
                self._near[id(kept)] = (kept, memories[i])
            remembered = MemoryFrame(now, prompted, pointers[i].copy(), score, iou, kept if trusted else None)
            present = 1 / (1 + np.exp(-np.clip(score, -30, 30)))
            out.append((key, Mask(logits[i], float(present)), remembered))
        return out

    def _reliable(self, logits: FloatArray, score: float, iou: float, prompt: Prompt | None) -> bool:
        """Whether a mask is to be remembered. score: logit of being there. iou: predicted by the network, 0..1."""
        if score < 0 or iou < self.behaviour.least_iou:
            return False
        if prompt is None or prompt.box is None:
            return True
        seen = bounds(logits > 0)
        return not seen.empty and box_iou((seen.x0, seen.y0, seen.x1, seen.y1), prompt.box) >= self.behaviour.least_box_iou


def _prompt_of(image: WindowImage) -> Prompt:
    prompt = image.prompt
    if prompt is not None and (prompt.said is None or prompt.box is not None or any(inside for _, _, inside in prompt.points)):
        return prompt
    # nobody said where: the window was made for them, so they are in its middle
    n = image.window.size
    middle = Prompt(box=(0.2 * n, 0.1 * n, 0.8 * n, 0.9 * n))
    return middle if prompt is None else replace(prompt, box=middle.box)


def _completed(prompts: list[Prompt], seen: Decoded) -> list[Prompt]:
    """Parts of masks with what the network sees elsewhere: whole masks."""
    out = []
    for prompt, logits in zip(prompts, seen.high[:, 0], strict=True):
        assert prompt.mask is not None and prompt.said is not None
        theirs = F.interpolate(logits[None, None], size=prompt.mask.shape, mode="bilinear", align_corners=False)[0, 0] > 0
        out.append(Prompt(mask=np.where(prompt.said, prompt.mask, theirs.cpu().numpy())))
    return out


def _kind(prompt: Prompt) -> tuple[object, ...]:
    return ("mask",) if prompt.mask is not None and prompt.said is None else ("points", len(prompt.points_and_labels()[1]))


def _as_bfloat16(bits: npt.NDArray[np.uint16]) -> Tensor:
    # a copy: PyTorch knows no read-only tensors
    return torch.tensor(bits.view(np.int16)).view(torch.bfloat16)

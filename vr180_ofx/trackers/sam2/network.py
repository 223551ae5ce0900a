"""SAM 2.1's network: the modules of the package `sam2`, built from its own configuration, without its video predictor.

Everything here is a function of its arguments: what was seen before comes in as tensors and goes out as tensors.
Ravi et al. 2024, "SAM 2: Segment Anything in Images and Videos"; the conditioning follows `SAM2Base` of the package.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vr180_ofx.errors import SettingsError
from vr180_ofx.trackers.sam2.attention import MemoryTensors, attend, decode_unprompted, tokens_of
from vr180_ofx.trackers.sam2.checkpoint import CONFIGS, load_weights
from vr180_ofx.trackers.sam2.checkpoint import build as _build
from vr180_ofx.weights.compiling import compiled_function
from vr180_ofx.weights.graphs import Graphs, recorder_for
from vr180_ofx.weights.known_picture import hold_against, known_picture

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: What autocast multiplies in half precision. It would cast their weights anew each time.
_MULTIPLY = (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)


@dataclass(frozen=True, slots=True)
class Features:
    """What the image encoder says of some pictures.

    levels: from fine to coarse, each (pixels, pictures, channels). positions: (1, pixels, channels) of the coarsest, the same for all
    pictures. sizes: (height, width) of each level.
    """

    levels: tuple[Tensor, ...]
    positions: Tensor
    sizes: tuple[tuple[int, int], ...]

    def take(self, index: Tensor | None) -> Features:
        """The features of these pictures, in this order; a picture may come more than once. None: of all, as they are."""
        if index is None:
            return self
        return Features(tuple(x.index_select(1, index) for x in self.levels), self.positions, self.sizes)


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder says of a batch of people.

    low: (b, 1, size / 4, size / 4) logits. high: (b, 1, size, size). pointer: (b, 256) object pointers.
    score: (b, 1) logits of being there at all. iou: (b,) predicted overlap of the mask with the truth, 0..1.
    """

    low: Tensor
    high: Tensor
    pointer: Tensor
    score: Tensor
    iou: Tensor


@dataclass(frozen=True, slots=True)
class Followed:
    """What is seen of people who are followed, and to be remembered.

    high: (b, 1, size, size) logits. pointer: (b, 256). score: (b, 1). iou: (b,). memory: (b, 64, h, w) bfloat16. See `Decoded`.
    """

    high: Tensor
    pointer: Tensor
    score: Tensor
    iou: Tensor
    memory: Tensor


class Sam2Network:
    """One of the four networks for square pictures of ``size`` pixels. For one thread at a time.

    name: sam2.1_t, sam2.1_s, sam2.1_b+ or sam2.1_l. weights: an official checkpoint or its tensors as safetensors; None leaves
    random ones (for tests of the arithmetic). precision: what CUDA computes in: float32, float16 or bfloat16; the CPU always takes float32.
    compiled: the image encoder is, see `weights.compiling`. rehearsed: as on a graphics card, see `weights.device.Placement`. Raises
    SettingsError, WeightsError, and ComputationError when a graphics card computes what cannot be.

    What `encode` and `followed` return is lent until they are called again: see `weights.graphs`.
    """

    def __init__(
        self, name: str, weights: Path | None, size: int = 1024, device: str = "cpu", precision: str = "float32", *,
        compiled: bool = False, rehearsed: bool = False,
    ) -> None:  # fmt: skip
        if name not in CONFIGS:
            raise SettingsError(f"matting.tracker is {name!r}; SAM 2 has {', '.join(CONFIGS)}")
        if size % 64 or not 128 <= size <= 2048:
            raise SettingsError(f"matting.window_size is {size}; SAM 2 takes multiples of 64 from 128 to 2048")
        self.name, self.size, self.compiled = name, size, compiled
        self.device = torch.device(device)
        self.model = _build(name, size)
        if weights is not None:
            load_weights(self.model, weights, name)
        self.model.eval().requires_grad_(False)
        expected = () if self.device.type == "cpu" else look(self.model)
        self.model.to(self.device)
        self.precision = precision if self.device.type == "cuda" else "float32"
        if self.device.type == "cuda":
            self.model.image_encoder.to(memory_format=torch.channels_last)
        if self.precision != "float32":
            lower(self.model, getattr(torch, self.precision))
        _keep_positions(self.model)
        self._mean = torch.tensor(_MEAN, device=self.device)[:, None, None]
        self._std = torch.tensor(_STD, device=self.device)[:, None, None]
        #: Frames before the present one that memory attention sees, beside the conditioning ones.
        self.recent = int(self.model.num_maskmem) - 1
        #: Object pointers reach back so many frames.
        self.reach = int(self.model.max_obj_ptrs_in_encoder) - 1
        self.graphs = Graphs(recorder_for(self.device, rehearsed=rehearsed))
        self._indices: dict[tuple[int, ...], Tensor] = {}
        #: What is known from the first picture on: sizes of the encoder's levels, and positions in the coarsest, (1, pixels, channels).
        self._sizes: tuple[tuple[int, int], ...] = ()
        self._top_positions = torch.empty(0)
        with self._mode():
            self._memory_positions = self._positions_of_memory()
            self._picture_positions: Tensor = self.model.sam_prompt_encoder.get_dense_pe()
        if self.device.type != "cpu":
            self.check(expected)
        if compiled:
            # the package keeps positions when it first needs them, which would be another program from then on
            self.encode(known_picture(size))
            self.model.image_encoder.forward = compiled_function(self.model.image_encoder.forward)

    @contextlib.contextmanager
    def _mode(self) -> Iterator[None]:
        with torch.inference_mode():
            if self.precision == "float32":
                yield
            else:
                with torch.autocast(self.device.type, dtype=getattr(torch, self.precision)):
                    yield

    def check(self, expected: Sequence[Tensor]) -> None:
        """Looks at a known picture. expected: what the CPU's float32 makes of it, see `look`. Raises ComputationError."""
        with self._mode():
            found = look(self.model)
        says = {"network": self.name, "device": str(self.device), "precision": self.precision}
        hold_against(expected, found, **says)
        # the rest of the network is for pictures of one size, which the CPU would look at for seconds
        picture = known_picture(self.size).to(self.device)
        box = torch.tensor([[[0.3, 0.2], [0.7, 0.95]]]) * self.size
        features = self.encode(picture)
        seen = self.prompt_points(features, box, torch.tensor([[2, 3]]))
        memory = self.remember(features, seen, prompted=True)
        bank = MemoryTensors(
            memory[None], torch.full((1, 1), self.recent, device=self.device), seen.pointer[None], torch.ones(1, 1, device=self.device)
        )
        again = self.followed(features, [0], bank)
        hold_against((), (seen.high, again.high, again.pointer, again.score, again.memory), **says)

    def up(self, values: Tensor) -> Tensor:
        """Small numbers on the network's device, without waiting for it. values: on the host."""
        return values.pin_memory().to(self.device, non_blocking=True) if self.device.type == "cuda" else values

    def encode(self, pictures: Tensor) -> Features:
        """pictures: (b, 3, size, size) sRGB 0..1, on any device."""
        with self._mode():
            pictures = pictures.to(self.device, non_blocking=True)
            if self._sizes:
                return Features(self.graphs("encode", self._encoded, pictures), self._top_positions, self._sizes)
            # what the package finds anew for each picture is the same for all
            levels, positions, sizes = self._levels(pictures)
            self._top_positions, self._sizes = positions[-1].transpose(0, 1)[:1].clone(), tuple(sizes)
            return Features(tuple(levels), self._top_positions, self._sizes)

    def _encoded(self, pictures: Tensor) -> tuple[Tensor, ...]:
        return tuple(self._levels(pictures)[0])

    def _levels(self, pictures: Tensor) -> tuple[list[Tensor], list[Tensor], list[tuple[int, int]]]:
        x = (pictures - self._mean) / self._std
        if self.device.type == "cuda":
            x = x.to(memory_format=torch.channels_last)
        _, levels, positions, sizes = self.model._prepare_backbone_features(self.model.forward_image(x))
        return levels, positions, sizes

    def index(self, places: Sequence[int], pictures: int) -> Tensor | None:
        """Numbers of pictures as `Features.take` wants them. pictures: how many there are."""
        numbers = tuple(places)
        if numbers == tuple(range(pictures)):
            return None
        if numbers not in self._indices:
            self._indices[numbers] = self.up(torch.tensor(numbers))
        return self._indices[numbers]

    def prompt_points(self, features: Features, points: Tensor, labels: Tensor) -> Decoded:
        """People shown by points, (b, k, 2) in pixels of the picture; labels (b, k): 1 inside, 0 outside, 2 and 3 corners of a box."""
        with self._mode():
            top = features.levels[-1] + self.model.no_mem_embed
            inputs = {"point_coords": points.to(self.device), "point_labels": labels.to(self.device, torch.int32)}
            multimask = self.model._use_multimask(True, inputs)
            out = self.model._forward_sam_heads(
                backbone_features=_as_picture(features, top), point_inputs=inputs, mask_inputs=None, high_res_features=_fine(features),
                multimask_output=multimask,
            )  # fmt: skip
            return _seen(out)

    def prompt_masks(self, features: Features, masks: Tensor) -> Decoded:
        """People shown by masks, (b, 1, size, size), 0 or 1: what goes in comes out, and becomes a memory."""
        with self._mode():
            top = _as_picture(features, features.levels[-1])
            return _seen(self.model._use_mask_as_output(top, _fine(features), masks.to(self.device)))

    def follow(self, features: Features, places: Sequence[int], bank: MemoryTensors) -> Decoded:
        """People found again by what is remembered of them. places: the picture in which each is looked for."""
        with self._mode():
            return self._follow(features, self.index(places, features.levels[0].shape[1]), bank)[0]

    def _follow(self, features: Features, index: Tensor | None, bank: MemoryTensors) -> tuple[Decoded, Features]:
        tokens, positions, pointers = tokens_of(self.model, bank, self._memory_positions, self.reach)
        top = attend(
            self.model.memory_attention,
            features.levels[-1],
            features.positions,
            index,
            memory=tokens,
            positions=positions,
            pointers=pointers,
        )
        features = features.take(index)
        several = bool(self.model._use_multimask(False, None))
        seen = decode_unprompted(self.model, _as_picture(features, top), _fine(features), self._picture_positions, several=several)
        ious = seen.ious.float().amax(dim=1)
        return Decoded(seen.low.float(), seen.high.float(), seen.pointer.float(), seen.score.float(), ious), features

    def followed(self, features: Features, places: Sequence[int], bank: MemoryTensors) -> Followed:
        """As `follow`, and what is to be remembered of it."""
        with self._mode():
            index = self.index(places, features.levels[0].shape[1])
            levels, positions, sizes = len(features.levels), features.positions, features.sizes

            def function(*given: Tensor) -> tuple[Tensor, ...]:
                theirs = Features(given[:levels], positions, sizes)
                seen, own = self._follow(theirs, given[levels + 4] if len(given) > levels + 4 else None, MemoryTensors(*given[levels:][:4]))
                return seen.high, seen.pointer, seen.score, seen.iou, self._remembered(own, seen.high, seen.score, prompted=False)

            inputs = (*features.levels, bank.spatial, bank.slots, bank.pointers, bank.ages, *(() if index is None else (index,)))
            return Followed(*self.graphs("follow", function, *inputs))

    def remember(self, features: Features, seen: Decoded, *, prompted: bool) -> Tensor:
        """(b, 64, h, w) bfloat16: what memory attention will see of this frame."""
        with self._mode():
            high = seen.high
            if prompted:
                # as the package's predictor does, which keeps only the small masks of prompted frames
                high = F.interpolate(seen.low.float(), size=(self.size, self.size), mode="bilinear", align_corners=False)
            return self._remembered(features, high, seen.score, prompted=prompted)

    def _remembered(self, features: Features, high: Tensor, score: Tensor, *, prompted: bool) -> Tensor:
        memory, _ = self.model._encode_new_memory(
            current_vision_feats=list(features.levels), feat_sizes=list(features.sizes), pred_masks_high_res=high,
            object_score_logits=score, is_mask_from_pts=prompted,
        )  # fmt: skip
        out: Tensor = memory.to(torch.bfloat16)
        return out

    def _positions_of_memory(self) -> Tensor:
        """(pixels, 64)."""
        side = self.size // int(self.model.backbone_stride)
        encoder = self.model.memory_encoder
        grid = encoder.position_encoding(torch.zeros(1, int(self.model.mem_dim), side, side, device=self.device))
        out: Tensor = grid[0].flatten(1).transpose(0, 1)
        return out


def look(model: Any) -> tuple[Tensor, ...]:
    """The image encoder's levels of a known picture."""
    picture = (known_picture() - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_STD)[:, None, None]
    with torch.inference_mode():
        return tuple(model.forward_image(picture.to(next(model.parameters()).device))["backbone_fpn"])


def lower(model: nn.Module, precision: torch.dtype) -> None:
    """Weights that autocast would cast in each call are cast once: the same numbers, half as many kernels."""
    for module in model.modules():
        if isinstance(module, _MULTIPLY):
            module.to(precision)


def _keep_positions(model: Any) -> None:
    """The encoder enlarges its positions anew for each batch; now it does so once for each size."""
    trunk = model.image_encoder.trunk
    enlarge, kept = trunk._get_pos_embed, dict[tuple[int, int], Tensor]()

    def positions(size: tuple[int, int]) -> Tensor:
        size = (int(size[0]), int(size[1]))
        if size not in kept:
            kept[size] = enlarge(size)
        return kept[size]

    trunk._get_pos_embed = positions


def _seen(out: Sequence[Tensor]) -> Decoded:
    _, _, ious, low, high, pointer, score = out
    return Decoded(low.float(), high.float(), pointer.float(), score.float(), ious.float().amax(dim=1))


def _as_picture(features: Features, flat: Tensor) -> Tensor:
    height, width = features.sizes[-1]
    return flat.permute(1, 2, 0).reshape(flat.shape[1], flat.shape[2], height, width)


def _fine(features: Features) -> list[Tensor]:
    pairs = list(zip(features.levels, features.sizes, strict=True))[:-1]
    return [x.permute(1, 2, 0).reshape(x.shape[1], x.shape[2], *size) for x, size in pairs]

"""SAM 2.1's network: the modules of the package `sam2`, built from its own configuration, without its video predictor.

Everything here is a function of its arguments: what was seen before comes in as tensors and goes out as tensors.
Ravi et al. 2024, "SAM 2: Segment Anything in Images and Videos"; the conditioning follows `SAM2Base` of the package.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from vr180_ofx.errors import SettingsError, WeightsError

log = logging.getLogger(__name__)
#: Model name -> configuration file inside the package.
CONFIGS = {
    "sam2.1_t": "configs/sam2.1/sam2.1_hiera_t.yaml",
    "sam2.1_s": "configs/sam2.1/sam2.1_hiera_s.yaml",
    "sam2.1_b+": "configs/sam2.1/sam2.1_hiera_b+.yaml",
    "sam2.1_l": "configs/sam2.1/sam2.1_hiera_l.yaml",
}
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
#: What the package's own video predictor adds to its configuration.
_DECODER = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}


@dataclass(frozen=True, slots=True)
class Features:
    """What the image encoder says of some pictures.

    levels: from fine to coarse, each (pixels, pictures, channels). positions: the same shapes. sizes: (height, width) of each level.
    """

    levels: tuple[Tensor, ...]
    positions: tuple[Tensor, ...]
    sizes: tuple[tuple[int, int], ...]

    def take(self, numbers: Sequence[int]) -> Features:
        """The features of these pictures, in this order; a picture may come more than once."""
        if list(numbers) == list(range(self.levels[0].shape[1])):
            return self
        index = torch.tensor(numbers, device=self.levels[0].device)
        # positions are the same for all pictures
        positions = tuple(p[:, :1].expand(-1, len(numbers), -1) for p in self.positions)
        return Features(tuple(x.index_select(1, index) for x in self.levels), positions, self.sizes)


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
class MemoryTensors:
    """What a batch of people who remember equally much remember.

    spatial: (frames, b, 64, h, w) float32. slots: (frames, b) which temporal embedding each takes.
    pointers: (pointers, b, 256). ages: (pointers, b) frames since then.
    """

    spatial: Tensor
    slots: Tensor
    pointers: Tensor
    ages: Tensor


class Sam2Network:
    """One of the four networks for square pictures of ``size`` pixels.

    name: sam2.1_t, sam2.1_s, sam2.1_b+ or sam2.1_l. weights: an official checkpoint or its tensors as safetensors; None leaves
    random ones (for tests of the arithmetic). precision: what CUDA computes in: float32, float16 or bfloat16; the CPU always takes float32.
    """

    def __init__(self, name: str, weights: Path | None, size: int = 1024, device: str = "cpu", precision: str = "float32") -> None:
        if name not in CONFIGS:
            raise SettingsError(f"matting.tracker is {name!r}; SAM 2 has {', '.join(CONFIGS)}")
        if size % 64 or not 128 <= size <= 2048:
            raise SettingsError(f"matting.window_size is {size}; SAM 2 takes multiples of 64 from 128 to 2048")
        self.name, self.size = name, size
        self.device = torch.device(device)
        self.model = _build(name, size)
        if weights is not None:
            load_weights(self.model, weights, name)
        self.model.to(self.device).eval().requires_grad_(False)
        self.precision = precision if self.device.type == "cuda" else "float32"
        if self.device.type == "cuda":
            self.model.image_encoder.to(memory_format=torch.channels_last)
        self._mean = torch.tensor(_MEAN, device=self.device)[:, None, None]
        self._std = torch.tensor(_STD, device=self.device)[:, None, None]
        #: Frames before the present one that memory attention sees, beside the conditioning ones.
        self.recent = int(self.model.num_maskmem) - 1
        #: Object pointers reach back so many frames.
        self.reach = int(self.model.max_obj_ptrs_in_encoder) - 1
        with self._mode():
            self._memory_positions = self._positions_of_memory()

    @contextlib.contextmanager
    def _mode(self) -> Iterator[None]:
        with torch.inference_mode():
            if self.precision == "float32":
                yield
            else:
                with torch.autocast(self.device.type, dtype=getattr(torch, self.precision)):
                    yield

    def encode(self, pictures: Tensor) -> Features:
        """pictures: (b, 3, size, size) sRGB 0..1, on any device."""
        with self._mode():
            x = (pictures.to(self.device, non_blocking=True) - self._mean) / self._std
            if self.device.type == "cuda":
                x = x.to(memory_format=torch.channels_last)
            out = self.model.forward_image(x)
            _, levels, positions, sizes = self.model._prepare_backbone_features(out)
            return Features(tuple(levels), tuple(positions), tuple(sizes))

    def prompt_points(self, features: Features, points: Tensor, labels: Tensor) -> Decoded:
        """People shown by points, (b, k, 2) in pixels of the picture; labels (b, k): 1 inside, 0 outside, 2 and 3 corners of a box."""
        with self._mode():
            top = features.levels[-1] + self.model.no_mem_embed
            inputs = {"point_coords": points.to(self.device), "point_labels": labels.to(self.device, torch.int32)}
            multimask = self.model._use_multimask(True, inputs)
            return self._decode(features, self._as_picture(features, top), inputs, multimask=multimask)

    def prompt_masks(self, features: Features, masks: Tensor) -> Decoded:
        """People shown by masks, (b, 1, size, size), 0 or 1: what goes in comes out, and becomes a memory."""
        with self._mode():
            top = self._as_picture(features, features.levels[-1])
            out = self.model._use_mask_as_output(top, self._fine(features), masks.to(self.device))
            return self._seen(out)

    def follow(self, features: Features, places: Sequence[int], bank: MemoryTensors) -> Decoded:
        """People found again by what is remembered of them. places: the picture in which each is looked for."""
        with self._mode():
            model = self.model
            count, people = bank.spatial.shape[:2]
            tokens = bank.spatial.flatten(3).permute(0, 3, 1, 2).flatten(0, 1)
            # the temporal embedding (frames, b, 64) is added to every pixel's position
            when = model.maskmem_tpos_enc[bank.slots][:, :, 0, 0]
            positions = (self._memory_positions[None] + when[:, None]).flatten(0, 1)
            pointer_tokens = 0
            if len(bank.pointers):
                # a pointer of 256 is four tokens of 64
                split = bank.pointers.shape[2] // tokens.shape[2]
                pointers = bank.pointers.reshape(-1, people, split, tokens.shape[2]).permute(0, 2, 1, 3).flatten(0, 1)
                moments = model.obj_ptr_tpos_proj(_sine(bank.ages / self.reach, bank.pointers.shape[2])).repeat_interleave(split, dim=0)
                tokens, positions = torch.cat([tokens, pointers]), torch.cat([positions, moments])
                pointer_tokens = len(pointers)
            top = _attend(model.memory_attention, features, places, memory=tokens, positions=positions, pointers=pointer_tokens)
            features = features.take(places)
            return self._decode(features, self._as_picture(features, top), None, multimask=model._use_multimask(False, None))

    def remember(self, features: Features, seen: Decoded, *, prompted: bool) -> Tensor:
        """(b, 64, h, w) bfloat16: what memory attention will see of this frame."""
        with self._mode():
            high = seen.high
            if prompted:
                # as the package's predictor does, which keeps only the small masks of prompted frames
                high = F.interpolate(seen.low.float(), size=(self.size, self.size), mode="bilinear", align_corners=False)
            memory, _ = self.model._encode_new_memory(
                current_vision_feats=list(features.levels), feat_sizes=list(features.sizes), pred_masks_high_res=high,
                object_score_logits=seen.score, is_mask_from_pts=prompted,
            )  # fmt: skip
            out: Tensor = memory.to(torch.bfloat16)
            return out

    def _decode(self, features: Features, top: Tensor, points: dict[str, Tensor] | None, *, multimask: bool) -> Decoded:
        out = self.model._forward_sam_heads(
            backbone_features=top, point_inputs=points, mask_inputs=None, high_res_features=self._fine(features), multimask_output=multimask
        )
        return self._seen(out)

    @staticmethod
    def _seen(out: Sequence[Tensor]) -> Decoded:
        _, _, ious, low, high, pointer, score = out
        return Decoded(low.float(), high.float(), pointer.float(), score.float(), ious.float().amax(dim=1))

    def _as_picture(self, features: Features, flat: Tensor) -> Tensor:
        height, width = features.sizes[-1]
        return flat.permute(1, 2, 0).reshape(flat.shape[1], flat.shape[2], height, width)

    def _fine(self, features: Features) -> list[Tensor]:
        pairs = list(zip(features.levels, features.sizes, strict=True))[:-1]
        return [x.permute(1, 2, 0).reshape(x.shape[1], x.shape[2], *size) for x, size in pairs]

    def _positions_of_memory(self) -> Tensor:
        """(pixels, 1, 64)."""
        side = self.size // int(self.model.backbone_stride)
        encoder = self.model.memory_encoder
        grid = encoder.position_encoding(torch.zeros(1, int(self.model.mem_dim), side, side, device=self.device))
        out: Tensor = grid.flatten(2).permute(2, 0, 1)
        return out


def _attend(attention: Any, features: Features, places: Sequence[int], *, memory: Tensor, positions: Tensor, pointers: int) -> Tensor:
    """`MemoryAttention.forward` of the package, with less to do.

    What comes before the first look at memory is computed once for everybody in the same picture, and the keys are turned where
    they lie: the package repeats the rotation for every remembered frame and copies the keys twice.

    memory, positions: (tokens, b, 64), the last ``pointers`` of them object pointers, which have no place in the picture.
    """
    x, query_positions = features.levels[-1].transpose(0, 1), features.positions[-1].transpose(0, 1)
    if attention.pos_enc_at_input:
        x = x + 0.1 * query_positions
    values, keys = memory.transpose(0, 1).contiguous(), (memory + positions).transpose(0, 1).contiguous()
    index = torch.tensor(places, device=x.device)
    for number, layer in enumerate(attention.layers):
        x = layer._forward_sa(x, query_positions)
        if number == 0:
            x, query_positions = x.index_select(0, index), query_positions[:1]
        cross = layer.cross_attn_image
        query = layer.norm2(x)
        q, k, v = cross.q_proj(query), cross.k_proj(keys), cross.v_proj(values)
        pixels, width = q.shape[1], q.shape[2]
        turn = _rotation(cross, pixels, width, q.device)
        q = torch.view_as_real(torch.view_as_complex(q.float().reshape(len(q), pixels, -1, 2)) * turn).flatten(2).to(q.dtype)
        k = k.float()
        spatial = k[:, : k.shape[1] - pointers].view(len(k), -1, pixels, width // 2, 2)
        turned = torch.view_as_complex(spatial)
        turned *= turn
        out = F.scaled_dot_product_attention(q[:, None], k.to(q.dtype)[:, None], v[:, None])[:, 0]
        x = x.add_(cross.out_proj(out))
        x = x.add_(layer.linear2(layer.activation(layer.linear1(layer.norm3(x)), inplace=True)))
    done: Tensor = attention.norm(x).transpose(0, 1)
    return done


def _rotation(cross: Any, pixels: int, width: int, device: Any) -> Tensor:
    """(pixels, width / 2) complex: rotary positions of a square of tokens."""
    if cross.freqs_cis.shape[0] != pixels:
        side = round(pixels**0.5)
        cross.freqs_cis = cross.compute_cis(end_x=side, end_y=side)
    cross.freqs_cis = cross.freqs_cis.to(device)
    turn: Tensor = cross.freqs_cis
    return turn


def _sine(positions: Tensor, dim: int, temperature: float = 10000.0) -> Tensor:
    """Sine embedding of (n, b) positions: (n, b, dim), as in "Attention Is All You Need"."""
    half = dim // 2
    steps = torch.arange(half, dtype=torch.float32, device=positions.device)
    steps = temperature ** (2 * (steps // 2) / half)
    x = positions.unsqueeze(-1) / steps
    return torch.cat([x.sin(), x.cos()], dim=-1)


@lru_cache(maxsize=4)
def _configuration(name: str) -> Any:
    import sam2
    from omegaconf import OmegaConf

    return OmegaConf.load(Path(sam2.__path__[0]) / CONFIGS[name]).model


def _build(name: str, size: int) -> Any:
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    changes = {"image_size": size, "sam_mask_decoder_extra_args": _DECODER, "binarize_mask_from_pts_for_mem_enc": True}
    return instantiate(OmegaConf.merge(_configuration(name), changes), _recursive_=True)


def load_weights(model: Any, path: Path, name: str) -> None:
    """Fills ``model`` from an official checkpoint or safetensors. Nothing is unpickled but tensors.

    Raises WeightsError that names what is missing, what does not belong, and which shapes differ.
    """
    state = _read(path)
    wanted = model.state_dict()
    missing = sorted(set(wanted) - set(state))
    strange = sorted(set(state) - set(wanted))
    differ = [
        f"{k} is {tuple(state[k].shape)}, not {tuple(wanted[k].shape)}" for k in wanted if k in state and state[k].shape != wanted[k].shape
    ]
    problems = []
    if missing:
        problems.append(f"{len(missing)} tensors are missing ({_some(missing)})")
    if strange:
        problems.append(f"{len(strange)} do not belong ({_some(strange)})")
    if differ:
        problems.append(f"{len(differ)} have another shape ({_some(differ)})")
    if problems:
        raise WeightsError(f"{path} does not fit {name}: {'; '.join(problems)}. Is it the checkpoint of another size?")
    model.load_state_dict(state)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        held = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"the weights file {path} does not exist") from None
    except Exception as error:  # noqa: BLE001 - pickle, zip and safetensors each have their own
        raise WeightsError(f"{path} is not a checkpoint that can be read safely: {str(error).splitlines()[0]}") from None
    state = held.get("model", held) if isinstance(held, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds no tensors under 'model'; an official SAM 2.1 checkpoint does")
    return state


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

"""SAM 2's attention to what it remembers, and its mask decoder for people whom nobody shows it: as the package does it, in fewer steps.

What does not depend on pictures is made once, what is looked at by several people is computed once, and nothing is copied that need not
be. The numbers are the package's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

#: What the package takes for the logits of somebody who is not there.
_ABSENT = -1024.0


@dataclass(frozen=True, slots=True)
class MemoryTensors:
    """What a batch of people who remember equally much remember.

    spatial: (frames, b, 64, h, w) float32 or bfloat16. slots: (frames, b) int64, which temporal embedding each takes.
    pointers: (pointers, b, 256) float32. ages: (pointers, b) float32, frames since then.
    """

    spatial: Tensor
    slots: Tensor
    pointers: Tensor
    ages: Tensor


def tokens_of(model: Any, bank: MemoryTensors, memory_positions: Tensor, reach: int) -> tuple[Tensor, Tensor, int]:
    """(tokens, their positions, how many of them are object pointers): (b, tokens, 64) each; pointers come last.

    memory_positions: (pixels, 64) of a remembered frame. reach: object pointers reach back so many frames.
    """
    spatial = bank.spatial.float()
    frames, people, width = spatial.shape[:3]
    tokens = spatial.permute(1, 0, 3, 4, 2).reshape(people, -1, width)
    # the temporal embedding (frames, b, 64) is added to every pixel's position
    when = model.maskmem_tpos_enc[bank.slots][:, :, 0, 0].transpose(0, 1)
    positions = (memory_positions + when[:, :, None]).flatten(1, 2)
    if not len(bank.pointers):
        return tokens, positions, 0
    # a pointer of 256 is four tokens of 64
    split = bank.pointers.shape[2] // width
    pointers = bank.pointers.transpose(0, 1).reshape(people, -1, width)
    moments = model.obj_ptr_tpos_proj(_sine(bank.ages / reach, bank.pointers.shape[2])).transpose(0, 1).repeat_interleave(split, dim=1)
    return torch.cat([tokens, pointers], dim=1), torch.cat([positions, moments], dim=1), pointers.shape[1]


def attend(
    attention: Any, pictures: Tensor, picture_positions: Tensor, index: Tensor | None, *, memory: Tensor, positions: Tensor, pointers: int
) -> Tensor:  # fmt: skip
    """`MemoryAttention.forward` of the package: (pixels, b, channels).

    What comes before the first look at memory is computed once for everybody in the same picture, and the keys are turned where
    they lie: the package repeats the rotation for every remembered frame and copies the keys twice.

    pictures: (pixels, pictures, channels). picture_positions: (1, pixels, channels), the same for all. index: (b,) the picture in which
    each is looked for; None: the one of their own number. memory, positions: (b, tokens, 64), the last ``pointers`` of them object
    pointers, which have no place in the picture.
    """
    x = pictures.transpose(0, 1)
    if attention.pos_enc_at_input:
        x = x + 0.1 * picture_positions
    keys = memory + positions
    for number, layer in enumerate(attention.layers):
        x = layer._forward_sa(x, picture_positions)
        if number == 0 and index is not None:
            x = x.index_select(0, index)
        cross = layer.cross_attn_image
        query = layer.norm2(x)
        q, k, v = cross.q_proj(query), cross.k_proj(keys), cross.v_proj(memory)
        pixels, width = q.shape[1], q.shape[2]
        turn = _rotation(cross, pixels, q.device)
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


@dataclass(frozen=True, slots=True)
class Heads:
    """What the mask decoder says of people: low (b, 1, h, w) and high (b, 1, H, W) logits, pointer (b, 256), score (b, 1), ious (b, n)."""

    low: Tensor
    high: Tensor
    pointer: Tensor
    score: Tensor
    ious: Tensor


def decode_unprompted(model: Any, top: Tensor, fine: list[Tensor], picture_positions: Tensor, *, several: bool) -> Heads:
    """`SAM2Base._forward_sam_heads` of the package without a prompt.

    top: (b, 256, h, w). fine: features for the mask's detail. picture_positions: (1, 256, h, w), `PromptEncoder.get_dense_pe`.
    several: whether the decoder makes several masks, of which it believes in one.
    """
    prompts = model.sam_prompt_encoder
    # an empty point, and the one that pads it
    nothing = prompts.not_a_point_embed.weight.expand(len(top), 2, -1)
    low, ious, tokens, score = model.sam_mask_decoder(
        image_embeddings=top, image_pe=picture_positions, sparse_prompt_embeddings=nothing,
        dense_prompt_embeddings=prompts.no_mask_embed.weight.reshape(1, -1, 1, 1), multimask_output=several, repeat_image=False,
        high_res_features=fine,
    )  # fmt: skip
    there = score > 0
    low = torch.where(there[:, None, None], low, _ABSENT).float()
    high = F.interpolate(low, size=(model.image_size, model.image_size), mode="bilinear", align_corners=False)
    token = tokens[:, 0]
    if several:
        best = ious.argmax(dim=-1)[:, None]
        low, high = (x.gather(1, best[..., None, None].expand(-1, 1, *x.shape[2:])) for x in (low, high))
        if tokens.shape[1] > 1:
            token = tokens.gather(1, best[..., None].expand(-1, 1, tokens.shape[2]))[:, 0]
    pointer = model.obj_ptr_proj(token)
    appears = score.sigmoid() if model.soft_no_obj_ptr else there.float()
    if model.fixed_no_obj_ptr:
        pointer = appears * pointer
    return Heads(low, high, pointer + (1 - appears) * model.no_obj_ptr, score, ious)


def _rotation(cross: Any, pixels: int, device: torch.device) -> Tensor:
    """(pixels, width / 2) complex: rotary positions of a square of tokens."""
    if cross.freqs_cis.shape[0] != pixels:
        side = round(pixels**0.5)
        cross.freqs_cis = cross.compute_cis(end_x=side, end_y=side)
    if cross.freqs_cis.device != device:
        cross.freqs_cis = cross.freqs_cis.to(device)
    turn: Tensor = cross.freqs_cis
    return turn


def _sine(positions: Tensor, dim: int) -> Tensor:
    """Sine embedding of (n, b) positions: (n, b, dim), as in "Attention Is All You Need"."""
    x = positions.unsqueeze(-1) / _periods(dim // 2, positions.device)
    return torch.cat([x.sin(), x.cos()], dim=-1)


@lru_cache(maxsize=8)
def _periods(half: int, device: torch.device, temperature: float = 10000.0) -> Tensor:
    with torch.inference_mode():
        steps = torch.arange(half, dtype=torch.float32, device=device)
        made: Tensor = temperature ** (2 * (steps // 2) / half)
        return made

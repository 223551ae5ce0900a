"""Tables of colours: a function of three channels, known at the nodes of a cube."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample


def looked_up_in_cube(values: Tensor, nodes: Tensor, cube: Tensor) -> Tensor:
    """The function at colours, trilinear between nodes and that of the outermost ones beyond them.

    values: (h, w, 3) float32 without NaN. nodes: (n,) what a channel is at each node, rising, the same for all of them.
    cube: (1, 3, n, n, n), three results by the first, second and third channel. Returns (h, w, 3).
    """
    last = len(nodes) - 1
    inside = values.contiguous().clamp(nodes[0], nodes[-1])
    below = (torch.searchsorted(nodes, inside, right=True) - 1).clamp_(0, last - 1)
    low, high = nodes[below], nodes[below + 1]
    # the first channel is the outermost axis of the cube, which `grid_sample` names last
    places = ((below + (inside - low) / (high - low)) * (2 / last) - 1).flip(-1)
    found = grid_sample(cube, places[None, None], mode="bilinear", padding_mode="border", align_corners=True)
    return found[0, :, 0].permute(1, 2, 0)

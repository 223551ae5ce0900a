"""OpenColorIO's transforms as tables, for pictures on a device: the transforms themselves are computed on the CPU.

The CPU's pictures go through OpenColorIO, not through these.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.imaging.either import namespace

#: Nodes of each channel. Of pictures in ten spaces that were shown by ACES 2.0 one colour in a thousand was off by more than 1.1 of 255
#: with 97 nodes; of those in ARRI LogC4 by 2.2 with 65, which is what .cube files have, and by 0.6 with 129. A table takes 11, 3 and
#: 26 MB, and 0.7, 0.3 and 2 seconds to make (docs/decisions/0076).
_NODES = 97
#: Of scene-linear light: what is told apart, beyond it all is like it. Noise goes below 0; ACES shows what is above 16 as white.
_LEAST, _MOST = -1.0, 1024.0
#: Where scene-linear light's axis goes over from even steps to even ratios: a ninth of middle grey, below which little is seen.
_TOE = 0.02


@dataclass(frozen=True, slots=True)
class ColourTable:
    """nodes: (n,) float32, what a channel is at each node, rising. cube: (n, n, n, 3) float32, by red, green and blue."""

    nodes: FloatArray
    cube: FloatArray


def baked(processor: Any, *, linear: bool, nodes: int = _NODES) -> ColourTable:
    """processor: OpenColorIO's, to display-referred RGB. linear: whether it takes scene-linear light; else code values."""
    axis = _linear_axis(processor, nodes) if linear else _code_axis(nodes)
    colours = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    return ColourTable(axis.astype(np.float32), _shown(processor, colours))


def _shown(processor: Any, rgb: FloatArray) -> FloatArray:
    pixels = np.ascontiguousarray(rgb, np.float32).reshape(-1, 1, 3).copy()
    processor.applyRGB(pixels)
    shown: FloatArray = np.clip(np.nan_to_num(pixels), 0, 1).reshape(rgb.shape)
    return shown


def _code_axis(nodes: int) -> FloatArray:
    """Even from 0 to 1, which is all that integers hold; ACEScct in floats goes to 1.47, and noise below 0."""
    return np.concatenate([[-0.125], np.linspace(0, 1, nodes - 3), [1.25, 1.5]])


def _linear_axis(processor: Any, nodes: int) -> FloatArray:
    """Half of the nodes where greys change most as they are shown, half in even ratios of light: for colours that are no greys."""
    fine = np.linspace(0, 1, 4096)
    low, high = np.arcsinh(_LEAST / _TOE), np.arcsinh(_MOST / _TOE)
    light = _TOE * np.sinh(low + fine * (high - low))
    grey = np.maximum.accumulate(_shown(processor, np.repeat(light[:, None], 3, axis=1)).mean(axis=-1))
    seen = (grey - grey[0]) / max(grey[-1] - grey[0], 1e-6)
    axis = np.interp(np.linspace(0, 1, nodes - 1), (seen + fine) / 2, light)
    # at 0 displays end, and what is shown has an edge
    return np.unique(np.append(axis, 0.0))


class TableOnDevices:
    """A table, and its copies on the devices that it was asked for on."""

    def __init__(self, table: ColourTable) -> None:
        self._table = table
        self._there = cache(self._sent)

    def _sent(self, device: Any) -> tuple[Any, Any]:
        import torch

        nodes, cube = torch.from_numpy(self._table.nodes), torch.from_numpy(self._table.cube).permute(3, 0, 1, 2)
        return nodes.to(device), cube.contiguous()[None].to(device)

    def __call__(self, rgb: Any) -> Any:
        """rgb: a tensor, (h, w, 3) float32; NaN is black."""
        from vr180_ofx.imaging.on_torch.cube import looked_up_in_cube

        return looked_up_in_cube(namespace(rgb).nan_to_num(rgb), *self._there(rgb.device))

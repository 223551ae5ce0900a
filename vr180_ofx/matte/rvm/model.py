"""RVM with its weights, on a device, for pictures as arrays."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.matte.rvm.network import RefinerName, RvmNetwork, Variant, folded
from vr180_ofx.weights.store import file_sha256


def load_network(path: Path) -> RvmNetwork:
    """The network that a file of weights is of: the authors' ``.pth``, or the same as ``.safetensors``. Raises WeightsError."""
    weights = _read(path)
    if "backbone.features.0.0.weight" in weights:
        variant: Variant = "mobilenetv3"
    elif "backbone.conv1.weight" in weights:
        variant = "resnet50"
    else:
        raise WeightsError(f"{path} holds no weights of RVM (neither of mobilenetv3 nor of resnet50)")
    refiner: RefinerName = "deep_guided_filter" if "refiner.box_filter.weight" in weights else "fast_guided_filter"
    network = RvmNetwork(variant, refiner)
    missing, more = network.load_state_dict(weights, strict=False)
    # the head for segmentation is for training alone
    missing = [k for k in missing if not k.startswith("project_seg.")]
    if missing or more:
        what = f"without {missing[0]}" if missing else f"with {more[0]}, which does not belong there"
        raise WeightsError(f"{path} looks like RVM {variant}, but {what}: {len(missing)} keys are missing, {len(more)} too many")
    return network.eval()


def _read(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist")
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            found: dict[str, Tensor] = load_file(path)
            return found
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign file makes the readers raise
        raise WeightsError(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict) or not all(isinstance(v, Tensor) for v in data.values()):
        raise WeightsError(f"{path} holds no table of weights")
    return data


class Rvm:
    """See `contract.RecurrentNetwork`. precision: float32, float16 or bfloat16."""

    def __init__(self, weights: Path, device: str = "cpu", precision: str = "float32", *, plain: bool = False) -> None:
        """device: as PyTorch names it. plain: as it was published, for comparison. Raises WeightsError."""
        network = load_network(weights)
        self.device = torch.device(device)
        self.dtype = getattr(torch, precision)
        # with channels last convolutions take half the time on CPUs
        self.layout = torch.contiguous_format if plain else torch.channels_last
        module = network if plain else folded(network)
        self.network = module.to(self.device, self.dtype, memory_format=self.layout)  # type: ignore[call-overload]
        if not plain:
            # bfloat16 has steps of 1/256 where alpha is near 1; the last layer is a thousandth of the work
            network.project_mat.float()
            network.refiner.float()
        self.sha256 = file_sha256(weights)
        self.precision = precision

    def identity(self) -> str:
        """Equal strings mean equal results."""
        return f"rvm:{self.sha256[:16]}:{self.precision}"

    def pool(self, pictures: int) -> Executor | None:
        """None: what is worked on at once is a batch."""
        return None

    def step(self, pictures: FloatArray, states: Sequence[State | None], ratio: float = 1.0) -> tuple[FloatArray, list[State]]:
        """One frame of several pictures of one size, or frames in a row of each of them at once.

        pictures: (n[, t], h, w, 3) sRGB 0..1, h and w multiples of 16. Returns alphas (n[, t], h, w), 0..1 float32, and what is to be
        remembered of each.
        """
        with torch.inference_mode():
            flat = np.ascontiguousarray(pictures, np.float32).reshape(-1, *pictures.shape[-3:])
            batch = torch.from_numpy(flat).permute(0, 3, 1, 2).to(self.device, self.dtype, memory_format=self.layout)
            if pictures.ndim == 5:
                batch = batch.view(*pictures.shape[:2], *batch.shape[1:])
            _, alpha, *memory = self.network(batch, *self._memory(states), downsample_ratio=ratio)
            kept = [m.to(torch.float16).cpu().numpy() for m in memory]
            return (
                alpha.squeeze(-3).float().cpu().numpy(),
                [tuple(m[i].copy() for m in kept) for i in range(len(states))],
            )

    def _memory(self, states: Sequence[State | None]) -> list[Tensor | None]:
        known = next((s for s in states if s is not None), None)
        if known is None:
            return [None] * 4
        out: list[Tensor | None] = []
        for k, like in enumerate(known):
            stacked = np.stack([np.zeros_like(like) if s is None else s[k] for s in states])
            out.append(torch.from_numpy(stacked).to(self.device, self.dtype, memory_format=self.layout))
        return out

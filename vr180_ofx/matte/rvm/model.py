"""RVM with its weights, on a device, for pictures as arrays or tensors."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.errors import WeightsError
from vr180_ofx.imaging.either import is_tensor, namespace
from vr180_ofx.matte.rvm.contract import State
from vr180_ofx.matte.rvm.mobileone import reparameterize_model
from vr180_ofx.matte.rvm.network import RefinerName, RvmNetwork, Variant, folded
from vr180_ofx.matte.rvm.weights_file import read_weights, variant_among
from vr180_ofx.weights.graphs import BUCKETS, Graphs, filled, recorder_for
from vr180_ofx.weights.known_picture import hold_against, known_picture
from vr180_ofx.weights.store import file_sha256


def load_network(path: Path, *, for_use: bool = False) -> RvmNetwork:
    """The network that a file of weights is of: the authors' ``.pth``, or ``.safetensors``. Raises WeightsError.

    for_use: with what was there for training alone taken out of it: encoders of MobileOne become plain convolutions.
    """
    weights, header = read_weights(path)
    variant = cast(Variant, variant_among(weights, header, path))
    refiner: RefinerName = "deep_guided_filter" if "refiner.box_filter.weight" in weights else "fast_guided_filter"
    network = RvmNetwork(variant, refiner)
    if variant == "mobileone_rvm" and not any(".branches." in name for name in weights):
        network = reparameterize_model(network)
    try:
        missing, more = network.load_state_dict(weights, strict=False)
    except RuntimeError as error:
        # the first line says which network, those after it what does not fit
        raise WeightsError(f"{path} looks like RVM {variant}, but {' '.join(str(error).split(chr(10))[1].split())}") from None
    # the head for segmentation is for training alone
    missing = [k for k in missing if not k.startswith("project_seg.")]
    if missing or more:
        what = f"without {missing[0]}" if missing else f"with {more[0]}, which does not belong there"
        raise WeightsError(f"{path} looks like RVM {variant}, but {what}: {len(missing)} keys are missing, {len(more)} too many")
    return reparameterize_model(network.eval()) if for_use and variant == "mobileone_rvm" else network.eval()


def look(network: Any) -> tuple[Tensor, ...]:
    """What the network remembers of a known picture that it sees twice, at each scale."""
    with torch.inference_mode():
        _, _, *memory = network(known_picture())
        _, _, *memory = network(known_picture(), *memory)
        return tuple(m[0] for m in memory)


class Rvm:
    """See `contract.RecurrentNetwork`. precision: float32, float16 or bfloat16. For one thread at a time on a graphics card.

    There batches are filled up (`weights.graphs.BUCKETS`), and what is remembered is float32 whatever multiplies.
    """

    def __init__(
        self, weights: Path, device: str = "cpu", precision: str = "float32", *, plain: bool = False, rehearsed: bool = False
    ) -> None:  # fmt: skip
        """device: as PyTorch names it. plain: as it was published, for comparison. rehearsed: as on a graphics card, see
        `weights.device.Placement`. Raises WeightsError, and ComputationError when a graphics card computes what cannot be.
        """
        network = load_network(weights, for_use=not plain)
        self.device = torch.device(device)
        on_card = self.device.type != "cpu" or rehearsed
        self.dtype = getattr(torch, precision)
        # with channels last convolutions take half the time on CPUs
        self.layout = torch.contiguous_format if plain else torch.channels_last
        self._channels = [getattr(network.decoder, f"decode{k}").gru.channels for k in (1, 2, 3, 4)]
        module = network if plain else folded(network)
        expected = () if self.device.type == "cpu" else look(module)
        self.network = module.to(self.device, self.dtype, memory_format=self.layout)  # type: ignore[call-overload]
        if not plain:
            # bfloat16 has steps of 1/256 where alpha is near 1; the last layer is a thousandth of the work
            network.project_mat.float()
            network.refiner.float()
        self.sha256 = file_sha256(weights)
        self.precision = precision
        self._state = torch.float32 if on_card else torch.float16
        self._buckets = BUCKETS if on_card else ()
        self.graphs = Graphs(recorder_for(self.device, rehearsed=rehearsed))
        if self.device.type != "cpu":
            self.check(expected)

    def identity(self) -> str:
        """Equal strings mean equal results."""
        state = "" if self._state == torch.float16 else f":{self._state}".replace("torch.", "state ")
        filled_up = f":{','.join(map(str, self._buckets))}" if self._buckets else ""
        return f"rvm:{self.sha256[:16]}:{self.precision}{state}{filled_up}"

    def check(self, expected: Sequence[Tensor]) -> None:
        """Looks at a known picture, twice. expected: what the CPU's float32 remembers of it, see `look`. Raises ComputationError."""
        picture = known_picture().permute(0, 2, 3, 1).to(self.device)
        alpha, states = self.step(picture, self.step(picture, [None])[1])
        says = {"network": "RVM", "device": str(self.device), "precision": self.precision}
        # its alphas of nobody are 0, in which there is nothing to compare
        hold_against(expected, [cast(Any, a) for a in states[0]], **says)
        hold_against((), [alpha], **says)

    def pool(self, pictures: int) -> Executor | None:
        """None: what is worked on at once is a batch."""
        return None

    def step(self, pictures: Any, states: Sequence[State | None], ratio: float = 1.0) -> tuple[Any, list[State]]:
        """One frame of several pictures of one size, or frames in a row of each of them at once.

        pictures: (n[, t], h, w, 3) sRGB 0..1, h and w multiples of 16. Returns alphas (n[, t], h, w), 0..1 float32, and what is to be
        remembered of each: arrays or tensors, as the pictures are.
        """
        most = self._buckets[-1] if self._buckets else len(states)
        xp = namespace(pictures)
        alphas, kept = [], []
        for begin in range(0, len(states), most):
            alpha, after = self._step(pictures[begin : begin + most], list(states[begin : begin + most]), ratio)
            alphas.append(alpha)
            kept += after
        return (alphas[0] if len(alphas) == 1 else xp.concatenate(alphas)), kept

    def _step(self, pictures: Any, states: list[State | None], ratio: float) -> tuple[Any, list[State]]:
        count = len(states)
        with torch.inference_mode():
            given = pictures if is_tensor(pictures) else torch.from_numpy(np.ascontiguousarray(pictures, np.float32))
            given = given.to(self.device)
            states = filled(states, self._buckets)
            if len(states) > count:
                given = torch.cat([given, given[-1:].expand(len(states) - count, *given.shape[1:])])

            def function(batch: Tensor, *memory: Tensor) -> tuple[Tensor, ...]:
                return self._run(batch, memory, ratio)

            # of the picture that the network sees
            size = (int(given.shape[-3] * ratio), int(given.shape[-2] * ratio))
            made = self.graphs(f"rvm:{ratio}", function, given, *self._memory(states, size))
            alpha, *memory = self.graphs.kept(*(m[:count] for m in made))
            if is_tensor(pictures):
                return alpha, [tuple(cast(Any, m[i]) for m in memory) for i in range(count)]
            arrays = [m.cpu().numpy() for m in memory]
            return alpha.cpu().numpy(), [tuple(m[i].copy() for m in arrays) for i in range(count)]

    def _run(self, given: Tensor, memory: Sequence[Tensor], ratio: float) -> tuple[Tensor, ...]:
        batch = given.reshape(-1, *given.shape[-3:]).permute(0, 3, 1, 2).to(self.dtype, memory_format=self.layout)
        if given.dim() == 5:
            batch = batch.view(*given.shape[:2], *batch.shape[1:])
        # what is kept in float32 is added to in float32
        fine = torch.float32 if self._state == torch.float32 else self.dtype
        before: list[Tensor | None] = [m.to(fine, memory_format=self.layout) for m in memory]
        _, alpha, *after = self.network(batch, *(before or [None] * 4), downsample_ratio=ratio)
        return alpha.squeeze(-3).float(), *(m.to(self._state) for m in after)

    def _memory(self, states: Sequence[State | None], size: tuple[int, int]) -> list[Tensor]:
        """What is remembered of all pictures, at each scale, on the device; nothing where nothing is, and zeros beside what is."""
        if self._state != torch.float32 and not any(states):
            return []
        out: list[Tensor] = []
        for k, channels in enumerate(self._channels):
            # halves, rounded up
            shape = (channels, *(-(-side >> k + 1) for side in size))
            zeros = torch.zeros(shape, dtype=self._state, device=self.device)
            out.append(torch.stack([zeros if s is None else self._placed(s[k]) for s in states]))
        return out

    def _placed(self, values: Any) -> Tensor:
        if is_tensor(values):
            return cast(Tensor, values.to(self.device))
        # a copy: PyTorch knows no read-only arrays
        return torch.from_numpy(values.copy()).to(self.device)

"""The student as something that is trained: its network, its losses, how it is judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.student.network import Answer, Student
from vr180_ofx.training.student.guides import LEAST_AREA
from vr180_ofx.training.student.losses import WEIGHTS, band_of, losses
from vr180_ofx.wording import short

#: From non-linear RGB to luma and colour differences (ITU-R BT.709).
_LUMA = (0.2126, 0.7152, 0.0722)


def student_task(options: Mapping[str, Any], losses: Mapping[str, float]) -> StudentTask:
    """See `contract.TaskMaker`. It has no options."""
    for word in options:
        raise SettingsError(f"the task student has no option {short(word)}; it has none at all")
    for name in losses:
        if name not in WEIGHTS:
            raise SettingsError(f"there is no loss {short(name)}; there are {', '.join(WEIGHTS)}")
    return StudentTask(WEIGHTS | dict(losses))


class StudentTask:
    """See `training.contract.Task`."""

    name = "student"

    def __init__(self, weights: Mapping[str, float] = WEIGHTS) -> None:
        """weights: of the losses."""
        self._weights = dict(weights)

    def build(self) -> nn.Module:
        return Student()

    def losses(self, network: nn.Module, batch: dict[str, Tensor], step: int) -> dict[str, Tensor]:
        flat = flattened(batch)
        answer = Answer(*(values.float() for values in network(planes(flat))))
        with torch.autocast(answer.alpha.device.type, enabled=False):
            return losses(answer, flat, self._weights)

    def evaluate(self, network: nn.Module, batch: dict[str, Tensor]) -> dict[str, float]:
        flat = flattened(batch)
        shown = planes(flat)
        answer = Answer(*(values.float() for values in network(shown)))
        with torch.autocast(answer.alpha.device.type, enabled=False):
            found = {"loss": sum(float(v.detach()) for v in losses(answer, flat, self._weights).values())}
        found |= measures(answer.alpha, flat["alpha"])
        found |= {f"guided_{k}": v for k, v in measures(shown[:, 4:5], flat["alpha"]).items()}
        found["presence_wrong"] = float(((answer.presence > 0) != (flat["presence"] > 0.5)).float().mean())
        # of all windows, so that every batch has it
        something = answer.alpha.mean((1, 2, 3)) > LEAST_AREA
        found["ghosts"] = float((something & (flat["presence"] < 0.5)).float().mean())
        return found

    def pictures(self, network: nn.Module, batch: dict[str, Tensor]) -> Tensor | None:
        flat = {k: v[:8] for k, v in flattened(batch).items()}
        shown = planes(flat)
        answer = network(shown)
        rows = [flat["source"], shown[:, 3:4], shown[:, 4:5], answer.alpha, flat["alpha"], answer.confidence]
        wide = [r.float().expand(-1, 3, -1, -1).permute(1, 2, 0, 3).flatten(2) for r in rows]
        return torch.cat(wide, 1).clamp(0, 1)


def flattened(batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the axis of time, of which there is one step."""
    return {k: v.flatten(0, 1) if v.dim() == 5 else v.flatten() for k, v in batch.items()}


def planes(batch: Mapping[str, Tensor]) -> Tensor:
    """What the network sees, (n, 6, h, w)."""
    shown = torch.cat([batch["source"], batch["guide"], filtered(batch["source"], batch["guide"]), batch["others"]], 1)
    # with channels last convolutions of few planes take two thirds of the time on CPUs
    return shown.contiguous(memory_format=torch.channels_last)


def filtered(pictures: Tensor, guides: Tensor) -> Tensor:
    """Guides (n, 1, h, w) after the program's guided filter, by pictures (n, 3, h, w)."""
    y = sum(w * pictures[:, k] for k, w in enumerate(_LUMA))
    ycc = torch.stack([y, (pictures[:, 2] - y) / 1.8556, (pictures[:, 0] - y) / 1.5748], -1)  # type: ignore[list-item]
    refiner = GuidedRefiner()
    if pictures.device.type != "cpu":
        return filtered_tensors(ycc, guides[:, 0])[:, None]
    out = []
    for guide, mask in zip(ycc.numpy(), guides[:, 0].numpy(), strict=True):
        guide = np.ascontiguousarray(guide)
        out.append(refiner.refine(guide, np.ascontiguousarray(mask)).value(guide))
    return torch.from_numpy(np.stack(out))[:, None]


def filtered_tensors(guide: Tensor, masks: Tensor) -> Tensor:
    """(n, h, w), by the guided filter of tensors. guide: (n, h, w, 3) luma and colour differences. Variances need single precision."""
    with torch.autocast(guide.device.type, enabled=False):
        return GuidedRefiner().refine(guide.float(), masks.float()).value(guide.float())  # type: ignore[arg-type,return-value]


def measures(alpha: Tensor, truth: Tensor) -> dict[str, float]:
    """Mean absolute difference, x 1e-3; the same in the band about edges, and of slopes, x 1e-3."""
    error = (alpha - truth).detach().abs()
    band = band_of(truth)
    slopes = [(v[..., 1:, 1:] - v[..., :-1, 1:], v[..., 1:, 1:] - v[..., 1:, :-1]) for v in (alpha, truth)]
    lengths = [(dx**2 + dy**2).sqrt() for dx, dy in slopes]
    return {
        "mad": 1e3 * float(error.mean()),
        "band_mad": float((error * band).sum() / band.sum().clamp(min=1)),
        "grad": 1e3 * float(((lengths[0] - lengths[1]) ** 2).mean()),
    }

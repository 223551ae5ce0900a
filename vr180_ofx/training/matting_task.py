"""RVM as what is trained: a network and its losses, by the words of a recipe.

Samples whose alpha is an alpha go through the matting head; those whose alpha is a mask (``matte`` 0) through the head for segmentation,
which knows no edges and no colours (RVM, section 5.2).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.rvm.network import RvmNetwork
from vr180_ofx.training.contract import Batch
from vr180_ofx.training.data.effects import over
from vr180_ofx.training.losses import alpha as of_alpha
from vr180_ofx.training.losses import colour as of_colour
from vr180_ofx.training.losses.perceptual import Perceptual, perceptual_if_there
from vr180_ofx.training.losses.segmentation import segmentation
from vr180_ofx.training.networks.build import WORDS, NetworkOptions, build_network
from vr180_ofx.wording import short

#: Loss -> its weight where a stage says nothing: RVM's (section 5). Those at 0 are for recipes that name them.
WEIGHTS: dict[str, float] = {
    "alpha_l1": 1.0, "alpha_l2": 0.0, "laplacian": 1.0, "gradient": 0.0, "temporal": 5.0, "foreground": 1.0, "foreground_temporal": 5.0,
    "composition": 0.0, "perceptual": 0.0, "segmentation": 1.0,
}  # fmt: skip
#: Written between frames of `MattingTask.pictures`.
_GREY = 0.5


def matting_task(options: Mapping[str, Any], losses: Mapping[str, float]) -> MattingTask:
    """See `contract.TaskMaker`.

    options: `NetworkOptions`, downsample (0..1, of the picture that the network sees; 1), light (linear or display: how the data's layers
    were mixed, for the loss of the composition; linear), perceptual_weights (torchvision's VGG-16).
    """
    known = (*WORDS, "downsample", "light", "perceptual_weights")
    for word in options:
        if word not in known:
            raise SettingsError(f"the task has no option {short(word)}; it has {', '.join(known)}")
    for name, weight in losses.items():
        if name not in WEIGHTS:
            raise SettingsError(f"there is no loss {short(name)}; there are {', '.join(WEIGHTS)}")
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not weight >= 0:
            raise SettingsError(f"the weight of the loss {name} is {short(weight)}; it is a number from 0 on")
    ratio = options.get("downsample", 1.0)
    if isinstance(ratio, bool) or not isinstance(ratio, int | float) or not 0 < ratio <= 1:
        raise SettingsError(f"the task's downsample is {short(ratio)}; it is above 0 and at most 1")
    if options.get("light", "linear") not in ("linear", "display"):
        raise SettingsError(f"the task's light is {short(options['light'])}; it is linear or display")
    return MattingTask(
        NetworkOptions.of(options), dict(losses) or WEIGHTS, float(ratio),
        perceptual_weights=options.get("perceptual_weights"), linear=options.get("light", "linear") == "linear",
    )  # fmt: skip


class MattingTask:
    """See `contract.Task`."""

    name = "matting"

    def __init__(
        self, network: NetworkOptions, weights: Mapping[str, float], ratio: float = 1.0, *,
        perceptual_weights: str | Path | None = None, linear: bool = True,
    ) -> None:  # fmt: skip
        """weights: of the losses; those that are not in it, or at 0, are not computed. linear: see `colour.composition`."""
        self.options, self.ratio, self.linear = network, ratio, linear
        self.weights = {name: float(weight) for name, weight in weights.items() if weight}
        self._perceptual: Perceptual | None = None
        if "perceptual" in self.weights:
            self._perceptual = perceptual_if_there(Path(perceptual_weights) if perceptual_weights else None)
            if self._perceptual is None:
                del self.weights["perceptual"]

    def build(self) -> RvmNetwork:
        network = build_network(self.options)
        bias = network.project_mat.conv.bias
        if self.options.weights is None and bias is not None:
            # alpha is clipped to 0..1, beyond which nothing is learnt: begun at 0, all of it soon lies below, where most pixels belong, and
            # stays there. (Begun so, MobileNetV3 was at 0 everywhere after 25 steps of 8 pictures, and after 100.)
            with torch.no_grad():
                bias[3] = 0.5
        return network

    def losses(self, network: nn.Module, batch: Batch, step: int) -> dict[str, Tensor]:
        source, alpha = batch["source"], batch["alpha"]
        count = source.shape[0]
        is_matte = batch["matte"] > 0.5 if "matte" in batch else torch.ones(count, dtype=torch.bool, device=source.device)
        found: dict[str, Tensor] = {}
        mattes, masks = is_matte.nonzero()[:, 0], (~is_matte).nonzero()[:, 0]
        if len(mattes):
            colour, seen, *_ = network(source[mattes], None, None, None, None, self.ratio)
            part = {name: values[mattes] for name, values in batch.items() if values.dim() and values.shape[0] == count}
            found |= {name: loss.sum() / count for name, loss in self._matting(colour.float(), seen.float(), part)}
        if len(masks) and "segmentation" in self.weights:
            logits = network(source[masks], None, None, None, None, self.ratio, True)[0]
            known = batch["known"][masks] if "known" in batch else None
            found["segmentation"] = segmentation(logits.float(), alpha[masks], known).sum() / count
        if not found:
            # nothing in this batch that any loss counts: a sum of nothing, which has a gradient
            found["alpha_l1"] = 0 * network(source, None, None, None, None, self.ratio)[1].sum()
        return {name: self.weights.get(name, 0.0) * loss for name, loss in found.items()}

    def _matting(self, colour: Tensor, seen: Tensor, batch: Batch) -> list[tuple[str, Tensor]]:
        """(loss, of each sample) of those that count and can be had from what the batch has."""
        alpha, known, true, ground = batch["alpha"], batch.get("known"), batch.get("foreground"), batch.get("background")
        ways: dict[str, Callable[[], Tensor]] = {
            "alpha_l1": lambda: of_alpha.alpha_l1(seen, alpha, known),
            "alpha_l2": lambda: of_alpha.alpha_l2(seen, alpha, known),
            # a pyramid spreads what is not known over what is; so there is nothing wrong where nothing is known
            "laplacian": lambda: of_alpha.laplacian(seen if known is None else torch.lerp(alpha, seen, known), alpha),
            "gradient": lambda: of_alpha.gradient(seen, alpha, known),
            "temporal": lambda: of_alpha.temporal(seen, alpha, known),
        }
        if true is not None:
            there = true
            ways["foreground"] = lambda: of_colour.foreground(colour, there, alpha)
            ways["foreground_temporal"] = lambda: of_colour.foreground_temporal(colour, there, alpha)
            if self._perceptual is not None:
                features = self._perceptual.to(seen.device)
                # as they look before black, where both show the person alone
                ways["perceptual"] = lambda: features(seen * colour, alpha * there)
        if ground is not None:
            behind = ground
            ways["composition"] = lambda: of_colour.composition(colour, seen, behind, batch["source"], known, linear=self.linear)
        return [(name, way()) for name, way in ways.items() if name in self.weights]

    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        """mad, mse, gradient and temporal of alpha, of samples that are mattes; loss is the sum that is trained on."""
        out = {"loss": sum(float(loss) for loss in self.losses(network, batch, 0).values())}
        seen = network(batch["source"], None, None, None, None, self.ratio)[1].float()
        alpha, known = batch["alpha"], batch.get("known")
        measures = {"mad": of_alpha.alpha_l1, "mse": of_alpha.alpha_l2, "gradient": of_alpha.gradient, "temporal": of_alpha.temporal}
        chosen = batch["matte"] > 0.5 if "matte" in batch else None
        for name, measure in measures.items():
            each = measure(seen, alpha, known)
            each = each if chosen is None else each[chosen]
            if len(each):
                out[name] = float(each.mean())
        return out

    def predict(self, network: nn.Module, picture: Tensor, memory: Any) -> tuple[Tensor | None, Tensor, Any]:
        """See `infer.Predictor`."""
        colour, alpha, *after = network(picture, *(memory or [None] * 4), self.ratio)
        return colour, alpha, after

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor:
        """The last frame of up to four samples, a row each: the picture, what was cut out over grey, its alpha, the true alpha."""
        some = batch["source"][:4]
        with torch.no_grad():
            colour, alpha, *_ = (t.float() for t in network(some, None, None, None, None, self.ratio))
        rows = []
        for k in range(len(some)):
            shown = alpha[k, -1]
            cut = over(colour[k, -1], torch.full_like(colour[k, -1], _GREY), shown, linear=self.linear)
            row = [some[k, -1], cut, shown.expand(3, -1, -1), batch["alpha"][k, -1].expand(3, -1, -1)]
            rows.append(torch.cat(row, dim=2))
        sheet = torch.cat(rows, dim=1).clamp(0, 1)
        # as large as fits beside curves
        if sheet.shape[2] > 1024:
            sheet = F.interpolate(sheet[None], scale_factor=1024 / sheet.shape[2], mode="area")[0]
        return sheet

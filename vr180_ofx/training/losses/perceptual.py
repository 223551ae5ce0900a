"""What two pictures look like: the distance of features that VGG-16 has of them (Johnson, Alahi, Fei-Fei 2016, arXiv:1603.08155).

The network is torchvision's, its weights those for ImageNet. They are never fetched: who wants this loss puts the file there.
"""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import logging
from pathlib import Path

import torch
from torch import Tensor, nn

from vr180_ofx.errors import WeightsError

log = logging.getLogger(__name__)
#: torchvision's name of the file, where `torch.hub` keeps it.
FILENAME = "vgg16-397923af.pth"
#: Where features are taken: relu1_2, relu2_2 and relu3_3 (table 1 of the paper has the last two; the first sees hair).
_LAYERS = (3, 8, 15)
_MEAN = (0.485, 0.456, 0.406)
_STD = (0.229, 0.224, 0.225)


def weights_path() -> Path:
    """Where torchvision's file lies, or would lie."""
    return Path(torch.hub.get_dir()) / "checkpoints" / FILENAME


class Perceptual(nn.Module):
    """Calling it gives the sum over layers of mean (features of a - features of b)² (equation 2 of the paper), of each sample: (B,)."""

    def __init__(self, weights: Path) -> None:
        """weights: torchvision's of VGG-16; of them only the first ten convolutions are read. Raises WeightsError."""
        super().__init__()
        from torchvision.models import vgg16

        if not weights.is_file():
            raise WeightsError(f"{weights} does not exist; it is torchvision's vgg16 (IMAGENET1K_V1)")
        try:
            there = torch.load(weights, map_location="cpu", weights_only=True, mmap=True)
            with torch.device("meta"):
                features = vgg16(weights=None).features[: _LAYERS[-1] + 1]
            wanted = {name: there[f"features.{name}"].clone() for name in features.state_dict()}
            features.load_state_dict(wanted, assign=True)
        except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign file makes the reader raise
            raise WeightsError(f"{weights} cannot be read as torchvision's VGG-16: {str(error).splitlines()[0]}") from None
        self.features = features.eval().requires_grad_(False)
        self.register_buffer("mean", torch.tensor(_MEAN).view(3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_STD).view(3, 1, 1), persistent=False)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """a, b: (B, T, 3, H, W), 0..1."""
        frames = a.shape[:2]
        both = torch.cat([a.flatten(0, 1), b.flatten(0, 1)])
        x = (both - self.get_buffer("mean")) / self.get_buffer("std")
        total = a.new_zeros(a.shape[0])
        for k, layer in enumerate(self.features):
            x = layer(x)
            if k in _LAYERS:
                ours, theirs = x.chunk(2)
                total = total + (ours - theirs).square().unflatten(0, frames).flatten(1).mean(1)
        return total


def perceptual_if_there(weights: Path | None = None) -> Perceptual | None:
    """The loss where its weights are, by default where `torch.hub` keeps them; else None, and a warning that says so.

    Raises WeightsError when ``weights`` were named and are not there.
    """
    if weights is None and not weights_path().is_file():
        log.warning("the perceptual loss is off: torchvision's VGG-16 is not in %s", weights_path())
        return None
    return Perceptual(weights or weights_path())

"""Entry points for ``torch.hub``: Robust Video Matting, written anew, and a converter of videos.

model = torch.hub.load("OWNER/vr180-ofx", "mobilenetv3", trust_repo=True)        # or "resnet50"
network = torch.hub.load("OWNER/vr180-ofx", "mobileone_rvm", trust_repo=True, weights="trained.safetensors")    # or "mamba_rvm"
foreground, alpha, *memory = model(picture, *memory, downsample_ratio=0.25)
convert = torch.hub.load("OWNER/vr180-ofx", "converter", trust_repo=True)
convert("clip.mp4", "out", outputs=("alpha", "composite"), downsample="high")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

# torch.hub takes every function and class of this module for an entry point
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from vr180_ofx.matte.rvm.network import RefinerName, RvmNetwork, Variant
    from vr180_ofx.rendering.report import RenderReport

dependencies = ["torch", "torchvision"]


def mobilenetv3(pretrained: bool = True, refiner: RefinerName = "deep_guided_filter", weights: str | Path | None = None) -> RvmNetwork:
    """The network with a MobileNetV3-Large encoder. See `_network`."""
    return _network("mobilenetv3", pretrained, refiner, weights)


def resnet50(pretrained: bool = True, refiner: RefinerName = "deep_guided_filter", weights: str | Path | None = None) -> RvmNetwork:
    """The network with a ResNet-50 encoder. See `_network`."""
    return _network("resnet50", pretrained, refiner, weights)


def mobileone_rvm(
    pretrained: bool = False, refiner: RefinerName = "deep_guided_filter", weights: str | Path | None = None, for_use: bool = False
) -> RvmNetwork:
    """The network with a MobileOne encoder. No weights of it are published: with pretrained=True it is an error that says so. for_use: with
    its branches made single convolutions; else as it is trained, see `vr180_ofx.matte.rvm.mobileone.reparameterize_model`. See `_network`.
    """
    from vr180_ofx.matte.rvm.mobileone import reparameterize_model

    network = _network("mobileone_rvm", pretrained, refiner, weights)
    return reparameterize_model(network) if for_use else network


def mamba_rvm(
    pretrained: bool = False, refiner: RefinerName = "deep_guided_filter", weights: str | Path | None = None
) -> RvmNetwork:  # fmt: skip
    """The network with an encoder of VMamba's blocks. No weights of it are published: with pretrained=True it is an error that says so. See
    `_network`.
    """
    return _network("mamba_rvm", pretrained, refiner, weights)


def _network(variant: Variant, pretrained: bool, refiner: RefinerName, weights: str | Path | None) -> RvmNetwork:
    """pretrained: with the authors' weights (GPL-3.0), fetched if need be. weights: a file of your own instead. refiner:
    deep_guided_filter or fast_guided_filter; weights know theirs. Returns a `RvmNetwork` in evaluation mode. Raises WeightsError.
    """
    from pathlib import Path

    from vr180_ofx.errors import WeightsError
    from vr180_ofx.matte.rvm.model import load_network
    from vr180_ofx.matte.rvm.network import RvmNetwork
    from vr180_ofx.weights.catalogue import CATALOGUE
    from vr180_ofx.weights.store import pull

    if weights is None and not pretrained:
        return RvmNetwork(variant, refiner).eval()
    if weights is None and f"rvm_{variant}" not in CATALOGUE:
        raise WeightsError(f"no weights of {variant} are published: take pretrained=False, or name a file of your own training as weights")
    network = load_network(Path(weights) if weights is not None else pull(f"rvm_{variant}"))
    if network.variant != variant:
        raise WeightsError(f"{weights} is of {network.variant}, and not of {variant}")
    return network


def converter() -> Callable[..., dict[str, RenderReport]]:
    """A function: clip, folder, outputs, images, downsample, weights, seq_chunk -> reports. See `vr180_ofx.rendering.matte.matte`."""
    from vr180_ofx.rendering.matte import matte, settings_of
    from vr180_ofx.settings import Settings

    def convert(
        clip: str | Path, folder: str | Path, outputs: Iterable[str] = ("alpha",), images: bool = False, downsample: str = "auto",
        weights: str | Path | None = None, seq_chunk: int = 1,
    ) -> dict[str, RenderReport]:  # fmt: skip
        return matte(clip, folder, outputs, images=images, settings=settings_of(Settings(), weights, downsample, seq_chunk))

    return convert

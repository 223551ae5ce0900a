"""A network for training, by a recipe's words for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import torch

from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.matte.rvm.model import load_network
from vr180_ofx.matte.rvm.network import VARIANTS, RefinerName, RvmNetwork, Variant
from vr180_ofx.matte.rvm.weights_file import read_weights
from vr180_ofx.wording import short

#: Words that describe a network, in recipes: see `NetworkOptions`.
WORDS = ("variant", "refiner", "weights", "backbone_weights")


@dataclass(frozen=True, slots=True)
class NetworkOptions:
    """variant: a row of `network.VARIANTS`. refiner: deep_guided_filter or fast_guided_filter.

    weights: a file to go on from, of the same variant; the refiner may be another one and starts anew. backbone_weights: torchvision's file
    of the encoder alone (mobilenetv3: mobilenet_v3_large, resnet50: resnet50).
    """

    variant: Variant = "mobilenetv3"
    refiner: RefinerName = "deep_guided_filter"
    weights: Path | None = None
    backbone_weights: Path | None = None

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> NetworkOptions:
        """Raises SettingsError."""
        _one_of(words, "variant", VARIANTS)
        _one_of(words, "refiner", get_args(RefinerName))
        files = {}
        for name in ("weights", "backbone_weights"):
            if words.get(name) is not None:
                if not isinstance(words[name], str | Path):
                    raise SettingsError(f"the task's {name} is {short(words[name])}; it is the path of a file")
                files[name] = Path(words[name])
        return cls(
            variant=cast(Variant, words.get("variant", "mobilenetv3")),
            refiner=cast(RefinerName, words.get("refiner", "deep_guided_filter")),
            **files,
        )  # fmt: skip


def _one_of(words: Mapping[str, Any], name: str, allowed: tuple[str, ...]) -> None:
    if name in words and words[name] not in allowed:
        raise SettingsError(f"the task's {name} is {short(words[name])}; allowed are {', '.join(allowed)}")


def build_network(options: NetworkOptions) -> RvmNetwork:
    """In training mode; what no file gives is drawn from torch's default generator. Raises WeightsError."""
    network = RvmNetwork(options.variant, options.refiner)
    if options.backbone_weights is not None:
        _take_encoder(network, options.backbone_weights)
    if options.weights is not None:
        _take(network, options.weights)
    return network.train()


def _take(network: RvmNetwork, path: Path) -> None:
    found = load_network(path)
    if found.variant != network.variant:
        raise WeightsError(f"{path} is of {found.variant}, and the recipe trains {network.variant}")
    theirs = found.state_dict()
    mine = network.state_dict()
    taken = {k: v for k, v in theirs.items() if k in mine and mine[k].shape == v.shape}
    odd = sorted(k for k in theirs if k not in taken and not k.startswith("refiner."))
    if odd:
        raise WeightsError(f"{path} cannot be trained on: {odd[0]} is not as it is trained; take the file from before it was made for use")
    # without a head for segmentation a file has none of its own
    network.load_state_dict(mine | {k: v for k, v in taken.items() if not k.startswith("project_seg.") or k in read_weights(path)[0]})


def _take_encoder(network: RvmNetwork, path: Path) -> None:
    """From torchvision's file of the whole classifier."""
    if network.variant not in ("mobilenetv3", "resnet50"):
        raise WeightsError(f"there are no weights of torchvision for the encoder of {network.variant}; take backbone_weights out")
    theirs, _ = read_weights(path)
    mine = network.backbone.state_dict()
    odd = sorted(k for k, v in mine.items() if k not in theirs or theirs[k].shape != v.shape)
    if odd:
        raise WeightsError(f"{path} has no {odd[0]} as the encoder of {network.variant} has it: {len(odd)} of {len(mine)} do not fit")
    with torch.no_grad():
        network.backbone.load_state_dict({k: theirs[k] for k in mine})

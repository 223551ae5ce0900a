"""Weights of RVM in a file: which network they are of, and a header that says so.

Files of this project are safetensors whose header names variant and refiner. The authors' files say nothing; what they are of is seen by
the names in them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, cast

from vr180_ofx.errors import WeightsError
from vr180_ofx.storage import write_atomic

#: What is written into a header begins with this.
PREFIX = "vr180_ofx."
#: Variant -> names of which one is in its files, and in no other's. Encoders of MobileOne have one while they are trained, and another one
#: when they are made for use.
_MARKS: dict[str, tuple[str, ...]] = {
    "mobilenetv3": ("backbone.features.0.0.weight",),
    "resnet50": ("backbone.conv1.weight",),
    "mobileone_rvm": ("backbone.stages.0.0.branches.0.conv.weight", "backbone.stages.0.0.conv.weight"),
    "mamba_rvm": ("backbone.stages.0.0.scan.log_a",),
}
#: All variants that there are.
VARIANTS = tuple(_MARKS)


def variant_among(names: Iterable[str], header: Mapping[str, str], path: Path) -> str:
    """The variant whose weights have these names. Raises WeightsError where it is none, or another one than the header says."""
    there = set(names)
    found = next((variant for variant, marks in _MARKS.items() if not there.isdisjoint(marks)), None)
    if found is None:
        raise WeightsError(f"{path} holds no weights of RVM (of none of {', '.join(_MARKS)})")
    said = header.get(f"{PREFIX}variant", found)
    if said != found:
        raise WeightsError(f"{path} says that it is of {said}, and its weights are those of {found}")
    return found


def variant_of(path: Path) -> str:
    """The variant that a file of weights is of; of safetensors the header alone is read. Raises WeightsError."""
    if path.suffix == ".safetensors":
        names, header = _opened(path)
        return variant_among(names, header, path)
    tensors, header = read_weights(path)
    return variant_among(tensors, header, path)


def read_weights(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """(name -> tensor, header) of a ``.safetensors`` or a ``.pth``; of the latter the header is empty. Raises WeightsError."""
    if not path.is_file():
        raise WeightsError(f"{path} does not exist")
    if path.suffix == ".safetensors":
        _, header = _opened(path)
        from safetensors.torch import load_file

        return cast("dict[str, Any]", load_file(path)), header
    import torch

    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign file makes the reader raise
        raise WeightsError(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict) or not all(isinstance(v, torch.Tensor) for v in data.values()):
        raise WeightsError(f"{path} holds no table of weights")
    return data, {}


def _opened(path: Path) -> tuple[list[str], dict[str, str]]:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist")
    try:
        from safetensors import safe_open

        with safe_open(path, framework="pt") as opened:
            return list(opened.keys()), dict(opened.metadata() or {})
    except Exception as error:  # noqa: BLE001 - whatever a damaged or foreign file makes the reader raise
        raise WeightsError(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from None


def write_weights(network: Any, path: Path, more: Mapping[str, object] | None = None) -> None:
    """A `network.RvmNetwork` as safetensors, written by atomic rename. more: what else the header says; what is no text is JSON."""
    from safetensors.torch import save

    refiner = "deep_guided_filter" if hasattr(network.refiner, "box_filter") else "fast_guided_filter"
    header = {f"{PREFIX}{k}": v if isinstance(v, str) else json.dumps(v) for k, v in (more or {}).items()}
    header |= {"format": "pt", f"{PREFIX}variant": network.variant, f"{PREFIX}refiner": refiner}
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    # in one piece: the library's own writer puts a file of its own in the place of what is being written
    write_atomic(path, save(tensors, header))

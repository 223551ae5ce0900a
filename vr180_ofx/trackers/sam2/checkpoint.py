"""SAM 2.1's modules, built from the package's own configuration, and filled from a checkpoint."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vr180_ofx.errors import WeightsError

#: Model name -> configuration file inside the package.
CONFIGS = {
    "sam2.1_t": "configs/sam2.1/sam2.1_hiera_t.yaml",
    "sam2.1_s": "configs/sam2.1/sam2.1_hiera_s.yaml",
    "sam2.1_b+": "configs/sam2.1/sam2.1_hiera_b+.yaml",
    "sam2.1_l": "configs/sam2.1/sam2.1_hiera_l.yaml",
}
#: What the package's own video predictor adds to its configuration.
_DECODER = {
    "dynamic_multimask_via_stability": True,
    "dynamic_multimask_stability_delta": 0.05,
    "dynamic_multimask_stability_thresh": 0.98,
}


@lru_cache(maxsize=4)
def _configuration(name: str) -> Any:
    import sam2
    from omegaconf import OmegaConf

    return OmegaConf.load(Path(sam2.__path__[0]) / CONFIGS[name]).model


def build(name: str, size: int) -> Any:
    """The modules, with random weights, for square pictures of ``size`` pixels. name: see `CONFIGS`."""
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    changes = {"image_size": size, "sam_mask_decoder_extra_args": _DECODER, "binarize_mask_from_pts_for_mem_enc": True}
    return instantiate(OmegaConf.merge(_configuration(name), changes), _recursive_=True)


def load_weights(model: Any, path: Path, name: str) -> None:
    """Fills ``model`` from an official checkpoint or safetensors. Nothing is unpickled but tensors.

    Raises WeightsError that names what is missing, what does not belong, and which shapes differ.
    """
    state = _read(path)
    wanted = model.state_dict()
    missing = sorted(set(wanted) - set(state))
    strange = sorted(set(state) - set(wanted))
    differ = [
        f"{k} is {tuple(state[k].shape)}, not {tuple(wanted[k].shape)}" for k in wanted if k in state and state[k].shape != wanted[k].shape
    ]
    problems = []
    if missing:
        problems.append(f"{len(missing)} tensors are missing ({_some(missing)})")
    if strange:
        problems.append(f"{len(strange)} do not belong ({_some(strange)})")
    if differ:
        problems.append(f"{len(differ)} have another shape ({_some(differ)})")
    if problems:
        raise WeightsError(f"{path} does not fit {name}: {'; '.join(problems)}. Is it the checkpoint of another size?")
    model.load_state_dict(state)


def _read(path: Path) -> dict[str, Tensor]:
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(path))
        held = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WeightsError(f"the weights file {path} does not exist") from None
    except Exception as error:  # noqa: BLE001 - pickle, zip and safetensors each have their own
        raise WeightsError(f"{path} is not a checkpoint that can be read safely: {str(error).splitlines()[0]}") from None
    state = held.get("model", held) if isinstance(held, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds no tensors under 'model'; an official SAM 2.1 checkpoint does")
    return state


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")

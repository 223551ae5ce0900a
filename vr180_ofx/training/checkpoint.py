"""What a run remembers: one file of safetensors for each checkpoint, whole or absent. Nothing in it is ever executed.

Tensors of the network, its mean, the optimiser and the scaler lie side by side under names of their own; numbers and words are JSON in the
file's header, with a checksum of the tensors.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from vr180_ofx.errors import MediaError
from vr180_ofx.storage import remove_leftovers, write_atomic
from vr180_ofx.wording import short

FOLDER = "checkpoints"
_NAME = re.compile(r"step-(\d{8,})\.safetensors")
_FORMAT = "vr180-ofx training 1"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """step: of the whole run, the number of steps that are done. tensors: by name. facts: what JSON can hold."""

    step: int
    tensors: dict[str, Tensor]
    facts: dict[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """The tensors whose names begin with ``name.``, without that."""
        return {k.removeprefix(f"{name}."): t for k, t in self.tensors.items() if k.startswith(f"{name}.")}


def path_of(run: Path, step: int) -> Path:
    return run / FOLDER / f"step-{step:08d}.safetensors"


def write(run: Path, checkpoint: Checkpoint, keep: int) -> Path:
    """Writes it, then forgets older ones but the last ``keep``. Raises OSError; then what was there is still there."""
    tensors = {k: t.detach().to("cpu").contiguous().clone() for k, t in checkpoint.tensors.items()}
    facts = json.dumps({"step": checkpoint.step, **checkpoint.facts}, allow_nan=False)
    header = {"format": _FORMAT, "facts": facts, "crc32": str(_checksum(tensors))}
    path = path_of(run, checkpoint.step)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, save(tensors, header))
    for _, old in listed(run)[:-keep]:
        old.unlink(missing_ok=True)
    return path


def listed(run: Path) -> list[tuple[int, Path]]:
    """(step, file) of a run's checkpoints, oldest first."""
    folder = run / FOLDER
    if not folder.is_dir():
        return []
    return sorted((int(m.group(1)), f) for f in folder.iterdir() if (m := _NAME.fullmatch(f.name)))


def read(path: Path) -> Checkpoint:
    """Raises MediaError when it is damaged, or not one of ours."""
    try:
        with safe_open(path, "pt") as file:
            header = file.metadata() or {}
            tensors = {k: file.get_tensor(k) for k in file.keys()}  # noqa: SIM118 - no dictionary
    except (SafetensorError, OSError, ValueError) as error:
        raise MediaError(f"the checkpoint {path} cannot be read: {str(error).splitlines()[0]}") from None
    if header.get("format") != _FORMAT:
        raise MediaError(f"{path} is no checkpoint of this program: it says {short(header.get('format'))}, not {_FORMAT!r}")
    if header.get("crc32") != str(_checksum(tensors)):
        raise MediaError(f"the checkpoint {path} is damaged: its checksum is not that of what it holds")
    facts = json.loads(header["facts"])
    return Checkpoint(int(facts.pop("step")), tensors, facts)


def newest(run: Path) -> tuple[Checkpoint | None, list[str]]:
    """The last checkpoint that is whole (None: there is none), and what was wrong with later ones. Leftovers of killed runs are removed."""
    if (run / FOLDER).is_dir():
        remove_leftovers(run / FOLDER)
    wrong: list[str] = []
    for _, path in reversed(listed(run)):
        try:
            return read(path), wrong
        except MediaError as error:
            wrong.append(str(error))
    return None, wrong


def write_weights(path: Path, weights: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
    """A network's weights alone, for whoever uses them. facts: text by name, in the file's header."""
    tensors = {k: t.detach().to("cpu").contiguous().clone() for k, t in weights.items()}
    write_atomic(path, save(tensors, {"format": "pt", **facts}))


def optimiser_tensors(optimiser: torch.optim.Optimizer, names: Mapping[int, str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What an optimiser remembers, as tensors by parameter and numbers. names: id of a parameter -> its name."""
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for parameter, state in optimiser.state.items():
        for key, value in state.items():
            if isinstance(value, Tensor):
                tensors[f"{names[id(parameter)]}/{key}"] = value
            else:
                numbers[f"{names[id(parameter)]}/{key}"] = value
    return tensors, numbers


def restore_optimiser(
    optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], numbers: Mapping[str, Any], parameters: Mapping[str, Tensor]
) -> None:  # fmt: skip
    """Undoes `optimiser_tensors`. parameters: by name."""
    for name, value in [*tensors.items(), *numbers.items()]:
        owner, _, key = name.rpartition("/")
        parameter = parameters[owner]
        if isinstance(value, Tensor):
            # counts of steps stay on the CPU, where optimisers want them
            value = value.clone() if value.dim() == 0 else value.to(parameter.device).clone()
        optimiser.state[parameter][key] = value


def _checksum(tensors: Mapping[str, Tensor]) -> int:
    crc = 0
    for name in sorted(tensors):
        crc = zlib.crc32(name.encode(), crc)
        data = tensors[name].reshape(-1).contiguous()
        if data.numel():
            crc = zlib.crc32(data.view(torch.uint8).numpy().data, crc)
    return crc

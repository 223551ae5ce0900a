"""The student's file: a graph for OpenVINO, so that CPUs need no PyTorch, and where PyTorch's weights lie among its constants.

One file of safetensors. All of it is half precision, batch normalisation multiplied into the convolutions before it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from vr180_ofx.arrays import ByteArray
from vr180_ofx.errors import WeightsError
from vr180_ofx.storage import write_atomic

#: Names of what is in the file; those of weights that are no constants of the graph begin with `WEIGHT`.
XML, CONSTANTS, WEIGHT = "openvino.xml", "openvino.bin", "network."
FORMAT = "vr180-ofx student 1"
Halves = npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class StudentGraph:
    """What OpenVINO reads: the graph as XML, and its constants."""

    xml: bytes
    constants: ByteArray


def read_graph(path: Path) -> StudentGraph:
    """Raises WeightsError."""
    found, _ = _read(path, (XML, CONSTANTS))
    # a copy lies where vectors may
    return StudentGraph(found[XML].tobytes(), found[CONSTANTS].copy())


def read_weights(path: Path) -> dict[str, Halves]:
    """Name in PyTorch's network, whose batch normalisations are folded -> its values. Raises WeightsError."""
    found, facts = _read(path, (CONSTANTS, WEIGHT))
    weights: dict[str, Halves] = {name.removeprefix(WEIGHT): values for name, values in found.items() if name != CONSTANTS}
    for name, (begin, shape) in json.loads(facts["places"]).items():
        length = 2 * int(np.prod(shape))
        weights[name] = found[CONSTANTS][begin : begin + length].view(np.float16).reshape(shape)
    return weights


def write(path: Path, weights: Mapping[str, Halves], graph: StudentGraph, note: str = "") -> None:
    """The file, whole or not at all. note: where the weights are from."""
    from safetensors.numpy import save

    data = graph.constants.tobytes()
    places: dict[str, tuple[int, tuple[int, ...]]] = {}
    arrays: dict[str, npt.NDArray[Any]] = {XML: np.frombuffer(graph.xml, np.uint8), CONSTANTS: graph.constants}
    for name, values in weights.items():
        begin = data.find(values.tobytes())
        # constants lie at whole halves; what is elsewhere is there by chance
        if begin >= 0 and begin % 2 == 0:
            places[name] = begin, values.shape
        else:
            arrays[WEIGHT + name] = np.asarray(values, order="C")
    write_atomic(path, save(arrays, {"format": FORMAT, "note": note, "places": json.dumps(places)}))


def _read(path: Path, beginnings: tuple[str, ...]) -> tuple[dict[str, npt.NDArray[Any]], dict[str, str]]:
    if not path.is_file():
        raise WeightsError(f"{path} does not exist")
    try:
        with safe_open(path, "numpy") as file:
            facts = file.metadata() or {}
            if facts.get("format") != FORMAT:
                said = facts.get("format")
                raise WeightsError(f"{path} holds no weights of the student: its format is {said!r}, and {FORMAT!r} is needed")
            return {name: file.get_tensor(name) for name in file.keys() if name.startswith(beginnings)}, facts  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"{path} cannot be read as weights: {str(error).splitlines()[0]}") from None

"""What was trained, as files for this program and for others; each is held against the network before it is kept."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vr180_ofx.errors import ComputationError, OutputError, SettingsError
from vr180_ofx.storage import atomic_path
from vr180_ofx.wording import short

#: How far numbers of an exported network may be from the network's, as a share of the largest of each output: float32 has 24 bits, and sums
#: of some hundred terms in another order, forty layers deep, came to 1e-6 to 1e-4 of them.
TOLERANCE = 1e-3
#: Ending -> what is written.
KINDS = {".safetensors": "weights", ".pt": "TorchScript", ".onnx": "ONNX", ".xml": "OpenVINO, its constants beside it as .bin"}
#: Of what exported networks are shown: whole after every ratio of `matting.downsample`.
_SIDES = (128, 192)


@dataclass(frozen=True, slots=True)
class Exported:
    """variant, kind: what was written. worst: how far it is from the network, as a share of the largest number of each output."""

    path: Path
    variant: str
    kind: str
    worst: float


def weights_in(source: Path) -> Path:
    """The weights in a run's folder, or a file of weights itself. Raises SettingsError."""
    if not source.is_dir():
        return source
    for name in ("weights.safetensors", "best.safetensors"):
        if (source / name).is_file():
            return source / name
    raise SettingsError(f"{source} holds neither weights.safetensors nor best.safetensors; a run has them when it was evaluated, or ended")


def export(
    source: Path, target: Path, *, size: tuple[int, int] = (384, 384), downsample: float = 1.0, as_trained: bool = False
) -> Exported:  # fmt: skip
    """Writes ``target``, whose ending says what it is (`KINDS`), of the weights in ``source`` (a file, or a run's folder).

    size: (height, width) of ONNX, which is for pictures of one size. downsample: of ONNX and OpenVINO, of the picture that the network
    sees. as_trained: weights with all branches of MobileOne's layers, to go on training. Raises WeightsError, SettingsError, OutputError,
    and ComputationError when what came out is not what the network gives.
    """
    from vr180_ofx.matte.rvm.model import load_network

    if target.suffix not in KINDS:
        raise SettingsError(f"{short(target.name)} ends in none of {', '.join(KINDS)}, which say what is to be written")
    if as_trained and target.suffix != ".safetensors":
        raise SettingsError(f"{short(target.name)} is for use; only .safetensors can be trained on")
    if not 0 < downsample <= 1 or min(size) < 32 or any(side % 16 for side in size):
        raise SettingsError(
            f"the size is {size[1]}x{size[0]} and downsample {downsample}; sides are multiples of 16 from 32 on, and downsample is above 0 "
            "and at most 1"
        )
    if target.suffix == ".onnx" and any(importlib.util.find_spec(name) is None for name in ("onnxscript", "onnxruntime")):
        raise SettingsError("ONNX needs onnxscript and onnxruntime; install: pip install 'vr180-ofx[export]'")
    network = load_network(weights_in(source), for_use=not as_trained)
    write, run = _WAYS[target.suffix]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # not beside the target, where it would stay if this was killed
        with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
            made = Path(folder) / target.name
            write(network, made, size, downsample)
            worst = _worst(network, run(made), size if target.suffix == ".onnx" else _SIDES, downsample)
            if not worst <= TOLERANCE:
                raise ComputationError(
                    f"{target.name} gives other numbers than the network, by {worst:.2g} of the largest, and {TOLERANCE:g} is allowed; "
                    "nothing was kept. Try another version of PyTorch or of the library that reads it"
                )
            # what a file needs beside it comes first
            for part in sorted(Path(folder).iterdir(), key=lambda p: p == made):
                with atomic_path(target.with_name(part.name)) as unfinished:
                    shutil.copyfile(part, unfinished)
    except OSError as error:
        raise OutputError(f"{target} cannot be written: {error.strerror or error}") from None
    return Exported(target, network.variant, KINDS[target.suffix], worst)


Step = Callable[..., list[Any]]


def _worst(network: Any, step: Step, size: tuple[int, int], downsample: float) -> float:
    """Of two frames, the second of which goes on from the first: the largest difference, as a share of each output's largest number."""
    import torch
    from torch.nn import functional as F

    from vr180_ofx.matte.rvm.export import memory_before
    from vr180_ofx.weights.known_picture import known_picture

    picture = F.interpolate(known_picture(), size, mode="bilinear")
    memory, worst = memory_before(network, 1, *size, downsample), 0.0
    with torch.inference_mode():
        for shown in (picture, picture.flip(-1)):
            expected = network(shown, *memory, downsample_ratio=downsample)
            for ours, theirs in zip(expected, step(shown, *memory, downsample), strict=True):
                if not torch.isfinite(theirs).all():
                    return float("inf")
                worst = max(worst, float((ours - theirs).abs().max() / ours.abs().max().clamp(min=1e-3)))
            memory = expected[2:]
    return worst


def _write_weights(network: Any, path: Path, size: tuple[int, int], downsample: float) -> None:
    from vr180_ofx.matte.rvm.weights_file import write_weights

    write_weights(network, path)


def _write_torchscript(network: Any, path: Path, size: tuple[int, int], downsample: float) -> None:
    from vr180_ofx.matte.rvm.export import to_torchscript

    to_torchscript(network, path)


def _write_onnx(network: Any, path: Path, size: tuple[int, int], downsample: float) -> None:
    from vr180_ofx.matte.rvm.export import to_onnx

    to_onnx(network, path, *size, ratio=downsample)


def _write_openvino(network: Any, path: Path, size: tuple[int, int], downsample: float) -> None:
    from vr180_ofx.matte.rvm.export import to_openvino

    to_openvino(network, path, ratio=downsample)


def _run_weights(path: Path) -> Step:
    from vr180_ofx.matte.rvm.model import load_network

    found = load_network(path)
    return lambda *given: list(found(*given))


def _run_torchscript(path: Path) -> Step:
    import warnings

    import torch

    with warnings.catch_warnings():
        # PyTorch calls it deprecated
        warnings.simplefilter("ignore")
        found: Any = torch.jit.load(str(path))  # type: ignore[no-untyped-call]
    return lambda *given: list(found(*given))


def _run_onnx(path: Path) -> Step:
    import onnxruntime
    import torch

    from vr180_ofx.matte.rvm.export import NAMES

    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda *given: [
        torch.from_numpy(values)
        for values in session.run(None, dict(zip(NAMES[0], [g.contiguous().numpy() for g in given[:-1]], strict=True)))
    ]


def _run_openvino(path: Path) -> Step:
    import torch

    from vr180_ofx.matte.rvm.export import NAMES
    from vr180_ofx.weights.inference import openvino

    compiled = openvino().Core().compile_model(str(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})

    def step(*given: Any) -> list[Any]:
        found = compiled(dict(zip(NAMES[0], [g.contiguous().numpy() for g in given[:-1]], strict=True)))
        return [torch.from_numpy(found[name].copy()) for name in NAMES[1]]

    return step


_WAYS: dict[str, tuple[Callable[[Any, Path, tuple[int, int], float], None], Callable[[Path], Step]]] = {
    ".safetensors": (_write_weights, _run_weights),
    ".pt": (_write_torchscript, _run_torchscript),
    ".onnx": (_write_onnx, _run_onnx),
    ".xml": (_write_openvino, _run_openvino),
}

"""What a run tells: lines of JSON that any program reads, and TensorBoard's files for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vr180_ofx.errors import SettingsError
from vr180_ofx.storage import write_atomic

LOG = "log.jsonl"


def rows(path: Path) -> list[dict[str, Any]]:
    """The whole lines of a log; of one that was killed the last line may be cut off, and is left out."""
    if not path.exists():
        return []
    return list(_whole(path.read_bytes()))


def _whole(data: bytes) -> Iterator[dict[str, Any]]:
    for line in data.split(b"\n")[:-1]:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            yield row


class Log:
    """Appends to ``log.jsonl`` of a run, and to TensorBoard's files.

    run: its folder. begin: steps that are done; lines of later ones, which a killed run wrote and which come again, are taken out.
    """

    def __init__(self, run: Path, *, begin: int, tensorboard: bool) -> None:
        self._path = run / LOG
        kept = [r for r in rows(self._path) if int(r.get("step", 0)) <= begin]
        write_atomic(self._path, b"".join(_line(r) for r in kept))
        self._file = open(self._path, "ab")  # noqa: SIM115 - closed by close()
        self._board: Any = None
        if tensorboard:
            self._board = _board(run / "tensorboard", begin)

    def line(self, **row: Any) -> None:
        """One row, of which ``step`` is known to TensorBoard, too. It is in the file when this returns."""
        self._file.write(_line(row))
        self._file.flush()

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        if self._board is not None:
            for name, value in values.items():
                self._board.add_scalar(name, value, step)

    def picture(self, step: int, name: str, picture: Tensor) -> None:
        """picture: (3, H, W), 0..1."""
        if self._board is not None:
            self._board.add_image(name, picture.detach().float().clamp(0, 1).cpu(), step)

    def histograms(self, step: int, network: nn.Module) -> None:
        """Of weights and of their gradients, as far as they are numbers."""
        if self._board is None:
            return
        for name, parameter in network.named_parameters():
            for kind, values in (("weights", parameter.detach()), ("gradients", parameter.grad)):
                if values is not None and values.numel() and bool(torch.isfinite(values).all()):
                    self._board.add_histogram(f"{kind}/{name}", values.float().cpu(), step)

    def flush(self) -> None:
        if self._board is not None:
            self._board.flush()

    def close(self) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _board(folder: Path, begin: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise SettingsError(
            "TensorBoard's files need the package tensorboard, which is not installed; run: pip install 'vr180-ofx[training]', or say "
            "--set log.tensorboard=false"
        ) from None
    # what comes again after a kill takes the place of what was there
    return SummaryWriter(str(folder), purge_step=begin + 1 if begin else None)


def _line(row: Mapping[str, Any]) -> bytes:
    return json.dumps(row, ensure_ascii=False, allow_nan=False).encode() + b"\n"

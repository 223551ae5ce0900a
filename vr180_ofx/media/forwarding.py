"""A source that asks another one: the base of those that change one thing of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from vr180_ofx.media.contract import Source, SourceFrame


class ForwardingSource(ABC):
    """What a `media.contract.Source` says of frames and files is what another one says."""

    @property
    @abstractmethod
    def real(self) -> Source:
        """The one that is asked."""

    def read(self, n: int) -> SourceFrame:
        return self.real.read(n)

    def check(self, n: int) -> None:
        self.real.check(n)

    def changed(self) -> bool:
        return self.real.changed()

    def time_s(self, n: int) -> float:
        return self.real.time_s(n)

    def lost(self) -> int:
        return self.real.lost()

    def notes(self) -> tuple[str, ...]:
        return self.real.notes()

    def fingerprint(self) -> str:
        return self.real.fingerprint()

    def files(self) -> list[Path]:
        return self.real.files()

    def describe(self) -> dict[str, Any]:
        return self.real.describe()

    def reopen(self, threads: int, *, fast: bool = False, gpu: bool = False, device: str | None = None) -> Source:
        return self.real.reopen(threads, fast=fast, gpu=gpu, device=device)

    def close(self) -> None:
        self.real.close()

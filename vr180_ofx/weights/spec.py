"""Which network is meant: its name, its weights, where and how it runs. A value that loads nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from vr180_ofx.errors import WeightsError
from vr180_ofx.weights.device import Placement
from vr180_ofx.weights.store import file_sha256, require


@dataclass(frozen=True)
class WeightsFile:
    """A file of weights, whether or not it is there.

    name: its name in the catalogue, or, of a file of somebody's own, the setting that names it, such as ``matting.tracker_weights``.
    path: None for the file of the catalogue.
    """

    name: str
    path: Path | None = None

    @cached_property
    def verified(self) -> Path:
        """Where it lies. Looked at once, whole if the catalogue knows its hash. Raises WeightsError when it is not there or damaged."""
        if self.path is None:
            return require(self.name)
        if not self.path.is_file():
            raise WeightsError(f"{self.name} names {self.path}, which does not exist")
        return self.path

    @cached_property
    def sha256(self) -> str:
        """The hash of what it holds. Raises as `verified`."""
        return file_sha256(self.verified)

    @property
    def is_own(self) -> bool:
        """Whether it is a file of somebody's own, and there."""
        return self.path is not None and self.path.is_file()


@dataclass(frozen=True, slots=True)
class NetworkSpec:
    """Which network, with which weights, where and how it runs.

    name: in the table of its kind (see `engine.models`). weights: None of what has none.
    """

    name: str
    weights: WeightsFile | None = None
    placement: Placement = field(default_factory=Placement)

    @property
    def identity(self) -> str:
        """Equal texts mean the same network with the same weights, computing alike. Raises WeightsError when they are not there."""
        if self.weights is None:
            return self.name
        where = self.placement
        how = [word for word, said in (("compiled", where.compiled), ("rehearsed", where.rehearsed)) if said]
        return ":".join((self.name, self.weights.sha256, where.kind, where.precision, where.runtime, *how))

    @property
    def own_sha256(self) -> str:
        """The hash of weights of somebody's own, when they are there; empty for the catalogue's, which never change."""
        return self.weights.sha256 if self.weights is not None and self.weights.is_own else ""

    @property
    def file(self) -> Path:
        """The file with its weights. Raises WeightsError."""
        if self.weights is None:
            raise WeightsError(f"{self.name} has no weights")
        return self.weights.verified

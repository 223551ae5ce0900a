"""What training is made of: tasks (a network with its losses) and sources (data). Neither knows the other, nor the loop.

Importing this needs no torch: whoever trains has it, and everybody else only reads what things are called.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vr180_ofx.arrays import Array

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

#: What a network is trained on, float32 on the device. Pictures are (B, T, 3, H, W), sRGB 0..1: "source" (what the network sees),
#: "foreground" and "background" where they are known. "alpha" is (B, T, 1, H, W), linear coverage 0..1; masks and guides as alpha.
#: "matte" (B,): 1 where alpha is one, 0 where it is the mask of a segmentation, which says nothing of edges and colours.
Batch = dict[str, "Tensor"]
#: One sample, as a source gives it: pictures (T, H, W, 3), alphas and masks (T, H, W), integers over their whole range (uint8, uint16) or
#: floats 0..1; numbers as arrays of no dimension. The loop makes float32 of them and puts channels first.
Sample = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Shape:
    """What a stage wants of its sources. frames: T. height, width: pixels, multiples of 16."""

    frames: int
    height: int
    width: int


class Task(Protocol):
    """What is trained: a network with its losses.

    name: as recipes call it.
    """

    name: str

    def build(self) -> nn.Module:
        """A new network, its random weights drawn from torch's default generator. The loop moves it to the device."""

    def losses(self, network: nn.Module, batch: Batch, step: int) -> dict[str, Tensor]:
        """Named scalars, already weighted: their sum is minimised. Means over the batch, so that gradients of its parts average.

        network: maybe wrapped for several processes; it is called, not asked for its parts. step: of the stage, from 0.
        """

    def evaluate(self, network: nn.Module, batch: Batch) -> dict[str, float]:
        """Means over the batch; lower is better; "loss" is among them. Called in evaluation mode, without gradients."""

    def pictures(self, network: nn.Module, batch: Batch) -> Tensor | None:
        """(3, H, W), 0..1, to look at while it trains: what went in, what came out, what is true. None: nothing to see."""


class TaskMaker(Protocol):
    """How a task is made for a stage of a recipe: a row of `registry.TASKS`.

    options: the recipe's own words for the task (variant, refiner, ...), checked by the task. losses: loss -> weight, of the stage; empty:
    the task's own. Stages of a recipe have one network: `build` gives the same parameters for the same options. Raises SettingsError.
    """

    def __call__(self, options: Mapping[str, Any], losses: Mapping[str, float]) -> Task: ...


class Source(Protocol):
    """Data: an index becomes a sample, the same one for the same random generator, whoever asks and in whatever order."""

    def __len__(self) -> int:
        """How many samples it has, at least 1."""

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """One sample, of the shape that was asked for. Whatever chance decides comes from ``random``, which is made of (seed, epoch,
        index). Raises MediaError.
        """

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """What is trained on, changed by chance on its device, where ``generator`` lives, too; it may add to the batch.

        The loop gives one sample at a time (B = 1), so that the result does not depend on how a batch is shared out to processes. It is
        not called for evaluation.
        """


class SourceMaker(Protocol):
    """How a source is made: a row of `registry.SOURCES`.

    path: where the data is. options: the recipe's other words for it, checked by the source. shape: of its samples. Raises SettingsError
    for words that it does not know, MediaError for data that is not there.
    """

    def __call__(self, path: Path, options: Mapping[str, Any], shape: Shape) -> Source: ...

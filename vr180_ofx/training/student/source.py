"""Windows of people as a source of the training kit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import ConfigDict, Field

from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.settings.traits import Section
from vr180_ofx.training.contract import Batch, Sample, Shape
from vr180_ofx.training.sections import checked
from vr180_ofx.training.student.compose import Composer
from vr180_ofx.training.student.pack import Pack
from vr180_ofx.training.student.packing import read_people

#: As the loop makes pictures of arrays, and back: these have no axis of channels in a sample.
_PLANES = ("alpha", "guide", "others")


class Options(Section):
    """part: people to be trained on, or those who are held out. backgrounds: a folder of pictures and videos of nobody, where ``path`` is
    a folder of stills; a pack has its own. windows: how many there are, when they are held out: the same ones each time.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    part: Literal["train", "held"] = "train"
    backgrounds: str | None = None
    windows: int = Field(256, ge=1, le=10**6)


def student_windows(path: Path, options: Mapping[str, Any], shape: Shape) -> StudentWindowSource:
    """See `contract.SourceMaker`. path: a pack, or a folder of stills."""
    how = checked(Options, dict(options), "data")
    if shape.frames != 1 or shape.height != shape.width or shape.width % 32:
        asked = f"{shape.frames} of {shape.height} x {shape.width}"
        raise SettingsError(f"windows of people are single and square, and multiples of 32; {asked} are asked for")
    whole = read_people(path, [Path(how.backgrounds)] if how.backgrounds else [])
    train, held = whole.halves()
    part = train if how.part == "train" else held
    if not len(part):
        count = len(set(whole.people.tolist()))
        raise MediaError(f"{path} has too few people for the part {how.part!r}: every eighth is held out, and there are {count}")
    return StudentWindowSource(part, shape.width, how.windows if how.part == "held" else 0)


class StudentWindowSource:
    """See `contract.Source`. Windows are made on the device, from a pack that is there, too; those that are held out on the CPU."""

    def __init__(self, pack: Pack, size: int, windows: int = 0) -> None:
        """windows: 0 to train on."""
        self._composers = {"cpu": Composer(pack, size)}
        self._pack, self._size, self._windows = pack, size, windows

    def __len__(self) -> int:
        return self._windows or len(self._pack)

    def sample(self, index: int, random: np.random.Generator) -> Sample:
        """Whose window it is, or the window itself."""
        which = np.array([index % len(self._pack)], np.float32)
        if not self._windows:
            return {"which": which}
        generator = torch.Generator().manual_seed(int(random.integers(2**62)))
        made = self._composers["cpu"].batch(torch.from_numpy(which).long(), generator)
        found: Sample = {}
        for key, values in made.items():
            array = values[0].numpy()
            if key in _PLANES:
                found[key] = array[:, 0]
            else:
                found[key] = array.transpose(0, 2, 3, 1) if array.ndim == 4 else array[None]
        return found

    def augment(self, batch: Batch, generator: torch.Generator) -> Batch:
        """The windows, made by chance."""
        if "which" not in batch:
            return batch
        place = str(generator.device)
        if place not in self._composers:
            self._composers[place] = Composer(self._pack.to(place), self._size)
        made = self._composers[place].batch(batch["which"].flatten().long().to(generator.device), generator)
        return {key: v[:, None] if v.dim() == 1 else v for key, v in made.items()}

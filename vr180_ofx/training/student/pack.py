"""What the student is trained on, in memory as bytes: people cut out, what a tracker said of them, and places with nobody in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import Array
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.container import first_video, open_container

#: Every so many people one is kept for evaluation, by the number of their group: never trained on.
HELD_EVERY = 8
VIDEOS = (".mkv", ".mp4", ".mov")


@dataclass(frozen=True, slots=True)
class Pack:
    """People and places. All are bytes, on whatever device.

    pictures, foregrounds: (n, 3, p, p). alphas, tracked: (n, 1, p, p), linear coverage, and what the embedded tracker says of each person
    in their picture; `known` (n,) whether it was asked. boxes: (n, 4) left, top, right, bottom of each person, in pixels. people: (n,), who
    it is. places: (m, 3, p, p).
    """

    pictures: Tensor
    foregrounds: Tensor
    alphas: Tensor
    tracked: Tensor
    known: Tensor
    boxes: Tensor
    people: Tensor
    places: Tensor

    def __len__(self) -> int:
        return len(self.pictures)

    @property
    def size(self) -> int:
        """Pixels of a side."""
        return int(self.pictures.shape[-1])

    def to(self, device: torch.device | str) -> Pack:
        """The same on another device."""
        return Pack(*(getattr(self, name).to(device) for name in self.__slots__))

    def chosen(self, which: Tensor) -> Pack:
        """With some of the people, and all places. which: (n,) bool."""
        return Pack(*(getattr(self, name) if name == "places" else getattr(self, name)[which] for name in self.__slots__))

    def halves(self) -> tuple[Pack, Pack]:
        """(to be trained on, held out): nobody is in both, and no place either."""
        held = self.people % HELD_EVERY == HELD_EVERY - 1
        far = torch.arange(len(self.places), device=self.places.device) % HELD_EVERY == HELD_EVERY - 1
        train, kept = self.chosen(~held), self.chosen(held)
        return _with_places(train, self.places[~far]), _with_places(kept, self.places[far])


def _with_places(pack: Pack, places: Tensor) -> Pack:
    return Pack(**{name: getattr(pack, name) for name in pack.__slots__ if name != "places"}, places=places)


def read_stills(folder: Path, places: Iterable[Path] = (), tracked: Path | None = None, least_area: float = 0.004) -> Pack:
    """What `bench stills` made. places: pictures and videos of nobody. tracked: a folder of masks by the embedded tracker, named as the
    pictures.

    least_area: who covers less than this share of a picture is left out. Raises MediaError.
    """
    table = folder / "people.jsonl"
    if not table.is_file():
        raise MediaError(f"{folder} has no people.jsonl; a folder that `python -m bench stills` made is needed")
    owners: dict[str, int] = {}
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines()):
        owners |= dict.fromkeys(json.loads(line)["pictures"], number)
    rows: list[tuple[Array, ...]] = []
    who, boxes, known = [], [], []
    for name, owner in sorted(owners.items()):
        alpha = _read(folder / "alpha" / f"{name}.png", grey=True)
        if alpha.dtype == np.uint16:
            alpha = ((alpha.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if (alpha > 127).mean() < least_area:
            continue
        ys, xs = np.where(alpha > 60)
        mask = tracked / f"{name}.png" if tracked is not None else None
        asked = mask is not None and mask.is_file()
        said = np.zeros_like(alpha)
        if mask is not None and asked:
            said = resize(_read(mask, grey=True), (alpha.shape[1], alpha.shape[0]), "linear")
        rows.append((_read(folder / "picture" / f"{name}.png"), _read(folder / "foreground" / f"{name}.png"), alpha, said))
        who.append(owner)
        boxes.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
        known.append(asked)
    if not rows:
        raise MediaError(f"{folder} has no picture with somebody in it")
    pictures, foregrounds, alphas, said = (np.stack(column) for column in zip(*rows, strict=True))
    size = pictures.shape[1]
    there = [square for path in places for square in squares(path, size)]
    nowhere = np.zeros((0, size, size, 3), np.uint8)
    return Pack(
        _planes(pictures), _planes(foregrounds), _planes(alphas), _planes(said), torch.tensor(known),
        torch.tensor(np.array(boxes), dtype=torch.float32), torch.tensor(who), _planes(np.stack(there) if there else nowhere),
    )  # fmt: skip


def squares(path: Path, size: int, most: int = 24) -> Sequence[Array]:
    """Square parts of a picture, or of every third frame of a video, (size, size, 3) RGB each, spread over it."""
    out: list[Array] = []
    for frame in frames_of(path, 3) if path.suffix.lower() in VIDEOS else [_read(path)]:
        height, width = frame.shape[:2]
        for side in (min(height, width), max(min(height, width) // 2, size // 2)):
            step = max(1, side * 3 // 4)
            corners = [(y, x) for y in range(0, height - side + 1, step) for x in range(0, width - side + 1, step)]
            parts = (np.ascontiguousarray(frame[y : y + side, x : x + side]) for y, x in corners)
            out += [resize(part, (size, size), _way(side, size)) for part in parts]
    step = max(1, len(out) // most)
    return out[::step][:most]


def _way(side: int, size: int) -> Literal["area", "linear"]:
    return "area" if side > size else "linear"


def frames_of(path: Path, every: int) -> list[Array]:
    """Every so many frames of a video, (h, w, 3) RGB. Raises MediaError."""
    with open_container(path) as container:
        stream = first_video(container, path)
        return [frame.to_ndarray(format="rgb24") for n, frame in enumerate(container.decode(stream)) if n % every == 0]


def _read(path: Path, *, grey: bool = False) -> Any:
    """(h, w, 3) bytes, or one plane as it is. Raises MediaError."""
    found = read_image(path)
    if grey:
        return found if found.ndim == 2 else np.ascontiguousarray(found[..., 0])
    return np.ascontiguousarray(np.repeat(found[..., None], 3, -1) if found.ndim == 2 else found[..., :3])


def _planes(values: Array) -> Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(values))
    return planes[:, None] if planes.dim() == 3 else planes.permute(0, 3, 1, 2).contiguous()

"""What the student is trained on, in memory as bytes: people cut out, what a tracker said of them, and places with nobody in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import Array, ByteArray
from vr180_ofx.errors import MediaError
from vr180_ofx.imaging.encode import read_image
from vr180_ofx.imaging.resize import resize
from vr180_ofx.media.container import first_video, open_container

#: Every so many people one is kept for evaluation, by the number of their group: never trained on.
HELD_EVERY = 8
#: Bytes of alpha from which on a pixel counts for the box of a person.
_SEEN = 60
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


@dataclass(frozen=True, slots=True)
class Still:
    """One picture that `bench stills` made. name: of its files. person: the number of who it shows. picture, foreground: (h, w, 3) bytes;
    alpha: (h, w) bytes.
    """

    name: str
    person: int
    picture: Any
    foreground: Any
    alpha: Any


def stills_in(folder: Path, least_area: float = 0.004) -> Iterator[Still]:
    """Those in which somebody covers at least this share of the picture, by name. Raises MediaError."""
    table = folder / "people.jsonl"
    if not table.is_file():
        raise MediaError(f"{folder} has no people.jsonl; a folder that `python -m bench stills` made is needed")
    owners: dict[str, int] = {}
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines()):
        owners |= dict.fromkeys(json.loads(line)["pictures"], number)
    for name, owner in sorted(owners.items()):
        alpha = _read(folder / "alpha" / f"{name}.png", grey=True)
        if alpha.dtype == np.uint16:
            alpha = ((alpha.astype(np.uint32) + 128) // 257).astype(np.uint8)
        if (alpha > 127).mean() >= least_area:
            yield Still(name, owner, _read(folder / "picture" / f"{name}.png"), _read(folder / "foreground" / f"{name}.png"), alpha)


def places_in(paths: Iterable[Path], size: int) -> list[ByteArray]:
    """Squares of pictures and videos of nobody: files, or folders of files."""
    files = [f for path in paths for f in (sorted(path.iterdir()) if path.is_dir() else [path]) if not f.name.startswith(".")]
    return [square for path in files for square in squares(path, size)]


def packed(rows: Iterable[tuple[Still, Any | None]], places: Sequence[Array]) -> Pack:
    """rows: pictures, and what the tracker says of each, (h, w) bytes; None where it was not asked. Raises MediaError without any."""
    kept = list(rows)
    if not kept:
        raise MediaError("there is no picture with somebody in it")
    stills = [still for still, _ in kept]
    size = stills[0].alpha.shape[0]
    boxes = []
    for still in stills:
        ys, xs = np.where(still.alpha > _SEEN)
        boxes.append((xs.min(), ys.min(), xs.max() + 1, ys.max() + 1))
    said = [np.zeros_like(still.alpha) if mask is None else mask for still, mask in kept]
    return Pack(
        pictures=_planes(np.stack([s.picture for s in stills])),
        foregrounds=_planes(np.stack([s.foreground for s in stills])),
        alphas=_planes(np.stack([s.alpha for s in stills])),
        tracked=_planes(np.stack(said)),
        known=torch.tensor([mask is not None for _, mask in kept]),
        boxes=torch.tensor(np.array(boxes), dtype=torch.float32),
        people=torch.tensor([s.person for s in stills]),
        places=_planes(np.stack(places) if places else np.zeros((0, size, size, 3), np.uint8)),
    )


def squares(path: Path, size: int, most: int = 24) -> Sequence[ByteArray]:
    """Square parts of a picture, or of every third frame of a video, (size, size, 3) RGB each, spread over it."""
    out: list[ByteArray] = []
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


def frames_of(path: Path, every: int) -> list[ByteArray]:
    """Every so many frames of a video, (h, w, 3) RGB. Raises MediaError."""
    with open_container(path) as container:
        stream = first_video(container, path)
        return [
            frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
            for n, frame in enumerate(container.decode(stream))
            if n % every == 0
        ]


def _read(path: Path, *, grey: bool = False) -> Any:
    """(h, w, 3) bytes, or one plane as it is. Raises MediaError."""
    found = read_image(path)
    if grey:
        return found if found.ndim == 2 else np.ascontiguousarray(found[..., 0])
    return np.ascontiguousarray(np.repeat(found[..., None], 3, -1) if found.ndim == 2 else found[..., :3])


def _planes(values: Array) -> Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(values))
    return planes[:, None] if planes.dim() == 3 else planes.permute(0, 3, 1, 2).contiguous()

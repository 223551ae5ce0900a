"""One channel of an image file, as a matte: by its name, whatever part it lies in, for each view that the file has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.arrays import FloatArray, shapes_repr
from vr180_ofx.errors import MediaError
from vr180_ofx.media.files import picture_limit
from vr180_ofx.media.images import open_image, placed, read_pixels
from vr180_ofx.vr180.layout import LEFT, RIGHT

#: What stands for a matte where no channel is named, or a layer alone: alpha, luma, and of a grey picture in three channels any.
_USUAL = ("a", "y", "l", "i", "r", "channel0")
_COLOURS = ("r", "g", "b")


@dataclass(frozen=True, slots=True)
class LayerViews:
    """view -> (h, w) float32, 0..1; the view is '' where the file does not say which it is of. channel: which it was."""

    views: Mapping[str, FloatArray]
    channel: str

    def __repr__(self) -> str:
        return shapes_repr(self)


@dataclass(frozen=True, slots=True)
class _Place:
    part: int
    index: int
    view: str
    name: str


def read_layer(path: Path, channel: str | None = None, limit: int | None = None) -> LayerViews:
    """Reads a channel of an image file: of all of its views, of which only those with this channel count.

    channel: as the file calls it, with or without the name of its part or view; the name of a layer alone is its alpha. None: the
    file's alpha, or what it has instead. Capitals do not matter. limit: bytes that a picture may take, see `picture_limit`. Whole
    numbers are shares of the largest one; others are held within 0..1. Raises MediaError and ResourceError.
    """
    limit = picture_limit() if limit is None else limit
    with open_image(path) as source:
        places = _places(source)
        chosen = _chosen(places, channel)
        if not chosen:
            what = "no channel that could be a matte" if channel is None else f"no channel {channel!r}"
            raise MediaError(f"{path} has {what}; it has {', '.join(dict.fromkeys(p.name for p in places))}")
        views = {p.view: _read(source, path, p, limit) for p in chosen}
    name = chosen[0].name
    coloured = any(p.name.rsplit(".", 1)[-1].lower() in _COLOURS for p in places)
    if channel is None and coloured and name.rsplit(".", 1)[-1].lower() == "a" and all((v >= 1).all() for v in views.values()):
        raise MediaError(
            f"{path} has an alpha that is 1 everywhere, as pictures without a matte have it; say which channel is meant, R for instance"
        )
    return LayerViews(views, name)


def _places(source: Any) -> list[_Place]:
    """All channels, with the view that they are of."""
    specs: list[Any] = []
    while source.seek_subimage(len(specs), 0):
        specs.append(source.spec())
    multi = [str(v).lower() for v in specs[0].getattribute("multiView") or []]
    found = []
    for part, spec in enumerate(specs):
        own = str(spec.getattribute("view") or "").lower()
        label = spec.getattribute("oiio:subimagename")
        # the name of the only part says nothing of a layer
        label = label if isinstance(label, str) and len(specs) > 1 else ""
        known = {*multi, LEFT, RIGHT, own} - {""}
        for index, name in enumerate(spec.channelnames):
            words = [w for w in (*label.split("."), *name.split(".")) if w]
            views = [w.lower() for w in words[:-1] if w.lower() in known]
            words = [w for w in words[:-1] if w.lower() not in known] + words[-1:]
            # the first of several views in one part has no name in front of its channels (OpenEXR's multi-view files)
            view = own or (views[0] if views else multi[0] if multi and len(specs) == 1 else "")
            found.append(_Place(part, index, view, ".".join(dict.fromkeys(words))))
    return found


def _chosen(places: list[_Place], channel: str | None) -> list[_Place]:
    """A channel of each view, the first that fits."""
    if channel is None:
        wanted = [*_USUAL, *(f"rgba.{u}" for u in _USUAL)]
        # a file of one channel alone, or of one layer alone, needs no name
        names = {p.name.lower().rsplit(".", 1)[0] if "." in p.name else "" for p in places}
        if len(names) == 1:
            wanted += [f"{next(iter(names))}.{u}" for u in _USUAL]
        if len({p.name.lower() for p in places}) == 1:
            wanted.append(places[0].name.lower())
    else:
        asked = ".".join(dict.fromkeys(w for w in channel.lower().split(".") if w not in (LEFT, RIGHT)))
        wanted = [asked, *(f"{asked}.{u}" for u in _USUAL)]
        sides = [w for w in channel.lower().split(".") if w in (LEFT, RIGHT)]
        if sides:
            places = [p for p in places if p.view == sides[0]]
    for name in wanted:
        fitting: dict[str, _Place] = {}
        for p in places:
            if p.name.lower() == name:
                fitting.setdefault(p.view, p)
        if fitting:
            return list(fitting.values())
    # without its layer, where no two layers have one
    ends = [p for p in places if channel is not None and p.name.lower().endswith(f".{channel.lower()}")]
    return list({p.view: p for p in ends}.values()) if len({p.name.lower() for p in ends}) == 1 else []


def _read(source: Any, path: Path, place: _Place, limit: int) -> FloatArray:
    source.seek_subimage(place.part, 0)
    pixels = read_pixels(source, path, place.part, (place.index, place.index + 1), kind="float", limit=limit)
    if not np.isfinite(pixels).all():
        raise MediaError(f"{path} holds values in {place.name} that are no numbers")
    whole = np.ascontiguousarray(placed(pixels, source.spec())[..., 0], np.float32)
    clipped: FloatArray = np.clip(whole, 0, 1)
    return clipped

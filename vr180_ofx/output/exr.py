"""Multi-view OpenEXR: a part per view, half floats, a layer per person. Written whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import Frame, ViewMatte, joined, place_of
from vr180_ofx.errors import OutputError, SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.contract import Clip, EyeImage, SourceFrame
from vr180_ofx.output.colorspace import DATA, ColourSpace, check_colorspace, conversion
from vr180_ofx.output.colour import Foreground
from vr180_ofx.output.exr_cryptomatte import CryptomatteFiles
from vr180_ofx.output.exr_rows import RowPart, RowWriter, band
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.people.names import NAME_PATTERN, NAME_RULE, is_reserved
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import OutputSettings
from vr180_ofx.storage import atomic_path
from vr180_ofx.timecode import Timecode
from vr180_ofx.vr180.layout import Layout
from vr180_ofx.wording import short

#: The largest half.
_MOST = 65504.0
_COMPRESSION = {
    "none": "NO_COMPRESSION",
    "zips": "ZIPS_COMPRESSION",
    "zip": "ZIP_COMPRESSION",
    "piz": "PIZ_COMPRESSION",
    "dwaa": "DWAA_COMPRESSION",
    "dwab": "DWAB_COMPRESSION",
    "htj2k": "HTJ2K256_COMPRESSION",
    "zstd": "ZSTD_COMPRESSION",
}


@dataclass(frozen=True, slots=True)
class ExrClip:
    """What every frame of a render has in common.

    timecode: of the clip's first frame; None where it has none: then it is counted from 00:00:00:00. people: the names of all persons in
    the plan, so that each file has the same channels. layout: where the eyes lie in the clip.
    """

    fps: Fraction
    timecode: Timecode | None
    views: tuple[str, ...]
    people: tuple[tuple[int, str], ...]
    projection: str
    fov_degrees: float | None
    owner: str = "vr180-ofx"
    layout: Layout | None = None


def exr_clip(clip: Clip, plan: Plan | None) -> ExrClip:
    """What every frame of ``clip`` has in common; without a plan, nobody has a layer."""
    people = tuple((p.id, p.name) for p in plan.active) if plan is not None else ()
    g = clip.geometry
    return ExrClip(clip.fps, clip.timecode, clip.views, people, g.projection_name, g.fov_degrees, layout=g.layout)


@dataclass(frozen=True, slots=True)
class _Piece:
    """An eye in a picture. place: (x, y) of its first pixel."""

    matte: ViewMatte
    eye: EyeImage
    place: tuple[int, int]


class ExrWriter:
    """Writes frames of one render. Safe to call from several threads."""

    def __init__(self, clip: ExrClip, settings: OutputSettings) -> None:
        self.layout = _layout(settings)
        if self.layout == "whole" and clip.layout is None:
            raise ValueError("output.exr_layout is whole, and where the eyes lie in the clip was not said")
        check_colorspace(settings)
        _refuse_shared_layers(clip, settings, self.layout)
        self._views = clip.views
        self._clip = replace(clip, views=("main",)) if self.layout == "whole" else clip
        self._settings = settings
        self._compression = _compression(settings.compression)
        self._rows = RowWriter(self._compression)
        self._foreground = Foreground(settings) if settings.rgb != "none" else None
        names = [name for _, name in clip.people]
        self._crypto = CryptomatteFiles(self._clip.views, names, settings.cryptomatte_levels) if settings.cryptomatte else None

    @property
    def dropped(self) -> Mapping[int, tuple[int, float]]:
        """Frame's index -> what Cryptomatte had no level for, see `output.cryptomatte.Ranks`."""
        return {} if self._crypto is None else self._crypto.dropped

    def paths(self, stem: Path, number: int) -> list[Path]:
        """The files of frame ``number``: one, or one per view; then those of Cryptomatte."""
        return [*self._own_paths(stem, number), *(self._crypto.paths(stem, number) if self._crypto is not None else ())]

    def _own_paths(self, stem: Path, number: int) -> list[Path]:
        if self.layout == "per_view_files":
            return [stem.with_name(f"{stem.name}_{view}.{number:04d}.exr") for view in self._clip.views]
        return [stem.with_name(f"{stem.name}.{number:04d}.exr")]

    def write(self, stem: Path, number: int, frame: Frame, source: SourceFrame | None) -> list[Path]:
        """Writes a frame; ``source`` is needed when colour is written too."""
        targets = self._own_paths(stem, number)
        pieces = self._pieces(frame, source) if self._settings.rgb != "none" else {}
        if self._clip.layout is not None and self.layout == "whole":
            frame = joined(frame, self._views, self._clip.layout)
        bounds = {view: matte.bounds for view, matte in frame.views.items()}
        if self.layout == "single":
            # one part for all views: it holds the rows of all of them
            bounds = dict.fromkeys(bounds, reduce(Rect.union, bounds.values()))
        parts = [self._part(view, frame, pieces.get(view, []), number, bounds[view]) for view in frame.views]
        if self.layout == "single":
            parts = [_merged(parts)]
        files = [[part] for part in parts] if self.layout == "per_view_files" else [parts]
        for target, held in zip(targets, files, strict=True):
            with atomic_path(target, steady=True) as path:
                self._rows.write(path, held)
        if self._crypto is not None:
            headers = {view: self._header(view, frame, number, DATA) for view in frame.views}
            targets += self._crypto.write(stem, number, frame, headers)
        return targets

    def _pieces(self, frame: Frame, source: SourceFrame | None) -> dict[str, list[_Piece]]:
        """View of the file -> the eyes in its picture."""
        if source is None:
            raise ValueError("colour was asked for, and the source frame was not given")
        layout = self._clip.layout
        if layout is None or self.layout != "whole":
            return {view: [_Piece(matte, source.eyes[view], (0, 0))] for view, matte in frame.views.items()}
        return {"main": [_Piece(frame.views[v], source.eyes[v], place_of(frame.views[v], v, layout)) for v in self._views]}

    def _part(self, view: str, frame: Frame, pieces: list[_Piece], number: int, bounds: Rect) -> RowPart:
        matte = frame.views[view]
        preset = self._settings.exr_preset
        y0, y1 = band(bounds.y0, bounds.y1, matte.height, self._compression)
        shape = (y1 - y0, matte.width)
        names = [name for _, name in self._clip.people] if self._settings.people else []
        people = {name: np.zeros(shape, np.float16) for name in names}
        for layer in matte.layers:
            if layer.name in people:
                people[layer.name][layer.rect.shifted(0, -y0).slices] = layer.alpha
        alpha = matte.alpha_half(y0, y1)
        channels: dict[str, HalfArray] = {"A": alpha}
        space = DATA
        if pieces:
            channels |= {c: np.zeros(shape, np.float16) for c in "RGB"}
            for piece in pieces:
                space = self._colour(piece, y0, channels)
        elif preset != "generic":
            # a main image without colour opens black in Resolve and in Nuke's viewer
            channels |= dict.fromkeys("RGB", alpha)
        blank = dict.fromkeys(channels, 0.0)
        layers = [(m.name, m.rows(matte, y0, y1), m.blank) for m in MEASURES]
        for name, values, nobody in [*layers, *((name, values, 0.0) for name, values in people.items())]:
            layer_channels = dict.fromkeys(_channels(name, preset), values)
            channels |= layer_channels
            blank |= dict.fromkeys(layer_channels, nobody)
        return RowPart(view, self._header(view, frame, number, space), matte.width, matte.height, y0, channels, blank)

    def _colour(self, piece: _Piece, y0: int, channels: dict[str, HalfArray]) -> ColourSpace:
        """Fills R, G and B, which begin at row ``y0``, where there are people; returns what they are: what ``output.colorspace`` says."""
        matte, eye, (x, y) = piece.matte, piece.eye, piece.place
        way = conversion(eye.tags, self._settings.colorspace)
        rect = matte.bounds
        if rect.empty or self._foreground is None:
            return way.space
        whole = eye if (eye.width, eye.height) == (matte.width, matte.height) else eye.reduced(round(eye.width / matte.width))
        # one pixel that is no number would spread
        rgb = np.nan_to_num(whole.native(rect), nan=0.0, posinf=_MOST, neginf=0.0)
        a = matte.alpha[rect.slices]
        # lenses mix light: there colours are taken apart and multiplied
        if way.to_light is not None:
            rgb = way.to_light(rgb)
        rgb = self._foreground(rgb, a)
        if way.to_file is not None:
            rgb = way.to_file(rgb)
        if self._settings.rgb == "premultiplied":
            rgb = rgb * a[..., None]
        # a plate of floats may hold a sun
        np.clip(rgb, -_MOST, _MOST, out=rgb)
        for k, c in enumerate("RGB"):
            channels[c][rect.shifted(x, y - y0).slices] = rgb[..., k]
        return way.space

    def _header(self, view: str, frame: Frame, number: int, space: ColourSpace) -> dict[str, Any]:
        clip = self._clip
        rate = Fraction(clip.fps).limit_denominator(100_000)
        header: dict[str, Any] = {
            "compression": self._compression,
            "type": OpenEXR.scanlineimage,
            "framesPerSecond": rate,
            "owner": clip.owner,
            "timeCode": time_code((clip.timecode or Timecode(0, max(1, round(clip.fps)))) + frame.index),
            "projection": clip.projection,
            "software": str(frame.metadata.get("engine", "vr180-ofx")),
        }
        header |= space.attributes()
        if self._settings.rgb != "none":
            header["vr180ofx:rgb"] = self._settings.rgb
        if clip.fov_degrees:
            header["fovDegrees"] = float(clip.fov_degrees)
        if len(clip.views) > 1:
            header["view"] = view
            if self.layout == "multipart":
                # readers that know only single parts still learn that there are two eyes
                header["multiView"] = list(clip.views)
        for key, value in frame.metadata.items():
            header[f"vr180ofx:{key}"] = str(value)
        header["vr180ofx:frame"] = str(number)
        # where in the clip it is, whatever files are called: readers of some frames know from it which number the clip's first one has
        header["vr180ofx:index"] = str(frame.index)
        return header


def _refuse_shared_layers(clip: ExrClip, settings: OutputSettings, layout: str) -> None:
    """Raises OutputError where two layers would have one name in a file: one of them would be gone."""
    people = [name for _, name in clip.people] if settings.people else []
    measures = [m.name for m in MEASURES]
    for name in people:
        if not re.fullmatch(NAME_PATTERN, name) or is_reserved(name):
            raise OutputError(f"somebody is called {short(name)}, and cannot be a layer by that name: {NAME_RULE}; rename them in the plan")
    views = clip.views if layout == "single" else clip.views[:1]
    seen: set[str] = set()
    for k, view in enumerate(views):
        for channel in ("R", "G", "B", "A", *(c for name in (*measures, *people) for c in _channels(name, settings.exr_preset))):
            full = channel if k == 0 else _in_view(channel, view)
            if full in seen:
                raise OutputError(f"two layers would be called {full} in one file; give people names of their own in the plan")
            seen.add(full)


def _channels(name: str, preset: str) -> tuple[str, ...]:
    """The channels of a layer: a lone one for programs that understand layers; all of R, G, B, A for Nuke, where lone ones collide in
    `other`, and for Blender, which takes them for passes."""
    return tuple(f"{name}.{c}" for c in ("RGBA" if preset in ("nuke", "blender") else "A"))


def _in_view(channel: str, view: str) -> str:
    """A channel of another view than the first in a part that holds all of them."""
    layer, dot, last = channel.rpartition(".")
    return f"{layer}{dot}{view}.{last}"


def _merged(parts: list[RowPart]) -> RowPart:
    """One part for all views: the first view's channels are plain, the others carry the view's name before the last word.

    OpenEXR, "Storing Multi-View Images", section "Channel names".
    """
    channels: dict[str, HalfArray] = {}
    blank: dict[str, float] = {}
    header = dict(parts[0].header)
    header.pop("view", None)
    header["multiView"] = [part.name for part in parts]
    for k, part in enumerate(parts):
        for name, values in part.channels.items():
            full = name if k == 0 else _in_view(name, part.name)
            channels[full] = values
            blank[full] = part.blank[name]
    return replace(parts[0], name="", header=header, channels=channels, blank=blank)


def _layout(settings: OutputSettings) -> str:
    if settings.exr_layout != "auto":
        return settings.exr_layout
    # Resolve takes the first part of a file and nothing else: each eye gets a file of its own
    if settings.exr_preset == "resolve":
        return "per_view_files"
    # Blender takes the parts' names for layers, and views only from the channels' names
    return "single" if settings.exr_preset == "blender" else "multipart"


def _compression(name: str) -> Any:
    value = getattr(OpenEXR, _COMPRESSION[name], None)
    if value is None:
        raise SettingsError(
            f"output.compression is {name!r}, which the installed OpenEXR {OpenEXR.__version__} does not have; zips always works"
        )
    return value


def time_code(code: Timecode) -> Any:
    """A timecode as OpenEXR's headers have it: frames from 0 to 29, with a flag for the second one of a pair."""
    hours, minutes, seconds, frames, drop, second = code.header
    return OpenEXR.TimeCode(hours, minutes, seconds, frames, int(drop), 0, int(second), *(0,) * 11)

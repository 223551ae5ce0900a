"""Multi-view OpenEXR: a part per view, half floats, a layer per person. Written whole or not at all."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import OpenEXR

from vr180_ofx.engine.frame import Frame, ViewMatte
from vr180_ofx.media.picture import SourceFrame
from vr180_ofx.output.colour import unmixed
from vr180_ofx.settings import OutputSettings, SettingsError
from vr180_ofx.storage import atomic_path

HalfArray = npt.NDArray[np.float16]
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

    people: the names of all persons in the plan, so that each file has the same channels.
    """

    fps: Fraction
    start_frame: int
    views: tuple[str, ...]
    people: tuple[tuple[int, str], ...]
    projection: str
    fov_degrees: float | None
    owner: str = "vr180-ofx"


class ExrWriter:
    """Writes frames of one render. Safe to call from several threads; each thread keeps buffers of its own."""

    def __init__(self, clip: ExrClip, settings: OutputSettings) -> None:
        self._clip = clip
        self._settings = settings
        self.layout = _layout(settings)
        self._compression = _compression(settings.compression)
        self._local = threading.local()
        if OpenEXR.global_thread_count() < 1:
            OpenEXR.set_global_thread_count(2)

    def paths(self, stem: Path, number: int) -> list[Path]:
        """The files of frame ``number``: one, or one per view."""
        if self.layout == "per_view_files":
            return [stem.with_name(f"{stem.name}_{view}.{number:04d}.exr") for view in self._clip.views]
        return [stem.with_name(f"{stem.name}.{number:04d}.exr")]

    def write(self, stem: Path, number: int, frame: Frame, source: SourceFrame | None) -> list[Path]:
        """Writes a frame; ``source`` is needed when colour is written too."""
        parts = [self._part(view, matte, frame, source, number) for view, matte in frame.views.items()]
        try:
            return self._write(stem, number, parts)
        finally:
            self._clean(frame)

    def _write(self, stem: Path, number: int, parts: list[tuple[str, dict[str, Any], dict[str, HalfArray]]]) -> list[Path]:
        targets = self.paths(stem, number)
        if self.layout == "per_view_files":
            for target, (view, header, channels) in zip(targets, parts, strict=True):
                with atomic_path(target) as path:
                    OpenEXR.File([OpenEXR.Part(header, channels, view)]).write(str(path))
            return targets
        with atomic_path(targets[0]) as path:
            if self.layout == "single":
                OpenEXR.File([self._merged(parts)]).write(str(path))
            else:
                OpenEXR.File([OpenEXR.Part(h, c, view) for view, h, c in parts]).write(str(path))
        return targets

    def _merged(self, parts: list[tuple[str, dict[str, Any], dict[str, HalfArray]]]) -> Any:
        """One part for all views: the first view's channels are plain, the others carry the view's name before the last word.

        OpenEXR, "Storing Multi-View Images", section "Channel names".
        """
        channels: dict[str, HalfArray] = {}
        header = dict(parts[0][1])
        header.pop("view", None)
        header["multiView"] = [view for view, _, _ in parts]
        for k, (view, _, own) in enumerate(parts):
            for name, values in own.items():
                layer, dot, last = name.rpartition(".")
                channels[name if k == 0 else f"{layer}{dot}{view}.{last}"] = values
        return OpenEXR.Part(header, channels)

    def _part(
        self, view: str, matte: ViewMatte, frame: Frame, source: SourceFrame | None, number: int
    ) -> tuple[str, dict[str, Any], dict[str, HalfArray]]:
        preset = self._settings.exr_preset
        buffers = self._buffers(view, matte)
        alpha = buffers["A"]
        for layer in matte.layers:
            alpha[layer.rect.slices] += layer.alpha
            part = buffers["confidence"][layer.rect.slices]
            np.minimum(part, layer.confidence, out=part)
            if self._settings.people and layer.name in buffers:
                buffers[layer.name][layer.rect.slices] = layer.alpha
        for layer in matte.layers:
            block = alpha[layer.rect.slices]
            np.minimum(block, np.float16(1), out=block)
        channels: dict[str, HalfArray] = {"A": alpha}
        if self._settings.rgb != "none":
            if source is None:
                raise ValueError("colour was asked for, and the source frame was not given")
            channels |= self._colour(view, matte, source.eyes[view])
        elif preset in ("nuke", "resolve"):
            # a main image without colour opens black in Resolve and in Nuke's viewer
            channels |= dict.fromkeys("RGB", alpha)
        channels |= _layer("confidence", buffers["confidence"], preset)
        if self._settings.people:
            for _, name in self._clip.people:
                channels |= _layer(name, buffers[name], preset)
        return view, self._header(view, frame, number), channels

    def _colour(self, view: str, matte: ViewMatte, eye: Any) -> dict[str, HalfArray]:
        """R, G and B where there are people, in the plate's own encoding."""
        out = {c: np.zeros((matte.height, matte.width), np.float16) for c in "RGB"}
        rect = matte.bounds
        if rect.empty:
            return out
        whole = eye if (eye.width, eye.height) == (matte.width, matte.height) else eye.reduced(round(eye.width / matte.width))
        rgb = whole.native(rect)
        a = matte.alpha[rect.slices]
        rgb = unmixed(rgb, a)
        if self._settings.rgb == "premultiplied":
            rgb = rgb * a[..., None]
        for k, c in enumerate("RGB"):
            out[c][rect.slices] = rgb[..., k]
        return out

    def _buffers(self, view: str, matte: ViewMatte) -> dict[str, HalfArray]:
        """Full-size arrays that are empty but for people: filling and clearing those beats making new ones."""
        held = getattr(self._local, "buffers", None)
        if held is None:
            held = self._local.buffers = {}
        key = (view, matte.height, matte.width)
        if key not in held:
            names = ["A", *(name for _, name in self._clip.people)] if self._settings.people else ["A"]
            made = {name: np.zeros((matte.height, matte.width), np.float16) for name in names}
            made["confidence"] = np.ones((matte.height, matte.width), np.float16)
            held[key] = made
        buffers: dict[str, HalfArray] = held[key]
        return buffers

    def _clean(self, frame: Frame) -> None:
        for view, matte in frame.views.items():
            buffers = self._buffers(view, matte)
            for layer in matte.layers:
                for name, values in buffers.items():
                    values[layer.rect.slices] = 1 if name == "confidence" else 0

    def _header(self, view: str, frame: Frame, number: int) -> dict[str, Any]:
        clip = self._clip
        rate = Fraction(clip.fps).limit_denominator(100_000)
        header: dict[str, Any] = {
            "compression": self._compression,
            "type": OpenEXR.scanlineimage,
            "framesPerSecond": rate,
            "owner": clip.owner,
            "timeCode": time_code(frame.index, clip.fps),
            "projection": clip.projection,
            "software": str(frame.metadata.get("engine", "vr180-ofx")),
        }
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
        return header


def _layer(name: str, values: HalfArray, preset: str) -> dict[str, HalfArray]:
    """A lone channel for programs that understand layers; all of R, G, B, A for Nuke, where lone ones collide in `other`."""
    if preset == "nuke":
        return {f"{name}.{c}": values for c in "RGBA"}
    return {f"{name}.A": values}


def _layout(settings: OutputSettings) -> str:
    if settings.exr_layout != "auto":
        return settings.exr_layout
    # Resolve takes the first part of a file and nothing else: each eye gets a file of its own
    return "per_view_files" if settings.exr_preset == "resolve" else "multipart"


def _compression(name: str) -> Any:
    value = getattr(OpenEXR, _COMPRESSION[name], None)
    if value is None:
        raise SettingsError(
            f"output.compression is {name!r}, which the installed OpenEXR {OpenEXR.__version__} does not have; zips always works"
        )
    return value


def time_code(index: int, fps: Fraction) -> Any:
    """SMPTE time code of a frame counted from 00:00:00:00, without drop frames."""
    rate = max(1, round(fps))
    seconds, frames = divmod(index, rate)
    # OpenEXR's time code holds frames up to 29 and hours up to 23
    return OpenEXR.TimeCode(
        seconds // 3600 % 24,
        seconds // 60 % 60,
        seconds % 60,
        min(frames * 30 // rate if rate > 30 else frames, 29),
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
        0,
    )

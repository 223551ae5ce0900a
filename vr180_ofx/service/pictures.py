"""A layer of a frame as bytes: raw floats and halves, PNG, EXR."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import Frame, ViewMatte, joined
from vr180_ofx.errors import ServiceError
from vr180_ofx.imaging.encode import png
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.settings import OutputSettings
from vr180_ofx.vr180.layout import Layout

Format = Literal["exr", "png", "f32", "f16"]
Preset = Literal["generic", "nuke", "resolve", "blender"]
MEDIA_TYPES = {"exr": "image/x-exr", "png": "image/png", "f32": "application/octet-stream", "f16": "application/octet-stream"}


def layer_names(names: list[str]) -> list[str]:
    """What can be asked for: everybody, what was measured, and each person."""
    return ["A", *(f"{m.name}.A" for m in MEASURES), *(f"{n}.A" for n in names)]


def plane(matte: ViewMatte, layer: str, names: list[str]) -> HalfArray:
    """(height, width) half. Raises ServiceError when there is no such layer."""
    if layer == "A":
        return matte.alpha_half()
    measure = next((m for m in MEASURES if layer == f"{m.name}.A"), None)
    if measure is not None:
        return measure.rows(matte, 0, matte.height)
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)(\.A)?", layer)
    if match is None or match[1] not in names:
        raise ServiceError(422, f"layer is {layer!r}; this clip has {', '.join(layer_names(names))}")
    out = np.zeros((matte.height, matte.width), np.float16)
    for one in matte.layers:
        if one.name == match[1]:
            out[one.rect.slices] = one.alpha
    return out


def encode(
    frame: Frame, views: Sequence[str], kind: Format, *, layout: Layout | None, layer: str, names: list[str], clip: ExrClip,
    preset: Preset,
) -> tuple[tuple[int, int], bytes | memoryview]:  # fmt: skip
    """((width, height), the file). f16 and f32: rows from the top, little-endian, no header. png: 16 bits of grey. exr: every layer.

    layout: how the views lie in one picture; None leaves them apart. names: of people. clip, preset: of EXR files.
    Raises ServiceError when there is no such layer.
    """
    if layout is not None:
        frame, views = joined(frame, views, layout), ("main",)
    first = frame.views[views[0]]
    size = (first.width, first.height)
    return size, _exr(frame, views, clip, preset) if kind == "exr" else _raw(plane(first, layer, names), kind)


def _raw(values: HalfArray, kind: Format) -> bytes | memoryview:
    if kind == "f16":
        return np.ascontiguousarray(values, "<f2").data.cast("B")
    if kind == "f32":
        return values.astype("<f4").data.cast("B")
    grey = np.round(np.clip(values.astype(np.float32), 0, 1) * 65535).astype(np.uint16)
    return png(grey)


def _exr(frame: Frame, views: Sequence[str], clip: ExrClip, preset: Preset) -> bytes:
    some = Frame(frame.index, {v: frame.views[v] for v in views}, frame.metadata)
    settings = OutputSettings(exr_layout="single" if len(views) == 1 else "multipart", exr_preset=preset)
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
        writer = ExrWriter(replace(clip, views=tuple(views)), settings)
        (path,) = writer.write(Path(folder) / "frame", frame.index, some, None)
        return path.read_bytes()


def facts_header(frame: Frame) -> str:
    """What the frame was made with, for a header: ASCII JSON."""
    return json.dumps(frame.metadata, ensure_ascii=True, sort_keys=True)

"""A layer of a frame as bytes: raw floats and halves, PNG, EXR."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from vr180_ofx.engine.frame import Frame, HalfArray, ViewMatte
from vr180_ofx.output.exr import ExrClip, ExrWriter
from vr180_ofx.service.problems import ServiceError
from vr180_ofx.settings import OutputSettings

Format = Literal["exr", "png", "f32", "f16"]
MEDIA_TYPES = {"exr": "image/x-exr", "png": "image/png", "f32": "application/octet-stream", "f16": "application/octet-stream"}


def layer_names(names: list[str]) -> list[str]:
    """What can be asked for: everybody, how sure it is, and each person."""
    return ["A", "confidence.A", *(f"{n}.A" for n in names)]


def plane(matte: ViewMatte, layer: str, names: list[str]) -> HalfArray:
    """(height, width) half. Raises ServiceError when there is no such layer."""
    if layer == "A":
        return matte.alpha_half()
    if layer == "confidence.A":
        return matte.confidence_half()
    match = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)(\.A)?", layer)
    if match is None or match[1] not in names:
        raise ServiceError(422, f"layer is {layer!r}; this clip has {', '.join(layer_names(names))}")
    out = np.zeros((matte.height, matte.width), np.float16)
    for one in matte.layers:
        if one.name == match[1]:
            out[one.rect.slices] = one.alpha
    return out


def encode(frame: Frame, view: str, layer: str, kind: Format, names: list[str], clip: ExrClip) -> bytes | memoryview:
    """f16 and f32: rows from the top, little-endian, no header. png: 16 bits of grey. exr: every layer of this view."""
    if kind == "exr":
        return _exr(frame, view, clip)
    values = plane(frame.views[view], layer, names)
    if kind == "f16":
        return np.ascontiguousarray(values, "<f2").data.cast("B")
    if kind == "f32":
        return values.astype("<f4").data.cast("B")
    grey = np.round(np.clip(values.astype(np.float32), 0, 1) * 65535).astype(np.uint16)
    ok, data = cv2.imencode(".png", grey, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not ok:
        raise ServiceError(500, "the PNG could not be encoded")
    return data.tobytes()


def _exr(frame: Frame, view: str, clip: ExrClip) -> bytes:
    one = Frame(frame.index, {view: frame.views[view]}, frame.metadata)
    settings = OutputSettings(exr_layout="single")
    with tempfile.TemporaryDirectory(prefix="vr180-ofx.") as folder:
        writer = ExrWriter(replace(clip, start_frame=0, views=(view,)), settings)
        (path,) = writer.write(Path(folder) / "frame", frame.index, one, None)
        return path.read_bytes()


def facts_header(frame: Frame) -> str:
    """What the frame was made with, for a header: ASCII JSON."""
    return json.dumps(frame.metadata, ensure_ascii=True, sort_keys=True)

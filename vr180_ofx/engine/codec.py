"""Frames as bytes: what the cache on disk holds. JSON for what is known, compressed halves for what is seen; no pickle."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import zstandard

from vr180_ofx.arrays import HalfArray
from vr180_ofx.engine.frame import Frame, Layer, ViewMatte
from vr180_ofx.imaging.rect import Rect

_LEVEL = 1


def pack_frame(frame: Frame) -> bytes:
    """Everything but the names of people, which may be changed without making a frame anew."""
    views: dict[str, Any] = {}
    arrays: list[HalfArray] = []
    for name, matte in frame.views.items():
        views[name] = {
            "size": [matte.width, matte.height],
            "layers": [[x.person, x.rect.x0, x.rect.y0, x.rect.x1, x.rect.y1] for x in matte.layers],
        }
        for layer in matte.layers:
            arrays += [layer.alpha, layer.confidence]
    head = json.dumps({"index": frame.index, "metadata": frame.metadata, "views": views}).encode()
    body = b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)
    packed: bytes = zstandard.ZstdCompressor(level=_LEVEL).compress(body)
    return struct.pack("<II", len(head), len(body) & 0xFFFFFFFF) + head + packed


def unpack_frame(data: bytes, names: Mapping[int, str]) -> Frame:
    """names: what people are called now. Raises ValueError when the bytes are not a frame."""
    try:
        length, size = struct.unpack_from("<II", data)
        known = json.loads(data[8 : 8 + length])
        body = zstandard.ZstdDecompressor().decompress(data[8 + length :], max_output_size=max(1, size))
        position = 0
        views = {}
        for view, facts in known["views"].items():
            layers = []
            for person, *corners in facts["layers"]:
                rect = Rect(*corners)
                planes = []
                for _ in range(2):
                    count = rect.width * rect.height
                    planes.append(np.frombuffer(body, np.float16, count, position).reshape(rect.height, rect.width))
                    position += count * 2
                layers.append(Layer(person, names[person], rect, planes[0], planes[1]))
            width, height = facts["size"]
            views[view] = ViewMatte(width, height, tuple(layers))
        return Frame(known["index"], views, known["metadata"])
    except (KeyError, TypeError, struct.error, zstandard.ZstdError, UnicodeDecodeError) as error:
        raise ValueError(f"these bytes are not a frame: {error}") from None

"""Reads what the renderer wrote: colours, coverage of each person, positions."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Film:
    """One OpenEXR file of the renderer, its channels by the end of their names."""

    def __init__(self, path: Path) -> None:
        with OpenEXR.File(str(path), separate_channels=True) as file:
            part = file.parts[0]
            self.header: dict[str, Any] = dict(part.header)
            self.channels: dict[str, Floats] = {name: np.asarray(c.pixels, np.float32) for name, c in part.channels.items()}

    def get(self, *ends: str) -> Floats:
        """(h, w, n) of the channels whose names end so. KeyError names what there is."""
        found = []
        for end in ends:
            match = [name for name in self.channels if name == end or name.endswith("." + end)]
            if not match:
                raise KeyError(f"the renderer's film has no channel {end}; it has {', '.join(sorted(self.channels))}")
            found.append(self.channels[match[0]])
        return np.stack(found, axis=-1)

    def coverage(self, kind: str, names: Sequence[str]) -> dict[str, Floats]:
        """name -> share of each pixel (h, w) that an asset or object takes, from Cryptomatte's ranked pairs.

        kind: CryptoAsset or CryptoObject.
        """
        ids = self._manifest(kind)
        pairs = sorted(name.rsplit(".", 1)[0] for name in self.channels if f".{kind}" in name and name.endswith((".r", ".R")))
        shape = next(iter(self.channels.values())).shape
        out = {name: np.zeros(shape, np.float32) for name in names}
        for stem in pairs:
            r, g, b, a = (self.channels[next(n for n in self.channels if n.lower() == f"{stem}.{c}".lower())] for c in "rgba")
            for ident, share in ((r, g), (b, a)):
                for name in names:
                    if name in ids:
                        out[name] += np.where(ident == ids[name], share, 0)
        return {name: np.clip(values, 0, 1) for name, values in out.items()}

    def _manifest(self, kind: str) -> dict[str, np.float32]:
        for key, value in self.header.items():
            if key.startswith("cryptomatte/") and key.endswith("/name") and str(value).endswith(kind):
                words = self.header[key.removesuffix("/name") + "/manifest"]
                return {n: np.float32(struct.unpack("<f", struct.pack("<I", int(h, 16)))[0]) for n, h in json.loads(str(words)).items()}
        raise KeyError(f"the renderer's film has no Cryptomatte called {kind}")

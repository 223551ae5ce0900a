"""Cryptomatte: every person by an id and how much of each pixel is theirs, as Nuke, Fusion, Blender and others pick mattes from.

Source: Psyop, "Cryptomatte Specification", version 1.2.0. MurmurHash3_x86_32: Austin Appleby, SMHasher.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from vr180_ofx.arrays import FloatArray
from vr180_ofx.engine.frame import ViewMatte
from vr180_ofx.errors import OutputError

#: Of the layers, and what decoders show in their menus.
TYPE_NAME = "CryptoPerson"
_M32 = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Ranks:
    """The people of an eye's rows, by how much of each pixel is theirs.

    ids, coverage: (levels, rows, width) float32, the largest share first; 0 where there is nobody more. dropped: the pixels in which more
    people meet than there are levels. lost: the most that is missing of one of them.
    """

    ids: FloatArray
    coverage: FloatArray
    dropped: int
    lost: float

    def channels(self) -> dict[str, FloatArray]:
        """As files hold them: two ids and their shares to a layer."""
        out: dict[str, FloatArray] = {}
        for k in range(0, len(self.ids), 2):
            layer = f"{TYPE_NAME}{k // 2:02d}"
            out |= {
                f"{layer}.R": self.ids[k],
                f"{layer}.G": self.coverage[k],
                f"{layer}.B": self.ids[k + 1],
                f"{layer}.A": self.coverage[k + 1],
            }
        return out


def ranked(matte: ViewMatte, ids: dict[str, float], levels: int, y0: int, y1: int) -> Ranks:
    """The people of ``matte`` who have an id, in rows ``y0`` to ``y1`` (exclusive), which hold all of them. levels: even."""
    shape = (levels, y1 - y0, matte.width)
    out, shares = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    dropped = np.zeros(shape[1:], bool)
    lost = 0.0
    for layer in matte.layers:
        number = ids.get(layer.name)
        if number is None or layer.rect.empty:
            continue
        place = layer.rect.shifted(0, -y0).slices
        # sorted in: whoever has the smaller share of a pixel goes on to the next level
        share = layer.alpha.astype(np.float32)
        who = np.where(share > 0, np.float32(number), np.float32(0))
        for k in range(levels):
            held, held_by = shares[k][place], out[k][place]
            more = share > held
            shares[k][place], share = np.maximum(share, held), np.minimum(share, held)
            out[k][place], who = np.where(more, who, held_by), np.where(more, held_by, who)
            if not share.any():
                break
        else:
            dropped[place] |= share > 0
            lost = max(lost, float(share.max()))
    # halves are rounded, and together may be a little more than a pixel
    total = shares.sum(axis=0)
    over = total > 1
    if over.any():
        shares[:, over] /= total[over]
    return Ranks(out, shares, int(dropped.sum()), lost)


def person_ids(names: Iterable[str]) -> dict[str, float]:
    """Name -> id. Raises OutputError where two have one: they could not be told apart (it happens to one pair of names in 2^32)."""
    out: dict[str, float] = {}
    for name in names:
        number = float_id(hash32(name.encode()))
        other = next((n for n, i in out.items() if i == number and n != name), None)
        if other is not None:
            raise OutputError(f"{other} and {name} have the same id in Cryptomatte, by chance; rename one of them in the plan")
        out[name] = number
    return out


def attributes(ids: dict[str, float]) -> dict[str, str]:
    """Of the header: what the file holds, and its manifest."""
    key = f"cryptomatte/{hash32(TYPE_NAME.encode()):08x}"[: len("cryptomatte/") + 7]
    manifest = {name: f"{_bits(number):08x}" for name, number in ids.items()}
    return {
        f"{key}/name": TYPE_NAME,
        f"{key}/hash": "MurmurHash3_32",
        f"{key}/conversion": "uint32_to_float32",
        f"{key}/manifest": json.dumps(manifest, separators=(",", ":")),
    }


def hash32(data: bytes, seed: int = 0) -> int:
    """MurmurHash3_x86_32, 0 to 2^32 - 1."""
    h = seed
    for at in range(0, len(data), 4):
        block = data[at : at + 4]
        k = int.from_bytes(block, "little") * 0xCC9E2D51 & _M32
        h ^= _turned(k, 15) * 0x1B873593 & _M32
        if len(block) == 4:
            h = _turned(h, 13) * 5 + 0xE6546B64 & _M32
    h ^= len(data)
    h = (h ^ h >> 16) * 0x85EBCA6B & _M32
    h = (h ^ h >> 13) * 0xC2B2AE35 & _M32
    return h ^ h >> 16


def _turned(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _M32


def float_id(number: int) -> float:
    """The hash's bits as a float that is neither a special value nor nearly 0: the exponent stays within 1..254."""
    if number >> 23 & 255 in (0, 255):
        number ^= 1 << 23
    return float(struct.unpack("<f", struct.pack("<I", number))[0])


def _bits(number: float) -> int:
    return int(struct.unpack("<I", struct.pack("<f", number))[0])

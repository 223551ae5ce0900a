"""Frame indexes that are kept: sealed, and made again when they are not what they were."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np

from vr180_ofx.media.files import check_file
from vr180_ofx.media.index import FrameIndex, build_index
from vr180_ofx.sealed import read_sealed, sealed
from vr180_ofx.storage import cache_folder, write_atomic

log = logging.getLogger(__name__)
INDEX_VERSION = 7
#: Bytes of an index at most: 30 million frames, six days of 60 a second.
INDEX_BYTES = 1 << 30


def load_index(path: Path, limit: int | None = None) -> FrameIndex:
    """The index of ``path``, from the cache when the file has not changed, else built and cached. limit: bytes for a picture."""
    found = check_file(path)
    size, mtime = found.st_size, found.st_mtime_ns
    name = hashlib.sha256(f"{INDEX_VERSION}|".encode() + os.fsencode(path.resolve()) + f"|{size}|{mtime}".encode()).hexdigest()[:32]
    cached = cache_folder("index") / f"{name}.index"
    try:
        data = read_sealed(cached, name, INDEX_BYTES)
        if data is not None:
            return _from_bytes(bytes(data))
        log.warning("the cached index %s is damaged; building it again", cached)
    except FileNotFoundError:
        pass
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        log.warning("the cached index %s cannot be used (%s); building it again", cached, error)
    index = build_index(path, limit)
    now = check_file(path)
    if (now.st_size, now.st_mtime_ns) == (size, mtime):
        try:
            write_atomic(cached, sealed(name, _to_bytes(index)))
        except OSError as error:
            log.warning("the index of %s cannot be cached in %s: %s", path, cached.parent, error)
    return index


def _to_bytes(index: FrameIndex) -> bytes:
    buffer = io.BytesIO()
    numbers = [
        index.time_base.numerator, index.time_base.denominator, index.rate.numerator, index.rate.denominator,
        int(index.by_ordinal), index.declared, int(index.by_bytes), index.lost, int(index.cut_off),
    ]  # fmt: skip
    np.savez(
        buffer, pts=index.pts, key=index.key, seek=index.seek, durations=index.durations,
        numbers=np.array(numbers, np.int64), damaged=np.array(sorted(index.damaged), np.int64),
    )  # fmt: skip
    return buffer.getvalue()


def _from_bytes(data: bytes) -> FrameIndex:
    """The inverse. Raises what NumPy raises."""
    with np.load(io.BytesIO(data), allow_pickle=False) as held:
        numbers = [int(v) for v in held["numbers"]]
        return FrameIndex(
            held["pts"], held["key"], held["seek"], held["durations"],
            Fraction(numbers[0], numbers[1]), Fraction(numbers[2], numbers[3]),
            by_ordinal=bool(numbers[4]), declared=numbers[5], by_bytes=bool(numbers[6]),
            damaged=frozenset(int(v) for v in held["damaged"]), lost=numbers[7], cut_off=bool(numbers[8]),
        )  # fmt: skip

"""Frame indexes that are kept: each with a checksum, and made again when it is not what it was."""

from __future__ import annotations

import hashlib
import io
import logging
import os
import stat
from fractions import Fraction
from pathlib import Path

import numpy as np

from vr180_ofx.media.files import check_file
from vr180_ofx.media.index import FrameIndex, build_index
from vr180_ofx.storage import cache_folder, write_atomic

log = logging.getLogger(__name__)
INDEX_VERSION = 7
_MAGIC = b"vr180-ofx index\n"
_DIGEST = hashlib.sha256().digest_size
#: An hour at 60 frames a second takes 7 MB; whatever is larger than this was not written by this program.
_LARGEST = 1 << 30


def load_index(path: Path, limit: int | None = None) -> FrameIndex:
    """The index of ``path``, from the cache when the file has not changed, else built and cached. limit: bytes for a picture."""
    found = check_file(path)
    size, mtime = found.st_size, found.st_mtime_ns
    key = hashlib.sha256(f"{INDEX_VERSION}|".encode() + os.fsencode(path.resolve()) + f"|{size}|{mtime}".encode()).hexdigest()[:32]
    cached = cache_folder("index") / f"{key}.index"
    try:
        return _decoded(_bytes_of(cached), key)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        log.warning("the cached index %s is damaged (%s); building it again", cached, error)
    index = build_index(path, limit)
    now = check_file(path)
    if (now.st_size, now.st_mtime_ns) == (size, mtime):
        try:
            write_atomic(cached, _encoded(index, key))
        except OSError as error:
            log.warning("the index of %s cannot be cached in %s: %s", path, cached.parent, error)
    return index


def _bytes_of(path: Path) -> bytes:
    """What an ordinary file holds. Raises ValueError for another kind: a pipe under this name is not waited for."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(handle, "rb") as stream:
        found = os.fstat(handle)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _LARGEST:
            raise ValueError("it is no file of this program")
        return stream.read()


def _encoded(index: FrameIndex, key: str) -> bytes:
    buffer = io.BytesIO()
    numbers = [
        index.time_base.numerator, index.time_base.denominator, index.rate.numerator, index.rate.denominator,
        int(index.by_ordinal), index.declared, int(index.by_bytes), index.lost, int(index.cut_off),
    ]  # fmt: skip
    np.savez(
        buffer, pts=index.pts, key=index.key, seek=index.seek, durations=index.durations,
        numbers=np.array(numbers, np.int64), damaged=np.array(sorted(index.damaged), np.int64),
    )  # fmt: skip
    return _MAGIC + _digest(buffer.getvalue(), key) + buffer.getvalue()


def _decoded(data: bytes, key: str) -> FrameIndex:
    """Raises ValueError for bytes that are not, to the last bit, what was written under this name."""
    head = len(_MAGIC) + _DIGEST
    body = data[head:]
    if data[:head] != _MAGIC + _digest(body, key):
        raise ValueError("its checksum is another one")
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        numbers = [int(v) for v in arrays["numbers"]]
        return FrameIndex(
            arrays["pts"], arrays["key"], arrays["seek"], arrays["durations"],
            Fraction(numbers[0], numbers[1]), Fraction(numbers[2], numbers[3]),
            by_ordinal=bool(numbers[4]), declared=numbers[5], by_bytes=bool(numbers[6]),
            damaged=frozenset(int(v) for v in arrays["damaged"]), lost=numbers[7], cut_off=bool(numbers[8]),
        )  # fmt: skip


def _digest(body: bytes, key: str) -> bytes:
    # with the name: an entry that was moved to another clip's name is not that clip's
    return hashlib.sha256(key.encode() + body).digest()

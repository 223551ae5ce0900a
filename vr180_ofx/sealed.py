"""Entries of caches: bytes that know by which name they were kept, and that they are whole.

A flipped bit, a cut, an entry that was copied to another's place, a pipe or a link in its place: each is noticed, and counts as absent.
"""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

from vr180_ofx.errors import DocumentError
from vr180_ofx.regular import read_regular

_MAGIC = b"vr180-ofx entry 2\n"
_HASH = 32
#: Bytes before what is kept, besides the name.
_HEAD = len(_MAGIC) + _HASH + 2
#: More than any name of an entry has.
_LONGEST_NAME = 1000


def head_of(name: str, data: bytes | memoryview) -> bytes:
    """What stands in a file before ``data`` that is kept as ``name``: a hash of both, and the name. Raises ValueError on a long name."""
    said = name.encode()
    if len(said) > _LONGEST_NAME:
        raise ValueError(f"the name of an entry has {len(said)} bytes; at most {_LONGEST_NAME} are taken")
    return _MAGIC + _digest(said, data) + struct.pack("<H", len(said)) + said


def sealed(name: str, data: bytes) -> bytes:
    """``data`` as a file of a cache that is read again by `unsealed`."""
    return head_of(name, data) + data


def unsealed(name: str, entry: bytes) -> memoryview | None:
    """What was sealed by this name; None when these bytes are anything else."""
    said = name.encode()
    view = memoryview(entry)
    end = _HEAD + len(said)
    if len(entry) < end or not entry.startswith(_MAGIC) or entry[_HEAD - 2 : end] != struct.pack("<H", len(said)) + said:
        return None
    body = view[end:]
    return body if _digest(said, body) == entry[len(_MAGIC) : _HEAD - 2] else None


def read_sealed(path: Path, name: str, limit_bytes: int) -> memoryview | None:
    """What an entry's file holds; None when it is not whole, not of this name, larger than it may be, or no file.

    Raises OSError as the system does: FileNotFoundError when there is none. A link is an OSError, too: entries are none.
    """
    try:
        entry = read_regular(path, limit_bytes + _HEAD + _LONGEST_NAME, follow=False)
    except DocumentError:
        return None
    return unsealed(name, entry)


def _digest(name: bytes, data: bytes | memoryview) -> bytes:
    digest = hashlib.sha256(struct.pack("<H", len(name)) + name)
    digest.update(data)
    return digest.digest()

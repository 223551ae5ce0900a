"""Hashes that tell one recording from another."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from vr180_ofx.media.files import readable

FINGERPRINT_BLOCK = 1 << 20


def file_fingerprint(path: Path) -> str:
    """A hash of a file's size and of its beginning, middle and end: enough to tell one recording from another."""
    digest = hashlib.sha256()
    with readable(path) as name, open(name, "rb") as stream:
        size = stream.seek(0, 2)
        digest.update(str(size).encode())
        for start in sorted({0, max(0, size // 2 - FINGERPRINT_BLOCK // 2), max(0, size - FINGERPRINT_BLOCK)}):
            stream.seek(start)
            digest.update(stream.read(FINGERPRINT_BLOCK))
    return digest.hexdigest()


def array_digest(*arrays: np.ndarray[Any, Any]) -> str:
    """A short hash of arrays' contents."""
    digest = hashlib.sha256()
    for a in arrays:
        digest.update(np.ascontiguousarray(a).tobytes())
    return digest.hexdigest()[:16]

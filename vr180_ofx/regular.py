"""Reading a file that may be no file: a pipe never ends, a device has no size, a link leads elsewhere."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from vr180_ofx.errors import DocumentError

#: Absent on Windows, where neither pipes nor devices lie among files.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOCTTY", 0)
#: Bytes that are read at once of a file that is larger than it said.
_PIECE = 1 << 20
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)
_KINDS = ((stat.S_ISDIR, "folder"), (stat.S_ISFIFO, "pipe"), (stat.S_ISSOCK, "socket"), (stat.S_ISCHR, "device"), (stat.S_ISBLK, "device"))


def kind_of(mode: int) -> str | None:
    """What something is that is no file (folder, pipe, socket, device), by its ``st_mode``; None where it is a file, or nobody knows."""
    return next((word for is_kind, word in _KINDS if is_kind(mode)), None)


def read_regular(path: Path, limit_bytes: int, *, follow: bool = True) -> bytes:
    """All bytes of a file, at once, without ever waiting for one. follow: also where ``path`` is a link.

    Raises DocumentError when it is no regular file or holds more than ``limit_bytes``, and OSError as the system does.
    """
    try:
        handle = os.open(path, _FLAGS | (0 if follow else _NO_FOLLOW))
    except ValueError as error:
        # a name with a NUL
        raise DocumentError(f"is no name of a file: {error}") from None
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise DocumentError(f"is a {kind_of(facts.st_mode) or 'something else'}, not a file")
        if facts.st_size > limit_bytes:
            raise DocumentError(f"has {facts.st_size} bytes; at most {limit_bytes} are read")
    except DocumentError:
        os.close(handle)
        raise
    with os.fdopen(handle, "rb") as stream:
        # one more: it may grow meanwhile, and files of /proc do not say their size
        data = stream.read(facts.st_size + 1)
        while len(data) > facts.st_size and (more := stream.read(_PIECE)):
            data += more
            if len(data) > limit_bytes:
                raise DocumentError(f"has more than {limit_bytes} bytes, which is all that is read")
    return data

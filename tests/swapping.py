"""A process that puts a link in a path's place and takes it away again, at no particular time: python tests/swapping.py PATH LINK.

Both change places at once (renameat2, Linux): there is no moment at which there is nothing.
"""

import contextlib
import ctypes
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

_HERE, _EXCHANGE = -100, 2
#: How long one of both is there, at most.
MOST_S = 0.003


def exchange(one: Path, other: Path) -> None:
    """Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        raise OSError("no renameat2")
    if libc.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


@contextlib.contextmanager
def swapping(path: Path, target: Path) -> Iterator[None]:
    """For as long as the block takes, ``path`` is now what it was and now a link to ``target``. Skips the test where that cannot be."""
    link = path.with_name(f"{path.name}.other")
    link.symlink_to(target)
    try:
        exchange(path, link)
        exchange(path, link)
    except OSError as error:
        pytest.skip(f"two paths cannot change places here: {error}")
    with subprocess.Popen([sys.executable, __file__, str(path), str(link)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"swapping\n"
        try:
            yield
            assert process.poll() is None
        finally:
            process.kill()


if __name__ == "__main__":
    print("swapping", flush=True)
    while True:
        exchange(Path(sys.argv[1]), Path(sys.argv[2]))
        # long enough for a look, and for an opening: what lies between them is what is to be met
        time.sleep(random.random() * MOST_S)

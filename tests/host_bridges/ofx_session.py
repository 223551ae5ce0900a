"""The OpenFX plug-in built from source."""

from __future__ import annotations

import platform
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

SOURCES = Path(__file__).resolve().parents[2] / "host_bridges" / "ofx"


#: Marks of tests that build the plug-in and load it.
BUILDABLE = [
    pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("cc") is None, reason="cmake and a C compiler are not installed"),
    pytest.mark.skipif(
        sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the test host knows Linux alone"
    ),
]


def build(folder, *options):
    """The bundle, made as the documentation says."""
    for command in (["cmake", "-S", str(SOURCES), "-B", str(folder), *options], ["cmake", "--build", str(folder)]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning:" not in done.stdout + done.stderr
    return folder / "VR180Matte.ofx.bundle"


def colours(dtype=np.float32, height=512, width=1024):
    """A picture in which every pixel is another."""
    y, x = np.mgrid[:height, :width]
    values = np.stack([x / width, y / height, (x + y) / (width + height), np.full_like(x, 0.25, float)], axis=-1)
    if np.issubdtype(dtype, np.integer):
        return np.round(values * np.iinfo(dtype).max).astype(dtype)
    return values.astype(dtype)


def spoiled(picture):
    """Whether nobody takes it for a matte: it is of a quarter and three quarters in squares, and no alpha is 0 or 1."""
    top = 255 if picture.dtype == np.uint8 else 65535 if picture.dtype == np.uint16 else 1
    alpha = (picture[..., -1] if picture.ndim == 3 else picture).astype(np.float64) / top
    return set(np.round(alpha.ravel(), 2)) == {0.25, 0.75}


def deaf_port():
    """A server that takes connections and never answers."""
    return socket.create_server(("127.0.0.1", 0), backlog=8)


def token_of(folder):
    """A file with the token that servers of the tests know."""
    path = folder / "token"
    path.write_text("x" * 32)
    return str(path)

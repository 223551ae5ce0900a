"""The OpenFX plug-in built from source."""

from __future__ import annotations

import subprocess
from pathlib import Path

SOURCES = Path(__file__).resolve().parents[2] / "host_bridges" / "ofx"


def build(folder, *options):
    """The bundle, made as the documentation says."""
    for command in (["cmake", "-S", str(SOURCES), "-B", str(folder), *options], ["cmake", "--build", str(folder)]):
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning:" not in done.stdout + done.stderr
    return folder / "VR180Matte.ofx.bundle"

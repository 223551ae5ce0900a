"""A stand-in of Nuke with the bridge in it, and what is read back from its nodes."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

from tests.host_bridges import nuke_stand_in

ROOT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def started(folder, gui):
    """Nuke with the bridge of ``folder`` on its path."""
    nuke = nuke_stand_in.Nuke(gui)
    before, path = dict(sys.modules), list(sys.path)
    sys.modules["nuke"] = nuke
    sys.path.insert(0, str(folder))
    try:
        exec(compile((folder / "init.py").read_text(), "init.py", "exec"), {})
        nuke.bridge = sys.modules["vr180_nuke"]
        yield nuke
    finally:
        for live in nuke.bridge._lives.values():
            live.close()
        sys.path[:] = path
        for name in set(sys.modules) - set(before):
            if name in ("nuke", "vr180_nuke", "vr180_client"):
                del sys.modules[name]


def read(nuke, path, first=1):
    """A Read of a clip."""
    (node,) = nuke._read(f"Read {{\n file {path}\n first {first}\n last 10\n name Read1\n}}\n")
    node.knob("first")._value = first
    nuke._selected = [node]
    return node


def status(node):
    return node.knob("status").value()


def exr(path):
    """view -> (h, w) alpha of a live or rendered file."""
    import OpenEXR

    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {p.header.get("view", "main"): p.channels["A"].pixels for p in file.parts}

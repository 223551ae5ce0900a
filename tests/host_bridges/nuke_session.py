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
        for one in nuke.bridge.live.lives.values():
            one.close()
        sys.path[:] = path
        for name in set(sys.modules) - set(before):
            if name == "nuke" or (name.startswith("vr180_") and "." not in name and name != "vr180_ofx"):
                del sys.modules[name]


def read(nuke, path, *lines, first=1, last=10, name="Read1"):
    """A Read of a clip, selected. first, last: the numbers of its frames. lines: more of it, as a script has them."""
    more = "".join(f" {line}\n" for line in lines)
    text = f"Read {{\n inputs 0\n file {path}\n first {first}\n last {last}\n origfirst {first}\n origlast {last}\n{more} name {name}\n}}\n"
    (node,) = nuke._read(text)
    nuke._selected = [node]
    return node


def status(node):
    return node.knob("status").value()


def exr(path):
    """view -> (h, w) alpha of a live or rendered file."""
    import OpenEXR

    with OpenEXR.File(str(path), separate_channels=True) as file:
        return {p.header.get("view", "main"): p.channels["A"].pixels for p in file.parts}

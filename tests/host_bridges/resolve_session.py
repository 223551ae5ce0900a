"""The scripts of Resolve and Fusion run in stand-ins of both."""

from __future__ import annotations

import contextlib
import sys

import OpenEXR

from tests.host_bridges import resolve_stand_in as host


@contextlib.contextmanager
def script(place, kind, **names):
    """Runs a script of the menu as the host does: without __file__."""
    before, path = set(sys.modules), list(sys.path)
    try:
        (file,) = (place / "Scripts" / kind).glob("*.py")
        names["__name__"] = "__main__"
        exec(compile(file.read_text(), "<script>", "exec"), names)
        yield sys.modules["vr180_resolve"]
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - before:
            if name in ("vr180_resolve", "vr180_client", "run_fusion", "run_resolve"):
                del sys.modules[name]


def click(window, name):
    window.On[name].Clicked({})


def until(window, what):
    while not what(window.items["status"].Text):
        yield


def in_resolve(clip, user, kind="Video", selected=False, item=True, panel=True):
    pooled = host.MediaPoolItem(clip, kind)
    timeline = host.Timeline(host.TimelineItem(pooled, 86400, 2, 5) if item else None)
    fusion = host.Fusion(panel)
    resolve = host.Resolve(host.Project(timeline, host.MediaPool([pooled] if selected else [])), fusion)
    return resolve, fusion, host.Bmd(user if panel else None, resolve)


def alpha(path):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        assert len(file.parts) == 1
        return file.channels()["A"].pixels

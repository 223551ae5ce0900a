"""A server whose clip lies on a network drive that is gone."""

import os
from pathlib import Path

from tests.service.conftest import Live

#: Python runs it first: reading the clip's seventh frame does not come back while a file lies there.
_HANG = """
import importlib.abc, os, sys, time
def install():
    from vr180_ofx.media.video import VideoReader
    advance = VideoReader._advance
    def hanging(self, n):
        while n == 7 and os.path.exists({flag!r}):
            time.sleep(0.1)
        return advance(self, n)
    VideoReader._advance = hanging
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "vr180_ofx.engine.server":
            sys.meta_path.remove(self)
            install()
sys.meta_path.insert(0, Finder())
"""


def on_a_drive_that_hangs(live: Live, flag: Path, folder: Path) -> Live:
    """``live``, before it is started: it hangs while ``flag`` is there. folder: where this is written."""
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text(_HANG.format(flag=str(flag)))
    live.env["PYTHONPATH"] = f"{hooks}{os.pathsep}{os.getcwd()}"
    return live

"""Human mattes for stereo VR180 video: found automatically, stable in time, the same in both eyes.

import vr180_ofx as vr
clip = vr.open_clip("clip.mp4")
plan = vr.analyse(clip)
vr.render(clip, plan, output="out/")

What there is stands in `__init__.pyi`; each name is loaded when it is first asked for, so that `vr180-ofx --help` takes no second.
"""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any


def _offered() -> dict[str, str]:
    """name -> the module that it comes from, as the stub says it (the way of Scientific Python's SPEC 1)."""
    stub = ast.parse(Path(__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    return {alias.name: str(node.module) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}


_HOMES = _offered()
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

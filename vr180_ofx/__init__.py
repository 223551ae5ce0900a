"""Human mattes for stereo VR180 video: found automatically, stable in time, the same in both eyes.

import vr180_ofx as vr
clip = vr.open_clip("clip.mp4")
plan = vr.analyse(clip)
vr.render(clip, plan, output="out/")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vr180_ofx.version import __version__

if TYPE_CHECKING:
    from vr180_ofx.engine.frame import Frame, ViewMatte
    from vr180_ofx.engine.plans import analyse
    from vr180_ofx.engine.server import FrameServer
    from vr180_ofx.media.contract import Clip
    from vr180_ofx.media.open import open_clip
    from vr180_ofx.people.plan import Plan
    from vr180_ofx.render.render import RenderReport, render
    from vr180_ofx.settings import Settings

_HOMES = {
    "Clip": "media.contract",
    "Frame": "engine.frame",
    "FrameServer": "engine.server",
    "Plan": "people.plan",
    "RenderReport": "render.render",
    "Settings": "settings",
    "ViewMatte": "engine.frame",
    "analyse": "engine.plans",
    "open_clip": "media.open",
    "render": "render.render",
}
__all__ = [
    "Clip", "Frame", "FrameServer", "Plan", "RenderReport", "Settings", "ViewMatte", "__version__",
    "analyse", "open_clip", "render",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Heavy libraries are loaded when they are needed: `vr180-ofx --help` takes no second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)

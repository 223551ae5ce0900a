"""What frames were made with: goes into the headers of files, and to whoever asks the frame server."""

from __future__ import annotations

from typing import Any

from vr180_ofx.engine.scheduler import Quality
from vr180_ofx.media.contract import Clip
from vr180_ofx.settings import Settings
from vr180_ofx.version import __version__


def common_metadata(clip: Clip, settings: Settings, *, detector: str, tracker: str, refiner: str) -> dict[str, Any]:
    """What is the same for all frames of a clip. detector: its name. tracker, refiner: their identities."""
    processing = settings.processing
    return {
        "engine": f"vr180-ofx {__version__}",
        "tracker": tracker,
        "refiner": refiner,
        "detector": detector,
        "clip": clip.fingerprint,
        "settings": settings.pixel_digest("input", "processing", "matting", "stereo"),
        "scale": processing.scale_factor,
        "upsampling": processing.upsampling if processing.scale_factor < 1 else "none",
        **({"source_notes": "; ".join(clip.notes)} if clip.notes else {}),
    }


def frame_metadata(
    common: dict[str, Any], n: int, *, quality: Quality, chunk: int = -1, degradations: str = "none", plan: str = ""
) -> dict[str, Any]:
    """Of frame ``n``. chunk: which it was made in; -1 for drafts. degradations: what was given up for want of memory. plan: said
    only where it is not the clip's.
    """
    frame = {"index": n, "quality": quality, "chunk": chunk, "degradations": degradations}
    return {**common, **frame, **({"plan": plan} if plan else {})}

"""Which layout and which projection a clip has, and why."""

from __future__ import annotations

from vr180_ofx.errors import MediaError
from vr180_ofx.media.contract import Geometry, StreamFacts
from vr180_ofx.media.naming import NameFacts
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.epipolar import INTEROCULAR_M
from vr180_ofx.vr180.layout import Layout, LayoutName

#: A stereo frame at least so many pixels wide per eye and square per eye is taken for VR180 when nothing says otherwise.
_SMALLEST_VR_EYE = 256


def decide_geometry(width: int, height: int, facts: StreamFacts, name: NameFacts, settings: Settings) -> Geometry:
    """Layout and projection: settings first, then metadata, then the file's name, then the shape of the frame."""
    asked = settings.input
    reasons = []
    swap = asked.swap_eyes
    aspect = width / height
    if asked.layout != "auto":
        layout = asked.layout
        reasons.append(f"layout {layout}: as set")
    elif facts.layout:
        layout, swap = facts.layout, swap != facts.swap  # type: ignore[assignment]
        reasons.append(f"layout {layout}: the file's stereo metadata says so")
    elif name.layout:
        layout, swap = name.layout, swap != name.swap  # type: ignore[assignment]
        reasons.append(f"layout {layout}: the file name says so ({', '.join(name.tags)})")
    elif (asked.projection != "flat") and width // 2 >= _SMALLEST_VR_EYE and abs(aspect - 2) < 0.02:
        layout = "sbs"
        reasons.append(f"layout sbs: {width}x{height} is two square eyes side by side")
    elif (asked.projection != "flat") and height // 2 >= _SMALLEST_VR_EYE and abs(aspect - 0.5) < 0.005:
        layout = "tb"
        reasons.append(f"layout tb: {width}x{height} is two square eyes one above the other")
    else:
        layout = "mono"
        reasons.append(f"layout mono: {width}x{height} is not the shape of two square eyes")
    frame_layout = Layout(_layout_name(layout), width, height, swap)
    eye_width, eye_height = frame_layout.eye_size
    fov = asked.fov_degrees
    if asked.projection != "auto":
        projection = asked.projection
        fov = fov or (name.fov_degrees if name.projection == projection else None) or facts.fov_degrees
        reasons.append(f"projection {projection}: as set")
    elif facts.projection:
        projection, fov = facts.projection, fov or facts.fov_degrees  # type: ignore[assignment]
        reasons.append(f"projection {projection}: the file's spherical metadata says so")
    elif name.projection:
        projection, fov = name.projection, fov or name.fov_degrees  # type: ignore[assignment]
        reasons.append(f"projection {projection}: the file name says so ({', '.join(name.tags)})")
    elif abs(eye_width / eye_height - 1) < 0.02 and layout != "mono":
        projection = "equirect180"
        reasons.append(f"projection equirect180: each eye is square ({eye_width}x{eye_height})")
    else:
        projection = "flat"
        reasons.append(f"projection flat: one eye is {eye_width}x{eye_height}")
    if projection == "flat" and fov is not None and fov >= 170:
        raise MediaError(f"input.fov_degrees is {fov:g}; a flat picture has less than 170")
    interocular = asked.interocular_m or facts.interocular_m or INTEROCULAR_M
    return Geometry(frame_layout, projection, fov, tuple(reasons), interocular, facts.notes)


def _layout_name(text: str) -> LayoutName:
    if text in ("sbs", "tb", "mono"):
        return text  # type: ignore[return-value]
    raise ValueError(f"layout is {text!r}; allowed are sbs, tb, mono")

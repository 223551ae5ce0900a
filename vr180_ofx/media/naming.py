"""What a file name says of the picture: the tags that VR players and libraries read, case-insensitive."""

from __future__ import annotations

import re
from dataclasses import dataclass

# tag -> (field of view in degrees); all are equidistant fisheye, side by side unless a layout tag says otherwise
_FISHEYE = {
    "fisheye190": 190.0, "fisheye200": 200.0, "fisheye180": 180.0, "fisheye": 180.0, "f180": 180.0,
    "rf52": 190.0, "mkx200": 200.0, "mkx220": 220.0, "vrca220": 220.0,
}  # fmt: skip
_LAYOUT = {
    "lr": "sbs", "sbs": "sbs", "3dh": "sbs", "hsbs": "sbs", "rl": "sbs",
    "tb": "tb", "3dv": "tb", "ou": "tb", "bt": "tb", "overunder": "tb",
    "mono": "mono",
}  # fmt: skip
#: Of files that are frames of a sequence.
IMAGE_ENDINGS = {".exr", ".dpx", ".cin", ".tif", ".tiff", ".png", ".jpg", ".jpeg", ".tga", ".bmp", ".webp", ".jp2", ".hdr"}
#: Of files that are videos: what a folder is searched for. A file that is named is opened whatever it is called.
VIDEO_ENDINGS = {
    ".mp4", ".mov", ".m4v", ".mkv", ".mxf", ".ts", ".m2ts", ".mts", ".avi", ".webm", ".mpg", ".mpeg", ".wmv", ".flv", ".ogv", ".3gp",
    ".360", ".insv", ".lrv", ".y4m",
}  # fmt: skip


def number_token(name: str) -> re.Match[str] | None:
    """The place of a frame's number in a file name: ``%04d`` before ``####``, the last before others. Groups: width of the first, the #.

    A ``#`` elsewhere in the name (``take #3.%04d.exr``) is a letter like others.
    """
    found = list(re.finditer(r"%0?([0-9]{0,2})d()", name)) or list(re.finditer(r"()(#+)", name))
    # of runs of #, the longest is meant
    return max(found, key=lambda m: (len(m.group(2)), m.start()), default=None)


def without_number(stem: str) -> str:
    """What is left of a pattern's name: no number, no view, no separators at its end."""
    token = number_token(stem)
    text = stem if token is None else stem[: token.start()]
    return re.sub(r"[._\- ]*%[vV].*", "", text).rstrip("._- ")


@dataclass(frozen=True, slots=True)
class NameFacts:
    """layout, projection and field of view as far as the name tells; None where it does not. swap: right eye first."""

    layout: str | None = None
    projection: str | None = None
    fov_degrees: float | None = None
    swap: bool = False
    tags: tuple[str, ...] = ()


def facts_from_name(stem: str) -> NameFacts:
    """Reads tags such as ``clip_LR_180``, ``clip_180x180_3dh``, ``clip_FISHEYE190``, ``clip_TB_360``.

    Tags are whole words between underscores, dashes, dots or blanks; a plain ``180`` counts only as a tag of its own.
    """
    words = [w for w in re.split(r"[_\-. ]+", stem.lower()) if w]
    layout = projection = None
    fov: float | None = None
    swap = False
    found = []
    # the first word is the clip's own name, unless the name is nothing but a tag
    for word in words[1:] if len(words) > 1 else words:
        if word in _LAYOUT and layout is None:
            layout = _LAYOUT[word]
            swap = word in ("rl", "bt")
        elif word in _FISHEYE and fov is None:
            projection, fov = "fisheye", _FISHEYE[word]
        elif word in ("180", "180x180", "vr180") and projection is None:
            projection = "equirect180"
        elif word in ("360", "360x180", "vr360") and projection is None:
            projection, fov = "equirect180", 360.0
        else:
            continue
        found.append(word)
    if projection == "fisheye" and layout is None:
        layout = "sbs"
    return NameFacts(layout, projection, fov, swap, tuple(found))

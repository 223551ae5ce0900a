"""What a folder's renders are remembered by: a document beside the frames, held against a model when it is read."""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError

from vr180_ofx.errors import OutputError
from vr180_ofx.folders import Folder
from vr180_ofx.storage import write_atomic
from vr180_ofx.version import WRITER_REVISION

log = logging.getLogger(__name__)
MANIFEST = "vr180-ofx.json"
_ABOUT = "made by vr180-ofx; lets an interrupted render go on"
#: A render takes some hundred bytes; what is larger is no manifest.
_MOST_BYTES = 16 << 20


class Entry(BaseModel):
    """One render. identity: hash of all that decides what its files look like. clip, fingerprint, frames: what it was of.

    writer: the revision of what wrote the files; before there were any, it was 1. mattes: the identity that it had without edge controls;
    empty in former versions.
    """

    model_config = ConfigDict(frozen=True)
    identity: StrictStr
    clip: StrictStr = ""
    fingerprint: StrictStr = ""
    frames: StrictStr = "all"
    writer: StrictInt = 1
    mattes: StrictStr = ""


def read_manifest(folder: Folder) -> dict[str, Entry]:
    """The renders of a folder, by name and format. What is damaged is left out, and said: then the files speak for themselves.

    Raises OutputError when the manifest is no file, OSError when it cannot be read.
    """
    path = folder.path / MANIFEST
    facts = folder.facts(MANIFEST)
    if facts is None:
        return {}
    if not stat.S_ISREG(facts.st_mode):
        raise OutputError(f"{path} is no file, but a link, a folder or a device; move it away, or choose another folder with -o")
    held = _document(folder, path)
    renders = held.get("renders") if isinstance(held, dict) else None
    if not isinstance(renders, dict):
        log.warning("%s is damaged; it is made again", path)
        return {}
    out: dict[str, Entry] = {}
    for name, value in renders.items():
        try:
            out[name] = Entry.model_validate(value)
        except ValidationError:
            log.warning("%s is damaged where it tells of %s; that is made again", path, name)
    return out


def _document(folder: Folder, path: Path) -> Any:
    with open(folder.open(MANIFEST, os.O_RDONLY), "rb") as stream:
        data = stream.read(_MOST_BYTES + 1)
    try:
        return json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError):
        return None


def write_manifest(folder: Folder, renders: dict[str, Entry]) -> None:
    """Replaces the manifest. Raises OSError."""
    document = {"about": _ABOUT, "renders": {name: entry.model_dump() for name, entry in renders.items()}}
    write_atomic(folder.path / MANIFEST, (json.dumps(document, indent=1) + "\n").encode(), steady=True)


def entry_of(identity: str, clip: str, fingerprint: str, frames: str, *, mattes: str = "") -> Entry:
    """What this version remembers of a render."""
    return Entry(identity=identity, clip=clip, fingerprint=fingerprint, frames=frames, writer=WRITER_REVISION, mattes=mattes)

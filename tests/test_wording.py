"""What strangers wrote, in messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.wording import counted, printable, short


@given(st.text())
def test_a_terminal_obeys_nothing_of_it(text):
    shown = printable(text)
    shown.encode()
    assert not any((ord(c) < 0x20 and c not in "\n\t") or 0x7F <= ord(c) < 0xA0 for c in shown)


@pytest.mark.parametrize(("text", "shown"), [
    ("a plain ünïcödé 名前\nof two lines", "a plain ünïcödé 名前\nof two lines"), ("\x1b[31m", "\\x1b[31m"), ("\udcff.mp4", "\\udcff.mp4"),
    ("\u202egpj.exe", "\\u202egpj.exe"), ("C:\\a", "C:\\a"),
])  # fmt: skip
def test_the_rest_is_left_as_it_is(text, shown):
    assert printable(text) == shown


def test_what_is_long_is_said_briefly():
    # Python refuses the digits of the number, pytest's names of cases, too
    for value in ("x" * 10**6, [[[[[[[0] * 10**5]]]]]], 16**100_000, dict.fromkeys(range(10000), "y" * 1000)):
        assert len(short(value)) < 1500


def test_things_are_counted_in_words():
    assert [counted(n, "frame") for n in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]

"""Entries that know what they are."""

import os

from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.sealed import read_sealed, sealed, unsealed


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=80), st.binary(max_size=300))
def test_what_was_sealed_comes_back(name, data):
    body = unsealed(name, sealed(name, data))
    assert body is not None and bytes(body) == data


def test_every_flipped_bit_every_cut_and_every_addition_is_noticed():
    entry = sealed("abc", b"twelve bytes")
    for bit in range(len(entry) * 8):
        flipped = bytearray(entry)
        flipped[bit // 8] ^= 1 << bit % 8
        assert unsealed("abc", bytes(flipped)) is None, bit
    assert all(unsealed("abc", entry[:k]) is None for k in range(len(entry)))
    assert unsealed("abc", entry + b"\0") is None


@given(st.text(alphabet="ab", min_size=1, max_size=6), st.text(alphabet="ab", min_size=1, max_size=6), st.binary(max_size=8))
def test_an_entry_of_another_name_is_none_of_this(name, other, data):
    assert (unsealed(other, sealed(name, data)) is not None) == (name == other)


def test_what_is_no_file_is_no_entry(tmp_path):
    path = tmp_path / "e"
    path.write_bytes(sealed("n", b"x" * 5000))
    assert bytes(read_sealed(path, "n", 5000) or b"") == b"x" * 5000
    assert read_sealed(path, "n", 1000) is None
    path.unlink()
    if os.name == "posix":
        os.mkfifo(path)
        assert read_sealed(path, "n", 5000) is None

"""Decoding ahead, and giving up."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.conftest import make_clip
from tests.engine.numbers import FRAMES, NumberSource, number_clip
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.errors import FrameError, MediaError
from vr180_ofx.imaging.either import is_tensor
from vr180_ofx.media.open import open_clip
from vr180_ofx.telemetry import Stages


class Watched(NumberSource):
    """Says which frames were read, and hangs at some of them until it is let go."""

    def __init__(self, hangs: frozenset[int] = frozenset(), read: list[int] | None = None, let_go: threading.Event | None = None):
        super().__init__()
        self.hangs = hangs
        self.frames = [] if read is None else read
        self.let_go = let_go or threading.Event()

    def read(self, n):
        self.frames.append(n)
        if n in self.hangs:
            self.let_go.wait(30)
        return super().read(n)

    def reopen(self, threads, *, fast=False, gpu=False, device=None):
        return Watched(self.hangs, self.frames, self.let_go)


class Gone(NumberSource):
    """A file that is no longer there."""

    def reopen(self, threads, *, fast=False, gpu=False, device=None):
        raise MediaError("numbers.mp4 does not exist")


def watched(*hangs: int):
    source = Watched(frozenset(hangs))
    return source, replace(number_clip(), source=source)


@pytest.fixture
def decoding():
    made = []

    def make(clip, timeout_s=30.0, hold=0, device=None):
        made.append(Decoder(clip, Stages(), timeout_s, hold, device=device))
        return made[-1]

    yield make
    for decoder in made:
        decoder.close()


def test_what_comes_next_is_decoded_once_and_ahead(decoding):
    source, clip = watched()
    decoder = decoding(clip)
    assert decoder.get(3, range(4, 6)).index == 3
    assert decoder.get(4, range(5, 7)).index == 4 and decoder.get(5).index == 5
    assert source.frames[:3] == [3, 4, 5] and source.frames.count(4) == source.frames.count(5) == 1


def test_nothing_is_decoded_beyond_the_clip(decoding):
    source, clip = watched()
    assert decoding(clip).get(FRAMES - 1, range(FRAMES, FRAMES + 3)).index == FRAMES - 1
    assert source.frames == [FRAMES - 1]


def test_what_is_looked_at_ahead_is_held(decoding):
    source, clip = watched()
    decoder = decoding(clip, hold=2)
    decoder.get(0)
    assert [decoder.peek(k).index for k in (1, 2, 1)] == [1, 2, 1]
    assert decoder.get(1).index == 1 and decoder.get(2).index == 2
    assert source.frames == [0, 1, 2]


def test_a_frame_that_takes_too_long_is_given_up_and_the_next_one_is_not(decoding):
    source, clip = watched(2)
    decoder = decoding(clip, timeout_s=2.0)
    with pytest.raises(FrameError, match=r"frame 2 .* did not end within 2 s \(processing\.decode_timeout_s\)"):
        decoder.get(2)
    assert decoder.get(3).index == 3
    source.let_go.set()


def test_whoever_waits_can_be_stopped(decoding):
    source, clip = watched(2)
    decoder = decoding(clip)
    with pytest.raises(TimeoutError, match="stopped while decoding"):
        decoder.get(2, stop=lambda: True)
    source.let_go.set()


def test_a_frame_that_cannot_be_decoded_is_said(decoding):
    with pytest.raises(FrameError, match="frame 1 cannot be decoded"):
        decoding(number_clip(broken=frozenset({1}))).get(1)


def test_a_file_that_is_gone_is_said_at_once(decoding):
    decoder = decoding(replace(number_clip(), source=Gone()))
    for n in (1, 2):
        with pytest.raises(MediaError, match="numbers.mp4 does not exist"):
            decoder.get(n)


def test_frames_come_where_they_are_worked_on(decoding, tmp_path):
    """As tensors on the CPU here; on a graphics card in a queue beside that of the networks."""
    pytest.importorskip("torch", reason="PyTorch is not installed")
    with open_clip(make_clip(tmp_path / "a.mp4", 8)) as clip:
        decoder = decoding(clip, device="cpu")
        frames = [decoder.get(3, range(4, 6)), decoder.peek(4), decoder.get(4)]
        assert [f.index for f in frames] == [3, 4, 4] and all(is_tensor(eye.like) for f in frames for eye in f.eyes.values())
        assert not is_tensor(decoding(clip).get(3).eyes["left"].like)

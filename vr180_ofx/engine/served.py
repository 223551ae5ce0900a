"""Frames as they are served: with their controls, from frames without. A level of its own above the networks' frames."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

from vr180_ofx.controls.chain import Link, Origin
from vr180_ofx.engine.cache import SharedCache
from vr180_ofx.engine.controlled import Controls
from vr180_ofx.engine.decoding import Decoder
from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.frames import named
from vr180_ofx.errors import FrameError
from vr180_ofx.media.contract import Clip, SourceFrame
from vr180_ofx.telemetry import Stages

#: Frames that are done at once: one keeps up with the writers, two when what is done takes longer.
_THREADS = 2
#: Decoded frames that are held: those that are done and those beside them, so that from one to the next a single one is decoded.
_PICTURES = 2 + _THREADS
#: What is carried takes up to 3.5 MB a frame (six numbers for each pixel of a picture of 384), over 12 frames to each side: room for one
#: correction in all of its frames.
_CARRIED_BYTES = 96 << 20
#: Asks for a frame without controls.
Raw = Callable[[int], Future[Frame]]


class ServedFrames:
    """Does controls on threads of its own, and remembers what came of it. Close it.

    limit_bytes: of memory for what is remembered. timeout_s: see `engine.decoding.Decoder`.
    """

    def __init__(self, clip: Clip, limit_bytes: int, stages: Stages, timeout_s: float) -> None:
        self._clip = clip
        self._stages = stages
        self._timeout_s = timeout_s
        self._frames = SharedCache[str, Frame](limit_bytes)
        #: What is carried from frame to frame on its way.
        self.carried = SharedCache[str, Origin | Link](min(limit_bytes, _CARRIED_BYTES))
        self._pool = ThreadPoolExecutor(_THREADS, "controls")
        self._decoding = threading.Lock()
        self._decoder: Decoder | None = None
        self._pictures: OrderedDict[int, SourceFrame] = OrderedDict()

    def request(self, n: int, controls: Controls, key: str, raw: Raw, *, still: Callable[[], bool]) -> Future[Frame]:
        """Frame ``n`` with its controls.

        key: names the result. raw: gives it and its neighbours without controls. still: whether what ``raw`` gave is what the key names;
        what is not is not remembered. The future raises what ``raw`` and decoding raise; cancelled, it gives up what it waits for.
        """
        known = self._frames.get(key)
        out: Future[Frame] = Future()
        if known is not None:
            self._clip.check(n)
            out.set_result(named(known, controls.names))
            return out
        waiting = {k: raw(k) for k in (n, *controls.neighbours(n))}
        missing = len(waiting)
        counting = threading.Lock()

        def one_is_there(_: Future[Frame]) -> None:
            nonlocal missing
            with counting:
                missing -= 1
                if missing:
                    return
            try:
                self._pool.submit(make)
            except RuntimeError:
                out.cancel()

        def make() -> None:
            if any(f.cancelled() for f in waiting.values()):
                out.cancel()
                return
            if not out.set_running_or_notify_cancel():
                return
            try:
                frames = {n: waiting[n].result(), **_those_that_can_be(waiting)}
                with self._stages.measure("controls"):
                    made = controls.apply(frames, n, self._picture)
                self._clip.check(n)
                if still():
                    self._frames.put(key, made, made.nbytes)
                out.set_result(made)
            except BaseException as error:  # noqa: BLE001 - the future carries it to whoever asked
                out.set_exception(error)

        def given_up(done: Future[Frame]) -> None:
            if done.cancelled():
                for f in waiting.values():
                    f.cancel()

        out.add_done_callback(given_up)
        for f in list(waiting.values()):
            f.add_done_callback(one_is_there)
        return out

    def _picture(self, n: int) -> SourceFrame:
        with self._decoding:
            if self._decoder is None:
                self._decoder = Decoder(self._clip, self._stages, self._timeout_s)
            if n not in self._pictures:
                self._pictures[n] = self._decoder.get(n)
                while len(self._pictures) > _PICTURES:
                    self._pictures.popitem(last=False)
            return self._pictures[n]

    def __len__(self) -> int:
        """How many frames are remembered."""
        return len(self._frames)

    def keep_share(self, share: float) -> None:
        """Remembers at most this share of its limit from now on, 0..1."""
        self._frames.keep_share(share)
        self.carried.keep_share(share)
        if share < 1:
            with self._decoding:
                self._pictures.clear()

    def clear(self) -> None:
        self._frames.clear()
        self.carried.clear()

    def close(self) -> None:
        """What is being made is finished, what waits is cancelled by whoever gives the frames."""
        self._pool.shutdown()
        self._pictures.clear()
        if self._decoder is not None:
            self._decoder.close()


def _those_that_can_be(waiting: Mapping[int, Future[Frame]]) -> dict[int, Frame]:
    """Frames by number, without those that cannot be decoded: a neighbour that is damaged takes nothing from a frame that is not."""
    out = {}
    for n, future in waiting.items():
        with contextlib.suppress(FrameError):
            out[n] = future.result()
    return out

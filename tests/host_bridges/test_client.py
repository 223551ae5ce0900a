"""What hosts need of the client: a server that is found, started and found again, and the newest wish only."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from tests.host_bridges.halves import halves
from tests.host_bridges.proving import known_token
from tests.service.strangers import Stranger
from vr180_ofx import client as c


class Seen:
    """What a Scrubber delivers, in its order: (frame, quality or "failed", pictures or what was said)."""

    def __init__(self):
        self.events: list[tuple[int, str, Any]] = []
        self.changed = threading.Condition()

    def deliver(self, wish, pictures):
        with self.changed:
            self.events.append((wish.n, next(iter(pictures.values())).quality, pictures))
            self.changed.notify_all()

    def failed(self, wish, text):
        with self.changed:
            self.events.append((wish.n, "failed", text))
            self.changed.notify_all()

    def until(self, what, timeout=60):
        with self.changed:
            assert self.changed.wait_for(lambda: any(what(e) for e in self.events), timeout), self.events
            return next(e for e in self.events if what(e))


def test_a_server_is_started_once_and_found_again(home):
    """By several at the same moment, too; it outlives whoever started it and is bound to the user alone."""
    with pytest.raises(c.ServerUnavailable, match="vr180-ofx serve"):
        c.find_or_start(start=False)
    with ThreadPoolExecutor(4) as pool:
        servers = list(pool.map(lambda _: c.find_or_start(), range(4)))
    assert len({s.address for s in servers}) == 1
    assert servers[0].server_facts()["idle_exit_s"] == 30 * 60
    code = "import vr180_ofx.client as c; print(c.find_or_start(start=False).address)"
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True)
    assert other.stdout.strip() == servers[0].address


def test_a_command_that_is_not_there_is_said(home, monkeypatch):
    monkeypatch.setenv("VR180_OFX_COMMAND", "/nowhere/vr180-ofx")
    with pytest.raises(c.ServerUnavailable, match="/nowhere/vr180-ofx cannot be started: No such file"):
        c.find_or_start(timeout_s=5)
    monkeypatch.setenv("VR180_OFX_COMMAND", f"{sys.executable} -c 'import sys; sys.exit(\"port taken\")' ")
    with pytest.raises(c.ServerUnavailable, match="ended at once: port taken"):
        c.find_or_start(timeout_s=20)
    # neither leaves a claim behind that the next one would have to wait for
    claim = c._claim(c.announce_path().parent / "starting.lock")
    assert claim is not None
    os.close(claim)


HOLD = (
    "import sys; from pathlib import Path; import vr180_ofx.client as c; print(c._claim(Path(sys.argv[1])), flush=True); sys.stdin.read()"
)


@pytest.mark.parametrize("when", [0, 1, 4_102_444_800, 2**62 // 10**9])
def test_a_claim_goes_with_its_process_whatever_the_clocks_say(tmp_path, when):
    """One from the future, or from before the clock was set, used to be waited for, or never ended."""
    lock = tmp_path / "starting.lock"
    lock.touch()
    os.utime(lock, (when, when))
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline().strip().isdigit()
    os.utime(lock, (when, when))
    assert c._claim(lock) is None
    holder.kill()
    holder.communicate()
    claim = c._claim(lock)
    assert claim is not None and c._claim(lock) is None
    os.close(claim)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes do not lie among files here")
@pytest.mark.timeout(30)
def test_what_lies_in_the_place_of_the_lock_is_neither_followed_nor_waited_for(tmp_path):
    lock = tmp_path / "starting.lock"
    lock.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(c.ServerUnavailable, match="cannot be written"):
        c._claim(lock)
    assert not (tmp_path / "elsewhere").exists()
    lock.unlink()
    lock.mkdir()
    with pytest.raises(c.ServerUnavailable, match="cannot be written"):
        c._claim(lock)
    lock.rmdir()
    os.mkfifo(lock)
    claim = c._claim(lock)
    assert claim is not None
    os.close(claim)


def test_settings_of_the_surroundings_that_are_none_are_said(home, monkeypatch, tmp_path):
    """A command line without its second quotation mark, a cache folder that is a file, and a claim from the future."""
    monkeypatch.setenv("VR180_OFX_COMMAND", "'vr180-ofx")
    with pytest.raises(c.ServerUnavailable, match="VR180_OFX_COMMAND is .*no command line"):
        c.find_or_start()
    monkeypatch.setenv("VR180_OFX_COMMAND", "/nowhere/vr180-ofx")
    claim = c.announce_path().parent / "starting.lock"
    claim.parent.mkdir(parents=True)
    claim.touch()
    os.utime(claim, (time.time() + 1e6,) * 2)
    with pytest.raises(c.ServerUnavailable, match="cannot be started"):
        c.find_or_start(timeout_s=5)
    (tmp_path / "file").touch()
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "file"))
    with pytest.raises(c.ServerUnavailable, match="set VR180_OFX_CACHE to another"):
        c.find_or_start(timeout_s=5)


def test_a_server_of_another_release_is_refused(home, monkeypatch):
    c.find_or_start()
    monkeypatch.setattr(c, "bridge_facts", lambda: {"version": "99.1.0"})
    monkeypatch.setattr(c, "_spawn", lambda *_: pytest.fail("a second server is started beside the one that is refused"))
    with pytest.raises(c.ServerUnavailable, match=r"this bridge is for 99\.1\.0"):
        c.find_or_start()


def test_a_server_that_nobody_needs_ends(home):
    process = subprocess.Popen(
        [sys.executable, "-m", "vr180_ofx", "serve", "--root", str(home.folder), "--idle-exit", "0.05"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None and process.stdout.readline().startswith(b"http://")
    assert process.wait(60) == 0 and not c.announce_path().exists()
    process.stdout.close()


@pytest.mark.slow
def test_a_link_survives_its_server(home):
    said: list[str] = []
    link = c.Link(str(home.clip), said=said.append)
    first = link.frame(3, view="left")
    assert first.quality == "final" and halves(first).max() == 1
    token, port = known_token(), int(home.note["address"].rpartition(":")[2])
    home.kill()
    # somebody else is at the port that the announcement still names
    with Stranger(port) as stranger:
        again = link.frame(3, view="left")
    assert again.data == first.data and any("went away" in s for s in said)
    assert stranger.heard and token.encode() not in stranger.heard and known_token() != token
    # a clip that the server has closed is opened again, and a frame that is not there is still an error
    link.clip().close()
    assert link.frame(3, view="left").data == first.data
    with pytest.raises(c.ServerProblem, match="frames 0..9"):
        link.frame(10)


def test_both_eyes_come_in_one_picture(standing):
    link = standing.link
    eyes = [halves(link.frame(2, view=v)) for v in ("left", "right")]
    both = link.frame(2, view="both")
    assert (both.width, both.height) == (1024, 512)
    assert np.array_equal(halves(both), np.hstack(eyes)) and not np.array_equal(*eyes)


def test_clearing_the_cache_makes_frames_anew(home):
    link = c.Link(str(home.clip))
    before = link.frame(4, view="left")
    end = time.monotonic() + 10
    while (gone := link.clip().clear_cache()) == 0 and time.monotonic() < end:
        link.frame(4, view="left")
        time.sleep(0.2)
    assert gone >= 1
    steps = link.clip().stats()["engine"]["steps"]
    assert link.frame(4, view="left").data == before.data and link.clip().stats()["engine"]["steps"] > steps


def test_a_draft_at_once_and_then_the_final(home):
    """Also while the clip is being analysed."""
    seen = Seen()
    link = c.Link(str(home.clip))
    scrubber = c.Scrubber(link, seen.deliver, seen.failed)
    scrubber.want(c.Wish(5, ("left", "right")))
    final = seen.until(lambda e: e[1] == "final")
    kinds = [e[1] for e in seen.events]
    assert kinds in (["draft", "final"], ["final"]) and set(final[2]) == {"left", "right"}
    assert final[2]["left"].data == link.frame(5, view="left").data
    # a frame that is there already needs no draft
    seen.events.clear()
    scrubber.want(c.Wish(5, ("left",)))
    seen.until(lambda e: e[1] == "final")
    time.sleep(0.3)
    assert [e[1] for e in seen.events] == ["final"]
    scrubber.close()


def test_only_the_newest_wish_counts(home):
    """Back and forth in haste: requests that are overtaken are given up, and none of them waits in the server."""
    link = c.Link(str(home.clip), {"processing": {"chunk_size": 0}})
    link.wait()
    link.clip().clear_cache()
    seen = Seen()
    scrubber = c.Scrubber(link, seen.deliver, seen.failed)
    order = [0, 1, 2, 3, 4, 3, 2, 1, 0, 1, 2, 9, 8, 7, 6]
    for n in order:
        scrubber.want(c.Wish(n, ("left",)))
        time.sleep(0.02)
    before = len(seen.events)
    seen.until(lambda e: e[0] == 6 and e[1] == "final")
    assert not [e for e in seen.events if e[1] == "failed"]
    late = [e for e in seen.events[before:] if e[0] != 6]
    assert not late, "a stale frame was delivered after the newest wish"
    end = time.monotonic() + 10
    while link.clip().stats()["engine"]["waiting"]["interactive"] and time.monotonic() < end:
        time.sleep(0.05)
    assert link.clip().stats()["engine"]["waiting"]["interactive"] == 0
    scrubber.close()


def test_errors_are_delivered_too(standing):
    seen = Seen()
    scrubber = c.Scrubber(c.Link(str(standing.folder / "absent.mp4")), seen.deliver, seen.failed)
    scrubber.want(c.Wish(0, ("left",)))
    assert "does not exist" in seen.until(lambda e: e[1] == "failed")[2]
    scrubber.close()


def test_a_render_tells_of_a_server_that_died_and_goes_on(home):
    out = home.folder / "out"
    link = c.Link(str(home.clip), {"processing": {"scale_factor": 1.0}})
    killed = threading.Event()

    def watch(task):
        if task.text == "rendering" and task.done >= 2 and not killed.is_set():
            killed.set()
            home.kill()

    task = c.render_task(link, str(out), changed=watch)
    assert task.wait(120) and task.state == "failed", task.text
    assert "what was written is whole. Render again to go on" in task.text
    there = {p.name: p.stat().st_mtime_ns for p in out.glob("clip.*.exr")}
    assert there
    again = c.render_task(link, str(out))
    assert again.wait(120) and again.state == "done", again.text
    assert len(list(out.glob("*.exr"))) == 10 and again.result["kept"] == len(there)
    assert all((out / name).stat().st_mtime_ns == when for name, when in there.items())


def test_a_render_is_cancelled(home):
    link = c.Link(str(home.clip))
    task = c.render_task(link, str(home.folder / "out"), changed=lambda t: t.cancel.cancel() if t.text == "rendering" else None)
    assert task.wait(120) and task.state == "cancelled"
    assert len(list((home.folder / "out").glob("*.exr"))) < 10

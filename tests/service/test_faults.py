"""What goes wrong in real life, done to real processes: nothing is lost, nothing wrong is served, the server lives or ends clearly."""

import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

import av
import pytest

pytest.importorskip("sam2", reason="the extra sam2 is not installed")

from benchmarks.support.sam2_reference import random_network
from tests.conftest import DEMO, make_clip
from tests.service.conftest import Live
from tests.service.hanging import on_a_drive_that_hangs
from vr180_ofx.client import ServerProblem, ServerUnavailable, connect

FRAMES = 40


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory):
    """Forty frames of two people, forwards and backwards."""
    with av.open(str(DEMO)) as source:
        pictures = [f.reformat(width=512, height=256, format="rgb24").to_ndarray() for f in source.decode(video=0)]
    path = tmp_path_factory.mktemp("long") / "long.mp4"
    order = [*range(24), *range(22, 0, -1)]
    return make_clip(path, FRAMES, options={"crf": "12"}, size=(512, 256), gop=10, pictures=lambda n: pictures[order[n]])


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    import torch

    path = tmp_path_factory.mktemp("weights") / "random.pt"
    torch.save({"model": random_network("sam2.1_t", 128).model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def sam2(weights):
    """Settings: a tracker that never forgets."""
    values = {"matting.tracker": "sam2.1_t", "matting.tracker_weights": str(weights), "matting.window_size": 128}
    return [w for k, v in values.items() for w in ("--set", f"{k}={v}")]


def render(clip, out, cache, *words, wait=True):
    command = [sys.executable, "-m", "vr180_ofx", "render", str(clip), "-o", str(out), "--json", *words]
    child = subprocess.Popen(
        command, env={**os.environ, "VR180_OFX_CACHE": str(cache)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    if not wait:
        return child
    said, complaint = child.communicate(timeout=200)
    assert child.returncode == 0, complaint
    return json.loads(said)


@pytest.mark.slow
def test_killed_while_rendering_and_while_writing_checkpoints(long_clip, sam2, tmp_path):
    """Killed three times at any moment, the render ends with the same files, and does not begin from the start each time."""
    cache = tmp_path / "cache"
    whole = tmp_path / "whole"
    render(long_clip, whole, tmp_path / "other cache", *sam2)
    out = tmp_path / "out"
    rng = random.Random(1)
    for goal in (4, 27, 33):
        child = render(long_clip, out, cache, *sam2, wait=False)
        begin = time.monotonic()
        while len(list(out.glob("long.*.exr"))) < goal and child.poll() is None and time.monotonic() < begin + 120:
            time.sleep(0.01)
        time.sleep(rng.random() * 0.3)
        child.send_signal(signal.SIGKILL)
        child.communicate()
    report = render(long_clip, out, cache, *sam2)
    assert report["kept"] >= 33 and report["kept"] + report["written"] == FRAMES
    # the checkpoint at frame 24 was found: less than the whole clip is tracked again
    assert report["stages"]["track"]["calls"] <= FRAMES - 24
    names = sorted(p.name for p in whole.glob("*.exr"))
    assert len(names) == FRAMES and names == sorted(p.name for p in out.glob("*.exr"))
    assert all((whole / n).read_bytes() == (out / n).read_bytes() for n in names)
    assert not list(out.glob(".*.part*"))


@pytest.mark.slow
def test_a_damaged_cache_is_never_served(long_clip, sam2, tmp_path):
    (tmp_path / "one").mkdir()
    live = Live(tmp_path / "one", long_clip, *sam2, "--set", "service.prefetch=0")
    try:
        clip = live.start().open()
        expected = {n: clip.frame(n).data for n in (3, 20, 26)}
        assert live.stop() == 0
        rng = random.Random(0)
        entries = sorted(live.cache.rglob("[!.]*.entry"))
        assert len(entries) >= 4
        for path in entries:
            data = bytearray(path.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            path.write_bytes(data)
        clip = live.start().open()
        assert {n: clip.frame(n).data for n in expected} == expected
        assert clip.stats()["engine"]["store"]["damaged"] >= 3
    finally:
        live.stop(signal.SIGKILL)


def test_a_full_disk_stops_the_caching_and_not_the_server(people_clip, tmp_path):
    """Files may grow to 5 kB and no further, as if the disk were full."""
    (tmp_path / "one").mkdir()
    live = Live(tmp_path / "one", people_clip)
    try:
        clip = live.start().open()
        expected = clip.frame(4).data
        live.stop()
        shutil.rmtree(live.cache / "engine")
        live.start()
        assert live.process is not None
        resource.prlimit(live.process.pid, resource.RLIMIT_FSIZE, (5_000, 5_000))
        clip = live.open()
        assert clip.frame(4).data == expected and clip.frame(5).data
        end = time.monotonic() + 20
        while not (problem := clip.stats()["engine"]["store"]["problem"]) and time.monotonic() < end:
            time.sleep(0.1)
        assert "cannot be written" in problem
        with pytest.raises(ServerProblem, match="disk"):
            list(clip.render(str(live.root / "out"), "0-3", {"compression": "none"}))
        assert not list((live.root / "out").glob("*.exr")) and live.server.health()["status"] == "ok"
    finally:
        live.stop(signal.SIGKILL)


def test_a_clip_that_is_replaced_is_noticed(make_live, long_clip):
    live = make_live()
    clip = live.open()
    clip.frame(1)
    shutil.copy(long_clip, str(live.clip) + ".new")
    os.replace(str(live.clip) + ".new", live.clip)
    for n in (1, 2):
        with pytest.raises(ServerProblem, match="changed while it was being read") as info:
            clip.frame(n)
        assert info.value.status == 409
    new = live.open()
    assert new.id != clip.id and len(new) == FRAMES and new.frame(30).width == 256


@pytest.mark.slow
def test_two_servers_share_a_cache_and_one_of_them_dies(long_clip, sam2, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    root = tmp_path / "root"
    quiet = ["--set", "service.prefetch=0"]
    a = Live(tmp_path / "a", long_clip, *sam2, *quiet, cache=tmp_path / "cache", root=root)
    b = Live(tmp_path / "b", None, *sam2, *quiet, cache=tmp_path / "cache", root=root)
    try:
        clip_a, clip_b = a.start().open(), b.start().open()
        assert clip_a.id == clip_b.id
        got: dict[int, list[bytes]] = {}

        def ask(live, frames):
            mine = connect(live.address, str(live.token_file)).open(str(live.clip))
            for n in frames:
                try:
                    picture = mine.frame(n)
                except Exception:  # noqa: BLE001 - the one that is killed
                    return
                assert picture is not None
                got.setdefault(n, []).append(picture.data)

        threads = [threading.Thread(target=ask, args=(a, [2, 9, 14, 30])), threading.Thread(target=ask, args=(b, [14, 2, 30, 9]))]
        for t in threads:
            t.start()
        while len(got) < 2:
            time.sleep(0.02)
        a.stop(signal.SIGKILL)
        for t in threads:
            t.join()
        assert all(len(set(datas)) == 1 for datas in got.values()) and set(got) == {2, 9, 14, 30}
        # what both made lies in the cache for the next one
        a.start()
        again = a.open()
        assert again.frame(30).data == got[30][0]
        assert again.stats()["engine"]["steps"] == 0
    finally:
        a.stop(signal.SIGKILL)
        b.stop(signal.SIGKILL)


def _ignoring(function):
    with contextlib.suppress(ServerProblem, ServerUnavailable):
        function()


def test_a_decoder_that_hangs_is_given_up(people_clip, tmp_path):
    flag = tmp_path / "flag"
    (tmp_path / "one").mkdir()
    live = Live(tmp_path / "one", people_clip, "--set", "processing.decode_timeout_s=1.5", "--set", "service.prefetch=0")
    on_a_drive_that_hangs(live, flag, tmp_path)
    try:
        clip = live.start().open()
        flag.write_text("")
        with pytest.raises(ServerProblem, match=r"did not end within 1.5 s \(processing.decode_timeout_s\)") as info:
            clip.frame(7)
        assert info.value.status == 404
        assert clip.frame(2).data  # the next one has a decoder of its own
        flag.unlink()
        assert clip.frame(7).data
        flag.write_text("")
        # and the server ends although a frame hangs
        asking = threading.Thread(target=_ignoring, args=(lambda: clip.frame(7, quality="draft"),))
        asking.start()
        time.sleep(0.3)
        assert live.stop() == 0
    finally:
        live.stop(signal.SIGKILL)


def test_a_memory_limit_that_cannot_be_kept_is_said(people_clip, sam2, tmp_path):
    (tmp_path / "one").mkdir()
    live = Live(tmp_path / "one", people_clip, *sam2, "--set", "processing.max_memory_gb=0.51", "--set", "service.prefetch=0")
    try:
        clip = live.start().open()
        with pytest.raises(ServerProblem, match=r"processing.max_memory_gb allows 0.51") as info:
            for n in range(10):
                assert clip.frame(n).made_with["degradations"] != "none"
        assert info.value.status == 507 and live.server.health()["status"] == "ok"
    finally:
        live.stop(signal.SIGKILL)


def test_a_server_that_is_killed_leaves_corrections_and_caches(make_live):
    live = make_live("--set", "service.prefetch=0")
    clip = live.open()
    clip.edit({"op": "rename", "person": 1, "name": "anna"})
    first = clip.frame(2, "left", "anna").data
    time.sleep(0.3)
    live.stop(signal.SIGKILL)
    live.start()
    again = live.open()
    assert again.facts["corrected"] and again.facts["people"][0]["name"] == "anna"
    assert again.frame(2, "left", "anna").data == first and again.stats()["engine"]["steps"] == 0

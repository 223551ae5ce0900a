"""Disks that are full, at every place where they can be: what is said, and what is left."""

import contextlib
import os
import signal
import subprocess
import sys

import OpenEXR
import pytest

from tests.conftest import with_settings
from vr180_ofx.cli.main import main
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import ResourceError
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.contract import Job
from vr180_ofx.output.formats import make_writer
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.folder import explained
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.rendering.render import render
from vr180_ofx.settings.formats import FORMATS

resource = pytest.importorskip("resource", reason="only POSIX limits files")
COMPRESSIONS = ["none", "zips", "zip", "piz", "dwaa", "dwab", *(["htj2k"] if hasattr(OpenEXR, "HTJ2K256_COMPRESSION") else [])]
#: A format of each writer, and of each container.
KINDS = [
    *({"format": "exr", "compression": c} for c in COMPRESSIONS),
    *({"format": f} for f in ("alpha", "greenscreen", "prores4444", "webm_alpha")),
]


@pytest.fixture(scope="module")
def clip(people_clip):
    with open_clip(people_clip) as clip:
        yield clip


@contextlib.contextmanager
def files_of_at_most(size):
    """For as long as the block takes, the kernel lets no file of this process grow beyond ``size`` bytes, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


@pytest.fixture(scope="module")
def frames(clip):
    """Two frames with nobody in them, and one's plates."""
    with FrameServer(clip, Plan.of_nobody(clip)) as server:
        return [server.request(n).result() for n in (0, 1)], [clip.frame(n) for n in (0, 1)]


def write(clip, frames, folder, output):
    """What a render does of frames that are made."""
    with with_settings(clip, input={"frames": "1-2"}, output=output) as some:
        writer = make_writer(Job(some, Plan.of_nobody(some), some.settings, folder, some.name, "abc", (0, 1)))
        try:
            with explained(folder):
                for frame, source in zip(*frames, strict=True):
                    writer.write(frame, source)
                writer.finish()
        except BaseException:
            writer.abort()
            raise


def held(folder):
    return {p.name: p.read_bytes() for p in folder.iterdir()}


@pytest.mark.parametrize("output", KINDS, ids=lambda output: "-".join(output.values()))
def test_no_writer_says_that_it_wrote_what_found_no_room(clip, frames, tmp_path, output):
    """Cut off at its beginning, its middle, and within what a library holds back until the end."""
    write(clip, frames, tmp_path / "whole", output)
    whole = held(tmp_path / "whole")
    largest = max(map(len, whole.values()))
    folder = tmp_path / "out"
    for size in sorted({1, largest // 2, largest - 3000, largest - 1} - set(range(-3000, 1))):
        with files_of_at_most(size), pytest.raises(ResourceError, match="is full"):
            write(clip, frames, folder, output)
        left = held(folder)
        # one file of several may have found room
        assert all(len(data) <= size for data in left.values()) and not [n for n in left if n.startswith(".")], (size, list(left))
        assert FORMATS[output["format"]].kind == "video" or all(whole[n] == data for n, data in left.items()), size
    write(clip, frames, folder, output)
    assert set(held(folder)) == set(whole)


@pytest.mark.parametrize("output", KINDS, ids=lambda output: "-".join(output.values()))
def test_a_disk_that_is_full_to_the_last_page(clip, frames, small_disk, output):
    """A real one: so many pages are free, down to none."""
    folder = small_disk / "out"
    folder.mkdir()
    ballast = small_disk / "ballast"
    for free in (0, 1, 2, 5):
        with open(ballast, "wb", buffering=0) as stream, contextlib.suppress(OSError):
            while True:
                stream.write(bytes(4096))
        os.truncate(ballast, ballast.stat().st_size - 4096 * free)
        with contextlib.suppress(ResourceError):
            write(clip, frames, folder, output)
            # then it is there, and whole
            with with_settings(clip, input={"frames": "1-2"}, output=output) as some:
                job = Job(some, Plan.of_nobody(some), some.settings, folder, some.name, "abc", (0, 1))
                assert all(make_writer(job).present(n) for n in (0, 1)), free
        assert not [p for p in folder.iterdir() if p.name.startswith(".") or p.stat().st_size == 0], free
        for path in folder.iterdir():
            path.unlink()


def test_documents_beside_the_frames(clip, tmp_path):
    """Manifest and plan: the old ones stay."""
    with with_settings(clip, input={"frames": "1-2"}) as some:
        render(some, Plan.of_nobody(some), output=tmp_path)
        before = held(tmp_path)
        for size in (1, len(before[MANIFEST]) - 1):
            with files_of_at_most(size), pytest.raises(ResourceError, match="is full"):
                render(some, Plan.of_nobody(some), output=tmp_path)
            assert held(tmp_path) == before
        assert render(some, Plan.of_nobody(some), output=tmp_path).kept == 2


def test_what_commands_write_and_print(clip, tmp_path, capsys):
    """Plan, trace, contact sheet; and a report into a standard output that is full."""
    plan = tmp_path / "nobody.json"
    Plan.of_nobody(clip).save(plan)
    words = ["render", str(clip.path), "--plan", str(plan), "--frames", "1"]
    assert main([*words, "-o", str(tmp_path / "out")]) == 0
    capsys.readouterr()
    for more in (["--trace", str(tmp_path / "trace.json")], ["--set", "debugging.save_detection_visualization=true"]):
        with files_of_at_most(60):
            assert main([*words, "-o", str(tmp_path / "out"), *more]) == 4, more
        said = capsys.readouterr().err
        assert "full" in said or "too large" in said, said
    assert sorted(p.name for p in tmp_path.iterdir()) == ["nobody.json", "out"]
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "vr180_ofx", *words, "-o", str(tmp_path / "out"), "--json"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert done.returncode == 4 and "No space left" in done.stderr and "Traceback" not in done.stderr, (done.returncode, done.stderr)

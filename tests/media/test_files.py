"""What is opened at all: ordinary files, whose pictures fit into memory."""

import os
import socket
import struct
import subprocess
import sys
import zlib
from fractions import Fraction

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.conftest import make_clip, numbered_picture, picture_number
from tests.media.pictures import write
from vr180_ofx.errors import MediaError, ResourceError
from vr180_ofx.media.files import check_file
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings
from vr180_ofx.wording import as_utf8

SMALL = Settings(processing={"max_memory_gb": 0.6})


def program(*arguments, timeout=60):
    """The command line in a process of its own: (status, its words)."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vr180_ofx", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    try:
        words = process.communicate(timeout=timeout)[0].decode()
    except subprocess.TimeoutExpired:
        process.kill()
        pytest.fail(f"{arguments} hangs")
    return process.returncode, words


@pytest.mark.parametrize("name", ["pipe.exr", "pipe.mp4", "pipe.0001.png"])
def test_a_pipe_is_refused_and_not_waited_for(tmp_path, name):
    """A pipe named .exr was waited for 609 s, deaf to SIGTERM."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(MediaError, match="is a pipe"):
        open_clip(tmp_path / name)


def test_commands_refuse_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "a.exr")
    status, words = program("inspect", tmp_path / "a.exr")
    assert status == 3 and "is a pipe" in words
    os.mkfifo(tmp_path / "a.mp4")
    status, words = program("render", tmp_path / "a.mp4", "-o", tmp_path / "out")
    assert status == 3 and "is a pipe" in words


def test_other_kinds_are_refused(tmp_path):
    for device in ("/dev/zero", "/dev/null"):
        with pytest.raises(MediaError, match="is a device"):
            open_clip(device)
    link = tmp_path / "link.png"
    link.symlink_to("/dev/zero")
    with pytest.raises(MediaError, match="is a device"):
        open_clip(link)
    os.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind("s.exr")
        with pytest.raises(MediaError, match="is a socket"):
            open_clip(tmp_path / "s.exr")
    (tmp_path / "folder").mkdir()
    with pytest.raises(MediaError, match="is a folder"):
        check_file(tmp_path / "folder")
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    with pytest.raises(MediaError, match="cannot be read"):
        open_clip(loop)


def test_a_pipe_among_frames_is_that_frame_alone(tmp_path):
    for n in range(3):
        write(tmp_path / f"a.{n:04d}.png", numbered_picture(n))
    (tmp_path / "a.0001.png").unlink()
    os.mkfifo(tmp_path / "a.0001.png")
    with open_clip(tmp_path / "a.%04d.png") as clip:
        assert picture_number(clip.read(2)["left"]) == 2
        with pytest.raises(MediaError, match=r"frame 1 .* is a pipe"):
            clip.read(1)


def png(path, width, height, data):
    """A PNG of grey pixels whose header says so much; ``data`` follows, which may be less."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data, 1)) + chunk(b"IEND", b""))
    return path


def test_a_picture_that_does_not_fit_is_refused_before_it_is_decoded(tmp_path):
    """A PNG of 2.6 MB took 5.4 GB, whatever processing.max_memory_gb said."""
    bomb = png(tmp_path / "bomb.0001.png", 30000, 30000, b"")
    with pytest.raises(ResourceError, match=r"30000x30000 pixels.*max_memory_gb"):
        open_clip(bomb, SMALL)


def test_a_small_picture_in_a_huge_window_is_refused(tmp_path):
    path = str(tmp_path / "window.0001.exr")
    spec = oiio.ImageSpec(16, 16, 3, "half")
    spec.full_width = spec.full_height = 200_000
    out = oiio.ImageOutput.create(path)
    assert out is not None and out.open(path, spec) and out.write_image(np.zeros((16, 16, 3), np.float32))
    out.close()
    with pytest.raises(ResourceError, match="200000x200000"):
        open_clip(path, SMALL)


def peak_mb(*arguments):
    """(status, words, the most memory in MB) of a command in a process of its own."""
    # of its own: what the system counts for a child begins with what its parent held
    code = (
        "import sys\nfrom vr180_ofx.cli.main import main\nstatus = main(sys.argv[1:])\n"
        "print('peak', next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\nsys.exit(status)"
    )
    ran = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=100)
    return ran.returncode, ran.stderr, int(ran.stdout.rpartition("peak")[2]) // 1024


def test_a_video_that_does_not_fit_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "a.mov"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("qtrle", rate=24)
        stream.width, stream.height, stream.pix_fmt = 12000, 6000, "rgb24"
        frame = av.VideoFrame(12000, 6000, "rgb24")
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.pts, frame.time_base = 0, Fraction(1, 24)
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    status, words, peak = peak_mb("render", path, "-o", tmp_path / "out", "--set", "processing.max_memory_gb=0.51")
    assert status in (3, 4) and "max_memory_gb" in words
    # one of its pictures takes 216 MB
    assert peak < 300


def test_inspect_looks_at_large_pictures_in_little_memory(tmp_path):
    """200 million pixels as float32 are 800 MB."""
    png(tmp_path / "large.png", 20000, 10000, bytes(10000 * 20001))
    status, _, peak = peak_mb("inspect", tmp_path / "large.png", "--json")
    assert status == 0 and peak < 500


def test_names_for_outputs_are_utf8():
    assert as_utf8("cl\udcffip") == "cl_ip" and as_utf8("Клип") == "Клип"


def test_a_name_that_is_not_utf8_is_read(tmp_path):
    write(tmp_path / "a.png", numbered_picture(5))
    odd = os.fsdecode(os.fsencode(tmp_path) + b"/b\xff.0001.png")
    os.rename(tmp_path / "a.png", odd)
    with open_clip(odd) as clip:
        assert picture_number(clip.read(0)["left"]) == 5 and clip.name == "b_.0001"
    video = os.fsdecode(os.fsencode(tmp_path) + b"/v\xff.mp4")
    os.rename(make_clip(tmp_path / "v.mp4", 8), video)
    with open_clip(video) as clip:
        assert picture_number(clip.read(3)["left"]) == 3 and clip.name == "v"
        assert len(clip.fingerprint) == 24

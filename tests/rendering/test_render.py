"""Rendering as users do it: whole clips into folders, interrupted, resumed, with bad input and full disks."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.conftest import make_clip, with_settings
from tests.settings.other_values import changeable, with_other
from vr180_ofx.engine.plans import analyse
from vr180_ofx.errors import OutputError, ResourceError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.quality.truth import read_views
from vr180_ofx.rendering.manifest import MANIFEST
from vr180_ofx.rendering.render import render


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, analyse(clip)


@pytest.fixture(scope="module")
def rendered(planned, tmp_path_factory):
    clip, plan = planned
    folder = tmp_path_factory.mktemp("out")
    # nothing is known of the clip from elsewhere
    with with_settings(clip, service={"cache_dir": str(tmp_path_factory.mktemp("cache"))}) as fresh:
        return folder, render(fresh, plan, output=folder)


def test_every_frame_becomes_a_file(rendered):
    folder, report = rendered
    assert (report.written, report.kept, report.missing) == (10, 0, [])
    assert sorted(p.name for p in folder.glob("*.exr")) == [f"people.{n:04d}.exr" for n in range(1, 11)]
    assert report.people == ["person01", "person02"] and {"decode", "track", "write"} <= set(report.stages)
    assert (folder / "people.plan.json").exists() and (folder / MANIFEST).exists()


def test_the_same_command_resumes_at_what_is_missing_or_broken(planned, rendered):
    clip, plan = planned
    folder, _ = rendered
    before = {p.name: p.read_bytes() for p in folder.glob("*.exr")}
    times = {p.name: p.stat().st_mtime_ns for p in folder.glob("*.exr")}
    (folder / "people.0003.exr").unlink()
    cut = folder / "people.0007.exr"
    cut.write_bytes(before[cut.name][: len(before[cut.name]) // 2])
    (folder / "people.0009.exr").write_bytes(b"something else entirely")
    left = folder / ".people.0004.0123abcd.vr180-ofx.part.exr"
    left.write_bytes(before[cut.name][:1000])
    report = render(clip, plan, output=folder)
    assert (report.written, report.kept) == (3, 7)
    assert {p.name: p.read_bytes() for p in folder.glob("*.exr")} == before
    assert (folder / "people.0001.exr").stat().st_mtime_ns == times["people.0001.exr"] and not left.exists()


#: Where frames lie, or that they are made again; a plan and the clip are given here.
ELSEWHERE = ("output.path", "output.overwrite", "input.video_path", "input.frames")
CHANGE_NOTHING = [name for name, traits in changeable() if traits.pixels == "no" and name not in ELSEWHERE]
CHANGE_PIXELS = [name for name, traits in changeable() if traits.pixels == "yes"]


def test_a_render_goes_on_after_settings_changed_that_change_no_pixels(planned, tmp_path):
    """All of them at once: less memory, fewer threads, another timeout, eyes one after the other, the networks' device by its name."""
    clip, plan = planned
    with with_settings(clip, input={"frames": "1-2"}) as some:
        assert render(some, plan, output=tmp_path).written == 2
    before = {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in tmp_path.glob("*.exr")}
    named = {"processing.max_memory_gb", "hardware.threads", "processing.decode_timeout_s", "processing.parallel_eyes"}
    assert named <= set(CHANGE_NOTHING)
    values = with_other(*CHANGE_NOTHING, "hardware.device")
    values["service"] = {"cache_dir": str(tmp_path / "cache")}
    values["input"] = {"frames": "1-4"}
    with with_settings(clip, **values) as other:
        report = render(other, plan, output=tmp_path)
    assert (report.kept, report.written) == (2, 2)
    assert {name: (path.stat().st_mtime_ns, path.read_bytes()) for name in before for path in [tmp_path / name]} == before
    # and what was made now is what would have been made before
    with with_settings(clip, input={"frames": "3-4"}) as some:
        render(some, plan, output=tmp_path / "whole")
    for path in (tmp_path / "whole").glob("*.exr"):
        assert path.read_bytes() == (tmp_path / path.name).read_bytes()


@pytest.mark.parametrize("name", CHANGE_PIXELS)
def test_frames_of_settings_that_change_pixels_are_not_mixed_in(planned, rendered, tmp_path, name):
    clip, plan = planned
    if name in ("output.format", "output.eye"):
        # other formats, and one eye alone, have other files, and may lie beside these
        return
    values = with_other(name)
    if name == "mattes.holdout":
        # where there are two people, it says whose it is
        values["mattes"]["holdout_person"] = plan.people[0].name
    with with_settings(clip, **values) as other, pytest.raises(OutputError, match="--overwrite"):
        render(other, plan, output=rendered[0])


def test_other_words_for_the_same_are_the_same(planned, rendered):
    """What `auto` stands for here may be named, and the clip's own layout and projection, too."""
    clip, plan = planned
    with with_settings(
        clip, matting={"tracker": "blazepose", "refiner": "auto"}, hardware={"device": "cpu"},
        input={"layout": clip.geometry.layout.name, "projection": clip.geometry.projection_name},
    ) as same:  # fmt: skip
        assert render(same, plan, output=rendered[0]).kept == 10


def test_stages_are_counted_unless_they_are_not_wanted(planned, rendered, tmp_path):
    clip, plan = planned
    assert rendered[1].stages
    with with_settings(clip, input={"frames": "1"}, performance={"profile_enabled": False}) as quick:
        report = render(quick, plan, output=tmp_path)
    assert report.written == 1 and report.stages == {}


def test_what_has_no_effect_is_said(planned, tmp_path):
    clip, plan = planned
    with with_settings(clip, input={"frames": "1"}, performance={"preserve_intermediates": True}) as some:
        notes = render(some, plan, output=tmp_path).notes
    assert "performance.preserve_intermediates is True, which has no effect in this version" in notes


def test_nobody_gives_empty_mattes_and_says_so(tmp_path):
    with open_clip(make_clip(tmp_path / "e.mp4", 3, size=(512, 256))) as clip:
        report = render(clip, analyse(clip), output=tmp_path / "out")
    assert report.written == 3 and "nobody" in report.notes[0]
    views = read_views(tmp_path / "out" / "e.0002.exr")
    assert all(v["A"].max() == 0 for v in views.values())


def test_excluded_people_are_in_no_matte(planned, tmp_path):
    clip, plan = planned
    data = json.loads(plan.to_json())
    data["people"][0]["exclude"] = True
    with with_settings(clip, input={"frames": "5"}) as one:
        report = render(one, Plan.from_data(data, one), output=tmp_path)
    views = read_views(tmp_path / "people.0005.exr")
    assert report.people == ["person02"] and "person01.A" not in views["left"]


def test_a_range_keeps_the_numbers(planned, tmp_path):
    clip, plan = planned
    with with_settings(clip, input={"frames": "1003-1004,1009"}, output={"start_frame": 1001}) as some:
        render(some, plan, output=tmp_path)
    assert sorted(p.name for p in tmp_path.glob("*.exr")) == ["people.1003.exr", "people.1004.exr", "people.1009.exr"]


def test_a_truncated_clip_gives_its_good_frames_and_says_what_is_missing(people_clip, tmp_path):
    path = tmp_path / "cut.mkv"
    with av.open(str(people_clip)) as a, av.open(str(path), "w") as b:
        out = b.add_stream_from_template(a.streams.video[0])
        for packet in a.demux(video=0):
            if packet.dts is not None:
                packet.stream = out
                b.mux(packet)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    done = run("render", str(path), "-o", str(tmp_path / "out"), "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    files = sorted((tmp_path / "out").glob("*.exr"))
    assert len(files) == report["written"] > 3 and any("cut off" in n or "decoded" in n for n in report["notes"])


def run(*words, **kw):
    return subprocess.run([sys.executable, "-m", "vr180_ofx", *words], capture_output=True, text=True, timeout=280, **kw)


def start(*words):
    # a shell that runs the tests in the background lets its children ignore Ctrl-C
    return subprocess.Popen(
        [sys.executable, "-m", "vr180_ofx", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize(
    ("how", "status"), [(signal.SIGINT, 5), pytest.param(signal.SIGTERM, 5, marks=pytest.mark.slow), (signal.SIGKILL, -9)]
)
def test_an_interrupted_render_leaves_whole_frames_and_resumes(planned, rendered, tmp_path, how, status):
    clip, plan = planned
    whole = {p.name: p.read_bytes() for p in rendered[0].glob("*.exr")}
    plan.save(tmp_path / "plan.json")
    folder = tmp_path / "out"
    command = ["render", str(clip.path), "-o", str(folder), "--plan", str(tmp_path / "plan.json")]
    for _ in range(5):
        process = start(*command)
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not list(folder.glob("people.*.exr")):
            time.sleep(0.005)
        process.send_signal(how)
        _, said = process.communicate(timeout=120)
        if process.returncode != 0:
            break
        # the machine was faster than the signal: once more
        shutil.rmtree(folder)
    assert process.returncode == status, said
    if status == 5:
        assert "interrupted" in said and not list(folder.glob(".*part*"))
    left = {p.name: p.read_bytes() for p in folder.glob("people.*.exr")}
    assert 0 < len(left) < 10 and all(whole[k] == v for k, v in left.items())
    done = run(*command)
    assert done.returncode == 0, done.stderr
    assert {p.name: p.read_bytes() for p in folder.glob("people.*.exr")} == whole
    assert not list(folder.glob(".*part*"))


def test_a_full_disk_is_said_and_what_is_there_is_whole(planned, small_disk):
    clip, plan = planned
    with with_settings(clip, output={"compression": "none"}) as some, pytest.raises(ResourceError, match="is full"):
        render(some, plan, output=small_disk / "out")
    assert not list((small_disk / "out").glob("*.exr")) and not list((small_disk / "out").glob(".*part*"))


def test_a_limit_on_file_size_is_a_resource_too(planned, tmp_path):
    """The same for machines without root: the kernel refuses to let a file grow."""
    clip, plan = planned
    plan.save(tmp_path / "plan.json")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200000, 200000));"
        "from vr180_ofx.cli.main import main; sys.exit(main(sys.argv[1:]))"
    )
    words = [
        "render",
        str(clip.path),
        "-o",
        str(tmp_path / "out"),
        "--plan",
        str(tmp_path / "plan.json"),
        "--set",
        "output.compression=none",
    ]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=200)
    assert done.returncode == 4, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").glob("*.exr"))


def test_an_output_that_is_no_folder_or_cannot_be_written(planned, tmp_path):
    clip, plan = planned
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="is a file"):
        render(clip, plan, output=tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"):
        render(clip, plan, output=tmp_path / "file" / "sub")
    with pytest.raises(OutputError, match="no output folder"):
        render(clip, plan)


def test_a_clip_that_is_replaced_while_it_is_rendered(people_clip, tmp_path):
    from vr180_ofx.errors import ClipChangedError

    path = tmp_path / "c.mp4"
    path.write_bytes(people_clip.read_bytes())
    with open_clip(path) as clip:
        plan = analyse(clip)

        def progress(done, total):
            if done == 2:
                path.write_bytes(people_clip.read_bytes() + b"\0")

        with pytest.raises(ClipChangedError, match="changed while"):
            render(clip, plan, output=tmp_path / "out", progress=progress)
    assert not list((tmp_path / "out").glob(".*part*"))


def test_a_damaged_frame_in_an_image_sequence_leaves_a_gap_that_is_reported(people_clip, tmp_path):
    with open_clip(people_clip) as clip:
        for n in range(4):
            pixels = np.concatenate(list(clip.read(n).values()), axis=1)
            out = oiio.ImageOutput.create(str(tmp_path / f"p.{n:04d}.png"))
            assert out is not None, oiio.geterror()
            out.open(str(tmp_path / f"p.{n:04d}.png"), oiio.ImageSpec(1024, 512, 3, "uint8"))
            out.write_image(pixels)
            out.close()
    bad = tmp_path / "p.0002.png"
    bad.write_bytes(bad.read_bytes()[:3000])
    done = run("render", str(tmp_path / "p.%04d.png"), "-o", str(tmp_path / "out"), "--json")
    assert done.returncode == 3, done.stderr
    report = json.loads(done.stdout)
    assert report["missing"] == [2] and report["written"] == 3
    assert sorted(p.name for p in (tmp_path / "out").glob("*.exr")) == ["p.0000.exr", "p.0001.exr", "p.0003.exr"]


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_memory_is_flat(people_clip, tmp_path):
    """Resident memory late in a long clip is what it was early on."""
    from vr180_ofx.engine.server import FrameServer
    from vr180_ofx.telemetry import resident_bytes

    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    from benchmarks.render import repeated

    long = repeated(people_clip, tmp_path / "long.mkv", 600)
    with open_clip(long) as clip:
        plan = analyse(clip)
        memory = {}
        with FrameServer(clip, plan, cache_bytes=16 << 20) as server:
            for n in range(600):
                server.request(n).result()
                if n in (100, 599):
                    memory[n] = resident_bytes()
    assert memory[599] < 1.05 * memory[100] + (8 << 20), memory

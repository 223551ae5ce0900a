"""Analyses and renders that somebody follows or stops."""

import json
import time

import numpy as np
import OpenImageIO as oiio
import pytest

from vr180_ofx.cli.main import main
from vr180_ofx.client import ServerProblem
from vr180_ofx.output.inspect import opened


def test_a_render_reports_progress_and_its_files_are_those_of_the_command_line(live, clip, reference):
    out = live.root / "out"
    states = list(clip.render(str(out), "2-5"))
    assert states[-1]["state"] == "done" and states[-1]["report"]["written"] == 4 and states[-1]["done"] == 4
    with opened(out / "clip.0004.exr") as image:
        pixels = image.read_image(0, 0, 0, 1, oiio.FLOAT)
    assert np.array_equal(pixels[..., 0], reference[3].views["left"].alpha_half().astype(np.float32))
    again = list(clip.render(str(out), "2-6"))[-1]["report"]
    assert (again["kept"], again["written"]) == (4, 1)
    with pytest.raises(ServerProblem, match="the clip has frames 0 to 9"):
        clip.start_render(str(out), "50")
    with pytest.raises(ServerProblem, match="did you mean 'output.compression'"):
        clip.start_render(str(out), "all", {"compresion": "zip"})
    for output, words in (
        ({"colorspace": "ACESgc"}, "names such as .*ACEScg"),
        ({"colorspace": "ARRI LogC4", "rgb": "premultiplied"}, "which is not linear"),
        ({"cryptomatte": True, "format": "alpha"}, "ids fit into EXR files alone"),
    ):
        with pytest.raises(ServerProblem, match=words) as info:
            clip.start_render(str(out), "all", output)
        assert info.value.status == 422
    made = list(clip.render(str(live.root / "ids"), "2", {"cryptomatte": True, "rgb": "premultiplied", "colorspace": "ACEScg"}))[-1]
    assert made["report"]["written"] == 1 and len(list((live.root / "ids").glob("clip_crypto_*.0003.exr"))) == 2
    with opened(live.root / "ids" / "clip.0003.exr") as image:
        assert image.spec().getattribute("colorInteropID") == "lin_ap1_scene"
    with pytest.raises(ServerProblem, match="outside of what is allowed"):
        clip.start_render("/etc/out")


def test_a_render_shares_what_was_served(live, clip):
    """Frames that were served are not made again for a render, whatever range it asks for."""
    for n in range(2, 6):
        clip.frame(n)
    steps = clip.stats()["engine"]["steps"]
    assert list(clip.render(str(live.root / "shared"), "2-5"))[-1]["report"]["written"] == 4
    assert clip.stats()["engine"]["steps"] == steps


def test_a_render_with_edges_of_its_own_is_what_frames_with_them_are_and_runs_no_network(live, clip):
    """Animated in a host: a key at each frame, no other session, and other edges in the same folder are refused in words."""
    out = str(live.root / "edged")
    plain, asked = {n: clip.frame(n).data for n in (2, 3)}, {2: {"size": 1.0}, 3: {"size": -2.0}}
    steps = clip.stats()["engine"]["steps"]
    frames = {n: clip.frame(n, edges=asked[n]).data for n in (2, 3)}
    assert all(frames[n] != plain[n] for n in frames)
    assert list(clip.render(out, "2-3", edges={"size": [[2, 1.0], [3, -2.0]]}))[-1]["report"]["written"] == 2
    assert clip.stats()["engine"]["steps"] == steps
    for n in (2, 3):
        with opened(live.root / "edged" / f"clip.{n + 1:04d}.exr") as image:
            pixels = image.read_image(0, 0, 0, 1, oiio.HALF)
        assert np.array_equal(pixels[..., 0].ravel(), np.frombuffer(frames[n], np.float16))
    with pytest.raises(ServerProblem, match="other edge controls"):
        list(clip.render(out, "2-3", edges={"size": 5}))
    with pytest.raises(ServerProblem, match=r"edges.size is 99"):
        clip.start_render(out, edges={"size": 99})
    with pytest.raises(ServerProblem, match="the key 'sise'"):
        clip.start_render(out, edges={"sise": 1})


def test_a_job_is_cancelled(live):
    clip = live.open({"matting": {"refiner": "closed_form"}})
    job = clip.start_render(str(live.root / "slow"))
    live.server.cancel(job["job"])
    ended = list(live.server.follow(job["job"]))[-1]
    assert ended["state"] == "cancelled"
    assert not list((live.root / "slow").glob(".*.part*")) if (live.root / "slow").exists() else True
    clip.close()


def test_closing_a_clip_ends_its_render(live):
    clip = live.open({"matting": {"refiner": "closed_form"}})
    job = clip.start_render(str(live.root / "closed"))
    time.sleep(0.3)
    clip.close()
    assert list(live.server.follow(job["job"]))[-1]["state"] in ("cancelled", "done")
    assert live.open().frame(0).data


def test_rendering_on_a_server_from_the_command_line(live, capsys):
    words = ["--server", live.address, "--token-file", str(live.token_file), "--frames", "1-3", "--json", "--set", "output.compression=zip"]
    assert main(["render", str(live.clip), "-o", str(live.root / "remote"), *words]) == 0
    assert json.loads(capsys.readouterr().out)["written"] == 3
    assert len(list((live.root / "remote").glob("*.exr"))) == 3
    assert main(["render", "/etc/passwd", "-o", str(live.root / "x"), *words]) == 4
    assert "outside of what is allowed" in capsys.readouterr().err
    assert main(["render", str(live.clip), "-o", "x", "--server", "http://127.0.0.1:9", "--token-file", str(live.token_file)]) == 4

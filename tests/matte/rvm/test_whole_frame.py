"""RVM on whole eyes: everybody at once, frames in a row at once, and what is loaded by ``torch.hub``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import TRAINED, damage
from vr180_ofx.cli.main import main
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import open_store
from vr180_ofx.errors import FrameError, WeightsError
from vr180_ofx.matte.parameters import WholeFrameParameters
from vr180_ofx.matte.rvm.model import Rvm
from vr180_ofx.matte.rvm.whole_frame import WholeFrames
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.contract import Memory


def rvm(weights, **more):
    """A small picture of each eye: only the order of things counts."""
    return {"tracker": "rvm", "tracker_weights": str(weights), "downsample": "0.375", **more}


def test_everybody_at_once_from_the_command_line(people_clip, weights, tmp_path, capsys):
    path = TRAINED if TRAINED.exists() else weights
    arguments = [str(people_clip), "-o", str(tmp_path), "--weights", str(path), "--frames", "1-4", "--json"]
    assert main(["matte", *arguments, "--outputs", "alpha,exr", "--downsample", "high"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {k: r["written"] for k, r in report.items()} == {"alpha": 4, "exr": 4}
    assert list((tmp_path / "alpha").glob("*.mp4")) and len(list((tmp_path / "exr").glob("*.exr"))) == 4
    assert main(["matte", *arguments, "--outputs", "exr", "--downsample", "high"]) == 0
    assert json.loads(capsys.readouterr().out)["exr"]["kept"] == 4
    for wrong in (["--outputs", "beta"], ["--downsample", "0.3"], ["--seq-chunk", "0"], ["--seq-chunk", "many"]):
        assert main(["matte", *arguments, *wrong]) == 2


def test_entry_points_of_torch_hub(people_clip, weights, tmp_path):
    """As people load them, from the folder of the project."""
    root = str(Path(__file__).resolve().parents[3])
    network = torch.hub.load(root, "mobilenetv3", source="local", weights=weights, verbose=False)
    with torch.inference_mode():
        assert network(torch.rand(1, 3, 32, 32))[1].shape == (1, 1, 32, 32)
    assert torch.hub.load(root, "resnet50", source="local", pretrained=False, verbose=False).backbone.layer4
    with pytest.raises(WeightsError, match="not of resnet50"):
        torch.hub.load(root, "resnet50", source="local", weights=weights, verbose=False)
    convert = torch.hub.load(root, "converter", source="local", verbose=False)
    reports = convert(people_clip, tmp_path, outputs=["alpha"], images=True, weights=weights)
    assert reports["alpha"].written == len(list((tmp_path / "alpha").glob("*.png"))) > 2


@pytest.mark.parametrize("seq_chunk", [1, 3])
def test_whole_eyes_in_any_order(people_clip, weights, seq_chunk):
    settings = Settings(matting=rvm(weights, seq_chunk=seq_chunk))
    with open_clip(people_clip, settings) as clip:
        plan = find_plan(clip, settings)
        assert plan.people == ()
        with FrameServer(clip, plan, settings) as server:
            in_order = [server.request(n).result() for n in range(4)]
        with FrameServer(clip, plan, settings, cache_bytes=0) as server:
            assert all(server.request(n).result().same(in_order[n]) for n in (3, 0, 2, 1, 3))
    assert [x.name for x in in_order[0].views["left"].layers] in ([], ["everybody"])
    assert in_order[3].views["right"].alpha.shape == clip.eye_size[::-1]


@pytest.mark.parametrize("threads", [1, 4])
def test_whole_eyes_by_any_number_of_threads(people_clip, weights, threads):
    path, alphas = TRAINED if TRAINED.exists() else weights, []
    for count in (2, threads):
        settings = Settings(matting=rvm(path), hardware={"threads": count})
        with open_clip(people_clip, settings) as clip:
            alphas.append(frames_of(clip, settings, range(2))[0][1].views["left"].alpha)
    assert np.array_equal(*alphas)
    assert not TRAINED.exists() or alphas[0].std() > 0.01


def frames_of(clip, settings, order=range(5), **more):
    with FrameServer(clip, find_plan(clip, settings), settings, **more) as server:
        made = {n: server.request(n).result() for n in order}
        return made, server.steps


def test_frames_seen_at_once_are_those_seen_one_after_the_other(people_clip, weights):
    """But for rounding: what is remembered between sequences is half."""
    made = {}
    for seq_chunk in (1, 4):
        settings = Settings(matting=rvm(weights, seq_chunk=seq_chunk, fp16=False))
        with open_clip(people_clip, settings) as clip:
            made[seq_chunk] = frames_of(clip, settings)[0]
    for n in range(5):
        a, b = (made[k][n].views["right"].alpha for k in (1, 4))
        assert np.abs(a - b).max() < 0.02


def test_a_sequence_is_seen_once_and_remembered(people_clip, weights, monkeypatch):
    settings = Settings(matting=rvm(weights, seq_chunk=2))
    seen = []
    step = Rvm.step

    def counted(self, pictures, *rest):
        seen.append(pictures.shape[1])
        return step(self, pictures, *rest)

    monkeypatch.setattr(Rvm, "step", counted)
    with open_clip(people_clip, settings) as clip:
        frames, steps = frames_of(clip, settings)
        assert seen == [2, 2, 2]
        assert steps == 5
        # stopped in the middle of a sequence, and gone on with by another process
        with FrameServer(clip, find_plan(clip, settings), settings, store=open_store(settings)) as server:
            server.request(2).result()
        seen.clear()
        with FrameServer(clip, find_plan(clip, settings), settings, store=open_store(settings), keep_frames=False) as server:
            assert server.request(3).result().same(frames[3])
            assert seen == []


def test_a_sequence_ends_where_a_frame_cannot_be_seen(people_clip, weights, monkeypatch):
    settings = Settings(matting=rvm(weights, seq_chunk=4))
    damage(monkeypatch, 2)
    with open_clip(people_clip, settings) as clip:
        made, _ = frames_of(clip, settings, (0, 1, 3))
        with FrameServer(clip, find_plan(clip, settings), settings, cache_bytes=0) as server:
            assert server.request(3).result().same(made[3])
            with pytest.raises(FrameError, match="damaged"):
                server.request(2).result()
            assert server.request(1).result().same(made[1])


def test_it_is_known_by_its_network_and_what_it_was_tuned_to(weights):
    network = Rvm(weights)
    known = WholeFrames(network, 0.5, 2)
    others = [
        WholeFrames(network, 0.25, 2),
        WholeFrames(network, 0.5, 3),
        WholeFrames(network, 0.5, 2, parameters=WholeFrameParameters(256)),
    ]
    assert len({known.identity(), *(o.identity() for o in others)}) == 4 and network.identity() in known.identity()
    assert WholeFrames(network, 0.5, 2, eyes=2).identity() == known.identity()
    assert (known.looks_ahead, known.exact_after) == (1, None)


def test_what_cannot_be_is_said(weights):
    network = Rvm(weights)
    with pytest.raises(ValueError, match=r"ratio is 1\.5"):
        WholeFrames(network, 1.5)
    with pytest.raises(ValueError, match="sequence is 0"):
        WholeFrames(network, 0.5, 0)


@pytest.mark.parametrize("ratio, side", [(0.0, 512), (0.25, 256)])
def test_the_network_sees_as_much_of_an_eye_as_it_is_told_to(weights, ratio, side):
    picture = np.random.default_rng(0).random((512, 1024, 3)).astype(np.float32)
    _, found = WholeFrames(Rvm(weights), ratio).step_frame(Memory(), {"main": RgbEye(picture, (0, 0), 1024, 512)})
    assert found["main"].alpha.shape == found["main"].luma.shape == (side // 2, side)
    assert found["main"].scale == (1024 / side, 1024 / side)

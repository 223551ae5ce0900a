"""Everybody at once, to several outputs."""

import json

import av
import numpy as np
import OpenImageIO as oiio
import pytest

from tests.matte.rvm.networks import random_network
from vr180_ofx.cli.main import main
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.rendering.matte import matte, settings_of
from vr180_ofx.settings import Settings
from vr180_ofx.settings.formats import MATTE_OUTPUTS


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="the extra rvm is not installed")
    path = tmp_path_factory.mktemp("weights") / "rvm_mobilenetv3.pth"
    torch.save(random_network().state_dict(), path)
    return path


@pytest.mark.parametrize("kind", ["images", "video"])
def test_every_output_as_images_and_as_a_video(people_clip, weights, tmp_path, capsys, kind):
    """With the names of the command line; a composite is people over a colour."""
    words = [str(people_clip), "-o", str(tmp_path), "--weights", str(weights), "--frames", "1-2", "--downsample", "standard"]
    assert main(["matte", *words, "--outputs", ",".join(MATTE_OUTPUTS), "--type", kind, "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)
    assert {name: (r["written"], r["missing"]) for name, r in reports.items()} == dict.fromkeys(MATTE_OUTPUTS, (2, []))
    endings = {name: sorted({p.suffix for p in (tmp_path / name).iterdir()} - {".json"}) for name in MATTE_OUTPUTS}
    moving = {"alpha": [".mp4"], "foreground": [".mov"], "composite": [".mp4"], "exr": [".exr"]}
    still = {name: [".exr" if name == "exr" else ".png"] for name in MATTE_OUTPUTS}
    assert endings == (moving if kind == "video" else still)
    if kind == "images":
        for name, channels in (("alpha", 4), ("foreground", 4), ("composite", 3)):
            picture = oiio.ImageInput.open(str(tmp_path / name / "people.0001.png"))
            assert picture is not None and picture.spec().nchannels == channels


def test_one_eye_at_half_the_size_with_other_edges(people_clip, weights, tmp_path, capsys):
    words = ["matte", str(people_clip), "--weights", str(weights), "--frames", "1-2", "--outputs", "exr", "--downsample", "standard"]
    small = ["--eye", "right", "--output-scale", "0.5"]
    assert (
        main([*words, "-o", str(tmp_path / "a"), *small]) == main([*words, "-o", str(tmp_path / "b"), *small, "--edge-softness", "-4"]) == 0
    )
    assert "rendering frames 1-2: right alone, 256x256" in capsys.readouterr().err
    a, b = (oiio.ImageBuf(str(tmp_path / folder / "exr" / "people_right.0002.exr")) for folder in "ab")
    assert (a.spec().full_width, a.spec().full_height) == (256, 256) and a.spec().getattribute("vr180ofx:eye") == "right"

    # whatever random weights see: a hard edge leaves few pixels half covered
    def most(picture):
        pixels = picture.get_pixels(oiio.FLOAT)[..., picture.spec().channelnames.index("A")]
        return np.count_nonzero((pixels > 0.1) & (pixels < 0.9))

    assert most(a) > 4 * most(b)


def test_frames_of_everybody_are_found_again_on_disk(people_clip, weights, tmp_path):
    """For other outputs and other edges, another day: no network runs, and the bits are the same."""
    settings = settings_of(Settings(input={"frames": "1-2"}), weights, "standard")
    made = []
    for _ in range(2):
        with (
            open_clip(people_clip, settings) as clip,
            FrameServer(clip, Plan.of_nobody(clip), settings, store=DiskStore(tmp_path, 1 << 28)) as server,
        ):
            made.append([server.request(n).result() for n in range(2)])
            steps = server.steps
    assert steps == 0 and all(a.same(b) and a.views["left"].layers[0].name == "everybody" for a, b in zip(*made, strict=True))


def test_a_film_to_look_at_shows_what_the_network_sees(people_clip, weights, tmp_path, capsys):
    """Also where a render is previewed: drafts of the embedded networks would show nobody, as nobody is followed."""
    ways = (["matte", "--weights", str(weights)], ["render", "--tracker", "rvm", "--set", f"matting.tracker_weights={weights}"])
    for k, (command, *words) in enumerate(ways):
        film = tmp_path / f"{k}.mp4"
        assert (
            main([command, str(people_clip), *words, "--preview", str(film), "--frames", "1-2", "--set", "matting.downsample='0.25'"]) == 0
        )
        with av.open(str(film)) as container:
            frames = [f.to_ndarray(format="rgb24").astype(float) for f in container.decode(video=0)]
        # random weights let some of the plate show everywhere: it is not all grey
        assert len(frames) == 2 and frames[0].shape == (256, 512, 3) and np.abs(frames[0][20:200] - 128).mean() > 3
        assert "at full size edges are finer" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0.mp4", "1.mp4"]


def test_a_network_of_ones_own_training(people_clip, tmp_path, capsys):
    """A file that says its variant: the same frame as from one in which the branches of its encoder are single convolutions already."""
    pytest.importorskip("torchvision", reason="the extra rvm is not installed")
    from vr180_ofx.matte.rvm.mobileone import reparameterize_model
    from vr180_ofx.matte.rvm.weights_file import write_weights

    network = random_network("mobileone_rvm")
    write_weights(network, tmp_path / "trained.safetensors")
    write_weights(reparameterize_model(network), tmp_path / "used.safetensors")
    made = []
    for name in ("trained", "used"):
        words = ["matte", str(people_clip), "-o", str(tmp_path / name), "--frames", "1", "--type", "images", "--eye", "left"]
        assert main([*words, "--variant", "mobileone_rvm", "--weights", str(tmp_path / f"{name}.safetensors")]) == 0
        pixels = oiio.ImageBuf(str(tmp_path / name / "alpha" / "people_left.0001.png")).get_pixels(oiio.FLOAT)
        assert pixels is not None and pixels.size
        made.append(pixels[..., -1])
    capsys.readouterr()
    assert np.array_equal(made[0], made[1])


def test_variants_are_what_weights_are_of(people_clip, weights, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "none"))
    words = ["matte", str(people_clip), "-o", str(tmp_path / "out")]
    for more, status, said in (
        (["--variant", "mamba_rvm"], 4, "no weights of mamba_rvm are published"),
        (["--variant", "resnet50"], 4, "vr180-ofx weights pull rvm_resnet50"),
        (["--variant", "resnet50", "--weights", str(weights)], 4, "is of mobilenetv3, and not of resnet50"),
    ):
        assert main([*words, *more]) == status
        assert said in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()
    with pytest.raises(SettingsError, match="there is no variant 'vgg'; there are mobilenetv3"):
        settings_of(Settings(), variant="vgg")


def test_without_an_output_nothing_begins(people_clip, tmp_path, capsys):
    for words, what in (([], "--preview FILE.mp4"), (["-o", str(tmp_path / "x"), "--outputs", "beta"], "allowed are alpha")):
        assert main(["matte", str(people_clip), *words]) == 2
        said = capsys.readouterr().err
        assert what in said and "frames" not in said and not any(tmp_path.iterdir())


def test_outputs_that_there_are_not(people_clip, tmp_path):
    for outputs in ((), ("beta",), ("alpha", "beta")):
        with pytest.raises(SettingsError, match="allowed are alpha, foreground, composite, exr"):
            matte(people_clip, tmp_path, outputs)


@pytest.mark.parametrize(("said", "meant"), [("auto", "auto"), ("high", "0.5"), ("4K", "0.125"), ("1", "1")])
def test_sizes_have_names(said, meant):
    m = settings_of(Settings(), "w.pth", said, 3).matting
    assert (m.tracker, m.downsample, m.tracker_weights, m.seq_chunk) == ("rvm", meant, "w.pth", 3)
    with pytest.raises(SettingsError, match=r"downsample is '0\.3'"):
        settings_of(Settings(), downsample="0.3")

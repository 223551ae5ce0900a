"""Everybody at once, to several outputs."""

import json

import OpenImageIO as oiio
import pytest

from tests.matte.rvm.networks import random_network
from vr180_ofx.cli.main import main
from vr180_ofx.errors import SettingsError
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

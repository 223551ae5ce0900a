import json

import numpy as np
import pytest

from tests.cli.conftest import cli
from tests.conftest import make_clip, numbered_picture
from tests.media.pictures import write


def test_inspect_a_clip(capsys, people_clip):
    status, said, _ = cli(capsys, "inspect", str(people_clip), "--json")
    assert status == 0 and json.loads(said)["layout"] == "sbs" and json.loads(said)["audio"] == ["aac 48000 Hz"]


@pytest.fixture(params=["exr", "png", "tif", "dpx", "jpg"])
def cut(request, tmp_path):
    """Three frames, the second of which is cut off."""
    rng = np.random.default_rng(2)
    for n in range(3):
        picture = numbered_picture(n)
        picture[33:] = np.clip(picture[33:] + rng.integers(-9, 9, picture[33:].shape), 0, 255)
        write(tmp_path / f"a.{n:04d}.{request.param}", picture, "half" if request.param == "exr" else "uint8")
    bad = tmp_path / f"a.0001.{request.param}"
    bad.write_bytes(bad.read_bytes()[: bad.stat().st_size // 2])
    return bad


def test_a_picture_that_is_cut_off_is_said(capsys, cut):
    """It was looked into with status 0, and nothing was said."""
    status, said, _ = cli(capsys, "inspect", str(cut))
    assert status == 3 and f"{cut} is damaged" in said
    status, printed, _ = cli(capsys, "inspect", str(cut), "--json")
    assert status == 3 and "is damaged" in json.loads(printed)["damaged"][0]
    status, printed, said = cli(capsys, "inspect", str(cut.parent), "--json")
    facts = json.loads(printed)
    assert status == 3 and facts["damaged"] == [cut.name] and facts["sequences"][0]["first"]["damaged"] == []
    status, said, _ = cli(capsys, "inspect", str(cut.with_name(cut.name.replace("0001", "0002"))))
    assert status == 0 and "damaged" not in said


def test_a_film_that_is_cut_off_is_said(capsys, tmp_path):
    path = make_clip(tmp_path / "a.mkv", 30, options={"bf": "0"})
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.7)])
    status, printed, _ = cli(capsys, "inspect", str(path), "--json")
    facts = json.loads(printed)
    assert status == 3 and facts["lost_frames"] > 0


def test_numbers_that_are_far_apart(capsys, tmp_path):
    for n in ("1", "99999999999999999999"):
        write(tmp_path / f"a.{n}.png", np.zeros((8, 8, 3), np.uint8))
    write(tmp_path / "a.900000000000.png", np.zeros((8, 8, 3), np.uint8))
    status, printed, _ = cli(capsys, "inspect", str(tmp_path), "--json")
    assert status == 0 and "2-899999999999" in json.loads(printed)["sequences"][0]["gaps"]

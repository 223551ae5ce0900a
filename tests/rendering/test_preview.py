"""A film to look at before a render."""

import av
import numpy as np
import pytest

from tests.cli.conftest import cli
from tests.conftest import with_settings
from vr180_ofx.engine.plans import find_plan
from vr180_ofx.errors import OutputError
from vr180_ofx.media.open import open_clip
from vr180_ofx.rendering.preview import preview


@pytest.fixture(scope="module")
def planned(people_clip):
    with open_clip(people_clip) as clip:
        yield clip, find_plan(clip, clip.settings)


def pictures(path):
    with av.open(str(path)) as file:
        return file.streams.video[0].codec_context.name, [f.to_ndarray(format="rgb24") for f in file.decode(video=0)]


def test_people_over_grey_at_half_the_size(planned, tmp_path):
    clip, plan = planned
    with with_settings(clip, input={"frames": "3-5"}) as some:
        report = preview(some, plan, output=tmp_path / "out.mp4")
        codec, made = pictures(tmp_path / "out.mp4")
        plate = np.concatenate(list(clip.read(2).values()), axis=1)
    assert codec == "h264" and report.written == 3 and len(made) == 3 and made[0].shape == (256, 512, 3)
    assert any("draft" in n for n in report.notes) and sorted(p.name for p in tmp_path.iterdir()) == ["out.mp4"]
    # mid grey around, the plate where the people are
    corner = made[0][:40, :40].astype(float)
    assert np.abs(corner - 128).max() <= 3
    small = plate.reshape(256, 2, 512, 2, 3).mean(axis=(1, 3)) * 255
    who = np.zeros((256, 512), bool)
    for view, x in (("left", 0), ("right", 256)):
        for p in plan.people:
            x0, y0, x1, y1 = (v / 2 for v in plan.track(p, view).boxes[2])
            cx, cy = (x0 + x1) / 2, y0 + (y1 - y0) / 3
            who[round(cy) - 2 : round(cy) + 2, x + round(cx) - 2 : x + round(cx) + 2] = True
    assert np.abs(small[who].mean(axis=0) - made[0][who].mean(axis=0)).max() < 12
    # each eye says its number
    for x in (0, 256):
        assert made[0][235:252, x : x + 60].max() > 200


def test_what_is_there_is_not_replaced_unless_it_is_a_preview(planned, people_clip, tmp_path):
    clip, plan = planned
    with with_settings(clip, input={"frames": "1"}, output={"eye": "left"}) as one:
        preview(one, plan, output=tmp_path / "a.mp4")
        preview(one, plan, output=tmp_path / "a.mp4")
        assert pictures(tmp_path / "a.mp4")[1][0].shape == (256, 256, 3)
        (tmp_path / "b.mp4").write_bytes(people_clip.read_bytes())
        with pytest.raises(OutputError, match="is there, and no preview"):
            preview(one, plan, output=tmp_path / "b.mp4")
        with pytest.raises(OutputError, match="is the clip itself"):
            preview(one, plan, output=people_clip)
        with pytest.raises(OutputError, match=r"ends in .mp4 or .mov"):
            preview(one, plan, output=tmp_path / "c.avi")
        with pytest.raises(OutputError, match="is a file"):
            preview(one, plan, output=tmp_path / "a.mp4" / "c.mp4")
    assert (tmp_path / "b.mp4").read_bytes() == people_clip.read_bytes()


def test_from_the_command_line(capsys, people_clip, tmp_path):
    film = tmp_path / "p.mp4"
    status, _, said = cli(capsys, "render", str(people_clip), "--preview", str(film), "--frames", "1-2")
    assert status == 0 and "preview: 2 frames written" in said and film.exists() and not list(tmp_path.glob("**/*.exr"))
    words = ["-o", str(tmp_path / "out"), "--eye", "right", "--output-scale", "0.5", "--scale", "0.5", "--frames", "2"]
    status, _, said = cli(capsys, "render", str(people_clip), "--preview", str(film), *words)
    assert status == 0 and "rendering frame 2: right alone, 256x256; mattes are made at 0.5 of the clip's size" in said
    assert [p.name for p in (tmp_path / "out").glob("*.exr")] == ["people_right.0002.exr"] and len(pictures(film)[1]) == 1
    assert cli(capsys, "render", str(people_clip), "--preview", str(film), "--server")[0] == 2
    assert cli(capsys, "render", str(people_clip), "-o", str(tmp_path / "x"), "--output-scale", "0.3")[0] == 2

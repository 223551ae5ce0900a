"""Input mattes in finished frames: no network runs for them, edges do not grow into them, and their files are inputs."""

from __future__ import annotations

import os
import random
from dataclasses import replace

import numpy as np
import OpenImageIO as oiio
import pytest

from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import InputMatteError, PlanError, SettingsError
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.mattes_file import ImageInput, InputMatte
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings

#: The right half of somebody, in the left eye.
VIEW = "left"


@pytest.fixture(scope="module")
def scene(people_clip):
    settings = Settings(processing={"chunk_size": 4, "overlap_frames": 2})
    with open_clip(people_clip, settings) as clip:
        yield clip, analyse(clip), settings


def box(rect: Rect) -> tuple[tuple[float, float], ...]:
    return (rect.x0, rect.y0), (rect.x1, rect.y0), (rect.x1, rect.y1), (rect.x0, rect.y1)


def half_of(frame) -> Rect:
    r = frame.views[VIEW].layers[0].rect
    return Rect((r.x0 + r.x1) // 2, r.y0, r.x1, r.y1)


def mask_file(path, rect, size):
    values = np.zeros((size[1], size[0], 1), np.float32)
    values[rect.slices] = 1
    out = oiio.ImageOutput.create(str(path))
    assert out is not None
    out.open(str(path), oiio.ImageSpec(size[0], size[1], 1, "uint8"))
    out.write_image(values)
    out.close()


def test_no_network_runs_and_the_bits_are_those_of_a_server_that_had_it_from_the_start(scene):
    clip, plan, settings = scene
    with FrameServer(clip, plan, settings) as server:
        plain = [server.request(n).result() for n in range(6)]
        steps = server.steps
        part = half_of(plain[3])
        own = replace(plan, mattes=(InputMatte(name="g", kind="garbage", shapes={VIEW: ((0, box(part)),)}, frames=((2, 4),)),))
        server.replace_plan(own)
        order = random.Random(2).sample(range(6), 6)
        made = {n: server.request(n).result() for n in order}
        assert server.steps == steps, "networks ran"
    with FrameServer(clip, own, settings) as fresh:
        assert all(fresh.request(n).result().same(made[n]) for n in (4, 0, 3))
    assert made[0].same(plain[0]) and made[5].same(plain[5]) and "g right" in made[3].metadata["carried"]
    assert made[3].views[VIEW].alpha[part.slices].max() == 0
    before, after = (float(f.views["right"].alpha.sum()) for f in (plain[3], made[3]))
    assert after < 0.8 * before, "nothing went out of the other eye"


def test_no_edge_grows_into_garbage_and_layers_stay_within_one(scene):
    clip, plan, settings = scene
    with FrameServer(clip, plan, settings) as server:
        part = half_of(server.request(0).result())
        mattes = (
            InputMatte(name="g", kind="garbage", shapes={VIEW: ((0, box(part)),)}),
            InputMatte(name="h", kind="holdout", person=plan.people[1].id, shapes={VIEW: ((0, box(part.shifted(0, 200))),)}, carry=False),
        )
        server.replace_plan(replace(plan, mattes=mattes))
        made = server.request(0, edges={"size": 6.0}).result().views[VIEW]
    top = Rect(part.x0, part.y0, part.x1, min(part.y1, part.y0 + 199))
    assert made.alpha[top.slices].max() == 0
    total = np.sum([x.astype(np.float32) for x in made.people.values()], axis=0)
    assert total.max() <= 1 + 1e-3
    assert made.person(plan.people[1].id)[part.y0 + 210, part.x0 + 5] == 1


def test_files_are_inputs(scene, tmp_path):
    clip, plan, settings = scene
    with FrameServer(clip, plan, settings) as server:
        plain = server.request(0).result()
        part, path = half_of(plain), tmp_path / "m.%04d.png"
        for n in (0, 1):
            mask_file(tmp_path / f"m.{n:04d}.png", part, clip.eye_size)
        image = ImageInput(str(path), first=0)
        server.replace_plan(replace(plan, mattes=(InputMatte(name="roto", kind="garbage", image=image, carry=False),)))
        first, key = server.request(0).result(), server.frame_key(0)
        assert first.views[VIEW].alpha[part.slices].max() == 0
        with pytest.raises(InputMatteError, match=r"the matte roto at frame 5: .*m\.0005\.png does not exist"):
            server.request(5).result()
        mask_file(tmp_path / "m.0000.png", Rect(0, 0, 4, 4), clip.eye_size)
        os.utime(tmp_path / "m.0000.png", ns=(5, 5))
        assert server.frame_key(0) != key
        again = server.request(0).result()
        assert np.array_equal(again.views[VIEW].alpha, plain.views[VIEW].alpha)


def test_a_render_says_which_frames_had_no_matte(scene, tmp_path):
    clip, plan, settings = scene
    mask_file(tmp_path / "m.0000.png", Rect(0, 0, 4, 4), clip.eye_size)
    wanted = Settings(**{
        **settings.model_dump(), "mattes": {"garbage": str(tmp_path / "m.%04d.png"), "first": 0}, "input": {"frames": "1-3"},
        "output": {"format": "alpha"},
    })  # fmt: skip
    report = render(clip, plan, wanted, tmp_path / "out")
    assert report.written == 1 and report.missing == report.refused == [1, 2]
    assert any("2 frames not made, 2-3: the matte mattes.garbage: " in w and "m.0001.png" in w for w in report.warnings)
    assert not any("damaged there" in note for note in report.notes)


def test_whose_a_holdout_is_is_asked_before_anything_begins(scene, tmp_path):
    clip, plan, settings = scene
    with pytest.raises(SettingsError, match=r"mattes\.holdout_person is None; .*person01"):
        FrameServer(clip, plan, Settings(**{**settings.model_dump(), "mattes": {"holdout": str(tmp_path / "h.png")}}))


def test_for_trackers_that_tell_nobody_apart_what_is_everybodys_is_left(scene):
    _, plan, _ = scene
    shape = {VIEW: ((0, ((0.0, 0.0), (9.0, 0.0), (9.0, 9.0))),)}
    mine = InputMatte(name="g", kind="garbage", person=1, shapes=shape)
    others = (
        replace(mine, person=None), InputMatte(name="h", kind="holdout", person=1, shapes=shape),
        InputMatte(name="o", kind="hand_over", person=1, shapes=shape),
    )  # fmt: skip
    left = replace(plan, mattes=others).of_everybody()
    assert not left.people and [(m.name, m.person) for m in left.mattes] == [("g", None), ("h", None)]
    with pytest.raises(PlanError, match="the matte g is of person 1 alone"):
        replace(plan, mattes=(mine,)).of_everybody()


def test_each_file_is_looked_at_once_as_a_render_begins(scene, tmp_path, monkeypatch):
    """Of a render that has all of its frames, so that nothing else asks for them."""
    clip, plan, settings = scene
    for n in range(len(clip)):
        mask_file(tmp_path / f"m.{n:04d}.png", Rect(0, 0, 40, 40), clip.eye_size)
    other = Settings(
        **{**settings.model_dump(), "mattes": {"garbage": str(tmp_path / "m.%04d.png"), "first": 0}, "input": {"frames": "1"}, "edges": {"size": 1}}
    )  # fmt: skip
    assert render(clip, plan, other, tmp_path / "out").written == 1
    looked: list[str] = []
    stat = os.stat

    def counted(path, *args, **words):
        looked.append(str(path))
        return stat(path, *args, **words)

    monkeypatch.setattr(os, "stat", counted)
    assert render(clip, plan, other, tmp_path / "out").kept == 1
    assert sorted(p for p in looked if "m.0" in p) == [str(tmp_path / f"m.{n:04d}.png") for n in range(len(clip))]

"""Controls after matting: on finished frames, without a network run, the same bits whatever the order."""

from __future__ import annotations

import random
from dataclasses import replace

import cv2
import numpy as np
import pytest

from vr180_ofx.engine.controlled import files_digest
from vr180_ofx.engine.draft import DraftRenderer
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.scheduler import Priority
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.engine.store import DiskStore
from vr180_ofx.errors import InputMatteError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.corrections import PointsAt
from vr180_ofx.people.curves import Curve
from vr180_ofx.settings import Settings
from vr180_ofx.settings.edges import EdgesSettings


@pytest.fixture(scope="module")
def scene(people_clip):
    settings = Settings(processing={"chunk_size": 4, "overlap_frames": 2})
    with open_clip(people_clip, settings) as clip:
        yield clip, analyse(clip), settings


def area(frame) -> float:
    return float(frame.views["left"].alpha.sum())


def test_other_edges_run_no_network_and_are_the_bits_of_a_server_that_had_them_from_the_start(scene):
    clip, plan, settings = scene
    asked = Settings(**{**settings.model_dump(), "edges": {"size": -1.5}})
    with FrameServer(clip, plan, asked) as server:
        reference = [server.request(n).result() for n in range(len(clip))]
    with FrameServer(clip, plan, settings) as server:
        plain = [server.request(n).result() for n in range(len(clip))]
        steps = server.steps
        order = list(range(len(clip)))
        random.Random(1).shuffle(order)
        for n in order:
            made = server.request(n, edges={"size": -1.5}).result()
            assert made.same(reference[n]) and area(made) < area(plain[n])
            assert server.frame_key(n, edges={"size": -1.5}) != server.frame_key(n)
        assert server.steps == steps
        assert server.request(3).result().same(plain[3])


def test_what_the_plan_says_of_a_person_is_stronger_than_what_is_asked(scene):
    clip, plan, settings = scene
    first, *others = plan.people
    own = replace(plan, people=[replace(first, edges={"size": Curve(((0, 0.0), (4, 4.0)))}), *others])
    with FrameServer(clip, plan, settings) as server:
        plain = server.request(0).result(), server.request(4).result()
        server.replace_plan(own)
        steps = server.steps
        made = [server.request(n, edges={"size": -2}).result() for n in (0, 4)]
        assert server.steps == steps
    view = "left"
    assert np.array_equal(made[0].views[view].person(first.id), plain[0].views[view].person(first.id))
    assert made[1].views[view].person(first.id).sum() > plain[1].views[view].person(first.id).sum()
    for other in others:
        assert made[0].views[view].person(other.id).sum() < plain[0].views[view].person(other.id).sum()


def test_a_name_that_is_another_one_now_is_that_of_cached_frames_too(scene):
    clip, plan, settings = scene
    first, *others = plan.people
    with FrameServer(clip, plan, settings) as server:
        before = server.request(3, edges={"size": 1}).result()
        server.replace_plan(replace(plan, people=[replace(first, name="anna"), *others]))
        again = server.request(3, edges={"size": 1}).result()
    assert again.same(before)
    assert "anna" in [x.name for x in again.views["left"].layers] and "anna" not in [x.name for x in before.views["left"].layers]


def test_a_plan_keeps_its_edges_in_its_file(scene, tmp_path):
    clip, plan, _ = scene
    first, *others = plan.people
    own = replace(plan, edges={"size": Curve(((0, 1.5),))}, people=[replace(first, edges={"size": Curve(((0, 0.0), (4, 4.0)))}), *others])
    own.save(tmp_path / "plan.json")
    again = type(plan).load(tmp_path / "plan.json", clip)
    assert again.edges == own.edges and again.people[0].edges == own.people[0].edges
    assert again.digest() != plan.digest() and [again.facts(n) for n in range(3)] == [plan.facts(n) for n in range(3)]


def test_frames_that_look_at_those_beside_them_have_the_same_bits_in_any_order_and_run_no_network(scene):
    clip, plan, settings = scene
    asked = {"temporal": 1.0, "black_clip": 0.1, "keep_motion_blur": True, "feather": 1.5}
    with FrameServer(clip, plan, settings) as server:
        plain = [server.request(n).result() for n in range(len(clip))]
        steps = server.steps
        forward = [server.request(n, edges=asked).result() for n in range(len(clip))]
        assert server.steps == steps
        assert any(not a.same(b) for a, b in zip(plain, forward, strict=True))
    with FrameServer(clip, plan, settings, cache_bytes=0) as server:
        order = list(range(len(clip)))
        random.Random(2).shuffle(order)
        for n in order[:2]:
            assert server.request(n, edges=asked).result().same(forward[n])


def test_drafts_have_their_edges_but_for_what_looks_at_other_frames(scene):
    clip, plan, settings = scene
    with FrameServer(clip, plan, settings) as server:
        plain = server.request(2, "draft").result()
        steps = server.steps
        grown = server.request(2, "draft", edges={"size": 3, "temporal": 1}).result()
        assert area(grown) > area(plain)
        assert grown.same(server.request(2, "draft", edges={"size": 3}).result()) and server.steps == steps
    sketcher = DraftRenderer(clip, settings)
    try:
        assert area(sketcher.request(2, {"size": 3}).result()) > area(sketcher.request(2).result())
    finally:
        sketcher.close()


def test_switches_and_words_change_at_their_keys_in_a_plan(scene, tmp_path):
    clip, plan, settings = scene
    own = replace(plan, edges={"size": Curve(((0, 2.0),)), "unit": Curve(((0, "pixels"), (3, "milliradians")))})
    own.save(tmp_path / "plan.json")
    again = type(plan).load(tmp_path / "plan.json", clip)
    assert [again.edges_at(n, None)["unit"] for n in (0, 2, 3, 9)] == ["pixels", "pixels", "milliradians", "milliradians"]
    with FrameServer(clip, again, settings) as server:
        other = server.request(3, edges={"unit": "pixels"}).result()
        assert not server.request(3).result().same(other)


@pytest.mark.slow
def test_with_hardly_any_memory_each_frame_is_made_once_and_kept_on_disk_when_the_server_is_closed(scene, tmp_path):
    """A render asks for three frames at once, and each asks for those beside it; the next one has other edges in its settings."""
    clip, plan, settings = scene
    count, steps = 4, []
    for strength in (0.0, 1.0):
        store = DiskStore(tmp_path / str(strength), 2**30)
        with FrameServer(clip, plan, settings, cache_bytes=0, store=store) as server:
            waiting = [server.request(n, priority=Priority.BATCH, edges={"temporal": strength}) for n in range(count)]
            last = [f.result() for f in waiting][-1]
            # a frame more is beside the last one
            steps.append(server.steps if strength else (server.request(count, priority=Priority.BATCH).result(), server.steps)[1])
    assert steps[0] == steps[1]
    other = settings.model_copy(update={"edges": EdgesSettings(temporal=1.0)})
    with FrameServer(clip, plan, other, store=store) as server:
        assert server.request(count - 1).result().same(last)
        server.request(0, edges={"size": 2}).result()
        assert server.steps == 0


def test_painted_frames_run_no_network_and_another_picture_is_another_render(scene, tmp_path):
    clip, plan, settings = scene
    file = tmp_path / "mine.png"
    width, height = clip.eye_size
    first, *others = plan.people
    own = replace(plan, people=[replace(first, paint={"left": {4: str(file)}}), *others])
    said = []
    with FrameServer(clip, plan, settings) as server:
        before = [server.request(n).result() for n in range(len(clip))]
        steps = server.steps
        server.replace_plan(own)
        for value in (0, 255, None):
            file.unlink() if value is None else cv2.imwrite(str(file), np.full((height, width), value, np.uint8))
            said.append(files_digest(clip, own, settings))
            if value is None:
                with pytest.raises(InputMatteError, match="does not exist"):
                    server.request(4).result()
            else:
                layers = {x.person: x for x in server.request(4).result().views["left"].layers}
                assert (layers[first.id].alpha == value / 255).all() if first.id in layers else value == 0
                assert layers[first.id].rect.width == width if value else True
        assert server.request(5).result().metadata["paint"][f"{first.id} left 4"].startswith("not carried to here")
        assert server.steps == steps
        server.replace_plan(plan)
        assert server.request(4).result().same(before[4])
    assert len(set(said)) == 3 and not files_digest(clip, plan, settings)


def test_points_correct_frames_without_a_network_and_the_frame_says_so(scene):
    """A minus point in the middle of somebody, at frame 4: there, beside it and in any order, the same bits."""
    clip, plan, settings = scene
    box = plan.people[0].views["left"][4].box
    point = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    first, *others = plan.people
    own = replace(plan, people=[replace(first, points={"left": {4: PointsAt(minus=(point,))}}), *others])
    with FrameServer(clip, plan, settings) as server:
        for n in range(len(clip)):
            server.request(n).result()
        steps = server.steps
        server.replace_plan(own)
        made = {n: server.request(n).result() for n in (6, 4, 5)}
        assert server.steps == steps
    with FrameServer(clip, own, settings) as server:
        for n in (4, 5, 6):
            assert server.request(n).result().same(made[n])
    assert made[4].metadata["points"][f"{first.id} left 4"]

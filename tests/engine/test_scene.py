"""A plan, and what follows from it."""

from __future__ import annotations

from tests.engine.numbers import SumNetwork, number_clip
from vr180_ofx.engine.scene import Scene
from vr180_ofx.people.plan import Plan


def scene(clip=None, exact_after=None, finish="none", chunk=6, overlap=2) -> Scene:
    clip = clip or number_clip()
    return Scene.of(Plan.of_nobody(clip), clip.fingerprint, SumNetwork(exact_after), chunk_size=chunk, overlap=overlap, finish=finish)


def keys(scene: Scene) -> set[str]:
    return {scene.key(n, "final") for n in range(12)}


def test_equal_scenes_know_frames_by_equal_keys():
    assert keys(scene()) == keys(scene()) and len(keys(scene())) == 12
    assert scene().key(3, "draft") not in keys(scene())


def test_clip_network_finish_and_division_are_part_of_all_keys():
    others = [scene(number_clip(broken=frozenset({3}))), scene(exact_after=2), scene(finish="guided"), scene(chunk=4)]
    for other in others[:3]:
        assert not keys(scene()) & keys(other)
    # in the first chunk nothing is different until it is cross-faded
    assert {scene().key(n, "final") for n in range(3)} <= keys(others[3])


def test_it_shows_what_it_is_of_and_not_the_plan():
    assert repr(scene()) == "Scene(names={1: 'everybody'}, finish='none', exact_after=None)"

"""One frame through all stages."""

import ast
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import vr180_ofx.engine.pipeline
from vr180_ofx.engine.pipeline import Pipeline
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.scale import Scale
from vr180_ofx.imaging.either import hosts
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.media.on_device import on_device
from vr180_ofx.media.open import open_clip
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.telemetry import Stages
from vr180_ofx.trackers.blazepose import BlazePoseTracker
from vr180_ofx.weights.store import require

JOINT = Consistency("joint", 0.8, "transfer", "left")


@pytest.fixture(scope="module")
def scene(people_clip):
    """(plan, tracker, the first frame)."""
    tracker = BlazePoseTracker(require("blazepose_segmenter"), 0.0, None)
    with open_clip(people_clip) as clip:
        yield analyse(clip), tracker, clip.frame(0)


def made(scene, **options):
    plan, tracker, source = scene
    return Pipeline(plan, tracker, GuidedRefiner(), **options).start(source, tracker.begin(), {"index": 0})[1]()


def test_stages_come_in_order_and_each_is_measured(scene):
    stages = Stages(trace=True)
    frame = made(scene, scale=Scale(2), consistency=JOINT, stages=stages)
    events = sorted((e["ts"], e["name"]) for e in stages.trace()["traceEvents"] if e["ph"] == "X")
    assert list(dict.fromkeys(name for _, name in events)) == [
        "crop",
        "track",
        "validate",
        "refine",
        "paste",
        "stereo",
        "combine",
        "upsample",
    ]
    # two people in two eyes
    assert stages.calls["crop"] == stages.calls["refine"] == stages.calls["paste"] == 4 and stages.calls["validate"] == 1
    assert frame.metadata["index"] == 0 and frame.metadata["joined"] == ["person01", "person02"]
    assert sorted(frame.metadata["agreement"]) == ["person01", "person02"]


def test_eyes_that_owe_each_other_nothing_are_not_compared(scene):
    stages = Stages()
    frame = made(scene, stages=stages)
    assert frame.metadata == {"index": 0} and not {"validate", "stereo", "upsample"} & set(stages.calls)


def test_at_once_or_one_after_the_other_is_the_same(scene):
    with ThreadPoolExecutor(4) as pool:
        assert made(scene, consistency=JOINT, executor=pool).same(made(scene, consistency=JOINT))


def test_a_frame_is_finished_by_whoever_wants_it_and_its_memory_is_there_before(scene):
    plan, tracker, source = scene
    pipeline = Pipeline(plan, tracker, GuidedRefiner())
    memory, finish = pipeline.start(source, tracker.begin(), {"index": 0})
    assert memory.digest() == pipeline.advance(source, tracker.begin())[0].digest()
    assert finish().same(made(scene))
    assert not pipeline.steps_to_finish
    again = Pipeline(plan, tracker, GuidedRefiner(), consistency=replace(JOINT, method="reprocess"))
    assert again.steps_to_finish


@pytest.mark.parametrize("scale", [Scale(), Scale(2), Scale(4), Scale(2, 2), Scale(2, 1, False)])
def test_mattes_have_the_size_that_they_are_delivered_in_and_add_up_to_one(scene, scale):
    frame, whole = made(scene, scale=scale), made(scene)
    side = 512 // scale.delivered
    for view, matte in frame.views.items():
        assert (matte.width, matte.height) == (side, side)
        total = sum(matte.people.values())
        assert total.max() <= 1.002
        small = whole.views[view].alpha.reshape(side, scale.delivered, side, scale.delivered).mean(axis=(1, 3))
        assert np.abs(total - small).mean() < 0.004


def test_a_pipeline_knows_nothing_of_pixels():
    source = Path(vr180_ofx.engine.pipeline.__file__).read_text(encoding="utf-8")
    imported = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            imported |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add((node.module or "").partition(".")[0])
    assert "vr180_ofx" in imported and not imported & {"cv2", "numpy"}


@pytest.mark.parametrize("options", [{}, {"consistency": JOINT, "scale": Scale(2)}], ids=["as it is", "joint, half size"])
def test_tensors_give_what_arrays_give_and_come_down_once(scene, options, monkeypatch):
    pytest.importorskip("torch")
    plan, tracker, source = scene
    transfers = []

    def counted(*given):
        transfers.append(len(given))
        return hosts(*given)

    monkeypatch.setattr("vr180_ofx.engine.pipeline.hosts", counted)
    finish = Pipeline(plan, tracker, GuidedRefiner(), **options).start(on_device(source, "cpu"), tracker.begin(), {"index": 0})[1]
    frame, expected = finish(), made(scene, **options)
    # two people in two eyes: alpha and confidence; what arrays make goes the same way
    assert transfers == [8, 8]
    for view, matte in expected.views.items():
        found = frame.views[view]
        assert [(x.person, x.alpha.dtype, type(x.alpha)) for x in found.layers] == [
            (x.person, np.dtype(np.float16), np.ndarray) for x in matte.layers
        ]
        assert np.abs(found.alpha - matte.alpha).mean() < 2e-4 and np.abs(found.confidence - matte.confidence).mean() < 1e-3
    assert frame.metadata.keys() == expected.metadata.keys()


def test_finishing_a_frame_takes_few_steps(scene):
    """At 7 microseconds a launch two people in both eyes cost a graphics card 3 ms."""
    pytest.importorskip("torch")
    from benchmarks.support.operations import Operations

    plan, tracker, source = scene
    pipeline = Pipeline(plan, tracker, GuidedRefiner(), consistency=replace(JOINT, mode="reference_eye"))
    finish = pipeline.start(on_device(source, "cpu"), tracker.begin(), {"index": 0})[1]
    finish()
    with Operations() as counted:
        finish()
    assert 50 < counted.count < 450, counted.callers.most_common(10)

"""Which networks mattes are made with: decided once, from settings and machine."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.models import DETECTORS, FRAME_NETWORKS, MATTING_NETWORKS, REFINERS, SAM2, TRACKERS, Models, Row
from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.plain import NoRefiner
from vr180_ofx.people.blazepose import BlazePose
from vr180_ofx.settings import Settings, sections
from vr180_ofx.trackers.blazepose import BlazePoseTracker
from vr180_ofx.weights.device import Machine
from vr180_ofx.weights.store import path_of

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torchvision") is None, reason="the extra rvm is not installed")
ON_CPU = {"device": "cpu"}


@pytest.fixture
def weights_here(tmp_path, monkeypatch):
    """A folder of weights with the embedded ones alone."""
    for name in ("blazepose_detector", "blazepose_segmenter"):
        (tmp_path / path_of(name).name).symlink_to(path_of(name))
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture
def a_card(monkeypatch):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setattr("vr180_ofx.weights.device._DRIVERS", ("/",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))


def own(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


def test_settings_and_tables_know_the_same_names():
    fields = sections()["matting"].model_fields
    trackers, refiners = (set(get_args(fields[key].annotation)) for key in ("tracker", "refiner"))
    assert trackers - {"auto"} == set(TRACKERS) | set(FRAME_NETWORKS)
    assert refiners - {"auto"} == set(REFINERS) | set(MATTING_NETWORKS)
    assert sections()["detection"].model_fields["model"].default in DETECTORS


def test_a_network_without_weights_is_known_by_its_name(tmp_path):
    row = Row(lambda spec: spec)
    spec = row.spec("plain", Machine.of(Settings(hardware=ON_CPU)), {"matting.tracker_weights": None})
    assert (spec.name, spec.weights, spec.identity) == ("plain", None, "plain")
    own_file = own(tmp_path, "own.bin", b"weights")
    assert row.spec("plain", Machine.of(Settings(hardware=ON_CPU)), {"matting.tracker_weights": own_file}).file == Path(own_file)


def test_by_default_the_embedded_networks(weights_here):
    models = Models.of(Settings())
    assert (models.detector.name, models.tracker.name, models.refiner.name) == ("blazepose", "blazepose", "guided")
    assert models.matting_network is None and models.follows_people
    assert models.tracker.placement.device == models.detector.placement.device == "cpu"
    loaded = models.load_detector(), models.load_tracker(), models.load_refiner()
    assert [type(n) for n in loaded] == [BlazePose, BlazePoseTracker, GuidedRefiner] and models.load_matting_network() is None
    assert isinstance(Models.of(Settings(matting={"refiner": "none"})).load_refiner(), NoRefiner)
    # a value shows what was chosen, and loads nothing
    assert "blazepose_segmenter" in repr(models) and "chunk_size" not in repr(models)


def test_auto_takes_the_best_sam2_where_there_is_a_card(weights_here, a_card):
    pytest.importorskip("sam2", reason="the extra sam2 is not installed")
    assert Models.of(Settings()).tracker.name == "blazepose"
    for name in reversed(SAM2):
        (weights_here / path_of(name).name).write_bytes(b"")
        spec = Models.of(Settings()).tracker
        assert (spec.name, spec.placement.device, spec.placement.precision) == (name, "cuda:0", "float16")
    # on the processor it costs a second a frame; whoever wants it there names it
    assert Models.of(Settings(hardware=ON_CPU)).tracker.name == "blazepose"
    named = Models.of(Settings(hardware=ON_CPU, matting={"tracker": "sam2.1_s"})).tracker
    assert (named.name, named.placement.device, named.placement.precision) == ("sam2.1_s", "cpu", "float32")
    # PyTorch takes two seconds to load: it is not asked for what has no use for it
    asked = Machine("cuda:7")
    assert Models.of(Settings(matting={"tracker": "blazepose", "refiner": "guided"}), asked).tracker.name == "blazepose"


@needs_torch
def test_auto_takes_rvm_where_it_is_quick(weights_here, tmp_path, a_card, monkeypatch):
    auto = Settings(matting={"refiner_weights": own(tmp_path, "rvm.pth", b"rvm")})
    network = Models.of(auto).matting_network
    assert network is not None and (network.placement.device, network.placement.runtime) == ("cuda:0", "pytorch")
    on_cpu = auto.with_overrides(["hardware.device=cpu"])
    monkeypatch.setattr("vr180_ofx.weights.device.multiplies_bfloat16", lambda: True)
    network = Models.of(on_cpu).matting_network
    assert network is not None and (network.placement.precision, network.placement.runtime) == ("bfloat16", "openvino")
    # half precision can be declined, and not every processor has it: then it would take longer than all the rest
    assert Models.of(on_cpu.with_overrides(["matting.fp16=false"])).matting_network is None
    monkeypatch.setattr("vr180_ofx.weights.device.multiplies_bfloat16", lambda: False)
    assert Models.of(on_cpu).matting_network is None and Models.of(on_cpu).refiner.name == "guided"
    assert Models.of(on_cpu.with_overrides(["matting.refiner=rvm"])).matting_network is not None
    # whoever has no PyTorch is told so later, by who needs it
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert Models.of(on_cpu.with_overrides(["hardware.device=auto"])).matting_network is None


def test_whole_eyes_know_nobody_and_need_no_refiner(weights_here, tmp_path):
    matting = {"tracker": "rvm", "refiner_weights": own(tmp_path, "refiner.pth", b"a")}
    models = Models.of(Settings(hardware=ON_CPU, matting=matting))
    assert not models.follows_people and models.matting_network is None and models.refiner.name == "none"
    assert models.tracker.file == tmp_path / "refiner.pth" and models.tracker.placement.runtime == "openvino"
    # the tracker's own come first; what is compiled sees one frame after the other
    more = {"tracker_weights": own(tmp_path, "tracker.pth", b"b"), "seq_chunk": 4}
    models = Models.of(Settings(hardware=ON_CPU, matting={**matting, **more}))
    assert models.tracker.file == tmp_path / "tracker.pth" and models.tracker.placement.runtime == "pytorch"


def test_drafts_are_made_with_the_embedded_networks(weights_here, tmp_path):
    weights = own(tmp_path, "rvm.pth", b"rvm")
    models = Models.of(Settings(hardware=ON_CPU, matting={"tracker": "sam2.1_t", "refiner": "rvm", "refiner_weights": weights}))
    drafts = models.for_drafts()
    assert drafts.tracker.name == "blazepose" and drafts.matting_network is None and drafts.refiner.name == "guided"
    assert isinstance(drafts.load_tracker(), BlazePoseTracker) and models.tracker.name == "sam2.1_t"


def test_what_there_is_not_is_said_at_once_and_what_is_missing_when_it_is_needed(weights_here, tmp_path):
    with pytest.raises(SettingsError, match=f"detection.model is 'haar'; this version has {', '.join(DETECTORS)}"):
        Models.of(Settings(detection={"model": "haar"}))
    models = Models.of(Settings(hardware=ON_CPU, matting={"tracker": "sam2.1_t"}, detection={"weights": str(tmp_path / "no.tflite")}))
    with pytest.raises(WeightsError, match="run: vr180-ofx weights pull sam2.1_t"):
        _ = models.identity
    with pytest.raises(WeightsError, match=r"detection\.weights names .*no\.tflite, which does not exist"):
        models.load_detector()


@needs_torch
def test_what_a_network_needs_is_said_by_the_network(weights_here, tmp_path, monkeypatch):
    rvm = Settings(hardware=ON_CPU, matting={"refiner": "rvm", "refiner_size": 100, "refiner_weights": own(tmp_path, "rvm.pth", b"rvm")})
    with pytest.raises(SettingsError, match="refiner_size is 100; it is 0 .384., or a multiple of 16 from 64 on"):
        Models.of(rvm).load_matting_network()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    for settings in (rvm.with_overrides(["matting.refiner_size=0"]), Settings(matting={"tracker": "sam2.1_t"})):
        models = Models.of(settings.with_overrides(["hardware.device=cpu"]))
        with pytest.raises(SettingsError, match="needs torch, torchvision.*; install: pip install"):
            _ = models.load_matting_network() or models.load_tracker()


CHANGES = {
    "other weights of the tracker": ["matting.tracker_weights=OTHER"],
    "other weights of the matting network": ["matting.refiner_weights=OTHER"],
    "another refiner": ["matting.refiner=closed_form"],
    "another tracker": ["matting.tracker=sam2.1_t"],
    "another precision": ["matting.fp16=false"],
}
NO_CHANGES = {
    "other weights of what finds people": ["detection.weights=OTHER"],
    "another output": ["output.format=alpha", "output.compression=zip"],
    "other threads": ["hardware.threads=3"],
    "another folder": ["service.cache_gb=3"],
    "other frames": ["input.frames=1-4"],
}


@needs_torch
@pytest.mark.parametrize("what", [*CHANGES, *NO_CHANGES])
def test_identity_changes_with_what_makes_mattes_and_with_nothing_else(tmp_path, monkeypatch, what):
    monkeypatch.setattr("vr180_ofx.weights.device.multiplies_bfloat16", lambda: True)
    matting = {"tracker": "blazepose", "refiner": "rvm"}
    matting |= {f"{k}_weights": own(tmp_path, f"{k}.bin", k.encode()) for k in ("tracker", "refiner")}
    settings = Settings(hardware=ON_CPU, matting=matting)
    other = own(tmp_path, "other.bin", b"other")
    changed = settings.with_overrides([text.replace("OTHER", other) for text in {**CHANGES, **NO_CHANGES}[what]])
    assert (Models.of(changed).identity != Models.of(settings).identity) == (what in CHANGES)
    assert Models.of(settings).identity == Models.of(settings).identity


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_identity_is_of_what_weights_hold_not_of_where_they_lie(tmp_path_factory, a, b):
    folder = tmp_path_factory.mktemp("weights")
    texts = []
    for name, content in (("first.bin", a), ("second.bin", b)):
        settings = Settings(
            hardware=ON_CPU, matting={"refiner": "none", "tracker": "blazepose", "tracker_weights": own(folder, name, content)}
        )
        texts.append(Models.of(settings).identity)
    assert (texts[0] == texts[1]) == (a == b)


@pytest.mark.parametrize("refiner", ["guided", "none"])
def test_what_a_tracker_forgets_is_known_without_it(refiner):
    models = Models.of(Settings(matting={"tracker": "blazepose", "refiner": refiner}))
    assert models.forgotten_after == models.load_tracker().exact_after
    assert Models.of(Settings(matting={"tracker": "sam2.1_t", "refiner": refiner})).forgotten_after is None

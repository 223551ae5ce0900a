"""What PyTorch is asked for each ``hardware.device``: with arguments that it takes. No card is needed; PyTorch's own checks are run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from vr180_ofx.engine.limits import hold_pytorch, room_for_batches
from vr180_ofx.engine.models import Models
from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings
from vr180_ofx.weights.device import Machine
from vr180_ofx.weights.store import path_of

torch = pytest.importorskip("torch")

CARDS = 8
GIB = 2**30


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """A machine with eight cards of 40 GB, as PyTorch would tell: what it was asked, in order, with the number of the card."""
    from torch.cuda._utils import _get_device_index

    calls: list[tuple[str, int]] = []

    def asking(name, answer):
        def function(*arguments):
            # the device is the last argument of each; PyTorch's own check, which refuses a device without a number
            calls.append((name, _get_device_index(torch.device(arguments[-1]))))
            return answer

        monkeypatch.setattr(torch.cuda, name, function)

    monkeypatch.setattr("vr180_ofx.weights.device._DRIVERS", ("/",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: CARDS)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.delenv("VR180_OFX_TENSORS", raising=False)
    asking("get_device_capability", (9, 0))
    asking("get_device_properties", SimpleNamespace(total_memory=40 * GIB))
    asking("set_per_process_memory_fraction", None)
    asking("mem_get_info", (30 * GIB, 40 * GIB))
    for name in ("blazepose_detector", "blazepose_segmenter"):
        (tmp_path / path_of(name).name).symlink_to(path_of(name))
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path))
    (tmp_path / path_of("sam2.1_t").name).write_bytes(b"")
    return calls


def settings_of(device):
    return Settings(hardware={"device": device, "max_vram_gb": 10}, matting={"tracker": "sam2.1_t", "refiner": "guided"})


@pytest.mark.parametrize(("wanted", "number"), [("auto", 0), ("cuda", 0), ("cuda:0", 0), ("cuda:7", 7)])
def test_a_card_is_asked_by_its_number(asked, wanted, number):
    settings = settings_of(wanted)
    models = Models.of(settings)
    assert models.tracker.placement.device == models.pictures == f"cuda:{number}"
    assert models.tracker.placement.precision == "bfloat16" and models.arithmetic == "tensors on cuda"
    assert settings.hardware.decodes_on_gpu(models.pictures)
    hold_pytorch(settings.hardware, models.tracker.placement.device)
    assert room_for_batches(settings, models.tracker.placement.device) == pytest.approx(10 * GIB - 1.5 * GIB)
    names = ["get_device_capability", "get_device_properties", "set_per_process_memory_fraction", "get_device_properties"]
    assert asked == [(name, number) for name in names]


@pytest.mark.parametrize(("wanted", "device"), [("cpu", "cpu"), ("mps", "mps")])
def test_others_are_asked_nothing_of_cards(asked, wanted, device):
    settings = settings_of(wanted)
    models = Models.of(settings)
    assert (models.tracker.placement.device, models.tracker.placement.precision) == (device, "float32")
    assert models.pictures is None and models.arithmetic == "" and not settings.hardware.decodes_on_gpu(models.pictures)
    hold_pytorch(settings.hardware, models.tracker.placement.device)
    room_for_batches(settings, models.tracker.placement.device)
    assert asked == []


def test_a_card_that_is_not_there_is_refused_before_pytorch_is_asked(asked):
    with pytest.raises(SettingsError, match="hardware.device is cuda:8; this machine has 8 CUDA devices"):
        Models.of(settings_of("cuda:8"))
    assert asked == []


def test_pytorch_refuses_what_the_limit_was_once_called_with(asked):
    """So that this file would notice."""
    with pytest.raises(ValueError, match="index"):
        hold_pytorch(settings_of("cuda").hardware, "cuda")


def test_which_mattes_are_told_apart(asked):
    """Where pictures are worked on is part of their identity, and which of like cards it was is not."""
    embedded = ["matting.tracker=blazepose"]
    found = {wanted: Models.of(settings_of(wanted).with_overrides(embedded)) for wanted in ("cpu", "cuda:0", "cuda:7")}
    assert found["cuda:0"].identity == found["cuda:7"].identity != found["cpu"].identity
    assert "tensors" not in found["cpu"].identity


def test_who_decodes(asked):
    def decodes(decoder, device):
        return Settings(hardware={"decoder": decoder}).hardware.decodes_on_gpu(Machine(device).pictures)

    assert [decodes("auto", d) for d in ("cuda", "cpu", "mps")] == [True, False, False]
    assert [decodes("gpu", d) for d in ("cuda", "cpu", "mps")] == [True, True, True]
    assert not any(decodes("cpu", d) for d in ("cuda", "cpu", "mps"))

"""Which device networks run on, and in which precision."""

from __future__ import annotations

import pytest

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings
from vr180_ofx.weights.device import Machine, Placement


@pytest.fixture
def two_cards(monkeypatch):
    """A machine with two CUDA devices, as PyTorch would count them."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setattr("vr180_ofx.weights.device._DRIVERS", ("/",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    return torch


@pytest.mark.parametrize(
    ("wanted", "device"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cuda:1", "cuda:1"), ("cpu", "cpu")]
)
def test_a_cuda_device_always_has_its_number(two_cards, wanted, device):
    assert Machine(wanted).device == device


def test_a_card_that_is_not_there_is_named(two_cards):
    with pytest.raises(SettingsError, match=r"hardware.device is cuda:2; this machine has 2 CUDA devices. Use auto or cpu"):
        _ = Machine("cuda:2").device
    two_cards.cuda.device_count = lambda: 0
    with pytest.raises(SettingsError, match="PyTorch sees no CUDA device here"):
        _ = Machine("cuda").device


def test_without_pytorch_there_is_the_processor(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert Machine("auto").device == "cpu"
    with pytest.raises(SettingsError, match="hardware.device is cuda, and PyTorch is not installed"):
        _ = Machine("cuda").device


def test_precision_on_cards(two_cards, monkeypatch):
    machine = Machine("cuda")
    assert machine.on_device() == machine.at_best() == Placement("cuda:0", "bfloat16", "pytorch")
    assert machine.in_full() == Placement("cuda:0", "float32", "pytorch")
    # float16 overflows in long sums: it is for cards that have nothing better
    monkeypatch.setattr(two_cards.cuda, "get_device_capability", lambda device: (7, 5))
    assert machine.on_device().precision == "float16"
    assert Machine("cuda", half=False).at_best().precision == "float32"
    assert machine.embedded() == Placement()


@pytest.mark.parametrize("multiplies", [True, False])
def test_precision_on_processors(monkeypatch, multiplies):
    monkeypatch.setattr("vr180_ofx.weights.device.multiplies_bfloat16", lambda: multiplies)
    assert Machine("cpu").at_best() == Placement("cpu", "bfloat16" if multiplies else "float32", "openvino")
    assert Machine("cpu").on_device() == Placement("cpu", "float32", "pytorch")
    assert Machine("cpu", half=False).at_best().precision == "float32"
    assert Machine.of(Settings(hardware={"device": "cpu"}, matting={"fp16": False})).at_best().precision == "float32"


def test_a_placement_that_cannot_be():
    with pytest.raises(ValueError, match="named with its number, such as cuda:0"):
        Placement("cuda", "float32", "pytorch")
    with pytest.raises(ValueError, match="precision is 'int8'; allowed are float32, float16, bfloat16"):
        Placement(precision="int8")
    with pytest.raises(ValueError, match="OpenVINO runs networks on the CPU alone"):
        Placement("cuda:0")
    with pytest.raises(ValueError, match="runtime is 'onnx'"):
        Placement(runtime="onnx")
    assert Placement("cuda:1", runtime="pytorch").kind == "cuda" and Placement().in_pytorch() == Placement(runtime="pytorch")


def test_where_pictures_lie(two_cards, monkeypatch):
    monkeypatch.delenv("VR180_OFX_TENSORS", raising=False)
    assert [Machine(wanted).pictures for wanted in ("auto", "cuda", "cuda:1", "cpu")] == ["cuda:0", "cuda:0", "cuda:1", None]
    # tensors on the CPU: how the rest is tested without a card
    monkeypatch.setenv("VR180_OFX_TENSORS", "1")
    assert [Machine(wanted).pictures for wanted in ("cuda:1", "cpu")] == ["cuda:1", "cpu"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert Machine("cpu").pictures is None


def test_pictures_of_macs_stay_with_the_processor(two_cards, monkeypatch):
    monkeypatch.delenv("VR180_OFX_TENSORS", raising=False)
    monkeypatch.setattr(two_cards.backends.mps, "is_available", lambda: True)
    assert Machine("mps").device == "mps" and Machine("mps").pictures is None

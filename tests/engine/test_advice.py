"""What better weights would bring: said where it is true, and nowhere else."""

import importlib.util

import pytest

from vr180_ofx.engine.advice import advice
from vr180_ofx.engine.models import Models
from vr180_ofx.settings import Settings
from vr180_ofx.weights.device import Machine
from vr180_ofx.weights.store import path_of


class Cuda(Machine):
    """A GPU that nobody asks for anything."""

    device = "cuda:0"


def slow():
    """A CPU, in single precision."""
    return Machine("cpu", half=False)


@pytest.fixture
def quick(monkeypatch):
    """A CPU that multiplies bfloat16, whatever this one does."""
    monkeypatch.setattr("vr180_ofx.weights.device.multiplies_bfloat16", lambda: True)
    return Machine("cpu")


@pytest.fixture(autouse=True)
def nothing_is_pulled(tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path / "weights"))
    (tmp_path / "weights").mkdir()


def said(machine, **settings):
    values = Settings(**settings)
    return advice(Models.of(values, machine), machine)


def pull(name):
    path_of(name).write_bytes(b"x")


def test_what_it_brings_its_licence_and_one_command(quick):
    text = said(quick)
    assert text.startswith("edges: guided filter; RVM (GPL-3.0) makes them softer") and "\n" not in text and "slowly" not in text
    assert text.endswith("vr180-ofx weights pull rvm_mobilenetv3") and "SAM" not in text
    assert said(slow()).endswith("slowly on this processor: vr180-ofx weights pull rvm_mobilenetv3, then render with --refiner rvm")


def test_what_is_there_need_not_be_pulled(quick):
    pull("rvm_resnet50")
    # auto takes it
    assert said(quick) == ""
    # auto leaves it
    assert said(slow()).endswith("slowly on this processor: render with --refiner rvm")


@pytest.mark.parametrize("refiner", ["guided", "none", "closed_form", "rvm"])
def test_whoever_chose_is_not_advised(quick, refiner):
    assert said(quick, matting={"refiner": refiner}) == "" == said(quick, matting={"tracker": "rvm"})


def test_sam_2_is_for_gpus():
    text = said(Cuda(half=False))
    assert "; people: BlazePose; SAM 2.1 (Apache-2.0) follows them by memory, on this GPU: " in text and "pull sam2.1_t" in text
    assert "SAM" not in said(Cuda(half=False), matting={"tracker": "blazepose"})
    pull("sam2.1_l")
    pull("rvm_mobilenetv3")
    assert said(Cuda(half=False)) == ""


def test_what_is_not_installed_comes_first(quick, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torch" else real(name, *more))
    assert said(quick).endswith(": pip install 'vr180-ofx[rvm]' && vr180-ofx weights pull rvm_mobilenetv3")
    pull("rvm_mobilenetv3")
    assert said(quick).endswith(": pip install 'vr180-ofx[rvm]'")

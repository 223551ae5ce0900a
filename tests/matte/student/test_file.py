"""The student's file: both forms in it are the same network, and what is no such file is refused."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from vr180_ofx.errors import WeightsError
from vr180_ofx.matte.student.compiled import CompiledStudent
from vr180_ofx.matte.student.model import TorchStudent, export, load_network
from vr180_ofx.matte.student.network import PLANES, Student


@pytest.fixture
def planes():
    return np.random.default_rng(2).random((2, 64, 96, PLANES), np.float32)


def test_pytorch_and_openvino_say_the_same(student_file, planes):
    ours, theirs = TorchStudent(student_file), CompiledStudent(student_file)
    alpha = ours.look(planes)
    assert alpha.shape == (2, 64, 96) and alpha.dtype == np.float32 and alpha.std() > 0.05
    assert np.abs(alpha - theirs.look(planes)).max() < 1e-5
    assert ours.identity() != theirs.identity()


def test_tensors_give_tensors(student_file, planes):
    network = TorchStudent(student_file)
    assert np.array_equal(network.look(torch.from_numpy(planes)).numpy(), network.look(planes))


def test_the_same_window_alone_and_beside_another(student_file, planes):
    network = CompiledStudent(student_file)
    assert np.abs(network.look(planes)[1] - network.look(planes[1:])[0]).max() < 1e-6


def test_it_is_small_enough_for_the_wheel(student_file):
    assert student_file.stat().st_size < 8e6


@pytest.mark.parametrize("damage", ["cut", "foreign", "text", "other"])
def test_what_is_no_student_is_refused(student_file, tmp_path, damage):
    path = tmp_path / "x.safetensors"
    if damage == "cut":
        path.write_bytes(student_file.read_bytes()[:-1000])
    elif damage == "foreign":
        save_file({"a": np.zeros(3, np.float32)}, path)
    elif damage == "text":
        path.write_text("no weights at all, however long this is")
    else:
        from vr180_ofx.matte.student import file

        file.write(path, {"stem.0.weight": np.zeros((2, 2), np.float16)}, file.StudentGraph(b"<net/>", np.zeros(1, np.uint8)))
    for load in (CompiledStudent, load_network):
        with pytest.raises(WeightsError, match=r"x\.safetensors"):
            load(path)
    with pytest.raises(WeightsError, match="does not exist"):
        CompiledStudent(tmp_path / "nothing.safetensors")


def test_weights_that_are_no_numbers_are_not_written(tmp_path):
    state = Student().state_dict()
    state["trust"] = torch.tensor(1e9)
    with pytest.raises(ValueError, match="trust"):
        export(state, tmp_path / "s.safetensors")
    assert not list(tmp_path.iterdir())

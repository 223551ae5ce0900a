"""A student that was not trained, but says something."""

import pytest


@pytest.fixture(scope="session")
def student_file(tmp_path_factory):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    from vr180_ofx.matte.student.model import export
    from vr180_ofx.matte.student.network import Student

    torch.manual_seed(3)
    network = Student()
    torch.nn.init.normal_(network.out.weight, 0, 0.05)
    path = tmp_path_factory.mktemp("student") / "student.safetensors"
    export(network.state_dict(), path, "random")
    return path

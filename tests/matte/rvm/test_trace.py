"""RVM's network as a graph for OpenVINO."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import random_network, trained_statistics, worst
from vr180_ofx.matte.rvm.trace import traced
from vr180_ofx.weights.inference import openvino


@pytest.mark.parametrize("variant", ["mobilenetv3", *(pytest.param(v, marks=pytest.mark.slow) for v in ("mobileone_rvm", "mamba_rvm"))])
def test_the_graph_takes_pictures_of_any_size_and_gives_what_the_network_gives(variant):
    network = random_network(variant)
    if variant != "mobilenetv3":
        trained_statistics(network)
    xml, constants = traced(network)
    ov = openvino()
    graph = ov.Core().read_model(xml, ov.Tensor(np.frombuffer(constants, np.uint8).copy()))
    run = ov.Core().compile_model(graph, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    for batch, height, width in ((1, 64, 96), (2, 83, 70)):
        picture = torch.rand(batch, 3, height, width)
        with torch.inference_mode():
            first = network.decode(picture, None, None, None, None)
            expected = network.decode(picture, *(m.half().float() for m in first[1:]))
            made = run([picture.numpy(), *(m.half().numpy() for m in first[1:])])
        assert worst(expected[:1], [torch.from_numpy(made[0])]) < 1e-3
        # what is remembered is half
        assert all(made[k].dtype == np.float16 for k in range(1, 5))
        assert worst(expected[1:], [torch.from_numpy(made[k].astype(np.float32)) for k in range(1, 5)]) < 5e-3

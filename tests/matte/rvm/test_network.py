"""Robust Video Matting, as a network."""

from __future__ import annotations

from itertools import pairwise

import pytest

pytest.importorskip("torchvision", reason="the extra rvm is not installed")
import torch

from tests.matte.rvm.networks import random_network, worst
from vr180_ofx.matte.rvm.network import VARIANTS, RvmNetwork, folded


@pytest.mark.parametrize("variant", ["mobilenetv3", "resnet50"])
def test_the_names_are_those_of_the_authors_checkpoints(variant):
    names = set(RvmNetwork(variant).state_dict())
    assert {
        "aspp.aspp1.0.weight", "aspp.aspp2.1.weight", "decoder.decode4.gru.ih.0.weight", "decoder.decode3.conv.0.weight",
        "decoder.decode1.gru.hh.0.bias", "decoder.decode0.conv.4.running_mean", "project_mat.conv.weight", "project_seg.conv.bias",
        "refiner.box_filter.weight", "refiner.conv.6.bias",
    } <= names  # fmt: skip
    assert ("backbone.features.16.0.weight" if variant == "mobilenetv3" else "backbone.layer4.2.conv3.weight") in names
    # nothing besides: checkpoints load strictly
    assert not [n for n in names if n.split(".")[0] not in ("backbone", "aspp", "decoder", "project_mat", "project_seg", "refiner")]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("refiner", ["deep_guided_filter", "fast_guided_filter"])
def test_shapes_and_ranges(variant, refiner):
    network = random_network(variant, refiner)
    with torch.inference_mode():
        for shape, ratio in (((2, 3, 64, 96), 1.0), ((1, 2, 3, 65, 83), 1.0), ((1, 3, 130, 90), 0.5)):
            foreground, alpha, *memory = network(torch.rand(shape), downsample_ratio=ratio)
            assert foreground.shape == shape and alpha.shape == (*shape[:-3], 1, *shape[-2:])
            assert float(alpha.min()) >= 0 and float(alpha.max()) <= 1 and len(memory) == 4
            # finest first, each half as large as the one before, whole pixels for incomplete blocks
            sides = [m.shape[-1] for m in memory]
            assert all(b == -(-a // 2) for a, b in pairwise(sides))
            logits, *again = network(torch.rand(shape), *memory, downsample_ratio=ratio, segmentation_pass=True)
            assert logits.dim() == len(shape) and len(again) == 4


def test_frames_at_once_are_frames_one_after_the_other(network):
    clip = torch.rand(2, 4, 3, 64, 80)
    with torch.inference_mode():
        together = network(clip)
        memory, alphas = [None] * 4, []
        for n in range(4):
            _, alpha, *memory = network(clip[:, n], *memory)
            alphas.append(alpha)
        assert worst([together[1], *together[2:]], [torch.stack(alphas, 1), *memory]) < 1e-5
        # what was seen before has a say
        alone = network(clip[:, 3])[1]
        assert float((alone - alphas[3]).abs().max()) > 1e-3


def test_the_encoders_take_what_they_were_trained_with(network):
    """MobileNet's pictures are normalised within; ResNet's are not."""
    grey = torch.full((1, 3, 32, 32), 0.5)
    features = network.backbone.features
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    with torch.inference_mode():
        assert worst([network.backbone(grey)[0]], [features[1](features[0]((grey - mean) / std))]) < 1e-6
        resnet = random_network("resnet50")
        assert worst([resnet.backbone(grey)[0]], [torch.relu(resnet.backbone.bn1(resnet.backbone.conv1(grey)))]) < 1e-6


@pytest.mark.parametrize("variant", ["mobilenetv3", "resnet50"])
def test_folding_changes_nothing_but_the_time(variant):
    network, picture = random_network(variant), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        before = network(picture)
        after = folded(network)(picture)
    assert worst(before[:2], after[:2]) < 1e-3
    assert not [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]

"""Training with less memory: what the encoder computed is not kept for the way back, but computed again."""

from __future__ import annotations

import functools
import math

from torch import nn
from torch.utils.checkpoint import checkpoint

from vr180_ofx.matte.rvm.network import RvmNetwork


def recomputed(network: RvmNetwork) -> RvmNetwork:
    """``network``, whose encoder keeps nothing between forwards and backwards (Chen and others 2016, arXiv:1604.06174). In place.

    The encoder sees each batch twice, and so do its normalisations. Twice (1 - m') must be once (1 - m): their momentum is set to
    1 - sqrt(1 - m), and their statistics come out the same.
    """
    encoder = network.backbone
    for module in encoder.modules():
        if isinstance(module, nn.BatchNorm2d) and module.momentum is not None:
            module.momentum = 1 - math.sqrt(1 - module.momentum)
    encoder.forward = functools.partial(checkpoint, encoder.forward, use_reentrant=False)
    return network

"""RVM with random weights: of one network, and in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.matte.rvm.networks import random_network


@pytest.fixture(scope="module")
def network() -> Any:
    return random_network()


@pytest.fixture(scope="module")
def weights(network: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch = pytest.importorskip("torch", reason="the extra rvm is not installed")
    path = tmp_path_factory.mktemp("weights") / "rvm_mobilenetv3.pth"
    torch.save(network.state_dict(), path)
    return path

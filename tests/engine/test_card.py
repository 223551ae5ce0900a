import shutil
import subprocess
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import DEMO
from vr180_ofx.engine.card import MOST_DIFFERENCE, Card, Trial, card, trial
from vr180_ofx.imaging.half import half

torch = pytest.importorskip("torch", reason="PyTorch is not installed")


def test_a_way_that_comes_out_right():
    done = trial(DEMO, "cpu")
    assert done.ok and 0 < done.difference < MOST_DIFFERENCE and not done.decoded and done.ms > 0
    assert done.describe().startswith("right: decoded by the CPU")


def test_a_way_that_comes_out_wrong_is_told(monkeypatch):
    # a kernel that gives something else than it should, on tensors alone
    wrong = "vr180_ofx.engine.card.half"
    monkeypatch.setattr(wrong, lambda values: half(values if isinstance(values, np.ndarray) else values * 0.9))
    done = trial(DEMO, "cpu")
    assert not done.ok and "WRONG" in done.describe() and "hardware.device=cpu" in done.describe()
    assert not Trial(float("nan"), decoded=True, ms=1.0).ok


def test_what_a_card_gives(monkeypatch):
    """What is asked of PyTorch and of nvidia-smi; a card itself is not here."""
    asked = []

    def answering(answer):
        def answer_to(device):
            asked.append(device)
            return answer

        return answer_to

    for name, answer in (("mem_get_info", (70 * 2**30, 80 * 2**30)), ("get_device_name", "H100"), ("get_device_capability", (9, 0))):
        monkeypatch.setattr(torch.cuda, name, answering(answer))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    monkeypatch.setattr(shutil, "which", lambda name: "/bin/nvidia-smi")
    monkeypatch.setattr(subprocess, "run", lambda *a, **k: SimpleNamespace(stdout="555.42\n"))
    found = card("cuda:1")
    assert found == Card("H100", 80, 70, (9, 0), True, "555.42") and set(asked) == {"cuda:1"}
    assert found.describe() == "H100, 80 GiB (70 free), compute capability 9.0, bfloat16, driver 555.42"

    def failing(*a, **k):
        raise subprocess.TimeoutExpired("nvidia-smi", 10)

    monkeypatch.setattr(subprocess, "run", failing)
    assert card("cuda:1").driver == ""


@pytest.mark.cuda
def test_a_card_that_is_here():
    done = trial(DEMO, "cuda:0")
    assert done.ok, done.describe()
    assert card("cuda:0").memory_gib > 1

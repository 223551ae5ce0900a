"""Which device networks run on, and in which precision."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings
from vr180_ofx.weights.inference import multiplies_bfloat16

#: Where Linux has none of these (NVIDIA's, AMD's, Windows' for its guests), PyTorch need not be asked: loading it takes two seconds.
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def pick_device(settings: Settings) -> str:
    """What ``hardware.device`` means here. Raises SettingsError when it names what is not there."""
    wanted = settings.hardware.device
    if wanted == "cpu" or importlib.util.find_spec("torch") is None:
        if wanted not in ("auto", "cpu"):
            raise SettingsError(f"hardware.device is {wanted}, and PyTorch is not installed; install: pip install 'vr180-ofx[sam2]'")
        return "cpu"
    if wanted == "auto" and sys.platform == "linux" and not any(Path(p).exists() for p in _DRIVERS):
        return "cpu"
    import torch

    count = torch.cuda.device_count()
    if wanted == "auto":
        return "cuda" if count else "cpu"
    if wanted.startswith("cuda"):
        number = int(wanted.partition(":")[2] or 0)
        if number >= count:
            there = f"this machine has {count} CUDA devices" if count else "PyTorch sees no CUDA device here"
            raise SettingsError(f"hardware.device is {wanted}; {there}. Use auto or cpu")
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("hardware.device is mps, which this machine does not have. Use auto or cpu")
    return wanted


def where(settings: Settings) -> tuple[str, str]:
    """(device, precision) for networks that are no trackers."""
    device = pick_device(settings)
    if not settings.matting.fp16:
        return device, "float32"
    if device == "cpu":
        # half of the time was measured with AMX, and from 0.6 to 0.8 with AVX512_BF16. Elsewhere it gains little or nothing
        return device, "bfloat16" if multiplies_bfloat16() else "float32"
    return device, precision_of(device)


def precision_of(device: str) -> str:
    """What a GPU computes in: bfloat16 where it has it, because float16 overflows in long sums."""
    if not device.startswith("cuda"):
        return "float32"
    import torch

    return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"

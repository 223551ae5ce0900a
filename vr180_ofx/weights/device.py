"""Which device networks run on, and in which precision."""

from __future__ import annotations

import importlib.util
import os
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import Settings
from vr180_ofx.weights.inference import multiplies_bfloat16

#: Where Linux has none of these (NVIDIA's, AMD's, Windows' for its guests), PyTorch need not be asked: loading it takes two seconds.
_DRIVERS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
PRECISIONS = ("float32", "float16", "bfloat16")
RUNTIMES = ("openvino", "pytorch")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a network runs, how it multiplies, and by which library.

    device: as PyTorch names it, with the number of a CUDA device: cpu, cuda:0, mps. precision: float32, float16 or bfloat16.
    runtime: openvino, which compiles for the CPU, or pytorch. compiled: PyTorch compiles what it can (``hardware.compile``).
    rehearsed: the CPU does as a graphics card would, for tests: batches are filled up, and steps replayed.
    """

    device: str = "cpu"
    precision: str = "float32"
    runtime: str = "openvino"
    compiled: bool = False
    rehearsed: bool = False

    def __post_init__(self) -> None:
        if self.device == "cuda":
            # PyTorch's limit of memory takes none without
            raise ValueError("device is 'cuda'; a CUDA device is named with its number, such as cuda:0")
        if self.precision not in PRECISIONS:
            raise ValueError(f"precision is {self.precision!r}; allowed are {', '.join(PRECISIONS)}")
        if self.runtime not in RUNTIMES:
            raise ValueError(f"runtime is {self.runtime!r}; allowed are {', '.join(RUNTIMES)}")
        if self.runtime == "openvino" and self.device != "cpu":
            raise ValueError(f"device is {self.device!r}, and OpenVINO runs networks on the CPU alone")

    @property
    def kind(self) -> str:
        """The device without its number, on which results do not depend: cpu, cuda, mps."""
        return self.device.partition(":")[0]

    def in_pytorch(self) -> Placement:
        """For what cannot be compiled."""
        return replace(self, runtime="pytorch")


class Machine:
    """Where networks can run here, as settings allow. Asked once, and only when somebody needs to know: PyTorch takes two seconds to
    load.

    device: as in ``hardware.device``. half: whether half precision may be used where it is quicker. compiled: as in ``hardware.compile``.
    """

    def __init__(self, device: str = "auto", *, half: bool = True, compiled: bool = False) -> None:
        self._wanted = device
        self._half = half
        self._compiled = compiled

    @classmethod
    def of(cls, settings: Settings) -> Machine:
        hardware = settings.hardware
        return cls(hardware.device, half=settings.matting.fp16, compiled=hardware.compile)

    @cached_property
    def device(self) -> str:
        """What ``hardware.device`` means here: cpu, cuda:0, mps. Raises SettingsError when it names what is not there."""
        return _pick(self._wanted)

    @cached_property
    def pictures(self) -> str | None:
        """Where pictures, and what is made of them, lie: a CUDA device, as PyTorch's tensors; None: in the CPU's memory, as NumPy's arrays.

        MPS has no numbers of 64 bits and little of 16, so its pictures stay with the CPU. The environment variable VR180_OFX_TENSORS=1
        makes them tensors on the CPU: how what is done on a graphics card is tested without one.
        """
        if self.device.startswith("cuda"):
            return self.device
        tensors = os.environ.get("VR180_OFX_TENSORS") == "1" and importlib.util.find_spec("torch") is not None
        return "cpu" if tensors else None

    @property
    def _rehearsed(self) -> bool:
        return self.pictures == "cpu"

    def embedded(self) -> Placement:
        """The CPU: of small networks."""
        return Placement()

    def in_full(self) -> Placement:
        """The device, in float32."""
        return Placement(self.device, runtime="pytorch")

    def on_device(self) -> Placement:
        """The device, in half precision where that is a GPU."""
        precision = _precision_of(self.device) if self._half else "float32"
        return Placement(self.device, precision, "pytorch", compiled=self._compiled, rehearsed=self._rehearsed)

    def at_best(self) -> Placement:
        """As `on_device`; CPUs compute in half precision, too, where they multiply it: with AMX half of the time was measured, and 0.6
        to 0.8 of it with AVX512_BF16. Elsewhere it gains little or nothing.
        """
        if self.device != "cpu" or self._rehearsed:
            return self.on_device()
        return Placement("cpu", "bfloat16" if self._half and multiplies_bfloat16() else "float32")


def _pick(wanted: str) -> str:
    if wanted == "cpu" or importlib.util.find_spec("torch") is None:
        if wanted not in ("auto", "cpu"):
            raise SettingsError(f"hardware.device is {wanted}, and PyTorch is not installed; install: pip install 'vr180-ofx[sam2]'")
        return "cpu"
    if wanted == "auto" and sys.platform == "linux" and not any(Path(p).exists() for p in _DRIVERS):
        return "cpu"
    import torch

    count = torch.cuda.device_count()
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    if wanted.startswith("cuda"):
        number = int(wanted.partition(":")[2] or 0)
        if number >= count:
            there = f"this machine has {count} CUDA devices" if count else "PyTorch sees no CUDA device here"
            raise SettingsError(f"hardware.device is {wanted}; {there}. Use auto or cpu")
        return f"cuda:{number}"
    if wanted == "mps" and not torch.backends.mps.is_available():
        raise SettingsError("hardware.device is mps, which this machine does not have. Use auto or cpu")
    return wanted


def _precision_of(device: str) -> str:
    """What a GPU computes in: bfloat16 where it has it, because float16 overflows in long sums."""
    if not device.startswith("cuda"):
        return "float32"
    import torch

    # `is_bf16_supported` asks the card that is current, and takes one for able that only imitates it. NVIDIA's have it from Ampere on; of
    # AMD's all that PyTorch is built for, and their numbers are larger
    return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"

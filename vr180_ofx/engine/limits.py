"""Staying within the memory that is allowed: what is given up first, and saying so."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from vr180_ofx.errors import DeviceLostError, ResourceError, SettingsError, Vr180Error
from vr180_ofx.settings import Settings
from vr180_ofx.settings.machine import HardwareSettings
from vr180_ofx.telemetry import free_bytes, resident_bytes

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryParameters:
    """How memory is divided, and when something is given up.

    full_share: of the limit; above it something is given up. The rest is room for the frame that is being made; chosen, not measured.
    least_free_bytes: with less than this left on the machine caches and batches go, whoever uses it; but never resolution, which is not
        given back when others are done.
    cache_share: of what may be had, for finished frames and for checkpoints each: most of it is for decoding and networks; chosen.
    window_bytes: what SAM 2 holds at its peak for each window of 1024 pixels, in float32: 0.6 GB were measured, 0.2 of 512 pixels, of
        any of its networks.
    weights_bytes: what its weights, and PyTorch's code, take in all.
    surfaces: frames of 4:2:0 in 16 bits that a card's decoder holds: up to 16 that others refer to (so H.264 and HEVC allow), and some that
        are under way.
    context_bytes: what CUDA takes for itself and its libraries on a card; chosen, not measured.
    least_share: of hardware.max_vram_gb that has to be left for PyTorch beside these; chosen.
    """

    full_share: float = 0.92
    least_free_bytes: float = 384 * 2**20
    cache_share: float = 0.125
    window_bytes: float = 0.75 * 2**30
    weights_bytes: float = 1.5 * 2**30
    surfaces: int = 24
    context_bytes: float = 0.5 * 2**30
    least_share: float = 0.25


#: What is in use. It decides no pixel but by `fitting`, which is part of what SAM 2 says of itself.
MEMORY = MemoryParameters()


@dataclass(frozen=True, slots=True)
class Level:
    """How much is given up. cache: share of the caches that is kept. batch: windows worked on at once, 0 for all.

    shrink: the mattes are made at the resolution divided by it, and enlarged.
    """

    name: str
    cache: float = 1.0
    batch: int = 0
    shrink: int = 1


LEVELS = (
    Level("none"),
    Level("chunks: little of them is kept", 0.1),
    Level("chunks, batch of 1", 0.0, 1),
    Level("chunks, batch of 1, scale 0.5", 0.0, 1, 2),
    Level("chunks, batch of 1, scale 0.25", 0.0, 1, 4),
)


class Ladder:
    """Steps down when memory runs short: first what is kept of chunks, then how much is done at once, then resolution.

    limit_bytes: what the process may hold. used, free: say how much that is, and how much the machine has left.

    It never steps up again: a clip whose frames change between qualities is worse than one that is a little less sharp from some frame on.
    """

    def __init__(self, limit_bytes: float, used: Callable[[], int] = resident_bytes, free: Callable[[], int] = free_bytes) -> None:
        self.limit = limit_bytes
        self._used = used
        self._free = free
        self.number = 0

    @property
    def level(self) -> Level:
        return LEVELS[self.number]

    def check(self) -> None:
        """Looks at the memory, and takes a step when it runs short.

        Raises ResourceError when nothing is left to give up and the limit is passed.
        """
        used = self._used()
        if used <= MEMORY.full_share * self.limit:
            if self.number + 1 < len(LEVELS) and LEVELS[self.number + 1].shrink == 1 and (free := self._free()) < MEMORY.least_free_bytes:
                self.down(f"the machine, or this container, has {free / 2**20:.0f} MB left")
            return
        if self.number + 1 < len(LEVELS):
            self.down(f"{used / 2**30:.2f} GB are in use of {self.limit / 2**30:.2f} (processing.max_memory_gb)")
        elif used > self.limit:
            raise ResourceError(
                f"{used / 2**30:.2f} GB are in use, and processing.max_memory_gb allows {self.limit / 2**30:.2f}, although everything that "
                "can be given up was: caches, batches and resolution. Allow more, or close other programs"
            )

    def down(self, why: str) -> None:
        """One step, for a reason. Raises ResourceError when there is none left."""
        if self.number + 1 >= len(LEVELS):
            raise ResourceError(f"out of memory: {why}. Caches, batches and resolution were given up already")
        self.number += 1
        log.warning("memory runs short: %s. Now: %s", why, self.level.name)


def cache_budget(limit_bytes: float) -> int:
    """Bytes for a cache, of what may be had: a small machine, or a busy one, keeps less. limit_bytes: what the process may hold."""
    return int(min(limit_bytes, resident_bytes() + free_bytes()) * MEMORY.cache_share)


def shortage(error: BaseException) -> str:
    """What an error says of memory that ran short; empty when it is another one."""
    if isinstance(error, MemoryError):
        return str(error) or "an allocation failed"
    # PyTorch's own: not a MemoryError
    return str(error).splitlines()[0] if type(error).__name__ == "OutOfMemoryError" else ""


def explained(error: BaseException) -> BaseException:
    """An error as it is told to whoever asked for a frame: of a device that is lost it is said what that means.

    What CUDA calls a sticky error (an illegal access, a card that fell off the bus, a driver that was reset) ends the device's use by
    this process: each call after it fails, too.
    """
    first = str(error).strip().partition("\n")[0]
    sticky = type(error).__name__ == "AcceleratorError" or (
        isinstance(error, RuntimeError) and ("CUDA error" in first or "HIP error" in first)
    )
    if not sticky or isinstance(error, Vr180Error):
        return error
    return DeviceLostError(
        f"the graphics card cannot be used any more by this process: {first}. What was written is whole and kept: run the same command "
        "again, and it goes on; if this comes again, update the driver, look at `nvidia-smi`, or use hardware.device=cpu"
    )


def give_back() -> None:
    """Returns memory that nobody uses to the system (glibc keeps it otherwise)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def fitting(size: int, room: float) -> int:
    """How many windows of ``size`` pixels SAM 2 can see at once in ``room`` bytes: a power of two, so that a little more or less makes no
    difference, because other batches are other sums and other last bits.
    """
    need = MEMORY.window_bytes * (size / 1024) ** 1.5
    return 1 << max(0, min(4, int(math.log2(max(1.0, room / need)))))


def room_for_batches(settings: Settings, device: str) -> float:
    """Bytes that SAM 2 may have for batches: on the CPU now; on a graphics card of what it has in all, so that batches, and with them the
    last bits, do not depend on what others hold there at this moment.
    """
    if device.startswith("cuda"):
        import torch

        total = float(torch.cuda.get_device_properties(device).total_memory)
        return min(settings.hardware.max_vram_gb * 2**30, total) - MEMORY.weights_bytes
    return min(settings.processing.max_memory_gb * 2**30 - resident_bytes(), float(free_bytes())) - MEMORY.weights_bytes


def hold_pytorch(hardware: HardwareSettings, device: str, beside: float = 0) -> None:
    """Holds PyTorch to the threads and the memory of the settings; what does not fit raises, and the engine steps down.

    device: with its number. beside: bytes of a card that others of this process take, see `decoder_bytes`. What graphs of networks need is
    PyTorch's own. Raises SettingsError when less than a share is left for PyTorch.
    """
    import torch

    if hardware.threads:
        torch.set_num_threads(hardware.threads)
    if device.startswith("cuda"):
        total = torch.cuda.get_device_properties(device).total_memory
        allowed = min(hardware.max_vram_gb * 2**30, total) - beside
        if allowed < MEMORY.least_share * hardware.max_vram_gb * 2**30:
            raise SettingsError(
                f"hardware.max_vram_gb is {hardware.max_vram_gb:g}, and decoding on the card takes {beside / 2**30:.1f} GB of it; allow "
                "more, or use hardware.decoder=cpu"
            )
        torch.cuda.set_per_process_memory_fraction(allowed / total, device)


def decoder_bytes(pixels: int, hardware: HardwareSettings, device: str | None) -> float:
    """Memory of a card that its decoder, and CUDA itself, take beside PyTorch. pixels: of a frame. device: where pictures are."""
    if device is None or not device.startswith("cuda"):
        return 0
    surfaces = MEMORY.surfaces * pixels * 1.5 * 2 if hardware.decodes_on_gpu(device) else 0
    return MEMORY.context_bytes + surfaces

"""How fast the variants of RVM are here: frames a second, latency and memory, over sizes and precisions.

Each row is measured in a process of its own: what one needs of memory is not hidden by what another one left, and one that does not fit
is a row that says so.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from vr180_ofx.errors import SettingsError

RUNTIMES = ("pytorch", "openvino")
DTYPES = ("float32", "bfloat16", "float16")
#: Steps that are not measured: libraries choose their kernels in the first ones.
_WARM_UP = 3
#: Until so many seconds are over and so many steps are made, whichever is later, a row is measured.
_SECONDS, _STEPS = 2.0, 5
_FORGET, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured.

    height, width: of the picture, multiples of 16. downsample: of the picture that the network sees. threads: on CPUs.
    """

    variant: str
    height: int
    width: int
    dtype: str = "float32"
    device: str = "cpu"
    runtime: str = "pytorch"
    downsample: float = 1.0
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Measured:
    """latency_ms: the median of steps of one frame each, each of which goes on from the one before. fps: its inverse.

    memory_mb: on CPUs the most that the process held beyond what it held before the network was there (where systems do not tell, what it
    holds in the end); on CUDA what was allocated at most.
    parameters: at use. error: why there are no numbers.
    """

    case: Case
    fps: float = 0.0
    latency_ms: float = 0.0
    slowest_ms: float = 0.0
    memory_mb: float = 0.0
    parameters: int = 0
    steps: int = 0
    error: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self.case) | {k: v for k, v in asdict(self).items() if k != "case"}


def check(case: Case) -> None:
    """Raises SettingsError where there is nothing to measure."""
    from vr180_ofx.matte.rvm.weights_file import VARIANTS

    for name, value, allowed in (
        ("variant", case.variant, VARIANTS), ("dtype", case.dtype, DTYPES), ("runtime", case.runtime, RUNTIMES),
    ):  # fmt: skip
        if value not in allowed:
            raise SettingsError(f"the {name} is {value!r}; allowed are {', '.join(allowed)}")
    if min(case.height, case.width) < 32 or case.height % 16 or case.width % 16:
        raise SettingsError(f"the size is {case.width}x{case.height}; both sides are multiples of 16 from 32 on")
    if not 0 < case.downsample <= 1:
        raise SettingsError(f"downsample is {case.downsample}; it is above 0 and at most 1")
    if case.runtime == "openvino" and (case.device != "cpu" or case.dtype == "float16" or case.downsample != 1):
        raise SettingsError("OpenVINO is measured on the CPU, in float32 or bfloat16, of pictures that the network sees as they are")


def measure_all(cases: Sequence[Case]) -> Iterator[Measured]:
    """One row after the other, so that they do not take each other's time. Raises SettingsError before anything is measured."""
    for case in cases:
        check(case)
    for case in cases:
        yield _apart(case)


def _apart(case: Case) -> Measured:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_in_process, args=(case, there), daemon=True)
    process.start()
    there.close()
    try:
        answer: Measured = here.recv()
        return answer
    except EOFError:
        process.join()
        return Measured(case, error=f"the process ended with status {process.exitcode}: it may have been out of memory")
    finally:
        here.close()
        if process.is_alive() and sys.exc_info()[0] is not None:
            process.terminate()
        process.join()


def _in_process(case: Case, answer: Connection) -> None:
    # Ctrl+C is for the one who waits, and who ends this one
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # threads of libraries are counted when they are loaded
    os.environ["OMP_NUM_THREADS"] = str(case.threads)
    try:
        answer.send(measure(case))
    except (RuntimeError, MemoryError) as error:
        # what PyTorch raises on a card that is full, too
        answer.send(Measured(case, error=str(error).splitlines()[0][:200] if str(error) else type(error).__name__))


def measure(case: Case) -> Measured:
    """In this process, with random weights: their values change no times."""
    import torch

    from vr180_ofx.matte.rvm.mobileone import reparameterize_model
    from vr180_ofx.matte.rvm.network import RvmNetwork, folded

    check(case)
    torch.set_num_threads(case.threads)
    torch.manual_seed(0)
    held = _Held()
    with torch.inference_mode():
        network: Any = reparameterize_model(RvmNetwork(case.variant).eval())  # type: ignore[arg-type]
        parameters = sum(p.numel() for p in network.parameters())
        if case.runtime == "openvino":
            step = _compiled(case, network)
        else:
            network = folded(network).to(case.device, getattr(torch, case.dtype), memory_format=torch.channels_last)  # type: ignore[call-overload]
            step = _module(case, network)
        if case.device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(case.device)
        for _ in range(_WARM_UP):
            step()
        times = _cuda_times(step) if case.device.startswith("cuda") else _times(step)
    most = torch.cuda.max_memory_allocated(case.device) if case.device.startswith("cuda") else held.most()
    median = statistics.median(times)
    return Measured(case, 1000 / median, median, max(times), most / 1e6, parameters, len(times))


def _module(case: Case, network: Any) -> Callable[[], None]:
    import torch

    picture = torch.rand(1, 3, case.height, case.width, device=case.device).to(getattr(torch, case.dtype))
    picture = picture.contiguous(memory_format=torch.channels_last)
    memory: list[Any] = [None] * 4

    def step() -> None:
        memory[:] = network(picture, *memory, downsample_ratio=case.downsample)[2:]

    return step


def _compiled(case: Case, network: Any) -> Callable[[], None]:
    """As the program runs it on CPUs: compiled, with memory of halves."""
    import numpy as np

    from vr180_ofx.matte.rvm.trace import traced
    from vr180_ofx.weights.inference import Compiled, openvino

    xml, constants = traced(network)
    ov = openvino()
    held = np.frombuffer(constants, np.uint8).copy()
    ready = Compiled(ov.Core().read_model(xml, ov.Tensor(held)), case.dtype, case.threads)
    picture = np.random.default_rng(0).random((1, 3, case.height, case.width), np.float32)
    channels = [getattr(network.decoder, f"decode{k}").gru.channels for k in (1, 2, 3, 4)]
    memory: list[Any] = [
        np.zeros((1, count, -(-case.height >> k), -(-case.width >> k)), np.float16) for k, count in enumerate(channels, start=1)
    ]

    def step() -> None:
        # the constants live as long as this does
        memory[:] = ready([picture, *memory])[1:] if held.size else []

    return step


def _times(step: Callable[[], None]) -> list[float]:
    """Milliseconds of each step."""
    times: list[float] = []
    while len(times) < _STEPS or sum(times) < 1000 * _SECONDS:
        begin = time.perf_counter()
        step()
        times.append(1000 * (time.perf_counter() - begin))
    return times


def _cuda_times(step: Callable[[], None]) -> list[float]:
    """By the card's own clock: what waits for what on the CPU does not count."""
    import torch

    times: list[float] = []
    while len(times) < _STEPS or sum(times) < 1000 * _SECONDS:
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
        begin.record()
        step()
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return times


class _Held:
    """What this process holds at most from here on, beyond what it holds now; in bytes."""

    def __init__(self) -> None:
        import psutil

        self._before = int(psutil.Process().memory_info().rss)
        self._can_forget = False
        if _FORGET.exists():
            # Linux forgets the most that was held (proc(5)): loading libraries takes more than a small network
            with contextlib.suppress(OSError):
                _FORGET.write_text("5")
                self._can_forget = True

    def most(self) -> int:
        if self._can_forget:
            (line,) = (line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
            return max(0, 1024 * int(line.split()[1]) - self._before)
        import psutil

        info = psutil.Process().memory_info()
        return max(0, int(getattr(info, "peak_wset", info.rss)) - self._before)

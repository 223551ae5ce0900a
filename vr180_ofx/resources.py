"""What the machine gives while something runs: CPU, memory, and of NVIDIA cards load, memory, temperature and power.

By psutil and NVIDIA's own library, which is asked and says no where there is no card.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
import pynvml

_PERIOD_S = 0.5


@dataclass(frozen=True, slots=True)
class Gpu:
    """One card. load: 0..100. memory: bytes that are in use and there are. temperature_c, power_w: None where the card does not say."""

    name: str
    load: float
    memory_used: int
    memory_total: int
    temperature_c: float | None
    power_w: float | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment. seconds: since the monitor began. cpu: percent of one core, of this process; resident: its bytes. memory_free: bytes of the
    machine that are free. temperature_c: the CPU's, None where the machine does not say.
    """

    seconds: float
    cpu: float
    resident: int
    memory_free: int
    temperature_c: float | None
    gpus: tuple[Gpu, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def describe(self) -> str:
        """A few words for a progress view."""
        words = [f"CPU {self.cpu / (os.cpu_count() or 1):.0f} %", f"{self.resident / 2**30:.1f} GB"]
        for gpu in self.gpus:
            more = [f"GPU {gpu.load:.0f} %", f"{gpu.memory_used / 2**30:.1f} GB"]
            more += [f"{gpu.temperature_c:.0f} °C"] if gpu.temperature_c is not None else []
            more += [f"{gpu.power_w:.0f} W"] if gpu.power_w is not None else []
            words += more
        return " · ".join(words)


class Cards:
    """NVIDIA's cards, or none."""

    def __init__(self) -> None:
        self._handles: list[Any] = []
        # without a driver there is no card
        with contextlib.suppress(pynvml.NVMLError):
            pynvml.nvmlInit()
            self._handles = [pynvml.nvmlDeviceGetHandleByIndex(k) for k in range(pynvml.nvmlDeviceGetCount())]

    def look(self) -> tuple[Gpu, ...]:
        return tuple(g for g in map(self._one, self._handles) if g is not None)

    def _one(self, handle: Any) -> Gpu | None:
        try:
            memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
            name = pynvml.nvmlDeviceGetName(handle)
            load = float(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except pynvml.NVMLError:
            return None
        temperature = power = None
        with contextlib.suppress(pynvml.NVMLError):
            temperature = float(pynvml.nvmlDeviceGetTemperature(handle, pynvml.NVML_TEMPERATURE_GPU))
        with contextlib.suppress(pynvml.NVMLError):
            power = pynvml.nvmlDeviceGetPowerUsage(handle) / 1000
        return Gpu(name if isinstance(name, str) else name.decode(), load, int(memory.used), int(memory.total), temperature, power)


class Monitor:
    """Looks every half second, on a thread of its own. Use as a context manager.

    log: a file that gets a line of JSON for each look.
    """

    def __init__(self, log: Path | None = None, period_s: float = _PERIOD_S) -> None:
        self._process = psutil.Process()
        self._cards = Cards()
        self._start = time.perf_counter()
        self._period = period_s
        self._log = log
        self._end = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._history: list[Snapshot] = []
        self._count = 0
        self._peak: dict[str, float] = {}
        self._sum: dict[str, float] = {}
        self._process.cpu_percent(None)

    def __enter__(self) -> Monitor:
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        self._take()

    def look(self) -> Snapshot:
        """The machine now."""
        gpus = self._cards.look()
        with self._process.oneshot():
            cpu, resident = self._process.cpu_percent(None), int(self._process.memory_info().rss)
        return Snapshot(
            round(time.perf_counter() - self._start, 3), cpu, resident, int(psutil.virtual_memory().available), _cpu_temperature(), gpus
        )

    @property
    def newest(self) -> Snapshot | None:
        with self._lock:
            return self._history[-1] if self._history else None

    @property
    def history(self) -> list[Snapshot]:
        """What was seen, evenly thinned out when it becomes long."""
        with self._lock:
            return list(self._history)

    def summary(self) -> dict[str, Any]:
        """Means and peaks; what no card said is left out."""
        with self._lock:
            if not self._count:
                return {}
            out = {f"{k}_mean": round(v / self._count, 3) for k, v in self._sum.items()}
            return out | {f"{k}_peak": round(v, 3) for k, v in self._peak.items()} | {"cores": os.cpu_count() or 1, "looks": self._count}

    def _run(self) -> None:
        while not self._end.wait(self._period):
            self._take()

    def _take(self) -> None:
        now = self.look()
        figures = {"cpu_percent": now.cpu, "resident_gb": now.resident / 2**30}
        for k, gpu in enumerate(now.gpus):
            figures |= {f"gpu{k}_percent": gpu.load, f"gpu{k}_memory_gb": gpu.memory_used / 2**30}
            if gpu.temperature_c is not None:
                figures[f"gpu{k}_celsius"] = gpu.temperature_c
            if gpu.power_w is not None:
                figures[f"gpu{k}_watts"] = gpu.power_w
        with self._lock:
            self._count += 1
            self._history.append(now)
            if len(self._history) > 8192:
                self._history = self._history[::2]
            for name, value in figures.items():
                self._sum[name] = self._sum.get(name, 0.0) + value
                self._peak[name] = max(self._peak.get(name, value), value)
        if self._log is not None:
            # a log that cannot be written is no reason to end a render
            with contextlib.suppress(OSError), open(self._log, "a", encoding="utf-8") as stream:
                stream.write(json.dumps(now.to_dict()) + "\n")


def _cpu_temperature() -> float | None:
    read = getattr(psutil, "sensors_temperatures", None)
    if read is None:
        return None
    with contextlib.suppress(OSError, ValueError):
        for sensors in read().values():
            for sensor in sensors:
                if sensor.current:
                    return float(sensor.current)
    return None

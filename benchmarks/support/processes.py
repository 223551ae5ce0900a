"""How a process ended, and how much memory it wanted."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

#: How often a process's memory is looked at, in seconds.
_EVERY_S = 0.02


def peak_mb(pid: int) -> float:
    """The most memory that a running process had resident, in MB; 0 when it is not there any more.

    Not ``ru_maxrss``: there counts what the process that started it had, since a child begins in its parent's memory.
    """
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def ended(process: subprocess.Popen[bytes], timeout_s: float) -> tuple[bool, float]:
    """Waits for a process, and kills it after ``timeout_s``. Returns (whether it had to be killed, its peak in MB)."""
    end, peak = time.monotonic() + timeout_s, 0.0
    while process.poll() is None:
        peak = max(peak, peak_mb(process.pid))
        if time.monotonic() > end:
            process.kill()
            process.wait()
            return True, peak
        time.sleep(_EVERY_S)
    return False, peak

"""Signals that ask a command to end. A library that is being loaded makes an error of its own of one: so they are remembered, too."""

from __future__ import annotations

import contextlib
import signal
from typing import Any

_came: list[int] = []


def watch_interrupts() -> None:
    """From now on SIGTERM and Ctrl+C raise KeyboardInterrupt, and `interrupts` tells of them; earlier ones are forgotten."""
    with contextlib.suppress(ValueError):  # not the main thread
        signal.signal(signal.SIGTERM, _interrupt)
        if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
            # see cli.start
            signal.signal(signal.SIGINT, _interrupt)
    _came.clear()


def interrupts() -> bool:
    """Whether a signal came since the command began."""
    return bool(_came)


def _interrupt(number: int, *_: Any) -> None:
    _came.append(number)
    raise KeyboardInterrupt

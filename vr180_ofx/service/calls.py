"""What all routes work on, and how they call the engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import Path
from starlette.concurrency import run_in_threadpool

from vr180_ofx.errors import ServiceError, Vr180Error, statuses_of
from vr180_ofx.resources import Monitor
from vr180_ofx.service.access import Roots
from vr180_ofx.service.sessions import Sessions
from vr180_ofx.settings import Settings

ClipId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="From POST /v1/clips.")]
T = TypeVar("T")


class Service:
    """What the routes work on. closing: whether the server is about to end. machine: what it is asked about the machine."""

    def __init__(self, settings: Settings, roots: Roots) -> None:
        self.sessions = Sessions(settings, roots)
        self.closing = False
        self.machine = Monitor()
        self.used = time.monotonic()

    def touched(self) -> None:
        """Somebody asked for something."""
        self.used = time.monotonic()

    @property
    def idle_s(self) -> float:
        """For how long nobody has asked, and nothing has been worked on."""
        if any(not job.ended for job in self.sessions.jobs.all()):
            self.touched()
        return time.monotonic() - self.used


async def engine(function: Callable[..., T], *arguments: Any) -> T:
    """Calls the engine on a thread. What it has to say to people becomes a problem document."""
    try:
        return await run_in_threadpool(function, *arguments)
    except (Vr180Error, asyncio.CancelledError):
        raise
    except Exception as error:
        raise translated(error) from error


def translated(error: Exception) -> Exception:
    """What the operating system says, as an answer; a bug stays what it is."""
    statuses = statuses_of(error)
    if statuses is None:
        return error
    text = error.strerror if isinstance(error, OSError) else None
    return ServiceError(statuses.http, text or str(error) or type(error).__name__)

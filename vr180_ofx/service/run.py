"""Running the service: a port, a token, a file that says where it is, and an end that loses nothing."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import uvicorn

from vr180_ofx.client import is_host
from vr180_ofx.errors import PortError
from vr180_ofx.media.files import confine
from vr180_ofx.service.access import Roots, is_loopback
from vr180_ofx.service.app import make_app
from vr180_ofx.service.calls import Service
from vr180_ofx.service.connections import Crowd, raise_descriptors
from vr180_ofx.service.records import Record, recorded
from vr180_ofx.service.tokens import token_for
from vr180_ofx.settings import Settings
from vr180_ofx.version import __version__

log = logging.getLogger(__name__)
#: What requests that are being answered are given when the server ends. Frames and analyses that are waited for are answered at once.
_GRACE_S = 5
#: What threads are given that go on after all was closed: edits of long plans, files on a drive that hangs.
_LINGER_S = 3.0
#: A frame of 3072x3072 halves is 19 MB: larger pieces are fewer wake-ups.
_SEND_BUFFER = 4 << 20


def serve(
    settings: Settings, roots: Sequence[str | Path], said: Callable[[str, Path], None], announce: Path | None = None,
    idle_exit_s: float | None = None,
) -> None:  # fmt: skip
    """Runs until SIGINT or SIGTERM. said: called with the address and the token's file once requests are taken.

    announce: where a file with address and process is kept while the server runs; by default in the cache folder.
    idle_exit_s: it ends when for so long there has been no reason to stay, see `service.attendance.Attendance`.
    Raises PortError when the port is taken, SettingsError when the token file cannot be used.
    """
    service = settings.service
    listening = _listen(service.host, service.port)
    host, port = listening.getsockname()[:2]
    # where it listens everywhere, this is where to find it from here
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if not is_loopback(service.host):
        log.warning(
            "service.host is %s: other machines can reach this server; whoever has the token can read what it may read", service.host
        )
    raise_descriptors()
    # whatever strangers send to the port is nothing to fill a log with
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    with listening, token_for(service.token_file, port) as (token, path):
        allowed = Roots(roots)
        # whatever libraries are given a path: they open no clip elsewhere
        confine(allowed.folders)
        app = make_app(settings, token, allowed)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=_GRACE_S, lifespan="on",
            timeout_keep_alive=75, http=Crowd().protocol(), ws="none",
        )  # fmt: skip
        server = _server(config, app.state.service)

        def leave() -> None:
            server.should_exit = True

        app.state.service.may_stop(leave, idle_exit_s)
        record = Record(address, str(path.absolute()), os.getpid(), __version__, 1, time.time(), socket.gethostname())
        with recorded(announce, record):
            said(address, path)
            if idle_exit_s is not None:
                threading.Thread(target=_end_when_idle, args=(app.state.service, idle_exit_s), name="idle", daemon=True).start()
            server.run(sockets=[listening])


def end_at_last(status: int = 0) -> None:
    """Ends the process soon, if it does not end by itself: call it when everything is closed, before the last return.

    Python waits for all threads at its end, also for those that nobody can stop. An edit of a long plan takes a minute, and a drive
    that hangs for ever; what they would write is whole or not there.
    """
    timer = threading.Timer(_LINGER_S, os._exit, (status,))
    timer.daemon = True
    timer.start()


def _end_when_idle(service: Service, idle_exit_s: float) -> None:
    while not service.closing:
        time.sleep(min(5.0, max(0.05, idle_exit_s / 10)))
        if service.attendance.idle_s > idle_exit_s:
            log.info("nobody has asked for anything for %g s", idle_exit_s)
            service.stop()


def _listen(host: str, port: int) -> socket.socket:
    if not is_host(host.lower()):
        # nothing at all would mean everywhere
        raise PortError(f"service.host is {host!r}; it is a name or an address such as 127.0.0.1 or ::1, without port and brackets")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # connections take it over from the socket that they came in by
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listening.bind((host, port))
        listening.listen(256)
    except OSError as error:
        listening.close()
        raise PortError(f"{host}:{port} cannot be listened on: {error.strerror}; choose another with --port, or 0 for any") from None
    return listening


def _server(config: Any, service: Any) -> Any:
    """Uvicorn's server with an end that suits us."""

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: Any) -> None:
            # streams of events end, jobs stop between two frames; a second signal does not wait for anybody
            service.end_soon()
            super().handle_exit(sig, frame)

        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """As the original, but the signal is not raised again afterwards: the program ends by itself, and well."""
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            before = {s: signal.signal(s, self.handle_exit) for s in (signal.SIGINT, signal.SIGTERM)}
            try:
                yield
            finally:
                for s, handler in before.items():
                    signal.signal(s, handler)

    return Server(config)

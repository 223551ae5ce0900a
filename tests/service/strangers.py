"""Programs that take a frame server's port, and keep what they are told."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
from collections.abc import Callable
from typing import Any

HEALTH = {"status": "ok", "name": "vr180-ofx", "version": "1.0.0", "api": 1}


class Stranger:
    """Answers at a port as if it were a frame server. heard: every byte that clients sent.

    proves: what it answers to the question for a proof: (status, document), made of the request; by default it knows nothing of proofs.
    """

    def __init__(self, port: int = 0, proves: Callable[[bytes], tuple[int, Any]] = lambda request: (404, {"detail": "Not Found"})) -> None:
        self.heard = b""
        self._proves = proves
        self._listener = socket.create_server(("127.0.0.1", port))
        self.port = int(self._listener.getsockname()[1])
        self.address = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Stranger:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                wire, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(wire,), daemon=True).start()

    def _serve(self, wire: socket.socket) -> None:
        with wire, contextlib.suppress(OSError):
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    data = wire.recv(65536)
                    if not data:
                        return
                    request += data
                    self.heard += data
                status, document = self._proves(request) if b"/v1/proof" in request else (200, HEALTH)
                body = json.dumps(document).encode()
                wire.sendall(b"HTTP/1.1 %d OK\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))


def passing_on(port: int, host: bytes | None = None) -> Callable[[bytes], tuple[int, Any]]:
    """Asks a live server at ``port`` and gives its answer as their own. host: what the Host header is changed to."""

    def proves(request: bytes) -> tuple[int, Any]:
        asked = request if host is None else re.sub(rb"(?i)\r\nHost: [^\r]*", b"\r\nHost: " + host, request)
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(asked.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            answer = b""
            while data := wire.recv(65536):
                answer += data
        head, _, body = answer.partition(b"\r\n\r\n")
        return int(head.split(b" ")[1]), json.loads(body)

    return proves

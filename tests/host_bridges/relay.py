"""A server's front door, which may be slammed: everything goes through, until the server is to die in the middle of an answer.

It knows the token, and proves it: a server's own proof is not good for another port.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any
from urllib.parse import urlsplit

from tests.host_bridges.proving import known_token, prove
from vr180_ofx.client import announce_path


class Relay:
    """Stands before the announced server of ``home``, and is announced in its place. killed: the process ids of servers that it ended."""

    def __init__(self, home: Any) -> None:
        self._home = home
        self._server = (str(urlsplit(home.note["address"]).hostname), int(urlsplit(home.note["address"]).port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._token = known_token()
        self._passed: int | None = None
        self.killed: list[int] = []
        self._part = b"/frames/"
        #: the first lines of all requests, and of their answers
        self.seen: list[tuple[str, str]] = []

    def __enter__(self) -> Relay:
        address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        announce_path().write_text(json.dumps({**self._home.note, "address": address}))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        # closing alone does not end an accept() that waits
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def kill_after(self, passed: int, part: bytes = b"/frames/") -> None:
        """The next answer to a request with ``part`` in it ends after so many bytes, and the server with it; the default: a picture."""
        self._passed, self._part = passed, part

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """One request and its answer: the plug-in asks for no more on one connection."""
        with client, contextlib.suppress(OSError), socket.create_connection(self._server) as server:
            prove(client, self._token, self._listener.getsockname()[1])
            request = client.recv(65536)
            server.sendall(request)
            if self._passed is None or self._part not in request:
                data = server.recv(65536)
                self.seen.append((request.split(b"\r\n")[0].decode(), data.split(b"\r\n")[0].decode()))
                while data:
                    client.sendall(data)
                    data = server.recv(65536)
                return
            # that it answers says that it has taken the request
            answer = server.recv(65536)
            while len(answer) < self._passed:
                data = server.recv(65536)
                assert data, f"the whole answer has {len(answer)} bytes"
                answer += data
            client.sendall(answer[: self._passed])
            # nobody is to come in any more, as after the server's own death
            self._close()
            self.killed.append(self._home.kill())

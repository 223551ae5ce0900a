"""The answer of servers of the tests' own to the question that comes before everything else."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

from vr180_ofx import client as c


def known_token() -> str:
    """That of the announced server, which whoever stands in for it has to know."""
    return Path(json.loads(c.announce_path().read_text())["token_file"]).read_text().strip()


def proof_body(request: str, token: str, port: int) -> bytes:
    """What is answered to ``GET /v1/proof?nonce=...`` by who knows the token."""
    found = re.search(r"nonce=([0-9a-f]{64})", request)
    assert found, request
    return json.dumps({"proof": c.proof(token, found[1], "127.0.0.1", port)}).encode()


def prove(wire: socket.socket, token: str, port: int) -> None:
    """Reads the question from a new connection, and answers it."""
    body = proof_body(wire.recv(65536).decode(), token, port)
    wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

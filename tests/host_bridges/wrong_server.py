"""Servers that do everything wrong: another program, garbage, cut-off answers, sizes that lie, documents without end."""

import contextlib
import http.server
import json
import random
import threading
import time

from tests.host_bridges.proving import proof_body

#: What a frame server says of an open clip.
FACTS = {
    "clip": "0123456789abcdef", "frames": 10, "views": ["left", "right"], "eye_size": [8, 8], "frame_size": [16, 8], "state": "ready",
}  # fmt: skip


class Wrong(http.server.BaseHTTPRequestHandler):
    """Something else that answers on the port. mode: what it does wrong. token: what it knows all the same."""

    protocol_version = "HTTP/1.1"
    mode = "other"
    token = "x" * 32

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        if self.mode == "garbage":
            self.request.recv(4096)
            self.request.sendall(b"\x00\xff" * 40_000)
            self.close_connection = True
            return
        super().handle_one_request()

    def do_GET(self):
        self.answer()

    do_POST = do_DELETE = do_GET

    def answer(self):
        if self.mode == "slow":
            time.sleep(30)
        if self.path.startswith("/v1/proof") and self.mode != "other":
            body = proof_body(self.path, self.token, self.connection.getsockname()[1])
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        health = {"status": "ok", "name": "vr180-ofx", "version": "1", "api": 1}
        body = json.dumps({"name": "other"} if self.mode == "other" else health if self.path == "/v1/health" else FACTS).encode()
        headers: dict[str, int | str] = {"Content-Length": len(body)}
        if "/frames/" in self.path:
            answers: dict[str, tuple[bytes, dict[str, int | str]]] = {
                "short": (b"\0" * 100, {"Content-Length": 256, "X-Width": 16, "X-Height": 8}),
                "small": (b"\0" * 100, {"Content-Length": 100, "X-Width": 16, "X-Height": 8}),
                "huge": (b"", {"Content-Length": 1 << 40, "X-Width": 16, "X-Height": 8}),
                "negative": (b"\0" * 256, {"Content-Length": 256, "X-Width": -16, "X-Height": -8}),
                "json": (b"[" * 100_000, {"Content-Length": 100_000}),
                "cut": (b"100\r\n" + b"\0" * 100, {"Transfer-Encoding": "chunked", "X-Width": 16, "X-Height": 8}),
                "chunks": (b"zz\r\nhello\r\n0\r\n\r\n", {"Transfer-Encoding": "chunked", "X-Width": 16, "X-Height": 8}),
            }
            body, headers = answers.get(self.mode, (body, headers))
        self.send_response(500 if self.mode == "json" and "/frames/" in self.path else 200)
        for key, value in headers.items():
            self.send_header(key, str(value))
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True


class Random(http.server.BaseHTTPRequestHandler):
    """Answers of a frame server in which bytes were changed, cut off or doubled."""

    seed = 0
    token = "x" * 32

    def log_message(self, *_):
        pass

    def handle_one_request(self):
        request = b""
        while b"\r\n\r\n" not in request:
            more = self.request.recv(4096)
            if not more:
                self.close_connection = True
                return
            request += more
        path = request.split(b" ")[1].decode()
        if path.startswith("/v1/proof"):
            body = proof_body(path, self.token, self.connection.getsockname()[1])
            self.request.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            self.close_connection = False
            return
        body = (
            b"\0<" * 128
            if "/frames/" in path
            else json.dumps({"name": "vr180-ofx", "api": 1, "version": "1", "people": [], **FACTS}).encode()
        )
        head = f'HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nX-Width: 16\r\nX-Height: 8\r\nX-Quality: final\r\nETag: "a"\r\n\r\n'.encode()
        data = bytearray(head + body)
        rng = random.Random(f"{type(self).seed}{path}")
        # the first questions mostly get through, so that later ones are reached
        for _ in range(rng.choice((0, 0, 1, 2, 8)) if "/frames/" not in path else rng.choice((1, 2, 4, 16))):
            at = rng.randrange(len(data))
            kind = rng.randrange(4)
            if kind == 0:
                data[at] = rng.randrange(256)
            elif kind == 1:
                del data[at : at + rng.randrange(1, 40)]
            elif kind == 2:
                data[at:at] = data[max(0, at - 30) : at] * rng.randrange(1, 4)
            else:
                data[at:at] = rng.choice((b"\r\n", b"9" * 30, b"\\u12", b"[" * 200, b"-1", b'"'))
            if not data:
                break
        with contextlib.suppress(OSError):
            self.request.sendall(bytes(data))
        self.close_connection = True


class _Quiet(http.server.ThreadingHTTPServer):
    """Clients that leave are meant to: what a thread would print of it lands in whichever test runs then."""

    def handle_error(self, request, client_address): ...


@contextlib.contextmanager
def serving(handler, **attributes):
    """The port of a server with such a handler."""
    server = _Quiet(("127.0.0.1", 0), type("Handler", (handler,), attributes))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()

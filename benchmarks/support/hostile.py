"""Configurations, plans and requests that mean no good, or were mistyped: what is given, and how it may end.

Each is a `Case`. Those that are written here say exactly how they end; those that a seed makes of sound ones may also be sound.
"""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

#: Exit statuses: usage; the input.
USAGE, INPUT = 2, 3
#: Statuses of refusals. 431 and 400 are the server's own, of requests that are no HTTP.
REFUSED = (400, 401, 403, 404, 405, 406, 409, 411, 412, 413, 414, 415, 421, 422, 431, 501)
#: A connection that is closed without an answer: the due of what is no request, or never ends.
CLOSED = -1
_UNFINISHED = ("no http", "zeros", "a line without end", "headers without end", "a length of a terabyte", "two lengths")
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)


@dataclass(frozen=True, slots=True)
class Case:
    """kind: config (a file), option (words of the command line), plan (a file), request. allowed: the statuses that it may end with.

    name: of the file, with its ending. words: options, as bytes. data: of the file, or the whole request as it is sent.
    """

    kind: str
    name: str
    data: bytes
    allowed: tuple[int, ...]
    words: tuple[bytes, ...] = ()


def configurations() -> Iterator[Case]:
    """Files of settings, and options."""
    deep = 20_000
    files: dict[str, str | bytes] = {
        "bomb.yaml": BOMB, "deep.yaml": "[" * deep, "deep-keys.yaml": "".join(" " * k + "a:\n" for k in range(400)), "deep.toml": "a = " + "[" * deep,
        "dotted.toml": ".".join(["a"] * 10_000) + " = 1", "twice.yaml": "output:\n  format: exr\n  format: alpha\n",
        "twice.toml": "[output]\n[output]\n", "itself.yaml": "input: &a\n  <<: *a\n", "date.yaml": "processing: {chunk_size: 2001-99-99}\n",
        "digits.yaml": f"processing: {{chunk_size: {'9' * 6000}}}", "digits.toml": f"processing.chunk_size = {'9' * 6000}",
        "hex.yaml": f"processing: {{chunk_size: 0x{'f' * 60_000}}}", "huge.yaml": "#" * 2_000_000, "zeros.yaml": b"\0" * 1000,
        "latin.yaml": b"input: {video_path: \xe9}", "half.yaml": 'input: {video_path: "\\ud800"}', "nul.yaml": 'input: {video_path: "a\\0b"}',
        "object.yaml": "input: !!python/object/apply:os.system ['touch /tmp/owned']\n", "nothing.yaml": "a: !!int ''\n",
        "infinite.yaml": "performance: {price_per_hour: .inf}", "nan.toml": "detection.confidence_threshold = nan",
        "fov.yaml": "input: {fov_degrees: 1.0e-300}", "rate.yaml": "input: {frame_rate: 0}", "list.yaml": "- 1", "markup.yaml": "'[/x]': 1",
        "escape.yaml": '"\\e[31m": 1', "long.yaml": '"' + "k" * 1000 + '": 1', "types.yaml": "input: [1]\noutput: x\n",
    }  # fmt: skip
    for name, data in files.items():
        yield Case("config", name, data if isinstance(data, bytes) else data.encode(), (USAGE,))
    options: dict[str, tuple[Sequence[bytes], int]] = {
        "deep": ([b"--set", b"processing.chunk_size=" + b"[" * 3000], USAGE), "not utf-8": ([b"--set", b"input.colorspace=\xff"], USAGE),
        "markup": ([b"--set", b"[/x].y=1"], USAGE), "a device of many digits": ([b"--set", b"hardware.device=cuda:" + b"9" * 5000], USAGE),
        "a port": ([b"--set", b"service.port=99999999"], USAGE), "frames": ([b"--frames", b"9" * 5000], USAGE),
        "ranges": ([b"--frames", b"0-" + b"9" * 30 + b"," * 2000], USAGE), "a colour": ([b"--set", b"output.background_color=[1e999,0,0]"], USAGE),
        "a colour space": ([b"--set", b"input.colorspace=../../etc"], USAGE), "a plan of the devil": ([b"--plan", b"/dev/zero"], USAGE),
        "a config of the devil": ([b"--config", b"/dev/zero"], USAGE), "the field of a fisheye": (
            [b"--set", b"output.format=greenscreen", b"--set", b"output.projection=fisheye", b"--set", b"output.fov_degrees=360"], USAGE),
    }  # fmt: skip
    for name, (words, status) in options.items():
        yield Case("option", name, b"", (status,), tuple(words))


def plans(sound: dict[str, Any]) -> Iterator[Case]:
    """Files of plans. sound: one that is right, with two people."""
    head = b'{"format":"vr180-ofx plan","version":1,'

    def row(plan: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = next(iter(next(iter(plan["people"][0]["views"].values())).values()))
        return found

    def changed(**values: Any) -> bytes:
        made = copy.deepcopy(sound)
        row(made).update(values)
        return json.dumps(made).encode()

    bad_rows = copy.deepcopy(sound)
    bad_rows["people"][0]["views"] = {"left": {str(k): {"box": ["x"] * 4} for k in range(100_000)}}
    files = {
        "nan": changed(score=float("nan")), "infinite": head + b'"people":[{"id":1e999}]}', "huge": changed(box=[0, 0, 1e300, 1e300]),
        "deep": b'{"a":' * 100_000, "deep-people": head + b'"people":' + b"[" * 900 + b"]" * 900 + b"}", "no box": changed(box=None),
        "rows": json.dumps(bad_rows).encode(), "people": head + b'"people":[' + b",".join([b'{"id":0}'] * 100_000) + b"]}",
        "twice": json.dumps(sound).encode().replace(b'"people":', b'"people": [], "people":', 1), "half": head + b'"notes":["\\ud800"]}',
        "digits": head + b'"people":[{"id":' + b"9" * 5000 + b"}]}", "list": b"[]", "nothing": b"", "zeros": b"\0" * 5000,
        "wide": json.dumps(sound).encode("utf-16"), "markup": head + b'"people":[{"id":1,"name":"[/x]"}]}',
        "shots": head + b'"shots":[[0,' + b"9" * 300 + b"]]}", "xml": b"<plan/>", "a person called left": head + b'"people":[{"id":1,"name":"left"}]}',
    }  # fmt: skip
    for name, data in files.items():
        yield Case("plan", f"{name}.json", data, (USAGE,))


def requests(token: str, clip: str, path: str) -> Iterator[Case]:
    """Whole requests, as they go over the wire. clip: an open one. path: of its file."""
    headers = [f"Authorization: Bearer {token}", "Host: 127.0.0.1", "Connection: close"]

    def ask(method: str, target: str, body: bytes = b"", *more: str) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", *headers, *more]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape") + body

    place = json.dumps(path).encode()
    people = f"/v1/clips/{clip}/people"
    whole = {
        "no http": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\xff" * 200, "zeros": b"\0" * 4096, "a line without end": b"GET /" + b"a" * 200_000,
        "headers without end": ask("GET", "/v1/clips")[:-2] + b"X: y\r\n" * 20_000 + b"\r\n", "a negative length": ask("PUT", people, b"", "Content-Length: -1"),
        "two lengths": ask("PUT", people, b"{}", "Content-Length: 5"), "a length of letters": ask("PUT", people, b"", "Content-Length: many"),
        "a length of a terabyte": ask("PUT", people, b"", "Content-Type: application/json", "Content-Length: 1099511627776"),
        "no token": ask("GET", "/v1/clips").replace(token.encode(), b"x"), "a token of bytes": ask("GET", "/v1/clips").replace(token.encode(), b"\xff\xfe"),
        "another host": ask("GET", "/v1/clips").replace(b"Host: 127.0.0.1", b"Host: evil.example"),
        "an origin": ask("GET", "/v1/clips", b"", "Origin: http://[::1"), "a method": ask("BREW", "/v1/clips"), "a way out": ask("GET", "/v1/../../etc/passwd"),
        "no clip": ask("GET", "/v1/clips/" + "0" * 16), "a clip of dots": ask("GET", "/v1/clips/%2e%2e%2f%2e%2e"), "a clip of nul": ask("GET", "/v1/clips/%00"),
        "a frame of many digits": ask("GET", f"/v1/clips/{clip}/frames/{'9' * 5000}"), "a frame below": ask("GET", f"/v1/clips/{clip}/frames/-1"),
        "a format": ask("GET", f"/v1/clips/{clip}/frames/0?format=%5B/x%5D"), "a layer": ask("GET", f"/v1/clips/{clip}/frames/0?layer=%00"),
        "a match": ask("PUT", people, b"{}", "If-Match: \x7f\x01"),
    }  # fmt: skip
    bodies = {
        ("POST", "/v1/clips"): [
            b"", b"{", b"[" * 100_000, b'{"path":1e999}', b'{"path":"/\\ud800"}', b'{"path":"/etc/passwd"}', b'{"path":"' + b"a" * 100_000 + b'"}',
            b'{"path":' + place + b',"settings":{"input":{"fov_degrees":1e-300}}}', b'{"path":' + place + b',"settings":{"input":{"frame_rate":-1}}}',
            b'{"path":' + place + b',"settings":{"service":{"port":1}}}', b'{"path":' + place + b',"settings":{"\\ud800":{}}}',
            b'{"path":' + place + b',"path":' + place + b"}", b'{"path":' + place + b',"settings":{"detection":{"model":"/etc/passwd"}}}',
        ],
        ("PUT", people): [b"null", b'{"format":"vr180-ofx plan","version":1,"people":[' + b",".join([b"{}"] * 100_000) + b"]}", b"{}" * 5],
        ("POST", people + "/edits"): [
            b'{"edits":[]}', b'{"edits":[{"op":"move","person":1,"view":"left","frame":0,"box":[NaN,0,1,1]}]}', b'{"edits":' + b"[" * 50_000,
            b'{"edits":[{"op":"rename","person":1,"name":"[/x]"}]}', b'{"edits":[{"op":"split","person":9999,"frame":100000000}]}',
        ],
        ("POST", f"/v1/clips/{clip}/renders"): [
            b'{"path":"/etc"}', b'{"path":"relative"}', b'{"path":"/dev/full"}', b'{"path":' + place + b',"frames":""}',
            b'{"path":' + place + b',"output":{"format":"gif"}}', b'{"path":' + place + b',"frames":"' + b"0-9," * 2400 + b'x"}',
        ],
    }  # fmt: skip
    for name, data in whole.items():
        yield Case("request", name, data, (*REFUSED, CLOSED) if name in _UNFINISHED else REFUSED)
    for (method, target), list_of in bodies.items():
        for number, body in enumerate(list_of):
            yield Case("request", f"{method} {target.replace(clip, 'CLIP')} {number}", ask(method, target, body), REFUSED)


def mutated(text: bytes, rng: random.Random) -> bytes:
    """One to eight changes to bytes: cut, doubled, flipped, replaced by what parsers dislike."""
    data = bytearray(text)
    dislikes = (
        b"\0",
        b"\xff",
        b"NaN",
        b"1e999",
        b"-1",
        b"[[[[",
        b"{",
        b"}",
        b'"',
        b"\\ud800",
        b"9" * 400,
        b"null",
        b"*a",
        b"&a ",
        b": ",
        b"\n  ",
        b"true",
    )
    for _ in range(rng.randint(1, 8)):
        a = rng.randrange(len(data) + 1)
        b = min(len(data), a + rng.choice((1, 1, 2, 10, 100)))
        way = rng.randrange(4)
        if way == 0:
            del data[a:b]
        elif way == 1:
            data[a:a] = data[a:b]
        elif way == 2 and a < len(data):
            data[a] ^= 1 << rng.randrange(8)
        else:
            data[a:b] = rng.choice(dislikes)
    return bytes(data)


def mutations(config: bytes, plan: bytes, count: int, seed: int) -> Iterator[Case]:
    """``count`` of configurations and plans in turn, which may still be sound, or name another file."""
    rng = random.Random(seed)
    for k in range(count):
        if k % 2:
            yield Case("plan", f"mutated{k}.json", mutated(plan, rng), (0, USAGE))
        else:
            yield Case("config", f"mutated{k}.yaml", mutated(config, rng), (0, USAGE, INPUT))

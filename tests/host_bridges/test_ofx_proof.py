"""How the OpenFX plug-in knows the server: SHA-256 and HMAC in C against published vectors and Python's own, and strangers at the port."""

import contextlib
import hashlib
import hmac
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from benchmarks.support.ofx_host import FAILED, OK
from tests.host_bridges.ofx_session import SOURCES
from tests.host_bridges.proving import known_token
from tests.service.strangers import Stranger, passing_on
from vr180_ofx import client as c

pytestmark = [
    pytest.mark.skipif(shutil.which("cmake") is None or shutil.which("cc") is None, reason="cmake and a C compiler are not installed"),
    pytest.mark.skipif(sys.platform != "linux", reason="the test host knows Linux alone"),
]
#: Reads lines "sha TEXT", "hmac KEY TEXT", "proof TOKEN NONCE HOST PORT", "nonce"; bytes in hexadecimal digits, after a dot.
MAIN = r"""
#include "proof.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static size_t bytes(const char *hex, unsigned char *out) {
    size_t n = strlen(++hex) / 2;
    for (size_t i = 0; i < n; i++) { unsigned v; sscanf(hex + 2 * i, "%2x", &v); out[i] = (unsigned char)v; }
    return n;
}
int main(void) {
    static char line[20000], a[10000], b[10000], t[300], h[300];
    static unsigned char x[5000], y[5000], out[32];
    char digits[PROOF_ROOM];
    int port;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "sha %9999s", a) == 1) sha256(x, bytes(a, x), out);
        else if (sscanf(line, "hmac %9999s %9999s", a, b) == 2) { size_t n = bytes(a, x); hmac_sha256(x, n, y, bytes(b, y), out); }
        else if (sscanf(line, "proof %299s %9999s %299s %d", t, a, h, &port) == 4) { make_proof(t, a, h, port, digits); puts(digits); continue; }
        else { if (!make_nonce(digits)) return 1; puts(digits); continue; }
        for (int i = 0; i < 32; i++) printf("%02x", out[i]);
        puts("");
    }
    char one[PROOF_ROOM] = "", other[PROOF_ROOM] = "";
    if (!same_proof(one, other)) return 2;
    for (int i = 0; i < PROOF_ROOM; i++) { memset(other, 0, sizeof other); other[i] = 1; if (same_proof(one, other)) return 3; }
    return 0;
}
"""
#: RFC 4231, section 4: key, data, HMAC-SHA-256; of case 5 only the first 128 bits are given.
VECTORS = [
    ("0b" * 20, b"Hi There".hex(), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    (b"Jefe".hex(), b"what do ya want for nothing?".hex(), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ("aa" * 20, "dd" * 50, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
    (bytes(range(1, 26)).hex(), "cd" * 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
    ("0c" * 20, b"Test With Truncation".hex(), "a3b6167473100ee06e0c796c2955552b"),
    (
        "aa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First".hex(),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    ),
    (
        "aa" * 131,
        b"This is a test using a larger than block-size key and a larger than block-size data. "
        b"The key needs to be hashed before being used by the HMAC algorithm.".hex(),
        "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
    ),
]


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    """Asks the plug-in's own file; built with the sanitizers."""
    folder = tmp_path_factory.mktemp("proof")
    (folder / "main.c").write_text(MAIN)
    words = [
        "cc",
        "-std=c11",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-I",
        str(SOURCES / "src"),
    ]
    subprocess.run([*words, str(folder / "main.c"), str(SOURCES / "src" / "proof.c"), "-o", str(folder / "ask")], check=True)

    def asked(lines):
        done = subprocess.run([folder / "ask"], input="\n".join(lines) + "\n", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    return asked


def test_hmac_is_that_of_rfc_4231(ask):
    for (_, _, expected), got in zip(VECTORS, ask(f"hmac .{key} .{data}" for key, data, _ in VECTORS), strict=True):
        assert got.startswith(expected)


def test_hashes_of_all_lengths_are_pythons(ask):
    rng = random.Random(1)
    texts = [rng.randbytes(n) for n in (*range(130), 1000, 4096)]
    keys = [rng.randbytes(rng.randrange(1, 150)) for _ in texts]
    assert ask(f"sha .{t.hex()}" for t in texts) == [hashlib.sha256(t).hexdigest() for t in texts]
    assert ask(f"hmac .{k.hex()} .{t.hex()}" for k, t in zip(keys, texts, strict=True)) == [
        hmac.new(k, t, hashlib.sha256).hexdigest() for k, t in zip(keys, texts, strict=True)
    ]


def test_proofs_are_those_of_the_client_and_nonces_are_new(ask):
    cases = [("t" * 43, "ab" * 32, host, port) for host in ("127.0.0.1", "::1", "Studio-Box.LAN", "a" * 200) for port in (1, 65535)]
    assert ask("proof {} {} {} {}".format(*case) for case in cases) == [c.proof(*case) for case in cases]
    nonces = ask(["nonce"] * 200)
    assert len(set(nonces)) == 200 and all(len(n) == 64 and set(n) <= set("0123456789abcdef") for n in nonces)


@contextlib.contextmanager
def rendering(host, **values):
    effect = host.create()
    host.set(effect, **values)
    yield lambda: host.render(effect, 3, np.zeros((512, 1024, 4), np.float32))[0], effect
    assert host.destroy(effect) == OK


def test_strangers_at_the_port_get_no_token(host, standing):
    """Named by hand, and in the announcement that a killed server left; whatever they answer."""
    note = json.loads(c.announce_path().read_text())
    token = known_token()
    port = int(note["address"].rpartition(":")[2])
    kinds: list[Callable[[bytes], tuple[int, Any]]] = [
        lambda request: (404, {"detail": "Not Found"}),
        lambda request: (200, {"proof": "0" * 64}),
        lambda request: (200, {"proof": ["0" * 63]}),
        lambda request: (200, []),
        passing_on(port),
        passing_on(port, note["address"].removeprefix("http://").encode()),
    ]
    for proves in kinds:
        with Stranger(proves=proves) as stranger:
            with rendering(host, clip=str(standing.clip), address=stranger.address, token_file=note["token_file"]) as (render, effect):
                assert render() == FAILED and "does not prove that it knows the token" in effect.persistent[-1][1]
                assert token not in str(effect.persistent)
            c.announce_path().write_text(json.dumps({**note, "address": stranger.address}))
            try:
                with rendering(host, clip=str(standing.clip), start_server=0) as (render, effect):
                    assert render() == FAILED
            finally:
                c.announce_path().write_text(json.dumps(note))
            assert stranger.heard and token.encode() not in stranger.heard and b"uthorization" not in stranger.heard
    with rendering(host, clip=str(standing.clip), start_server=0) as (render, effect):
        assert render() == OK, effect.persistent


@pytest.mark.parametrize(
    "address",
    ["http://[::1", "http://127.0.0.1:99999", "http://127.0.0.1:0", "http://127.0.0.1:8x", "127.0.0.1:8000", "http://", "http://a b:1",
     "http://a\r\nX: y:1", "http://me@127.0.0.1:1", "http://127.0.0.1:1/x", "http://" + "a" * 400, "http://[127.0.0.1:8000"],
)  # fmt: skip
def test_an_address_that_is_none_is_said(host, standing, address):
    with rendering(host, clip=str(standing.clip), address=address) as (render, effect):
        assert render() == FAILED and "it is like http://127.0.0.1:8000" in effect.persistent[-1][1]


@pytest.mark.parametrize("content", ["", "short", "one token here\nX-Header: another", "x" * 40 + "\x01", "x" * 600])
def test_a_file_that_holds_no_token_is_said(host, standing, tmp_path, content):
    path = tmp_path / "token"
    path.write_text(content)
    with rendering(host, clip=str(standing.clip), token_file=str(path), start_server=0) as (render, effect):
        assert render() == FAILED and "holds no token" in effect.persistent[-1][1]

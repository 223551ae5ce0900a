"""What a browser is shown at the server's address."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import OpenImageIO as iio
import pytest

from tests.service.conftest import raw
from vr180_ofx.version import __version__

#: What Firefox and Chromium send for a page.
FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
BROWSER = {"Authorization": None, "Accept": FIREFOX}


class _Elements(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_a_browser_is_told_what_this_is_and_how_to_get_in(live):
    status, headers, body = raw(live, "GET", "/", BROWSER)
    text = body.decode()
    port = live.address.rsplit(":", 1)[1]
    assert status == 200 and headers["content-type"] == "text/html; charset=utf-8"
    for words in (__version__, "vr180-ofx status", f"token-{port}", f"{live.address}/v1/clips", "docs/guide/server.md", "serve --stop"):
        assert words in text, words
    # nothing that only the user may know
    for secret in (live.token_file.read_text().strip(), str(live.folder), str(live.root), str(live.process.pid)):
        assert secret not in text, secret
    parser = _Elements()
    parser.feed(text)
    assert not parser.open
    assert not any(tag in ("script", "img", "iframe", "form", "object") for tag, _ in parser.found)
    assert [a for _, attrs in parser.found for k, a in attrs.items() if k in ("src", "href")] == ["data:,"]


def test_its_headers_let_nothing_in_and_nothing_frame_it(live):
    _, headers, body = raw(live, "GET", "/", BROWSER)
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    style = re.search(rb"<style>(.*)</style>", body, re.DOTALL)
    assert style is not None
    # CSP level 2, section 4.2.5: the hash of what stands between the tags
    assert policy["style-src"] == f"'sha256-{base64.b64encode(hashlib.sha256(style[1]).digest()).decode()}'"
    assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store" and headers["vary"] == "Accept"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "", "text/html;q=0", "text/html;q=0.000", "text/htmlx", "x, text/plain"])
def test_programs_get_what_they_get_elsewhere(live, accept):
    status, headers, body = raw(live, "GET", "/", {"Authorization": None, "Accept": accept})
    assert status == 401 and headers["content-type"] == "application/problem+json" and json.loads(body)["status"] == 401
    status, headers, body = raw(live, "GET", "/", {"Accept": accept})
    assert status == 404 and json.loads(body)["title"] == "Not Found"


def test_only_this_page_needs_no_token(live):
    for method, path in (
        ("POST", "/"),
        ("DELETE", "/"),
        ("GET", "/v1/clips"),
        ("GET", "//"),
        ("GET", "/index.html"),
        ("GET", "/v1/openapi.json"),
    ):
        assert raw(live, method, path, BROWSER)[0] == 401, (method, path)
    assert raw(live, "HEAD", "/", BROWSER)[::2] == (200, b"")
    assert raw(live, "GET", "/", {"Accept": "text/html;level=1;q=0.4"})[0] == 200


def test_other_names_and_other_pages_are_refused_as_everywhere(live):
    for host in ("evil.example", "<script>", "127.0.0.1:1<b>", ""):
        assert raw(live, "GET", "/", {**BROWSER, "Host": host})[0] in (400, 421), host
    assert raw(live, "GET", "/", {**BROWSER, "Origin": "http://evil.example"})[0] == 403


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_what_it_says_to_type_works(live):
    """The line for the shell, as it stands there, with the token's file put in."""
    import html

    text = html.unescape(raw(live, "GET", "/", BROWSER)[2].decode())
    line = re.search(r"<pre>(curl .*)</pre>", text)
    assert line is not None
    done = subprocess.run(["sh", "-c", line[1].replace("TOKEN_FILE", str(live.token_file))], capture_output=True, text=True, timeout=30)
    assert "clips" in json.loads(done.stdout), done


@pytest.mark.slow
def test_in_a_browser_the_whole_page_is_seen_at_once(live, tmp_path):
    """At 1280x720: in a column, which the style makes (its hash lets it), and nothing to scroll."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("Chromium is not installed")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1280,720"]
    shot = tmp_path / "page.png"
    subprocess.run([browser, *options, f"--screenshot={shot}", f"{live.address}/"], check=True, capture_output=True, timeout=120)
    pixels = iio.ImageBuf(str(shot)).get_pixels(iio.UINT8)
    assert pixels is not None
    seen = pixels[..., :3]
    paper = seen[0, 0]
    ink = (np.abs(seen.astype(int) - paper) > 60).any(axis=-1)
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    assert seen.shape == (720, 1280, 3) and 300 < rows[-1] < 715 and columns[0] > 150 and columns[-1] < 1130

"""What a person's browser is shown at `/`: what this is and how to get in. It holds nothing that is secret, and loads nothing."""

from __future__ import annotations

import base64
import hashlib
import html
from string import Template

from fastapi import FastAPI, Request, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from vr180_ofx.client import token_name
from vr180_ofx.service.access import host_and_port
from vr180_ofx.version import __version__

_STYLE = """
:root { color-scheme: light dark; }
body { max-width: 52rem; margin: .8rem auto; padding: 0 1.2rem; font: .95rem/1.4 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.05rem; margin: .9rem 0 0; } p { margin: .4rem 0; }
pre, code { font-family: ui-monospace, monospace; font-size: .85rem; }
pre { margin: .4rem 0; padding: .5rem .8rem; border: 1px solid #8886; border-radius: .4rem;
 white-space: pre-wrap; overflow-wrap: anywhere; }
""".strip()

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>vr180-ofx $version</title>
<link rel="icon" href="data:,">
<style>$style</style>
</head>
<body>
<h1>vr180-ofx, a frame server</h1>
<p>Version $version. It makes human mattes of stereo VR180 video, frame by frame, for compositing hosts (Nuke, DaVinci Resolve and
Fusion, OpenFX, Blender) and for scripts. There is nothing to click here: programs talk to it.</p>

<h2>How to get in</h2>
<p>Each request needs the server's token, which lies in a file that only the user who started the server can read.
Where that is, <code>vr180-ofx serve</code> said when it started, and on that machine, as that user, this says it again:</p>
<pre>vr180-ofx status</pre>
<p>By default it is <code>service/$token</code> in <code>~/.cache/vr180-ofx</code> (Linux), <code>~/Library/Caches/vr180-ofx</code>
(macOS) or <code>%LOCALAPPDATA%\\vr180-ofx\\Cache</code> (Windows). Below, <code>TOKEN_FILE</code> stands for it.</p>

<h2>From a shell</h2>
<pre>curl -H "Authorization: Bearer $$(cat TOKEN_FILE)" $address/v1/clips</pre>

<h2>From Python</h2>
<pre>from vr180_ofx.client import connect

server = connect("$address", "TOKEN_FILE")
clip = server.open("/plates/shot.mp4").wait()
frame = clip.frame(0, view="left")</pre>

<h2>From a host</h2>
<p><code>vr180-ofx install nuke</code> (or <code>resolve</code>, <code>ofx</code>, <code>blender</code>) brings a node that finds this
server by itself.</p>

<h2>More</h2>
<p>All requests are described at <code>/v1/openapi.json</code>, which needs the token, too, and in the guide:
<code>docs/guide/server.md</code>, <code>docs/guide/hosts.md</code>. <code>vr180-ofx serve --stop $port</code> ends the server.</p>
</body>
</html>
""")

_HEADERS = {
    # the style by its hash, and the icon that there is none; nothing else is loaded, sent or framed
    "Content-Security-Policy": "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept",
}


def is_for_people(method: str, path: str, headers: Headers) -> bool:
    """Whether a browser asks for the page: by name (RFC 9110, 12.5.1), since `*/*` is what programs send."""
    return path == "/" and method in ("GET", "HEAD") and any(_wants_html(value) for value in headers.getlist("accept"))


def _wants_html(accept: str) -> bool:
    for item in accept.lower().split(","):
        kind, *parameters = (part.strip() for part in item.split(";"))
        if kind in ("text/html", "application/xhtml+xml"):
            return not any(p.replace(" ", "").rstrip("0").rstrip(".") in ("q=", "q=0") for p in parameters)
    return False


def add_page(app: FastAPI) -> None:
    """The page at `/`; programs get there what they get at any other address that there is not."""

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page(request: Request) -> Response:
        if not is_for_people(request.method, "/", request.headers):
            raise HTTPException(404)
        # as the browser calls it: the gate has looked that it is one of this server's names
        named = request.headers["host"].strip().lower()
        address = html.escape(f"http://{named}")
        port = host_and_port(named)[1]
        words = {"version": html.escape(__version__), "style": _STYLE, "token": token_name(port), "address": address, "port": port}
        return HTMLResponse(_PAGE.substitute(words), headers=_HEADERS)

"""Routes about the server itself: what it does, and its end."""

from __future__ import annotations

import os
import time
from typing import Any

from fastapi import FastAPI, Request, Response

from vr180_ofx.errors import ServiceError
from vr180_ofx.service import models as m
from vr180_ofx.service.access import is_loopback
from vr180_ofx.service.calls import Service, engine
from vr180_ofx.service.problems import responses
from vr180_ofx.telemetry import resident_bytes
from vr180_ofx.version import __version__


def add_server_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions

    def facts() -> dict[str, Any]:
        return {
            "status": "closing" if service.closing else "ok",
            "version": __version__,
            "pid": os.getpid(),
            "uptime_s": round(time.monotonic() - service.began, 3),
            "idle_s": round(max(0.0, service.attendance.idle_s), 3),
            "idle_exit_s": service.idle_exit_s,
            "resident_bytes": resident_bytes(),
            "roots": [str(r) for r in sessions.roots.folders],
            "clips": [{"clip": s.id, "path": str(s.clip.path), "state": s.state} for s in sessions.all()],
            "jobs": [j.facts() for j in sessions.jobs.all() if not j.ended],
        }

    @app.get("/v1/server", response_model=m.ServerFacts, responses=responses())
    async def server_facts() -> Any:
        """What the server does. To ask is no reason for it to stay."""
        return await engine(facts)

    @app.post("/v1/server/stop", status_code=202, response_class=Response, responses=responses(409, 503))
    async def stop(request: Request, wanted: m.StopServer) -> Response:
        """Ends the server as SIGTERM does: whoever waits is told so, renders stop between two frames, what is written is whole.

        Only for clients on the server's own machine.
        """
        local, client = (request.scope.get("server") or ("",))[0], request.client.host if request.client is not None else ""
        if not (is_loopback(client) or client == local):
            raise ServiceError(403, f"a client at {client} may not end this server; end it on its own machine: vr180-ofx serve --stop")
        if wanted.pid != os.getpid():
            raise ServiceError(409, f"pid is {wanted.pid}; this server's process is another one: ask GET /v1/server again")
        service.stop()
        return Response(status_code=202)

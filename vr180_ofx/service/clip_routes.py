"""Routes that open, list and close clips."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Response

from vr180_ofx.service import models as m
from vr180_ofx.service.calls import ClipId, Service, engine
from vr180_ofx.service.problems import responses
from vr180_ofx.telemetry import resident_bytes
from vr180_ofx.version import __version__


def add_clip_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions

    @app.get("/v1/health", response_model=m.Health, responses=responses())
    async def health() -> Any:
        """Whether the server is there. Needs no token."""
        return m.Health(status="closing" if service.closing else "ok", version=__version__)

    @app.post("/v1/clips", response_model=m.ClipFacts, responses=responses(404, 409, 503, 507))
    async def open_clip(request: m.OpenClip) -> Any:
        """Opens a clip with settings, or finds it open. Unless its plan is known, the analysis begins at once."""
        session, _ = await engine(sessions.open, request.path, request.settings)
        return session.facts()

    @app.get("/v1/clips", response_model=m.Clips, responses=responses())
    async def list_clips() -> Any:
        """All open clips."""
        return {"clips": [s.facts() for s in sessions.all()]}

    @app.get("/v1/clips/{clip}", response_model=m.ClipFacts, responses=responses(404))
    async def clip_facts(clip: ClipId) -> Any:
        """One open clip."""
        return sessions.get(clip).facts()

    @app.delete("/v1/clips/{clip}", status_code=204, response_class=Response, responses=responses(404))
    async def close_clip(clip: ClipId) -> Response:
        """Closes a clip. What is cached and corrected is kept."""
        await engine(sessions.remove, clip)
        return Response(status_code=204)

    @app.delete("/v1/clips/{clip}/cache", response_model=m.Cleared, responses=responses(404, 409))
    async def clear_cache(clip: ClipId) -> Any:
        """Forgets the clip's finished frames. What the tracker remembers, and the plan, are kept."""
        session = sessions.get(clip)
        session.plan  # noqa: B018 - without one there are no frames
        return {"frames": await engine(session.clear_cache)}

    @app.get("/v1/clips/{clip}/stats", response_model=m.Stats, responses=responses(404))
    async def stats(clip: ClipId) -> Any:
        """Stage times, caches and memory."""
        session = sessions.get(clip)
        return {"clip": clip, "resident_bytes": resident_bytes(), "machine": service.machine.look().to_dict(), "engine": session.stats()}

"""Routes that open, list and close clips."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated, Any

from fastapi import FastAPI, Query, Request, Response

from vr180_ofx.service import models as m
from vr180_ofx.service.calls import Asker, ClipId, HungUp, Service, address_of, attended, engine, give_up
from vr180_ofx.service.problems import responses
from vr180_ofx.service.session import Session
from vr180_ofx.telemetry import resident_bytes
from vr180_ofx.version import __version__


def add_clip_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions

    @app.get("/v1/health", response_model=m.Health, responses=responses())
    async def health() -> Any:
        """Whether the server is there. Needs no token."""
        return m.Health(status="closing" if service.closing else "ok", version=__version__)

    @app.post("/v1/clips", response_model=m.ClipFacts, responses=responses(404, 409, 503, 507))
    async def open_clip(request: Request, clip: m.OpenClip, asker: Asker = None) -> Any:
        """Opens a clip with settings, or finds it open. Unless its plan is known, the analysis begins at once.

        For an asker who is named it goes on while they ask; for others to its end. See the guide's page of the server.
        """
        name = asker or address_of(request)
        session = await engine(sessions.open, clip.path, clip.settings, name)
        if await request.is_disconnected():
            give_up(service, session, name)
            raise HungUp
        if asker is None:
            session.claims.ask_for_anybody()
        return await engine(session.facts)

    @app.get("/v1/clips", response_model=m.Clips, responses=responses())
    async def list_clips() -> Any:
        """All open clips."""
        return {"clips": await engine(lambda: [s.facts() for s in sessions.all()])}

    @app.get("/v1/clips/{clip}", response_model=m.ClipFacts, responses=responses(404, 499, 503))
    async def clip_facts(
        request: Request,
        clip: ClipId,
        wait_s: Annotated[float, Query(ge=0, le=60, description="Answer when the analysis has ended, or after so many seconds.")] = 0,
        asker: Asker = None,
    ) -> Any:
        """One open clip. A request that waits and is given up gives up the analysis, unless somebody else wants it too."""
        session = sessions.get(clip, asker)
        if wait_s and session.state == "analysing":
            name = asker or address_of(request)
            try:
                with session.claims.held():
                    await attended(request, service, asyncio.ensure_future(_settled(service, session, wait_s)))
            except HungUp:
                give_up(service, session, name)
                raise
            session.claims.ask(name)
        return await engine(session.facts)

    @app.delete("/v1/clips/{clip}/claim", status_code=204, response_class=Response, responses=responses(404))
    async def forget_claim(clip: ClipId, asker: Asker = None) -> Response:
        """This asker does not wait for the analysis any more. It is given up unless somebody else wants it."""
        session = sessions.get(clip)
        if asker is not None:
            give_up(service, session, asker)
        return Response(status_code=204)

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

        def look() -> dict[str, Any]:
            machine = service.machine.look().to_dict()
            return {"clip": clip, "resident_bytes": resident_bytes(), "machine": machine, "engine": session.stats()}

        return await engine(look)


async def _settled(service: Service, session: Session, timeout_s: float) -> None:
    """Until the analysis has ended, at most ``timeout_s``."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            while session.state == "analysing" and not session.given_up:
                await service.bell.heard()

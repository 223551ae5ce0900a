"""Routes of the plan and its corrections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Response

from vr180_ofx.service import models as m
from vr180_ofx.service.calls import ClipId, Service, engine
from vr180_ofx.service.problems import responses
from vr180_ofx.service.session import Session


def add_people_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions
    document: dict[int | str, dict[str, Any]] = {
        200: {"description": "The plan.", "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}}
    }

    async def changed(session: Session, function: Callable[..., str], *arguments: Any) -> Any:
        frames = await engine(function, *arguments)
        return {"clip": await engine(session.facts), "frames": frames}

    @app.get("/v1/clips/{clip}/people", response_class=Response, responses={**document, **responses(404, 409)})
    async def people(clip: ClipId) -> Response:
        """The plan: who is where. The same document that `analyse` writes."""
        text, etag = await engine(sessions.get(clip).document)
        return Response(text, media_type="application/json", headers={"ETag": etag})

    @app.put("/v1/clips/{clip}/people", response_model=m.Changed, responses=responses(404, 409, 412))
    async def replace_people(
        clip: ClipId,
        plan: Annotated[dict[str, Any], Body(description="A plan, as GET gives it.")],
        if_match: Annotated[str | None, Header()] = None,
    ) -> Any:
        """Replaces the plan by a corrected one. If-Match refuses it when somebody else was faster."""
        session = sessions.get(clip)
        return await changed(session, session.replace_plan, plan, sessions.roots.readable, if_match)

    @app.post("/v1/clips/{clip}/people/edits", response_model=m.Changed, responses=responses(404, 409, 412))
    async def edit_people(clip: ClipId, request: m.Edits, if_match: Annotated[str | None, Header()] = None) -> Any:
        """Moves, adds, removes, merges, splits, renames and excludes people, sets mattes. Only frames that depend on it are made anew."""
        session = sessions.get(clip)
        edits = [e.model_dump(exclude_none=True) for e in request.edits]
        return await changed(session, session.correct, edits, sessions.roots.readable, if_match)

    @app.delete("/v1/clips/{clip}/people", response_model=m.Changed, responses=responses(404, 409))
    async def forget_corrections(clip: ClipId) -> Any:
        """Back to what was found automatically."""
        session = sessions.get(clip)
        return await changed(session, session.forget_corrections)

"""Routes of the plan and its corrections."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Body, FastAPI, Header, Response

from vr180_ofx.errors import ServiceError
from vr180_ofx.people.plan import Plan
from vr180_ofx.service import models as m
from vr180_ofx.service.calls import ClipId, Service, engine
from vr180_ofx.service.problems import responses
from vr180_ofx.service.sessions import Session


def add_people_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions
    document: dict[int | str, dict[str, Any]] = {
        200: {"description": "The plan.", "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}}
    }

    def changed(session: Session, frames: str) -> Any:
        return {"clip": session.facts(), "frames": frames}

    @app.get("/v1/clips/{clip}/people", response_class=Response, responses={**document, **responses(404, 409)})
    async def people(clip: ClipId) -> Response:
        """The plan: who is where. The same document that `analyse` writes."""
        session = sessions.get(clip)
        text = await engine(session.plan.to_json)
        return Response(text, media_type="application/json", headers={"ETag": f'"{session.plan.digest()}"'})

    @app.put("/v1/clips/{clip}/people", response_model=m.Changed, responses=responses(404, 409, 412))
    async def replace_people(
        clip: ClipId,
        plan: Annotated[dict[str, Any], Body(description="A plan, as GET gives it.")],
        if_match: Annotated[str | None, Header()] = None,
    ) -> Any:
        """Replaces the plan by a corrected one. If-Match refuses it when somebody else was faster."""
        session = sessions.get(clip)
        _check_match(session, if_match)
        new = await engine(Plan.from_data, plan, session.clip, "the plan")
        return changed(session, await engine(session.use_plan, new))

    @app.post("/v1/clips/{clip}/people/edits", response_model=m.Changed, responses=responses(404, 409, 412))
    async def edit_people(clip: ClipId, request: m.Edits, if_match: Annotated[str | None, Header()] = None) -> Any:
        """Moves, adds, removes, merges, splits, renames and excludes people. Only frames that depend on it are made anew."""
        session = sessions.get(clip)
        _check_match(session, if_match)
        edits = [e.model_dump(exclude_none=True) for e in request.edits]
        return changed(session, await engine(session.correct, edits))

    @app.delete("/v1/clips/{clip}/people", response_model=m.Changed, responses=responses(404, 409))
    async def forget_corrections(clip: ClipId) -> Any:
        """Back to what was found automatically."""
        session = sessions.get(clip)
        return changed(session, await engine(session.forget_corrections))


def _check_match(session: Session, if_match: str | None) -> None:
    now = f'"{session.plan.digest()}"'
    if if_match is not None and now not in if_match and if_match.strip() != "*":
        raise ServiceError(412, f"the plan has changed since: If-Match says {if_match}, it is {now}")

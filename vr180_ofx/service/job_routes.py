"""Routes of renders, and of jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Path
from fastapi.responses import StreamingResponse

from vr180_ofx.errors import ServiceError
from vr180_ofx.frame_ranges import INDEX
from vr180_ofx.media.numbering import numbering
from vr180_ofx.output.colorspace import check_colorspace
from vr180_ofx.people.curves import edge_curves
from vr180_ofx.service import models as m
from vr180_ofx.service.calls import Asker, ClipId, Service, engine
from vr180_ofx.service.jobs import Job
from vr180_ofx.service.problems import responses
from vr180_ofx.service.requested import merged
from vr180_ofx.service.session import Session
from vr180_ofx.settings import Settings

JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]


def add_job_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions
    fields = {
        "event": {"enum": ["progress", "end"]},
        "id": {"type": "string"},
        "data": {"type": "string", "description": "A job, as JSON."},
    }
    event = {"type": "object", "properties": fields, "required": ["event", "data"], "description": "Each event."}
    events_content = {"text/event-stream": {"schema": event}}
    stream: dict[int | str, dict[str, Any]] = {
        200: {"description": "Server-sent events `progress` and `end`; data: a job.", "content": events_content}
    }

    def job(number: str) -> Job:
        found = sessions.jobs.get(number)
        if found is None:
            raise ServiceError(404, f"there is no job {number!r}")
        return found

    @app.post("/v1/clips/{clip}/renders", response_model=m.JobFacts, status_code=202, responses=responses(404, 409, 503))
    async def start_render(clip: ClipId, request: m.StartRender) -> Any:
        """Renders frames into a folder of the server. Goes on where an earlier one stopped."""
        session = sessions.get(clip)
        session.plan  # noqa: B018 - said now, not by the job
        if "path" in request.output:
            raise ServiceError(422, "output.path is not taken; the folder is `path`")

        def start() -> dict[str, Any]:
            folder = sessions.roots.writable(request.path)
            edges = edge_curves(request.edges, len(session.clip), "edges")
            return session.render(folder, _render_settings(session, request), edges).facts()

        return await engine(start)

    @app.get("/v1/jobs", response_model=m.Jobs, responses=responses())
    async def list_jobs() -> Any:
        """Analyses and renders, the oldest first."""
        return {"jobs": [j.facts() for j in sessions.jobs.all()]}

    @app.get("/v1/jobs/{job_id}", response_model=m.JobFacts, responses=responses(404))
    async def job_facts(job_id: JobId, asker: Asker = None) -> Any:
        """How far a job is."""
        found = job(job_id)
        if asker is not None and not found.ended:
            sessions.get(found.clip, asker)
        return found.facts()

    @app.delete("/v1/jobs/{job_id}", response_model=m.JobFacts, responses=responses(404))
    async def cancel_job(job_id: JobId) -> Any:
        """Stops a job between two frames. What was written is whole, and the same render goes on from there."""
        found = job(job_id)
        sessions.jobs.cancel(found)
        return found.facts()

    @app.get("/v1/jobs/{job_id}/events", response_class=StreamingResponse, responses={**stream, **responses(404)})
    async def job_events(job_id: JobId) -> StreamingResponse:
        """Progress as it comes."""
        return StreamingResponse(
            job(job_id).events(lambda: service.closing), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )


def _render_settings(session: Session, request: m.StartRender) -> Settings:
    # over HTTP frames are counted from 0
    frames = request.frames if request.frames.strip().lower() == "all" else f"{INDEX}{request.frames}"
    settings = merged(session.settings, {"output": request.output, "input": {"frames": frames}})
    # said now, not by the job
    numbering(session.clip, settings).parse(settings.input.frames, "frames")
    check_colorspace(settings.output)
    return settings

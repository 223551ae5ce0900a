"""The HTTP interface: thin, typed, and without knowledge of pixels. Description at /v1/openapi.json."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Body, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from vr180_ofx.engine.frame import Frame
from vr180_ofx.errors import ServiceError, Vr180Error, statuses_of
from vr180_ofx.frame_ranges import parse_frames
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.people.plan import Plan
from vr180_ofx.resources import Monitor
from vr180_ofx.service import models as m
from vr180_ofx.service.access import Gate, Roots
from vr180_ofx.service.jobs import Job
from vr180_ofx.service.pictures import MEDIA_TYPES, Format, encode, facts_header, layer_names
from vr180_ofx.service.problems import Problem, on_error_for_people, problem, responses
from vr180_ofx.service.requested import merged
from vr180_ofx.service.sessions import Session, Sessions
from vr180_ofx.settings import Settings
from vr180_ofx.telemetry import resident_bytes
from vr180_ofx.version import __version__

log = logging.getLogger(__name__)
#: How often a waiting request looks whether somebody still waits for it.
_HANGUP_POLL_S = 0.1
ClipId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="From POST /v1/clips.")]
_VIEWS = "Default: the first. both: all eyes, in EXR as views, else as they lie in the clip. whole: in EXR, too."
_LAYERS = f"A, {', '.join(f'{x.name}.A' for x in MEASURES)}, or a person's name."
_FORMATS = "f16, f32: rows from the top, little-endian. png: 16 bits of grey. exr: every layer of the view."
JobId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$")]
T = TypeVar("T")


class Service:
    """What the routes work on. closing: whether the server is about to end. machine: what it is asked about the machine."""

    def __init__(self, settings: Settings, roots: Roots) -> None:
        self.sessions = Sessions(settings, roots)
        self.closing = False
        self.machine = Monitor()
        self.used = time.monotonic()

    def touched(self) -> None:
        """Somebody asked for something."""
        self.used = time.monotonic()

    @property
    def idle_s(self) -> float:
        """For how long nobody has asked, and nothing has been worked on."""
        if any(not job.ended for job in self.sessions.jobs.all()):
            self.touched()
        return time.monotonic() - self.used


def make_app(settings: Settings, token: str, roots: Roots) -> FastAPI:
    """The application. Whoever runs it ends it by the lifespan, which closes all clips."""
    service = Service(settings, roots)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        service.closing = True
        await run_in_threadpool(service.sessions.close)

    app = FastAPI(
        title="vr180-ofx", version=__version__, lifespan=lifespan, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,
        description="Human mattes for stereo VR180 video, frame by frame.",
    )  # fmt: skip
    app.state.service = service
    app.add_middleware(
        Gate, token=token, hosts=[settings.service.host], per_second=settings.service.max_requests_per_second,
        touched=service.touched,
    )  # fmt: skip
    app.add_exception_handler(Vr180Error, on_error_for_people)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_error)
    _clip_routes(app, service)
    _frame_routes(app, service)
    _people_routes(app, service)
    _job_routes(app, service)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return app


async def _engine(function: Callable[..., T], *arguments: Any) -> T:
    """Calls the engine on a thread. What it has to say to people becomes a problem document."""
    try:
        return await run_in_threadpool(function, *arguments)
    except (Vr180Error, asyncio.CancelledError):
        raise
    except Exception as error:
        raise _translated(error) from error


def _translated(error: Exception) -> Exception:
    """What the operating system says, as an answer; a bug stays what it is."""
    statuses = statuses_of(error)
    if statuses is None:
        return error
    text = error.strerror if isinstance(error, OSError) else None
    return ServiceError(statuses.http, text or str(error) or type(error).__name__)


# clips -----------------------------------------------------------------------------------------------------------


def _clip_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions

    @app.get("/v1/health", response_model=m.Health, responses=responses())
    async def health() -> Any:
        """Whether the server is there. Needs no token."""
        return m.Health(status="closing" if service.closing else "ok", version=__version__)

    @app.post("/v1/clips", response_model=m.ClipFacts, responses=responses(404, 409, 503, 507))
    async def open_clip(request: m.OpenClip) -> Any:
        """Opens a clip with settings, or finds it open. Unless its plan is known, the analysis begins at once."""
        session, _ = await _engine(sessions.open, request.path, request.settings)
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
        await _engine(sessions.remove, clip)
        return Response(status_code=204)

    @app.delete("/v1/clips/{clip}/cache", response_model=m.Cleared, responses=responses(404, 409))
    async def clear_cache(clip: ClipId) -> Any:
        """Forgets the clip's finished frames. What the tracker remembers, and the plan, are kept."""
        session = sessions.get(clip)
        session.plan  # noqa: B018 - without one there are no frames
        return {"frames": await _engine(session.clear_cache)}

    @app.get("/v1/clips/{clip}/stats", response_model=m.Stats, responses=responses(404))
    async def stats(clip: ClipId) -> Any:
        """Stage times, caches and memory."""
        session = sessions.get(clip)
        return {"clip": clip, "resident_bytes": resident_bytes(), "machine": service.machine.look().to_dict(), "engine": session.stats()}


# frames ----------------------------------------------------------------------------------------------------------


def _frame_routes(app: FastAPI, service: Service) -> None:
    sessions = service.sessions
    binary = {"schema": {"type": "string", "format": "binary"}}
    pictures: dict[int | str, dict[str, Any]] = {
        200: {"description": "The layer's pixels.", "content": dict.fromkeys(sorted(set(MEDIA_TYPES.values())), binary)},
        304: {"description": "It is what If-None-Match names."},
    }

    @app.get("/v1/clips/{clip}/frames/{n}", response_class=Response, responses={**pictures, **responses(404, 409, 499, 503, 507)})
    async def frame(
        *,
        request: Request,
        clip: ClipId,
        n: Annotated[int, Path(ge=0, le=100_000_000, description="Counted from 0.")],
        view: Annotated[m.Shown | None, Query(description=_VIEWS)] = None,
        layer: Annotated[str, Query(max_length=80, description=_LAYERS)] = "A",
        quality: Literal["final", "draft"] = "final",
        format: Annotated[Format, Query(description=_FORMATS)] = "f16",
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        """One layer of one frame. A request that is given up stops the work, unless somebody else wants it too."""
        session = sessions.get(clip)
        chosen = view or session.clip.views[0]
        everything = chosen in ("both", "whole")
        shown = session.clip.views if everything else (chosen,)
        if not set(shown) <= set(session.clip.views):
            raise ServiceError(422, f"view is {chosen!r}; this clip has {', '.join(session.clip.views)}")
        etag = await _engine(session.etag, n, quality, chosen, layer, format)
        if etag is not None and if_none_match is not None and etag in if_none_match:
            return Response(status_code=304, headers={"ETag": etag})
        made = await _await(request, await _engine(session.request, n, quality))
        names = [x.name for v in shown for x in made.views[v].layers] if session.state != "ready" else [p.name for p in session.plan.people]
        layout = session.clip.geometry.layout if everything and (format != "exr" or chosen == "whole") else None
        encoded = functools.partial(
            encode, made, shown, format, layout=layout, layer=layer, names=names, clip=session.exr(),
            preset=session.settings.output.exr_preset,
        )  # fmt: skip
        size, body = await _engine(encoded)
        headers = {
            "X-Width": str(size[0]), "X-Height": str(size[1]), "X-Quality": str(made.metadata["quality"]),
            "X-Made-With": facts_header(made), "Cache-Control": "no-cache",
        }  # fmt: skip
        if etag is not None:
            headers["ETag"] = etag
        # Starlette copies bytes-like bodies of its own accord only where they are text
        return Response(body, media_type=MEDIA_TYPES[format], headers=headers)

    @app.get("/v1/clips/{clip}/layers", response_model=list[str], responses=responses(404, 409))
    async def layers(clip: ClipId) -> Any:
        """What `layer` may be."""
        return layer_names([p.name for p in sessions.get(clip).plan.people])


async def _await(request: Request, future: Future[Frame]) -> Frame:
    """Waits for a frame for as long as the client does."""
    waiting = asyncio.wrap_future(future)
    try:
        while True:
            done, _ = await asyncio.wait([waiting], timeout=_HANGUP_POLL_S)
            if done:
                return waiting.result()
            if await request.is_disconnected():
                future.cancel()
                raise ServiceError(499, "the client hung up")
    except asyncio.CancelledError:
        if future.cancelled():
            raise ServiceError(503, "the frame was given up: the clip or the server is being closed", {"Retry-After": "2"}) from None
        future.cancel()
        raise
    except Vr180Error:
        raise
    except Exception as error:
        raise _translated(error) from error


# people ----------------------------------------------------------------------------------------------------------


def _people_routes(app: FastAPI, service: Service) -> None:
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
        text = await _engine(session.plan.to_json)
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
        new = await _engine(Plan.from_data, plan, session.clip, "the plan")
        return changed(session, await _engine(session.use_plan, new))

    @app.post("/v1/clips/{clip}/people/edits", response_model=m.Changed, responses=responses(404, 409, 412))
    async def edit_people(clip: ClipId, request: m.Edits, if_match: Annotated[str | None, Header()] = None) -> Any:
        """Moves, adds, removes, merges, splits, renames and excludes people. Only frames that depend on it are made anew."""
        session = sessions.get(clip)
        _check_match(session, if_match)
        edits = [e.model_dump(exclude_none=True) for e in request.edits]
        return changed(session, await _engine(session.correct, edits))

    @app.delete("/v1/clips/{clip}/people", response_model=m.Changed, responses=responses(404, 409))
    async def forget_corrections(clip: ClipId) -> Any:
        """Back to what was found automatically."""
        session = sessions.get(clip)
        return changed(session, await _engine(session.forget_corrections))


def _check_match(session: Session, if_match: str | None) -> None:
    now = f'"{session.plan.digest()}"'
    if if_match is not None and now not in if_match and if_match.strip() != "*":
        raise ServiceError(412, f"the plan has changed since: If-Match says {if_match}, it is {now}")


# jobs ------------------------------------------------------------------------------------------------------------


def _job_routes(app: FastAPI, service: Service) -> None:
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
        folder = sessions.roots.writable(request.path)
        session.plan  # noqa: B018 - said now, not by the job
        if "path" in request.output:
            raise ServiceError(422, "output.path is not taken; the folder is `path`")
        settings = _render_settings(session, request)
        return session.render(folder, settings).facts()

    @app.get("/v1/jobs", response_model=m.Jobs, responses=responses())
    async def list_jobs() -> Any:
        """Analyses and renders, the oldest first."""
        return {"jobs": [j.facts() for j in sessions.jobs.all()]}

    @app.get("/v1/jobs/{job_id}", response_model=m.JobFacts, responses=responses(404))
    async def job_facts(job_id: JobId) -> Any:
        """How far a job is."""
        return job(job_id).facts()

    @app.delete("/v1/jobs/{job_id}", response_model=m.JobFacts, responses=responses(404))
    async def cancel_job(job_id: JobId) -> Any:
        """Stops a job between two frames. What was written is whole, and the same render goes on from there."""
        found = job(job_id)
        found.cancel()
        return found.facts()

    @app.get("/v1/jobs/{job_id}/events", response_class=StreamingResponse, responses={**stream, **responses(404)})
    async def job_events(job_id: JobId) -> StreamingResponse:
        """Progress as it comes."""
        return StreamingResponse(
            job(job_id).events(lambda: service.closing), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )


def _render_settings(session: Session, request: m.StartRender) -> Settings:
    settings = merged(session.settings, {"output": request.output, "input": {"frames": request.frames}})
    if not parse_frames(settings.input.frames, len(session.clip)):
        raise ServiceError(422, "frames names none")
    return settings


# problems --------------------------------------------------------------------------------------------------------


async def _on_invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    lines = []
    for e in error.errors()[:10]:
        place = ".".join(str(p) for p in e["loc"])
        given = e.get("input")
        shown = f" (it is {str(given)[:60]!r})" if isinstance(given, (str, int, float, bool)) else ""
        lines.append(f"{place}: {e['msg']}{shown}")
    return problem(422, "; ".join(lines))


async def _on_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return problem(error.status_code, str(error.detail), dict(error.headers or {}))


async def _on_error(_request: Request, error: Exception) -> JSONResponse:
    log.error("a request met an error that should not happen", exc_info=error)
    return problem(500, f"an error that should not happen: {type(error).__name__}; the server's log has more")


def _description(app: FastAPI) -> dict[str, Any]:
    """OpenAPI with the problem document, the token, and without the framework's own error model, which is never sent."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        components = schema.setdefault("components", {})
        known = components.setdefault("schemas", {})
        known["Problem"] = Problem.model_json_schema()
        for name in ("HTTPValidationError", "ValidationError"):
            known.pop(name, None)
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        schema["security"] = [{"token": []}]
        schema["paths"]["/v1/health"]["get"]["security"] = []
        app.openapi_schema = schema
    return app.openapi_schema

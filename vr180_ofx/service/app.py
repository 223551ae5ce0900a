"""The HTTP interface: thin, typed, and without knowledge of pixels. Description at /v1/openapi.json."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from vr180_ofx.errors import Vr180Error
from vr180_ofx.service.access import Roots
from vr180_ofx.service.bodies import StrictRoute
from vr180_ofx.service.calls import Service
from vr180_ofx.service.clip_routes import add_clip_routes
from vr180_ofx.service.frame_routes import add_frame_routes
from vr180_ofx.service.guard import guard
from vr180_ofx.service.job_routes import add_job_routes
from vr180_ofx.service.page import add_page
from vr180_ofx.service.people_routes import add_people_routes
from vr180_ofx.service.problems import Problem, on_error_for_people, problem
from vr180_ofx.service.server_routes import add_server_routes
from vr180_ofx.settings import Settings
from vr180_ofx.version import __version__

log = logging.getLogger(__name__)
#: What closing all clips may take when the server ends: a render's frame, and memory that is kept on disk.
_CLOSE_S = 20.0


def make_app(settings: Settings, token: str, roots: Roots) -> FastAPI:
    """The application. Whoever runs it ends it by the lifespan, which closes all clips."""
    service = Service(settings, roots)

    @contextlib.asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        service.bell.hang()
        watching = asyncio.create_task(_give_up_unwanted(service))
        yield
        watching.cancel()
        service.end_soon()
        # what hangs - a drive that is gone, say - is left where it is: everything that was written is whole
        with anyio.move_on_after(_CLOSE_S):
            await anyio.to_thread.run_sync(service.sessions.close, abandon_on_cancel=True)

    app = FastAPI(
        title="vr180-ofx", version=__version__, lifespan=lifespan, openapi_url="/v1/openapi.json", docs_url=None, redoc_url=None,
        description="Human mattes for stereo VR180 video, frame by frame. Frames count from 0; texts name them by their files' numbers.",
    )  # fmt: skip
    app.router.route_class = StrictRoute
    app.state.service = service
    app.add_middleware(service.attendance.watch)
    guard(app, token, settings.service)
    app.add_exception_handler(Vr180Error, on_error_for_people)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(Exception, _on_error)
    add_clip_routes(app, service)
    add_frame_routes(app, service)
    add_people_routes(app, service)
    add_job_routes(app, service)
    add_server_routes(app, service)
    add_page(app)
    app.openapi = lambda: _description(app)  # type: ignore[method-assign]
    return app


async def _give_up_unwanted(service: Service) -> None:
    """Looks for analyses that nobody waits for any more, of whom somebody would have been heard."""
    while True:
        await asyncio.sleep(1)
        service.sessions.give_up_unwanted()


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

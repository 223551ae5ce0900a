"""What can go wrong with a request, as RFC 9457 problem documents: the same words that the command line would use."""

from __future__ import annotations

import errno
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field


class Problem(BaseModel):
    """application/problem+json."""

    type: str = Field("about:blank", description="about:blank: the title says it.")
    title: str
    status: int
    detail: str = Field(description="What was wrong, with which value, and what is allowed.")


class ServiceError(Exception):
    """An answer with an error status."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The document as a response."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Client Closed Request" if status == 499 else "Error"
    body = Problem(type="about:blank", title=title, status=status, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of the interface: which problems a request may meet, beside those that any may meet."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = {400, 401, 403, 413, 421, 422, 429, *statuses}
    return {s: {"description": HTTPStatus(s).phrase if s != 499 else "Client Closed Request", "content": content} for s in sorted(every)}


async def on_service_error(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ServiceError)
    return problem(error.status, error.detail, error.headers)


def status_of(error: BaseException) -> int | None:
    """The status that stands for an error of the engine; None for a bug."""
    from vr180_ofx.errors import (
        ClipChangedError,
        ColourError,
        FrameError,
        MediaError,
        OutputError,
        PlanError,
        ResourceError,
        ServerBusyError,
        SettingsError,
        WeightsError,
    )

    if isinstance(error, ServiceError):
        return error.status
    if isinstance(error, ClipChangedError):
        return 409
    if isinstance(error, FrameError):
        return 404
    if isinstance(error, (SettingsError, PlanError, OutputError, ColourError, MediaError, IndexError)):
        return 422
    if isinstance(error, (ServerBusyError, WeightsError)):
        return 503
    if isinstance(error, (ResourceError, MemoryError)):
        return 507
    if isinstance(error, OSError):
        return 507 if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.ENOMEM) else 422
    return None

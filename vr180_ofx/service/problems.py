"""What can go wrong with a request, as RFC 9457 problem documents: the same words that the command line would use."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from vr180_ofx.errors import ServiceError, Vr180Error
from vr180_ofx.wording import printable


class Problem(BaseModel):
    """application/problem+json."""

    type: str = Field("about:blank", description="about:blank: the title says it.")
    title: str
    status: int
    detail: str = Field(description="What was wrong, with which value, and what is allowed.")


def problem(status: int, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """The document as a response."""
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Client Closed Request" if status == 499 else "Error"
    body = Problem(type="about:blank", title=title, status=status, detail=printable(detail))
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For the description of the interface: which problems a request may meet, beside those that any may meet."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    every = {400, 401, 403, 413, 421, 422, 429, *statuses}
    return {s: {"description": HTTPStatus(s).phrase if s != 499 else "Client Closed Request", "content": content} for s in sorted(every)}


async def on_error_for_people(_request: Request, error: Exception) -> JSONResponse:
    """What the program has to say, as an answer."""
    assert isinstance(error, Vr180Error)
    return problem(error.http_status, str(error), error.headers if isinstance(error, ServiceError) else None)

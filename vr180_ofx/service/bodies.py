"""What requests hold, as JSON within bounds: the same reader, and the same words, as for files."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from vr180_ofx.documents import from_json
from vr180_ofx.errors import DocumentError

#: Larger bodies are read beside the loop, which goes on answering others.
_LARGE_BYTES = 1 << 18


class _StrictRequest(Request):
    async def json(self) -> Any:
        body = await self.body()
        try:
            return await run_in_threadpool(from_json, body) if len(body) > _LARGE_BYTES else from_json(body)
        except DocumentError as error:
            # the framework knows this exception alone, and hands it on
            raise HTTPException(DocumentError.http_status, f"the request's body {error}") from None


class StrictRoute(APIRoute):
    """A route whose body is read by `documents.from_json`: what is there twice, is no number or nests too deep is refused, and said."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(_StrictRequest(request.scope, request.receive))

        return strict

"""What stands before the application: who may ask, and how the server shows who it is before anybody tells it a secret."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import FastAPI, Query, Request

from vr180_ofx.client import proof
from vr180_ofx.errors import ServiceError
from vr180_ofx.service import models as m
from vr180_ofx.service.access import Gate, host_and_port, is_address, is_loopback
from vr180_ofx.service.page import is_for_people
from vr180_ofx.service.problems import responses
from vr180_ofx.settings.machine import ServiceSettings

_NONCE = "64 hexadecimal digits, made up for this connection."


def guard(app: FastAPI, token: str, service: ServiceSettings) -> None:
    """Puts the gate before the application."""
    app.add_middleware(Gate, token=token, hosts=[service.host], per_second=service.max_requests_per_second, is_open=is_for_people)

    @app.get("/v1/proof", response_model=m.Proof, responses=responses(), openapi_extra={"security": []})
    async def server_proof(request: Request, nonce: Annotated[str, Query(pattern="^[0-9a-f]{64}$", description=_NONCE)]) -> Any:
        """Shows that the server knows the token, without telling it. Needs no token: it is asked before one is sent."""
        host, port = host_and_port(request.headers["host"])
        local, own = request.scope.get("server") or ("", None)
        # somebody at another port or address may be passing the question on, to pass the answer off as their own
        if port != own:
            raise ServiceError(421, f"this server is at port {own} and proves itself for no other; tunnels need the same one at both ends")
        if is_loopback(local) and is_address(host) and host != local:
            raise ServiceError(421, f"this server is at {local} and proves itself for no other address of this machine")
        return m.Proof(proof=proof(token, nonce, host, port))

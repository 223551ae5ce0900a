"""Routes that serve frames."""

from __future__ import annotations

import asyncio
import functools
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Header, Path, Query, Request, Response

from vr180_ofx.errors import ServiceError, Vr180Error
from vr180_ofx.output.measures import MEASURES
from vr180_ofx.service import models as m
from vr180_ofx.service.calls import Asker, ClipId, HungUp, Service, address_of, attended, engine, give_up, translated
from vr180_ofx.service.pictures import MEDIA_TYPES, Format, encode, facts_header, layer_names
from vr180_ofx.service.problems import responses
from vr180_ofx.service.requested import asked_edges

_VIEWS = "Default: the first. both: all eyes, in EXR as views, else as they lie in the clip. whole: in EXR, too."
_LAYERS = f"A, {', '.join(f'{x.name}.A' for x in MEASURES)}, or a person's name."
_EDGES = "A JSON object with keys of the section edges: done to everybody in this answer alone, without a network run."
_FORMATS = "f16, f32: rows from the top, little-endian. png: 16 bits of grey. exr: every layer of the view."


def add_frame_routes(app: FastAPI, service: Service) -> None:
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
        edges: Annotated[str | None, Query(max_length=2000, description=_EDGES)] = None,
        if_none_match: Annotated[str | None, Header()] = None,
        asker: Asker = None,
    ) -> Response:
        """One layer of one frame. A request that is given up stops the work, unless somebody else wants it too."""
        session = sessions.get(clip, asker)
        chosen = view or session.clip.views[0]
        everything = chosen in ("both", "whole")
        shown = session.clip.views if everything else (chosen,)
        if not set(shown) <= set(session.clip.views):
            raise ServiceError(422, f"view is {chosen!r}; this clip has {', '.join(session.clip.views)}")
        asked = asked_edges(edges)
        etag = await engine(functools.partial(session.etag, n, quality, chosen, layer, format, edges=asked))
        if etag is not None and if_none_match is not None and etag in if_none_match:
            return Response(status_code=304, headers={"ETag": etag})
        wanted = await engine(session.request, n, quality, asked)
        try:
            made = await attended(request, service, asyncio.wrap_future(wanted))
        except HungUp:
            session.hung_up()
            give_up(service, session, asker or address_of(request))
            raise
        except Vr180Error:
            raise
        except Exception as error:
            raise translated(error) from error
        names = [x.name for v in shown for x in made.views[v].layers] if session.state != "ready" else [p.name for p in session.plan.people]
        layout = session.clip.geometry.layout if everything and (format != "exr" or chosen == "whole") else None
        encoded = functools.partial(
            encode, made, shown, format, layout=layout, layer=layer, names=names, clip=session.exr(),
            preset=session.settings.output.exr_preset,
        )  # fmt: skip
        size, body = await engine(encoded)
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

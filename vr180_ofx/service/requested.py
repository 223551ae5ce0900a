"""The settings that requests ask for: what each setting says of itself decides whether it may be set over HTTP."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, ServiceError
from vr180_ofx.settings import Settings, every_setting, former
from vr180_ofx.wording import short


@functools.cache
def http_sections() -> tuple[str, ...]:
    """The sections of which a request may set something."""
    return tuple(dict.fromkeys(name for name, _, traits in every_setting() if traits.http))


def merged(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The server's ``settings`` with what a request asks for, section -> key -> value; former names are understood.

    Raises ServiceError for what may not be set over HTTP, SettingsError for what is not understood.
    """
    traits = {(name, key): t for name, key, t in every_setting()}
    out = settings.model_dump(mode="json")
    for section, keys in values.items():
        if section not in http_sections():
            raise ServiceError(422, f"settings has the section {short(section)}; allowed are {', '.join(http_sections())}")
        if not isinstance(keys, Mapping):
            raise ServiceError(422, f"settings.{section} is {short(keys)}; it is an object with keys of that section")
        asked = former.current(section, keys)
        for key, value in asked.items():
            known = traits.get((section, key))
            # what is no setting at all is said with what was meant, further on
            if known is not None and not known.http:
                raise ServiceError(403, f"settings.{section}.{key} is not taken over HTTP; set it where the server is started")
            if known is not None and isinstance(known.http, tuple) and value not in known.http:
                raise ServiceError(403, f"settings.{section}.{key} is {short(value)}; over HTTP allowed are {', '.join(known.http)}")
        out[section].update(asked)
    return Settings.from_values(out)


def asked_edges(text: str | None) -> dict[str, float]:
    """The edge controls that a request for a frame asks for, as JSON.

    Raises ServiceError for what is no object, SettingsError for a key or a value that there is not.
    """
    if text is None:
        return {}
    try:
        values = documents.from_json(text)
    except DocumentError as error:
        raise ServiceError(422, f"edges {error}") from None
    if not isinstance(values, Mapping):
        raise ServiceError(422, f"edges is {short(values)}; it is an object with keys of the section edges")
    return Settings(edges=dict(values)).edges.model_dump(exclude_unset=True)

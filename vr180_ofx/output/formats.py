"""The writer of a format: the one place that constructs writers. Which formats there are: `vr180_ofx.settings.formats`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import cast

from vr180_ofx.output.contract import Job, Writer
from vr180_ofx.settings.formats import FORMATS


def make_writer(job: Job) -> Writer:
    """The writer that ``output.format`` names. Raises SettingsError for what it cannot write together."""
    return writer_class(job.settings.output.format)(job)


def writer_class(name: str) -> Callable[[Job], Writer]:
    """What writes the format ``name``; its libraries are loaded now."""
    module, _, kind = FORMATS[name].writer.partition(":")
    return cast("Callable[[Job], Writer]", getattr(importlib.import_module(f"vr180_ofx.output.{module}"), kind))

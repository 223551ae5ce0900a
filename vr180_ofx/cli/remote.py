"""vr180-ofx render --server: a frame server does the work."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any

from vr180_ofx.cli.common import console, progress_bar, styled
from vr180_ofx.errors import ServiceGoneError
from vr180_ofx.frame_ranges import Numbering, ranges_text
from vr180_ofx.people import plan_file
from vr180_ofx.rendering.many import ClipJob
from vr180_ofx.rendering.report import RenderReport
from vr180_ofx.settings import Settings, every_setting
from vr180_ofx.timecode import Timecode


def render_remotely(arguments: argparse.Namespace, settings: Settings, what: ClipJob) -> RenderReport:
    """Renders on a frame server, whose disk holds the clip and gets the frames, and says what came of it.

    Raises ServiceGoneError when the server is not there, or refuses; KeyboardInterrupt when somebody else cancelled the job.
    """
    from vr180_ofx.client import ServerProblem, ServerUnavailable, connect

    plan = plan_file.read(what.plan) if what.plan else None
    asked, refused = asked_of_server(settings)
    if refused:
        console.print(styled(f"{', '.join(refused)}: not taken over HTTP; what the server was started with counts", "yellow"))
    try:
        server = connect(arguments.server or None, arguments.token_file)
        clip = server.open(os.path.abspath(what.clip.path), asked)
        with progress_bar("analysing", quiet=arguments.json) as update:
            for job in server.follow(clip.facts["job"]) if clip.facts["job"] else ():
                update(job["done"], job["total"])
        clip.wait()
        if plan is not None:
            clip.replace_people(plan)
        report: dict[str, Any] = {}
        output = settings.output.model_dump(mode="json", exclude={"path"}, exclude_unset=True)
        with progress_bar("rendering", quiet=arguments.json) as update:
            for job in clip.render(os.path.abspath(what.folder), _counted_from_0(settings, clip.facts), output):
                update(job["done"], job["total"])
                report = job["report"] or {}
    except ServerUnavailable as error:
        raise ServiceGoneError(str(error)) from None
    except ServerProblem as error:
        raise ServiceGoneError(f"{arguments.server or 'the server'} says: {error.detail}") from None
    if job["state"] == "cancelled":
        raise KeyboardInterrupt
    if not arguments.json:
        console.print(styled(f"{report['written']} frames written", "bold"), f", {report['kept']} were there: {report['pattern']}", sep="")
        for note in report["notes"]:
            console.print(f"  {note}")
    # a server of another version may say more or less
    return RenderReport(**{f.name: report[f.name] for f in fields(RenderReport) if f.name in report})


def _counted_from_0(settings: Settings, facts: Mapping[str, Any]) -> str:
    """The frames that are asked for, as the server counts them. facts: its own of the clip."""
    start = facts["start_frame"] if settings.output.start_frame is None else settings.output.start_frame
    code = facts.get("timecode")
    timecode = None if code is None else Timecode.of(code, Fraction(facts["fps"]).limit_denominator(1001))
    numbers = Numbering(facts["frames"], start, timecode=timecode)
    return ranges_text(numbers.parse(settings.input.frames)).replace(" ", "")


def asked_of_server(settings: Settings) -> tuple[dict[str, dict[str, Any]], list[str]]:
    """What was asked for beside the defaults: what a clip is opened with, and the keys that are the server's affair."""
    set_here = settings.model_dump(mode="json", exclude_unset=True, exclude_defaults=True)
    asked: dict[str, dict[str, Any]] = {}
    refused = []
    for name, key, traits in every_setting():
        # where the clip, its frames and the output are is asked for in other words
        if key not in set_here.get(name, {}) or name == "output" or (name, key) in (("input", "video_path"), ("input", "frames")):
            continue
        if traits.http:
            asked.setdefault(name, {})[key] = set_here[name][key]
        else:
            refused.append(f"{name}.{key}")
    return asked, refused

"""vr180-ofx analyse."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vr180_ofx.cli.common import (
    add_node_arguments,
    add_settings_arguments,
    clip_from,
    console,
    plan_for,
    print_json,
    say_clip,
    say_plan,
    settings_from,
    styled,
)
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import OutputError
from vr180_ofx.media.contract import Clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.people.plan import Plan
from vr180_ofx.storage import backup_of, write_atomic
from vr180_ofx.wording import as_utf8

USAGE = "CLIP [-o PLAN] [options]"
EXAMPLES: Examples = (
    ("who is where; look at who.png, then edit plan.json", "vr180-ofx analyse clip.mp4 -o plan.json --preview who.png"),
    (
        "somebody is missed: be less strict, and search more often",
        "vr180-ofx analyse clip.mp4 -o plan.json --confidence 0.5 --detect-every 2",
    ),
    ("look at a plan that was edited", "vr180-ofx analyse clip.mp4 --plan plan.json -o seen.json --preview who.png"),
)


def remembering(plan: Plan, clip: Clip, target: Path) -> Plan:
    """The plan with where its clip is, seen from the folder of ``target``: who edits it need not say so."""
    try:
        place = os.path.relpath(clip.path.absolute(), target.absolute().parent)
    except ValueError:  # another drive
        return plan
    return replace(plan, clip={**plan.clip, "file": as_utf8(place)})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", nargs="?", metavar="CLIP", help="a video, an image sequence, or a folder of images")
    parser.add_argument("-o", "--output", metavar="PLAN", help="where the plan is written (default: CLIP's name + .plan.json, here)")
    parser.add_argument("--preview", metavar="PNG", help="a contact sheet: each person, large, with rulers and a draft of the matte")
    parser.add_argument("--at", metavar="LIST", help="which frames --preview shows (default: first, middle, last, and unsure ones)")
    parser.add_argument("--plan", metavar="F", help="look at this plan instead of searching")
    parser.add_argument("--fresh", action="store_true", help="search again even when a plan is cached")
    parser.add_argument("--json", action="store_true", help="print a summary as JSON on standard output")
    add_settings_arguments(parser)
    add_node_arguments(parser)


def _refuse(target: Path, preview: str | None) -> None:
    """Raises OutputError for names that cannot be written to, before minutes are spent on what goes there."""
    if preview is not None and Path(preview).suffix.lower() != ".png":
        raise OutputError(f"the contact sheet is called {preview}; it is a picture that ends in .png")
    for path in (target, *(() if preview is None else (Path(preview),))):
        if path.is_dir():
            raise OutputError(f"{path} is a folder; name a file in it")
        if not path.absolute().parent.is_dir():
            raise OutputError(f"{path} cannot be written: there is no folder {path.parent}")


@contextlib.contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Says which file the system's words are about."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}; choose another name") from None


def _kept(target: Path, made: Plan) -> Path | None:
    """Keeps what is in the place of a plan, as `edit` does: somebody may have edited it. Returns where; None where nothing is lost."""
    if not target.exists():
        return None
    before = target.read_bytes()
    if before == made.to_json().encode():
        return None
    kept = backup_of(target)
    write_atomic(kept, before)
    return kept


def run(arguments: argparse.Namespace) -> int:
    settings = settings_from(arguments)
    with clip_from(arguments, settings) as clip:
        if not arguments.json:
            say_clip(clip, settings)
        numbers = numbering(clip, settings)
        target = Path(arguments.output or f"{clip.name}.plan.json")
        _refuse(target, arguments.preview)
        at = numbers.parse(arguments.at, "--at") if arguments.at else ()
        plan = plan_for(clip, settings, arguments.plan, quiet=arguments.json, fresh=arguments.fresh)
        if target.exists() and not arguments.output:
            console.print(styled(f"{target} exists; it is left alone. Use -o to write another", "yellow"))
        else:
            made = remembering(plan, clip, target)
            with _writing(target):
                kept = _kept(target, made)
                made.save(target)
            if kept is not None:
                console.print(
                    styled(f"{target} held another plan, which is {kept.name} now; 'vr180-ofx edit {target} undo' takes it back", "yellow")
                )
        if arguments.preview:
            from vr180_ofx.rendering.contact_sheet import contact_sheet

            with _writing(Path(arguments.preview)):
                contact_sheet(clip, plan, Path(arguments.preview), settings, at=at)
        if arguments.json:
            people = [
                {
                    "id": p.id,
                    "name": p.name,
                    "exclude": p.exclude,
                    "frames": {v: len(plan.track(p, v).bodies) for v in plan.views},
                }
                for p in plan.people
            ]
            print_json(
                {
                    "clip": clip.describe(),
                    "plan": str(target),
                    "shots": plan.shots,
                    "people": people,
                    "notes": [*map(numbers.told, plan.notes), *plan.doubts(numbers.start, str(target))],
                }
            )
        else:
            say_plan(plan, numbers, str(target))
            console.print(f"plan: {target}" + (f", preview: {arguments.preview}" if arguments.preview else ""))
    return 0

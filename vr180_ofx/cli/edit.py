"""vr180-ofx edit: corrections of a plan, in words."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from vr180_ofx.cli.common import console, print_json, progress_bars, styled
from vr180_ofx.cli.edit_parsers import operation_parsers
from vr180_ofx.cli.edit_words import THEN, parse_words
from vr180_ofx.cli.helping import Examples
from vr180_ofx.controls.paint import painted_for
from vr180_ofx.engine.models import Models
from vr180_ofx.errors import MediaError, OutputError, PlanError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.contract import Clip, Source
from vr180_ofx.media.described import described_clip
from vr180_ofx.media.numbering import numbering
from vr180_ofx.media.open import open_clip
from vr180_ofx.people import plan_file
from vr180_ofx.people.absence import Range
from vr180_ofx.people.curves import Curves
from vr180_ofx.people.edit import apply_edits, changed_frames
from vr180_ofx.people.followed import told_where_carried, told_where_missing
from vr180_ofx.people.mattes_file import InputMatte
from vr180_ofx.people.person import Person
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings
from vr180_ofx.storage import backup_of, write_atomic

USAGE = "PLAN [OP ... [then OP ...]] [options]"
EXAMPLES: Examples = (
    ("who is in it", "vr180-ofx edit clip.plan.json"),
    ("from frame 10 on they are somebody else", "vr180-ofx edit clip.plan.json split person02 --at 10"),
    ("several at once", f"vr180-ofx edit clip.plan.json rename person03 anna {THEN} exclude person01"),
    ("no matte of her there", "vr180-ofx edit clip.plan.json absent anna 20-35 --eye left"),
    ("somebody who was missed", "vr180-ofx edit clip.plan.json add --box 812,402,1010,980@12:left --name ben"),
    ("and where they were lost", "vr180-ofx edit clip.plan.json add --point 905,610@48:left --into ben"),
    (
        "nobody is there from frame 12 on, in both eyes",
        'vr180-ofx edit clip.plan.json garbage "90,40 180,40 150,95@12:left" --frames 12-48',
    ),
    (
        "a softer edge for her alone, and a tighter one for all",
        f"vr180-ofx edit clip.plan.json edges anna feather=3 {THEN} edges all size=-1",
    ),
    ("back to before the last edit", "vr180-ofx edit clip.plan.json undo"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    rows = ["", "", "operations ('vr180-ofx edit PLAN split --help' explains one):"]
    rows += [f"  {name:<8} {p.description}" for name, p in operation_parsers().items()]
    rows += ["  undo     Back to the plan before the last edit; again, and forth.", "  show     Who is in the plan, and where."]
    parser.epilog = (parser.epilog or "") + "\n".join(rows).replace("%", "%%")
    parser.add_argument("plan", metavar="PLAN", help="a plan from 'analyse'")
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="OP ...", help=f"an operation, or several with '{THEN}' between them (default: show)"
    )
    _add_common(parser)


def _add_common(parser: argparse.ArgumentParser, **how: Any) -> None:
    """Flags that may stand anywhere, also behind the operations."""
    parser.add_argument("-o", "--output", metavar="PLAN", help="write this file instead, and leave PLAN as it is", **how)
    parser.add_argument("-n", "--dry-run", action="store_true", help="say what would change, and write nothing", **how)
    parser.add_argument("--clip", metavar="CLIP", help="the clip, when it is not where the plan remembers it", **how)
    parser.add_argument("--start-frame", metavar="N", type=int, help="its first frame's number (default: a sequence's own, else 1)", **how)
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON on standard output", **how)


def run(arguments: argparse.Namespace) -> int:
    # argparse leaves everything behind the first operation alone: flags of the command are taken out of it here
    common = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    _add_common(common, default=argparse.SUPPRESS)
    try:
        _, words = common.parse_known_args(arguments.words, arguments)
    except argparse.ArgumentError as error:
        raise PlanError(f"{error}; see vr180-ofx edit --help") from None
    path = Path(arguments.plan)
    if words[1:] in (["--help"], ["-h"]) and (asked := operation_parsers().get(words[0])):
        # whoever asks how it is used need not have a plan yet
        asked.print_help()
        return 0
    if words == ["undo"]:
        return _undo(path)
    data = plan_file.read(path)
    with _clip_of(data, path, arguments.clip) as clip:
        plan = Plan.from_data(data, clip, str(path), path.parent)
        first_number = numbering(clip).start if arguments.start_frame is None else arguments.start_frame
        if words in ([], ["show"]):
            _show(plan, path, first_number, as_json=arguments.json)
            return 0
        steps = parse_words(words, first_number, clip.views)
        edits = [(edit, step.text) for step in steps for edit in step.edits]
        with progress_bars(quiet=arguments.json) as progress:
            made = apply_edits(
                plan, [edit for edit, _ in edits], clip, load_segmenter=Models.of(clip.settings).load_segmenter,
                called=[text for _, text in edits], first_number=first_number, progress=progress,
            )  # fmt: skip
        # what cannot be read is said now, not when a frame is made
        for file in sorted(made.painted - plan.painted):
            painted_for(file, clip.eye_size)
        target = Path(arguments.output or path)
        lost = told_where_missing(
            plan, made, [edit for edit, _ in edits], fps=float(clip.fps), first_number=first_number, plan_name=str(target)
        )
        lost += told_where_carried(plan, made, first_number=first_number, plan_name=str(target))
        frames = [n + first_number for n in changed_frames(plan, made)]
        if not arguments.dry_run:
            if target == path:
                write_atomic(backup_of(path), path.read_bytes())
            made.save(target)
        if arguments.json:
            print_json(
                {
                    "plan": str(target),
                    "written": not arguments.dry_run,
                    "frames": ranges_text(frames),
                    "people": _facts(made, first_number),
                    "notes": lost,
                }
            )
            return 0
        for line in _differences(plan, made, first_number):
            console.print(f"  {line}")
        for line in lost:
            console.print(styled(f"  {line}", "yellow"))
        console.print(f"  frames that change: {ranges_text(frames) or 'none'}")
        written = f"{target} would be written" if arguments.dry_run else f"plan: {target}"
        kept = f" (before: {backup_of(path).name}; 'vr180-ofx edit {path} undo' goes back)"
        console.print(written + (kept if target == path and not arguments.dry_run else ""))
    return 0


# the clip --------------------------------------------------------------------------------------------------------


def _clip_of(data: Any, path: Path, named: str | None) -> Clip:
    """The clip of a plan, as the plan describes it; its file is opened when pixels are asked for, or when the description is not whole."""
    facts = data.get("clip") if isinstance(data, dict) else None
    if not isinstance(facts, dict):
        facts = {}
    settings = _settings(facts)

    def found() -> Clip:
        return open_clip(_file(facts, path, named), settings)

    def source() -> Source:
        clip = found()
        if facts.get("fingerprint", clip.fingerprint) != clip.fingerprint:
            console.print(
                styled(f"  {clip.path} is not the file that the plan was made of; its people are looked for in it all the same", "yellow")
            )
        return clip.source

    try:
        return described_clip(facts, Path(str(facts.get("path", "clip"))), settings, source)
    except ValueError:
        return found()


def _settings(facts: dict[str, Any]) -> Settings:
    """As the clip was read: its geometry is the plan's word, whatever the file is called now."""
    keys = {"layout": "layout", "projection": "projection", "fov_degrees": "fov_degrees"}
    known = {key: facts[fact] for fact, key in keys.items() if facts.get(fact) is not None}
    return Settings.from_values({"input": known}) if known else Settings()


def _file(facts: dict[str, Any], path: Path, named: str | None) -> str:
    """Where the clip is. Raises MediaError that says where it was looked for."""
    if named is not None:
        return named
    places = [path.parent / str(facts[key]) for key in ("file", "path") if isinstance(facts.get(key), str)]
    for place in dict.fromkeys([*places, *(Path(p.name) for p in places)]):
        if place.exists():
            return str(place)
    looked = ", ".join(dict.fromkeys(str(p) for p in places))
    raise MediaError(
        f"this needs the clip's pictures, and it is not where the plan remembers it ({looked or 'nowhere'}); say where with --clip CLIP"
    )


# what is said ----------------------------------------------------------------------------------------------------


def _undo(path: Path) -> int:
    before = backup_of(path)
    if not before.exists():
        raise OutputError(f"there is no {before}, which an edit of {path} leaves; nothing is undone")
    now, then = path.read_bytes(), before.read_bytes()
    write_atomic(path, then)
    write_atomic(before, now)
    console.print(f"plan: {path}, as before the last edit; the same again goes forth")
    return 0


def _facts(plan: Plan, first_number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": p.id,
            "name": p.name,
            "exclude": p.exclude,
            "frames": {v: _frames(plan, p, v, first_number) for v in plan.views},
            "absent": {v: ranges_text(n + first_number for a, b in own for n in range(a, b + 1)) for v, own in p.absent.items()},
        }
        for p in plan.people
    ]


def _frames(plan: Plan, person: Person, view: str, first_number: int) -> str:
    return ranges_text(sorted(n + first_number for n in plan.track(person, view).bodies))


def _line(plan: Plan, person: Person, first_number: int) -> str:
    where = {v: _frames(plan, person, v, first_number) or "never" for v in plan.views}
    alike = len(set(where.values())) == 1
    shown = f"frames {next(iter(where.values()))}" if alike else "; ".join(f"{v} {frames}" for v, frames in where.items())
    return f"{shown}{', excluded' if person.exclude else ''}{_edges_told(person.edges, first_number)}"


def _edges_told(edges: Curves, first_number: int) -> str:
    """What is done to edges, as `edges` takes it; nothing where nothing is."""
    told = []
    for name, curve in edges.items():
        values = [(n, f"{v:g}" if isinstance(v, float) else str(v).lower()) for n, v in curve.keys]
        told += [f"{name}={v}" for _, v in values] if len(values) == 1 else [f"{name}={v}@{n + first_number}" for n, v in values]
    return f", edges {' '.join(told)}" if told else ""


def _told_absences(person: Person) -> dict[str, list[Range]]:
    """View -> the marks that say something: where they were found before and after. A split leaves marks where the other one is."""
    told = {}
    for view, ranges in person.absent.items():
        known = person.views.get(view, {})
        told[view] = [r for r in ranges if known and min(known) <= r[1] and r[0] <= max(known)]
    return {view: ranges for view, ranges in told.items() if ranges}


def _show(plan: Plan, path: Path, first_number: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"people": _facts(plan, first_number), "notes": [*plan.notes, *plan.doubts(first_number, str(path))]})
        return
    name = str(plan.clip.get("path", "a clip"))
    console.print(styled(name, "bold"), f": frames {first_number} to {plan.frames - 1 + first_number}, {', '.join(plan.views)}", sep="")
    for p in plan.people:
        console.print(f"  {p.id:>3} {p.name}: {_line(plan, p, first_number)}")
        for view, ranges in _told_absences(p).items():
            console.print(
                f"      marked as absent in the {view} eye: {ranges_text(n + first_number for a, b in ranges for n in range(a, b + 1))}"
            )
    if not plan.people:
        console.print("  nobody")
    if plan.edges:
        console.print(f"  everybody{_edges_told(plan.edges, first_number)}")
    for matte in plan.mattes:
        console.print(f"  {_matte_line(plan, matte, first_number)}")
    for note in [*plan.notes, *plan.doubts(first_number, str(path))]:
        console.print(styled(f"  {note}", "yellow"))


def _matte_line(plan: Plan, matte: InputMatte, first_number: int) -> str:
    whose = next((p.name for p in plan.people if p.id == matte.person), "everybody")
    kind = {"garbage": "garbage, of", "holdout": "holdout, of", "hand_over": "handed over to"}[matte.kind]
    what = f"pictures {matte.image.path}" if matte.image is not None else f"a shape in {', '.join(matte.shapes)}"
    keys = sorted({n + first_number for own in matte.shapes.values() for n, _ in own})
    moving = f" with keyframes at {ranges_text(keys)}" if len(keys) > 1 else ""
    frames = ranges_text(n + first_number for a, b in matte.frames for n in range(a, b + 1))
    carried = ", carried to the other eye" if matte.carry and len(matte.shapes) == 1 and len(plan.views) == 2 else ""
    facts = f"{', inverted' if matte.invert else ''}{f', in frames {frames}' if frames else ''}{'' if matte.enabled else ', off'}"
    return f"{matte.name}: {kind} {whose}; {what}{moving}{carried}{facts}"


def _differences(old: Plan, new: Plan, first_number: int) -> list[str]:
    """A line for everybody of whom something is new."""
    before, after = {p.id: p for p in old.people}, {p.id: p for p in new.people}
    lines = []
    for number in sorted({*before, *after}):
        a, b = before.get(number), after.get(number)
        if b is None and a is not None:
            lines.append(f"- {a.name} is no more ({_line(old, a, first_number)})")
        elif a is None and b is not None:
            lines.append(f"+ {b.name}: {_line(new, b, first_number)}")
        elif a is not None and b is not None and a != b:
            name = a.name if a.name == b.name else f"{a.name} is {b.name} now"
            was, now = _line(old, a, first_number), _line(new, b, first_number)
            lines.append(f"* {name}: {now}" + (f" (before: {was})" if was != now else ""))
    if old.edges != new.edges:
        lines.append(f"* everybody{_edges_told(new.edges, first_number) or ': nothing is done to edges'}")
    then, now_there = {m.name: m for m in old.mattes}, {m.name: m for m in new.mattes}
    for matte in (*then.values(), *(m for m in now_there.values() if m.name not in then)):
        made = now_there.get(matte.name)
        if made is None:
            lines.append(f"- {_matte_line(old, matte, first_number)}")
        elif made != then.get(matte.name):
            lines.append(f"{'*' if matte.name in then else '+'} {_matte_line(new, made, first_number)}")
    return lines or ["nothing is new"]

"""python -m bench score: a method's mattes against the truths of scenes."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from bench.score.measures import MAIN, MEASURES
from bench.score.results import assembled, write_result
from bench.score.scene import find_scenes, score_scene
from vr180_ofx.errors import MediaError, Vr180Error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``score``."""
    parser.add_argument("scenes", type=Path, metavar="SCENES", help="a folder of scenes with truth, or one scene")
    parser.add_argument("output", type=Path, metavar="METHOD_OUTPUT", help="a folder with a folder for each scene: EXR frames, or images")
    parser.add_argument("--output", "-o", dest="result", type=Path, metavar="JSON", required=True, help="where the result is written")
    parser.add_argument("--name", metavar="NAME", help="what the method is called (default: its folder's name)")
    parser.add_argument("--scene", action="append", default=[], metavar="NAME", help="only this scene; may be repeated")
    parser.add_argument(
        "--missing", choices=("error", "empty"), default="error",
        help="what a scene without any mattes is: an error, or one in which the method found nobody (default: error)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, help="of the intervals (default: 0)")


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0, or 2 where something cannot be read."""
    try:
        result = score(arguments)
        write_result(arguments.result, result)
    except (Vr180Error, OSError) as error:
        print(f"bench score: {error}", file=sys.stderr)
        return 2
    print(summary(result))
    return 0


def score(arguments: argparse.Namespace) -> dict[str, Any]:
    """The result. Raises MediaError."""
    scenes = find_scenes(arguments.scenes, arguments.scene)
    # what a run left that failed is no result
    failed = [name for name in scenes if _run_of(arguments.output / name).get("exit_status", 0) != 0]
    absent = [name for name in scenes if name in failed or not (arguments.output / name).is_dir()]
    if not arguments.output.is_dir() or (len(absent) == len(scenes) and not failed):
        raise MediaError(
            f"{arguments.output} has no mattes of these scenes; folders called {', '.join(list(scenes)[:3])}, ... are looked for"
        )
    if absent and arguments.missing == "error":
        why = f" (failed: {', '.join(failed)})" if failed else ""
        raise MediaError(
            f"{arguments.output} has no mattes of {', '.join(absent)}{why}; a method is scored on all scenes, and --missing empty counts "
            "these as ones in which it found nobody"
        )
    found = {}
    for name, folder in scenes.items():
        try:
            found[name] = score_scene(folder, None if name in absent else arguments.output / name)
        except MediaError as error:
            raise MediaError(f"scene {name}: {error}") from None
        found[name]["run"] = _run_of(arguments.output / name)
    about = _run_of(arguments.output)
    return assembled(
        {"name": arguments.name or about.get("name") or arguments.output.name, **{k: v for k, v in about.items() if k != "name"}},
        found,
        arguments.seed,
    )


def _run_of(folder: Path) -> dict[str, Any]:
    """What ``run`` wrote beside the mattes; nothing where another program made them."""
    try:
        data = json.loads((folder / "run.json").read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def summary(result: dict[str, Any]) -> str:
    """A few lines for people."""
    lines = [f"{result['method']['name']}: {len(result['scenes'])} scenes"]
    for name in MAIN:
        found, worst = result["overall"].get(name), result["worst"].get(name)
        if found is None:
            continue
        m = MEASURES[name]
        between = "" if found["low"] is None else f" ({found['low'] * m.factor:.4g} to {found['high'] * m.factor:.4g})"
        lines.append(
            f"  {m.title:20} {found['value'] * m.factor:8.4g}{between}   worst {worst['value'] * m.factor:.4g} in {worst['scene']}"
        )
    return "\n".join(lines)

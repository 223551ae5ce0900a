"""vr180-ofx inspect."""

from __future__ import annotations

import argparse
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import paper, print_json, styled
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, MediaError
from vr180_ofx.media.naming import IMAGE_ENDINGS
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.inspect import inspect_image

USAGE = "FILE|DIR [options]"
EXAMPLES: Examples = (
    ("a clip: how it will be read, and why", "vr180-ofx inspect clip.mp4"),
    ("rendered frames: gaps, damage, and what is in the first one", "vr180-ofx inspect out/"),
    ("one image: parts, views, layers, ranges", "vr180-ofx inspect out/clip.0001.exr"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="FILE|DIR", help="an image, a folder of rendered frames, or a clip")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path)
    if path.is_dir():
        facts = _folder(path)
    elif path.suffix.lower() in IMAGE_ENDINGS and os.path.lexists(path):
        facts = inspect_image(path)
    else:
        with open_clip(path) as clip:
            facts = clip.describe()
    if arguments.json:
        print_json(facts)
    else:
        _show(facts)
    hurt = facts.get("damaged") or facts.get("lost_frames") or facts.get("damaged_frames")
    return ExitStatus.INPUT if hurt else ExitStatus.DONE


def _folder(folder: Path) -> dict[str, Any]:
    """Every sequence in a folder: numbers, gaps, files that cannot be read, and the first frame in full."""
    groups: dict[str, dict[int, Path]] = {}
    for f in sorted(folder.iterdir()):
        match = re.search(r"([0-9]{1,18})(\.[^.]+)$", f.name)
        if match and f.suffix.lower() in IMAGE_ENDINGS and not f.name.startswith("."):
            groups.setdefault(f.name[: match.start()] + "#" + match.group(2), {})[int(match.group(1))] = f
    if not groups:
        raise MediaError(f"{folder} holds no numbered images")
    sequences, damaged = [], []
    for name, files in groups.items():
        numbers = sorted(files)
        gaps = [(a + 1, b - 1) for a, b in pairwise(numbers) if b > a + 1]
        bad: list[str] = []
        reasons: list[str] = []
        first: dict[str, Any] = {}
        for n in numbers:
            try:
                image = inspect_image(files[n])
                reasons += image["damaged"]
            except MediaError as error:
                image = {"damaged": [str(error)]}
                reasons.append(str(error))
            if image["damaged"]:
                bad.append(files[n].name)
            elif n == numbers[0]:
                first = image
        damaged += bad
        sequences.append(
            {
                "pattern": name,
                "frames": len(numbers),
                "numbers": [numbers[0], numbers[-1]],
                "gaps": ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in gaps),
                "bytes": sum(p.stat().st_size for p in files.values()),
                "damaged": bad,
                "reasons": reasons,
                "first": first,
            }
        )
    return {"path": str(folder), "sequences": sequences, "damaged": damaged}


def _show(facts: dict[str, Any]) -> None:
    for sequence in facts.get("sequences", []):
        first, last = sequence["numbers"]
        size = sequence["bytes"] / 1e6
        paper.print(styled(sequence["pattern"], "bold"), f": {sequence['frames']} frames, {first}-{last}, {size:.1f} MB", sep="")
        paper.print(f"  gaps: {sequence['gaps'] or 'none'}; damaged: {', '.join(sequence['damaged']) or 'none'}")
        for reason in sequence["reasons"]:
            paper.print(styled(f"  {reason}", "red"))
        if sequence["first"]:
            _show(sequence["first"])
    for part in facts.get("parts", []):
        title = (
            f"{Path(facts['path']).name}, part {part['part']}"
            + (f" '{part['name']}'" if part["name"] else "")
            + (f", view {part['view']}" if part["view"] else "")
        )
        table = Table(
            "channel",
            "min",
            "max",
            "mean",
            title=f"{title}: {part['size'][0]}x{part['size'][1]} {part['pixel_type']} {part['compression']}",
        )
        for name in part["channels"]:
            r = part.get("ranges", {}).get(name)
            table.add_row(name, *([f"{r[k]:.4g}" for k in ("min", "max", "mean")] if r else ["?"] * 3))
        paper.print(table)
        paper.print(f"    colour space: {part['colour_space']}")
        for crypto in part["cryptomatte"]:
            paper.print(f"    Cryptomatte {crypto['name']}, {crypto['levels']} levels: {', '.join(crypto['names']) or 'no manifest'}")
        for key, value in part["metadata"].items():
            paper.print(f"    {key}: {value}")
        if "damaged" in part:
            paper.print(styled(f"  {part['damaged']}", "red"))
    if "parts" not in facts and "sequences" not in facts:
        for key, value in facts.items():
            paper.print(f"  {key}: {value}")

"""vr180-ofx inspect."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import console, print_json, styled
from vr180_ofx.errors import ExitStatus, MediaError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.media.naming import IMAGE_ENDINGS
from vr180_ofx.media.open import open_clip
from vr180_ofx.output.inspect import inspect_image


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", metavar="FILE|DIR", help="an image, a folder of rendered frames, or a clip")
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path)
    if not path.exists() and "%" not in path.name and "#" not in path.name:
        raise MediaError(f"{path} does not exist")
    if path.is_dir():
        facts = _folder(path)
    elif path.suffix.lower() in IMAGE_ENDINGS and path.exists():
        facts = inspect_image(path)
    else:
        with open_clip(path) as clip:
            facts = clip.describe()
    if arguments.json:
        print_json(facts)
    else:
        _show(facts)
    return ExitStatus.INPUT if facts.get("damaged") else ExitStatus.DONE


def _folder(folder: Path) -> dict[str, Any]:
    """Every sequence in a folder: numbers, gaps, files that cannot be read, and the first frame in full."""
    groups: dict[str, dict[int, Path]] = {}
    for f in sorted(folder.iterdir()):
        match = re.search(r"(\d+)(\.[^.]+)$", f.name)
        if match and f.suffix.lower() in IMAGE_ENDINGS and not f.name.startswith("."):
            groups.setdefault(f.name[: match.start()] + "#" + match.group(2), {})[int(match.group(1))] = f
    if not groups:
        raise MediaError(f"{folder} holds no numbered images")
    sequences, damaged = [], []
    for name, files in groups.items():
        numbers = sorted(files)
        gaps = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
        bad = []
        for n in numbers:
            try:
                image = inspect_image(files[n], values=n != numbers[0])
                if any("damaged" in part for part in image["parts"]):
                    bad.append(files[n].name)
            except MediaError:
                bad.append(files[n].name)
        damaged += bad
        first: dict[str, Any] = {}
        if files[numbers[0]].name not in bad:
            first = inspect_image(files[numbers[0]])
        sequences.append(
            {
                "pattern": name,
                "frames": len(numbers),
                "numbers": [numbers[0], numbers[-1]],
                "gaps": ranges_text(gaps),
                "bytes": sum(p.stat().st_size for p in files.values()),
                "damaged": bad,
                "first": first,
            }
        )
    return {"path": str(folder), "sequences": sequences, "damaged": damaged}


def _show(facts: dict[str, Any]) -> None:
    for sequence in facts.get("sequences", []):
        first, last = sequence["numbers"]
        size = sequence["bytes"] / 1e6
        console.print(styled(sequence["pattern"], "bold"), f": {sequence['frames']} frames, {first}-{last}, {size:.1f} MB", sep="")
        console.print(f"  gaps: {sequence['gaps'] or 'none'}; damaged: {', '.join(sequence['damaged']) or 'none'}")
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
        console.print(table)
        for key, value in part["metadata"].items():
            console.print(f"    {key}: {value}")
    if "parts" not in facts and "sequences" not in facts:
        for key, value in facts.items():
            console.print(f"  {key}: {value}")

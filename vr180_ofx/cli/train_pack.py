"""vr180-ofx train pack."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import console, print_json, progress_bars
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, SettingsError

USAGE = "STILLS -o FILE [options]"
EXAMPLES: Examples = (
    ("rendered people, and places with nobody in them", "vr180-ofx train pack stills/ --places photographs/ -o people.safetensors"),
    ("small enough to travel", "vr180-ofx train pack stills/ --places scene06/background.mkv --most-mb 45 -o people.safetensors"),
    ("and train with it", "vr180-ofx train student-cpu -o run/"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("stills", metavar="STILLS", help="a folder that 'python -m bench stills' made")
    parser.add_argument(
        "--places", metavar="PATH", action="append", default=[],
        help="a picture or video of nobody, or a folder of them, before which people are placed, too; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--most-mb", metavar="MB", type=float, default=0.0, help="only as many people as fit, evenly from all (default: all)"
    )
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="the pack, .safetensors")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    if not 0 <= arguments.most_mb < 1e6:
        raise SettingsError(f"--most-mb is {arguments.most_mb:g}; it is 0 for all, or up to a million")
    needs_torch()
    from vr180_ofx.training.student.packing import write_pack

    path = Path(arguments.output)
    with progress_bars(quiet=arguments.json) as update:
        count = write_pack(
            Path(arguments.stills), [Path(p) for p in arguments.places], path, most_bytes=round(arguments.most_mb * 1e6),
            say=lambda done, of: update("packing", done, of),
        )  # fmt: skip
    size = path.stat().st_size
    if arguments.json:
        print_json({"pack": str(path), "pictures": count, "bytes": size})
    else:
        console.print(f"{count} pictures, {size / 1e6:.1f} MB: {path}")
    return ExitStatus.DONE

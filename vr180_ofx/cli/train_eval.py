"""vr180-ofx train eval."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import console, paper, print_json, progress_bars
from vr180_ofx.cli.helping import Examples
from vr180_ofx.cli.train_infer import add_data_arguments, chosen
from vr180_ofx.errors import MediaError

USAGE = "RUN|WEIGHTS [options]"
EXAMPLES: Examples = (
    ("on what the run's recipe evaluates on, whole pictures", "vr180-ofx train eval run/"),
    ("on scenes, and keep the mattes", "vr180-ofx train eval run/ --path scenes/ --kind scenes -o mattes/"),
    ("mattes that are there, of anybody's", "vr180-ofx train eval mattes/ --truth truth/"),
)
_TITLES = {
    "pha_mad": "MAD x 1e3", "pha_mse": "MSE x 1e3", "pha_sad": "SAD / 1e3", "pha_grad": "Grad / 1e3", "pha_conn": "Conn / 1e3",
    "pha_dtssd": "dtSSD x 1e2", "fgr_mad": "fgr MAD x 1e3", "fgr_mse": "fgr MSE x 1e3",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trained", metavar="RUN|WEIGHTS", help="a run's folder, a file of weights, or (with --truth) a folder of mattes")
    parser.add_argument("--truth", metavar="DIR", help="RUN is a folder of CLIP/pha and CLIP/fgr, and this one what is true, alike")
    parser.add_argument("-o", "--output", metavar="DIR", help="keep mattes and truth in DIR/predicted and DIR/truth")
    add_data_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.quality.folders import compare

    if arguments.truth:
        truth = Path(arguments.truth)
        if not truth.is_dir():
            raise MediaError(f"{truth} is not a folder")
        return _say({"": compare(Path(arguments.trained), truth)}, as_json=arguments.json)
    if arguments.output:
        return _say(_evaluated(arguments, Path(arguments.output)), as_json=arguments.json)
    with tempfile.TemporaryDirectory(prefix="vr180-ofx-eval-") as folder:
        return _say(_evaluated(arguments, Path(folder)), as_json=arguments.json)


def _evaluated(arguments: argparse.Namespace, out: Path) -> dict[str, dict[str, Any]]:
    """Data -> what `quality.folders.compare` gives."""
    from vr180_ofx.cli.train import needs_torch

    needs_torch()
    from vr180_ofx.quality.folders import compare
    from vr180_ofx.training.distributed import join
    from vr180_ofx.training.infer import Wanted, infer, load_trained

    _, data = chosen(arguments)
    device = join(arguments.device).device
    trained = load_trained(Path(arguments.trained), device)
    found = {}
    with progress_bars(quiet=arguments.json) as update:
        for name, of in data:
            made, true = out / "predicted" / name, out / "truth" / name
            wanted = Wanted(arguments.frames, arguments.clips, true)
            infer(trained, of, made, wanted, device=device, progress=lambda done, total, text: update("mattes", done, total))
            found[name] = compare(made, true, lambda done, total: update("measures", done, total))
    return found


def _say(found: dict[str, dict[str, Any]], *, as_json: bool) -> int:
    if as_json:
        print_json(found[""] if list(found) == [""] else found)
        return 0
    from vr180_ofx.quality.folders import MEASURES

    shown = [m for m in MEASURES if any(m in f["mean"] for f in found.values())]
    for name, of in found.items():
        table = Table("clip", *(_TITLES[m] for m in shown), title=name or None)
        rows = {**of["clips"], "mean": of["mean"]}
        for clip, row in rows.items():
            table.add_row(clip, *(f"{row[m] * MEASURES[m]:.4g}" if m in row else "" for m in shown))
        paper.print(table)
        console.print(f"{of['frames']} frames of {len(of['clips'])} clips")
    return 0

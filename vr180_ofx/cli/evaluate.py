"""vr180-ofx evaluate."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import console, print_json, progress_bar, styled
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, MediaError, SettingsError
from vr180_ofx.frame_ranges import ranges_text
from vr180_ofx.storage import write_atomic

_UNITS = {
    "iou": "IoU (above one half)", "mad": "MAD x 1e-3", "mse": "MSE x 1e-3", "sad": "SAD / 1000", "grad": "Grad / 1000",
    "conn": "Conn / 1000", "dtssd": "dtSSD x 100", "band_mad": "MAD in the boundary band",
}  # fmt: skip


USAGE = "DIR (--truth DIR | --no-reference) [options]"
EXAMPLES: Examples = (
    ("how good, by themselves: a page to look at", "vr180-ofx evaluate out/ --no-reference --report report.html"),
    ("against ground truth", "vr180-ofx evaluate out/ --truth truth/ --report worst.png"),
    (
        "for a script: exit with 6 when anything flickers more than this",
        "vr180-ofx evaluate out/ --no-reference --strict --limit flicker=0.1",
    ),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("prediction", metavar="PRED", help="a folder of rendered EXR frames")
    against = parser.add_mutually_exclusive_group(required=True)
    against.add_argument("--truth", metavar="DIR", help="a folder with gt_person1.mkv, ..., or clips with pha/ and fgr/: see the guide")
    against.add_argument(
        "--no-reference", action="store_true", help="judge the mattes by themselves: edges, flicker, both eyes, holes, jumps"
    )
    parser.add_argument(
        "--start-frame", type=int, metavar="N",
        help="number of the file that shows the first frame of the truth, or of the clip (default: as the files' headers or numbers tell)",
    )  # fmt: skip
    parser.add_argument("--output", "-o", metavar="FILE", help="write the JSON there too")
    parser.add_argument(
        "--report", metavar="FILE", help="a picture (.png): plate, matte, truth, difference; with --no-reference a page (.html) with plots"
    )
    parser.add_argument("--clip", metavar="CLIP", help="the plate (default: the clip in the truth's folder, or that of the render)")
    parser.add_argument("--strict", action="store_true", help="with --no-reference: exit with 6 when anything lies above its limit")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="NAME=VALUE", help="with --no-reference: another limit, such as flicker=0.1"
    )
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    if arguments.no_reference:
        return _by_themselves(arguments)
    from vr180_ofx.quality.evaluate import evaluate

    folder = Path(arguments.truth)
    if not folder.is_dir():
        raise MediaError(f"{folder} is not a folder; the truth is a folder with gt_person1.mkv, gt_person2.mkv, ...")
    from vr180_ofx.quality.folders import is_layout

    if is_layout(folder):
        return _folders(arguments, folder)
    with progress_bar("comparing", quiet=arguments.json) as update:
        found = evaluate(Path(arguments.prediction), folder, arguments.start_frame, update)
    data = found.to_dict()
    _keep(arguments, data)
    if arguments.report:
        from vr180_ofx.quality.report import picture

        picture(Path(arguments.prediction), folder, Path(arguments.report), found.start_frame, arguments.clip)
    if arguments.json:
        print_json(data)
    else:
        console.print(f"the truth's first frame is frame {found.start_frame} of {arguments.prediction}, {found.start_known}")
        if data["unmatched"]:
            shown = ranges_text(data["unmatched"])
            console.print(styled(f"the truth has no frames for {shown}; is its first frame not frame {found.start_frame}?", "yellow"))
        show(data)
    return 0


def _keep(arguments: argparse.Namespace, data: dict[str, Any]) -> None:
    """Writes the JSON to --output, if that was asked for."""
    if arguments.output:
        write_atomic(Path(arguments.output), (json.dumps(data, indent=1) + "\n").encode())


def _folders(arguments: argparse.Namespace, truth: Path) -> int:
    """Clips in the layout of matting benchmarks."""
    from vr180_ofx.quality.folders import MEASURES, compare

    with progress_bar("comparing", quiet=arguments.json) as update:
        data = compare(Path(arguments.prediction), truth, update)
    _keep(arguments, data)
    if arguments.json:
        print_json(data)
        return 0
    names = [m for m in MEASURES if m in data["mean"]]
    table = Table("clip", *(m.replace("_", " ") + (" x 1e-3" if MEASURES[m] == 1e3 else "") for m in names))
    for name, row in [*data["clips"].items(), ("mean", data["mean"])]:
        table.add_row(name, *(f"{row[m] * MEASURES[m]:.4g}" if m in row else "–" for m in names))
    console.print(table)
    return 0


def _by_themselves(arguments: argparse.Namespace) -> int:
    from vr180_ofx.quality.blind import METRICS
    from vr180_ofx.quality.judge import judge, opened, report
    from vr180_ofx.quality.truth import find_prediction

    folder = Path(arguments.prediction)
    limits = {}
    for text in arguments.limit:
        name, _, value = text.partition("=")
        try:
            limits[name] = float(value)
        except ValueError:
            limits[name] = -1.0
        if name not in METRICS or not limits[name] >= 0:
            raise SettingsError(f"--limit is {text!r}; it is NAME=VALUE with a name of {', '.join(METRICS)} and a number from 0")
    clip, start = opened(folder, arguments.clip), arguments.start_frame
    try:
        if start is None:
            start, known = (1, "") if clip is None else find_prediction(folder).first_number(len(clip), clip.path.name)
            if known and not arguments.json:
                console.print(f"the clip's first frame is frame {start} of {folder}, {known}")
        if clip is None:
            console.print(styled("the clip is not here (--clip CLIP names it); flicker and stereo are left out", "yellow"))
        with progress_bar("judging", quiet=arguments.json) as update:
            judgement = judge(folder, clip, start, limits, update)
        if arguments.report:
            report(Path(arguments.report), folder, clip, judgement, start)
    finally:
        if clip is not None:
            clip.close()
    data = judgement.to_dict()
    _keep(arguments, data)
    if arguments.json:
        print_json(data)
    else:
        table = Table("measure", "mean", "worst", "limit", "what it is")
        for name, (meaning, _) in METRICS.items():
            value = data["summary"].get(name)
            mean, worst = ("–", "–") if value is None else (f"{value['mean']:.3g}", f"{value['worst']:.3g}")
            table.add_row(name, mean, worst, f"{data['limits'][name]:.3g}", meaning)
        console.print(table)
        for w in data["warnings"]:
            eye = "both eyes" if w["view"] == "both" else f"{w['view']} eye"
            where = f"{w['person']}, {eye}, frames {ranges_text(w['frames'])}, worst {w['worst']}"
            console.print(styled(w["metric"], "yellow"), f"{w['value']:.3g} (limit {w['limit']:.3g}): {where}")
        if arguments.report:
            console.print(f"report: {arguments.report}")
    return ExitStatus.WARNED if arguments.strict and data["warnings"] else ExitStatus.DONE


def show(data: dict[str, Any]) -> None:
    """The metrics as tables."""
    eyes = list(data["eyes"])
    table = Table("metric", *eyes, "all", title=f"{data['frames']} frames")
    for key, label in _UNITS.items():
        factor = 1000 if key in ("mad", "mse") else 1
        values = [data["eyes"][e].get(key) for e in eyes] + [data["overall"].get(key)]
        table.add_row(label, *("–" if v is None else f"{v * factor:.4g}" for v in values))
    overall = data["overall"]
    if overall.get("stereo_error") is not None:
        table.add_row(
            "stereo error (of the truth itself)",
            *[""] * len(eyes),
            f"{overall['stereo_error']:.4f} ({overall['stereo_error_of_the_truth']:.4f})",
        )
    if overall.get("everybody_found") is not None:
        table.add_row("everybody found in all eyes", *[""] * len(eyes), f"{100 * overall['everybody_found']:.1f} %")
    console.print(table)
    people = Table("person", "layers", "eye", "found", "IoU", "MAD x 1e-3")
    for name, row in data["people"].items():
        for k, e in enumerate(eyes):
            found = row.get(f"{e}.found")
            share = "–" if found is None else f"{100 * found:.0f} %"
            who = (name, row["layers"] or "nobody") if k == 0 else ("", "")
            people.add_row(*who, e, share, f"{row[f'{e}.iou']:.3f}", f"{1000 * row[f'{e}.mad']:.3g}")
    console.print(people)
    for ghost in data["ghosts"]:
        console.print(styled(f"{ghost['layer']} shows somebody who is not there", "red"))

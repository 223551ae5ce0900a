"""vr180-ofx train student-file."""

from __future__ import annotations

import argparse
from pathlib import Path

from vr180_ofx.cli.common import console, print_json
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, SettingsError, WeightsError

USAGE = "WEIGHTS -o FILE [options]"
EXAMPLES: Examples = (
    ("from a run that has ended", "vr180-ofx train student-file run/weights.safetensors -o student.safetensors"),
    ("and use it", "vr180-ofx render clip.mp4 -o out/ --refiner student --set matting.refiner_weights=student.safetensors"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", metavar="WEIGHTS", help="weights of a run of the task student, .safetensors")
    parser.add_argument("-o", "--output", metavar="FILE", required=True, help="what the refiner student reads, .safetensors")
    parser.add_argument("--note", default="", help="where the weights are from: kept in the file")
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    needs_torch()
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from vr180_ofx.matte.student.model import export

    source, path = Path(arguments.weights), Path(arguments.output)
    if not source.is_file():
        raise WeightsError(f"{source} does not exist")
    try:
        state = load_file(source)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{source} cannot be read as weights: {str(error).splitlines()[0]}") from None
    try:
        export(state, path, arguments.note)
    except (RuntimeError, ValueError) as error:
        raise SettingsError(f"{source} holds no weights of the student: {str(error).strip().splitlines()[-1].strip()}") from None
    if arguments.json:
        print_json({"file": str(path), "bytes": path.stat().st_size})
    else:
        console.print(f"{path.stat().st_size / 1e6:.1f} MB: {path}")
    return ExitStatus.DONE

"""vr180-ofx train export."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from vr180_ofx.cli.common import console, print_json
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, SettingsError

USAGE = "RUN|WEIGHTS -o FILE [options]"
EXAMPLES: Examples = (
    ("for 'vr180-ofx matte --weights'", "vr180-ofx train export run/ -o mine.safetensors"),
    ("for C++ programs, for Nuke", "vr180-ofx train export run/ -o mine.pt"),
    ("for ONNX Runtime, for pictures of one size", "vr180-ofx train export run/ -o mine.onnx --size 1920x1088 --downsample 0.25"),
    ("for OpenVINO, for any size", "vr180-ofx train export run/ -o mine.xml"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="RUN", help="a run's folder, or a file of weights (.safetensors, .pth)")
    parser.add_argument(
        "-o", "--output", metavar="FILE", required=True,
        help="its ending says what is written: .safetensors, .pt (TorchScript), .onnx, .xml (OpenVINO)",
    )  # fmt: skip
    parser.add_argument("--size", default="384x384", metavar="WxH", help="ONNX: of its pictures, multiples of 16 (default: %(default)s)")
    parser.add_argument(
        "--downsample", type=float, default=1.0, metavar="R",
        help="ONNX, OpenVINO: the size of the picture that the network sees, of the picture's; default: 1",
    )  # fmt: skip
    parser.add_argument("--as-trained", action="store_true", help="with all branches of MobileOne's layers, to go on training")
    parser.add_argument("--json", action="store_true", help="print what was written as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", arguments.size)
    if found is None:
        raise SettingsError(f"--size is {arguments.size!r}; it is WIDTHxHEIGHT, such as 384x384")
    needs_torch()
    from vr180_ofx.training.export import TOLERANCE, export

    size = (int(found[2]), int(found[1]))
    made = export(
        Path(arguments.source), Path(arguments.output), size=size, downsample=arguments.downsample, as_trained=arguments.as_trained
    )  # fmt: skip
    if arguments.json:
        print_json({"file": made.path, "variant": made.variant, "kind": made.kind, "worst": made.worst, "tolerance": TOLERANCE})
    else:
        console.print(f"{made.path}: {made.variant}, {made.kind}; as the network to {made.worst:.1e} of its numbers")
    return ExitStatus.DONE

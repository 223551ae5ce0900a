"""vr180-ofx train speed."""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Sequence

from rich.table import Table

from vr180_ofx.cli.common import console, paper, print_json
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, SettingsError
from vr180_ofx.matte.rvm.weights_file import VARIANTS

USAGE = "[options]"
EXAMPLES: Examples = (
    ("all variants at the size of a window", "vr180-ofx train speed"),
    ("as the program runs them on CPUs", "vr180-ofx train speed --runtime openvino --dtypes float32,bfloat16"),
    ("on a graphics card, in full HD and 4K", "vr180-ofx train speed --device cuda:0 --sizes 1920x1088,3840x2160 --dtypes float16"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--variants", default=",".join(VARIANTS), metavar="A,B", help="default: all of them (%(default)s)")
    parser.add_argument("--sizes", default="384x384", metavar="WxH,…", help="of the picture, multiples of 16 (default: %(default)s)")
    parser.add_argument("--dtypes", default="float32", metavar="A,B", help="float32, bfloat16, float16 (default: %(default)s)")
    parser.add_argument(
        "--downsample",
        type=float,
        default=1.0,
        metavar="R",
        help="the size of the picture that the network sees, of the picture's; default: 1",
    )
    parser.add_argument("--device", default="cpu", help="cpu, or a card as PyTorch names it, such as cuda:0 (default: cpu)")
    parser.add_argument(
        "--runtime", choices=("pytorch", "openvino"), default="pytorch", help="openvino: compiled, as the program runs it on CPUs"
    )
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="on CPUs (default: 1, as the program has it for each picture)")
    parser.add_argument("--json", action="store_true", help="print the rows as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.cli.train import needs_torch

    needs_torch()
    from vr180_ofx.training.speed import Case, Measured, check, measure_all

    if arguments.threads < 1:
        raise SettingsError(f"--threads is {arguments.threads}; it is at least 1")
    cases = [
        Case(variant, height, width, dtype, arguments.device, arguments.runtime, arguments.downsample, arguments.threads)
        for variant, (width, height), dtype in itertools.product(
            _words(arguments.variants), map(_size, _words(arguments.sizes)), _words(arguments.dtypes)
        )
    ]
    for case in cases:
        check(case)
    if not cases:
        raise SettingsError("nothing was named to be measured; --variants, --sizes and --dtypes have one word at least")
    _check_device(arguments.device)
    rows: list[Measured] = []
    for row in measure_all(cases):
        rows.append(row)
        if not arguments.json:
            console.print(f"{len(rows)} of {len(cases)}: {row.case.variant} {row.case.width}x{row.case.height} {row.case.dtype}")
    if arguments.json:
        print_json([row.to_dict() for row in rows])
    else:
        paper.print(_table(rows, arguments.device, arguments.runtime))
    return ExitStatus.DONE if all(not row.error for row in rows) else ExitStatus.RESOURCES


def _table(rows: Sequence[object], device: str, runtime: str) -> Table:
    from vr180_ofx.training.speed import Measured

    columns = ("variant", "size", "dtype", "fps", "ms", "slowest", "MB", "parameters")
    table = Table(*columns, title=f"{device}, {runtime}, one frame at a time")
    for row in rows:
        assert isinstance(row, Measured)
        names = (row.case.variant, f"{row.case.width}x{row.case.height}", row.case.dtype)
        if row.error:
            table.add_row(*names, "-", "-", "-", "-", row.error)
        else:
            table.add_row(
                *names, f"{row.fps:.1f}", f"{row.latency_ms:.1f}", f"{row.slowest_ms:.1f}", f"{row.memory_mb:.0f}",
                f"{row.parameters / 1e6:.1f} M",
            )  # fmt: skip
    return table


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _size(word: str) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})x(\d{1,5})", word)
    if found is None:
        raise SettingsError(f"the size is {word!r}; it is WIDTHxHEIGHT, such as 384x384")
    return int(found[1]), int(found[2])


def _check_device(name: str) -> None:
    import torch

    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"--device is {name!r}, which is not here: {str(error).splitlines()[0]}") from None
    if device.type not in ("cpu", "cuda"):
        raise SettingsError(f"--device is {name!r}; the speed is measured on cpu and on CUDA")

"""vr180-ofx matte: everybody at once, by Robust Video Matting on whole eyes."""

from __future__ import annotations

import argparse

from vr180_ofx.cli.common import add_settings_arguments, clip_from, print_json, progress_bar, say_clip, say_report, settings_from
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus
from vr180_ofx.resources import Monitor
from vr180_ofx.settings.formats import MATTE_OUTPUTS

USAGE = "CLIP -o DIR [options]"
EXAMPLES: Examples = (
    ("alpha as video, with the sound", "vr180-ofx matte clip.mp4 -o all/"),
    ("several outputs at once, with weights of your own", "vr180-ofx matte clip.mp4 -o all/ --outputs alpha,foreground --weights rvm.pth"),
    ("images, and a finer look", "vr180-ofx matte clip.mp4 -o all/ --outputs exr --downsample high"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images; flat or VR180")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="where a folder is made for each output")
    parser.add_argument("--outputs", default="alpha", metavar="A,B", help=f"{', '.join(MATTE_OUTPUTS)}; several with commas")
    parser.add_argument("--type", choices=("video", "images"), default="video", help="videos with the sound, or images (exr: always)")
    parser.add_argument(
        "--weights", metavar="F", help="RVM's weights (.pth or .safetensors); default: those that were pulled [matting.tracker_weights]"
    )
    parser.add_argument(
        "--downsample", default="auto", metavar="R",
        help="the size of the picture that the network sees, of the eye's: auto (512 pixels), standard (0.25), high (0.5), ultra (1), "
        "4k (0.125), or 1, 0.5, 0.375, 0.25, 0.125 [matting.downsample]",
    )  # fmt: skip
    parser.add_argument(
        "--seq-chunk",
        metavar="N",
        help="frames in a row that the network sees at once, 1 to 32; default: 1, the fastest on CPUs [matting.seq_chunk]",
    )
    parser.add_argument("--overwrite", action="store_true", help="make again what is there [output.overwrite]")
    add_settings_arguments(parser)
    group = parser.add_argument_group("for scripts and farms")
    group.add_argument("--json", action="store_true", help="print the reports as JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.rendering.matte import matte, settings_of

    base = settings_from(arguments, ["output.overwrite=true"] if arguments.overwrite else [])
    settings = settings_of(base, arguments.weights, arguments.downsample, arguments.seq_chunk)
    with Monitor() as monitor, clip_from(arguments, settings) as clip:
        if not arguments.json:
            say_clip(clip, settings)
        wanted = [w.strip() for w in arguments.outputs.split(",") if w.strip()]
        reports = matte(
            clip, arguments.output, wanted, images=arguments.type == "images", settings=settings,
            watch=lambda name: progress_bar(name, quiet=arguments.json, monitor=monitor),
        )  # fmt: skip
    if arguments.json:
        print_json({name: r.to_dict() for name, r in reports.items()})
    else:
        for name, report in reports.items():
            say_report(report, f"{name}: ")
    return ExitStatus.INPUT if any(r.missing or r.lost for r in reports.values()) else ExitStatus.DONE

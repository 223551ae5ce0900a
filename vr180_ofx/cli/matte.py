"""vr180-ofx matte: everybody at once, by Robust Video Matting on whole eyes."""

from __future__ import annotations

import argparse

from vr180_ofx.cli.common import (
    add_delivery_arguments,
    add_matte_arguments,
    add_node_arguments,
    add_settings_arguments,
    clip_from,
    delivery_overrides,
    print_json,
    progress_bar,
    say_clip,
    say_output,
    say_report,
    settings_from,
)
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import OutputError
from vr180_ofx.matte.rvm.weights_file import VARIANTS
from vr180_ofx.rendering.many import status_of, worst
from vr180_ofx.resources import Monitor
from vr180_ofx.settings.formats import MATTE_OUTPUTS

USAGE = "CLIP -o DIR [options]"
EXAMPLES: Examples = (
    ("alpha as video, with the sound", "vr180-ofx matte clip.mp4 -o all/"),
    ("several outputs at once, with weights of your own", "vr180-ofx matte clip.mp4 -o all/ --outputs alpha,foreground --weights rvm.pth"),
    ("a network of your own training", "vr180-ofx matte clip.mp4 -o all/ --variant mobileone_rvm --weights run/mobileone.safetensors"),
    ("images, and a finer look", "vr180-ofx matte clip.mp4 -o all/ --outputs exr --downsample high"),
    ("a film over grey to look at first", "vr180-ofx matte clip.mp4 --preview look.mp4"),
    ("one eye at half the size, with a tighter edge", "vr180-ofx matte clip.mp4 -o all/ --eye left --output-scale 0.5 --edge-size -1"),
)
#: The node's parameters that mean something where nobody is told from anybody.
_GROUPS = ("edges", "output", "input")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("clip", metavar="CLIP", help="a video, an image sequence (plate.%%04d.exr), or a folder of images; flat or VR180")
    parser.add_argument("-o", "--output", metavar="DIR", help="where a folder is made for each output")
    parser.add_argument("--outputs", default="alpha", metavar="A,B", help=f"{', '.join(MATTE_OUTPUTS)}; several with commas")
    parser.add_argument("--type", choices=("video", "images"), default="video", help="videos with the sound, or images (exr: always)")
    parser.add_argument(
        "--preview", metavar="MP4", help="write a film over grey at half the size; nothing else, unless -o names a folder, too"
    )
    parser.add_argument("--plan", metavar="F", help="a plan, of which edges and mattes for everybody count")
    parser.add_argument(
        "--weights", metavar="F", help="RVM's weights (.pth or .safetensors); default: those that were pulled [matting.tracker_weights]"
    )
    parser.add_argument(
        "--variant", choices=VARIANTS, metavar="V",
        help=f"{', '.join(VARIANTS)}: with its own weights, if they can be pulled, or those of --weights, which must be of it",
    )  # fmt: skip
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
    add_delivery_arguments(parser)
    add_settings_arguments(parser)
    add_matte_arguments(parser)
    add_node_arguments(parser, _GROUPS)
    group = parser.add_argument_group("for scripts and farms")
    group.add_argument("--json", action="store_true", help="print the reports as JSON on standard output")
    group.add_argument("--strict", action="store_true", help="exit with 6 when there is something that somebody should look at")


def run(arguments: argparse.Namespace) -> int:
    from vr180_ofx.engine.plans import find_plan
    from vr180_ofx.output.colorspace import check_colorspace
    from vr180_ofx.rendering.delivered import Delivered
    from vr180_ofx.rendering.inputs import refuse_absent
    from vr180_ofx.rendering.matte import checked_outputs, matte, settings_of
    from vr180_ofx.rendering.preview import preview

    base = settings_from(arguments, delivery_overrides(arguments))
    settings = settings_of(base, arguments.weights, arguments.downsample, arguments.seq_chunk, variant=arguments.variant)
    check_colorspace(settings.output)
    folder = arguments.output or settings.output.path
    if not folder and not arguments.preview:
        raise OutputError("no output folder was named; use -o DIR, or --preview FILE.mp4 for a film to look at")
    wanted = checked_outputs(w.strip() for w in arguments.outputs.split(",") if w.strip())
    reports = {}
    with Monitor() as monitor, clip_from(arguments, settings) as clip:
        Delivered.of(settings.output).clip(clip)
        refuse_absent(settings.mattes)
        plan = find_plan(clip, settings, arguments.plan)
        if not arguments.json:
            say_clip(clip, settings)
            say_output(clip, settings)
        if arguments.preview:
            with progress_bar("preview", quiet=arguments.json, monitor=monitor) as update:
                reports["preview"] = preview(clip, plan, settings, arguments.preview, progress=update)
        if folder:
            reports |= matte(
                clip, folder, wanted, plan=plan, images=arguments.type == "images", settings=settings,
                watch=lambda name: progress_bar(name, quiet=arguments.json, monitor=monitor),
            )  # fmt: skip
    if arguments.json:
        print_json({name: r.to_dict() for name, r in reports.items()})
    else:
        for name, report in reports.items():
            say_report(report, f"{name}: ")
    return worst(status_of(report, strict=arguments.strict) for report in reports.values())

"""python -m bench people: draws people from seeds and makes quick pictures of them."""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from .actor import make_actor
from .base_mesh import DataMissing
from .contract import MOTIONS, Course, Person
from .draw import draw_person
from .preview import picture, sheet


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of the command."""
    parser.add_argument("--seed", type=int, default=1, help="of the first person; the next ones follow (1)")
    parser.add_argument("--count", type=int, default=12, help="how many people (12)")
    parser.add_argument("--frames", type=int, default=1, help="pictures of each, a third of a second apart (1)")
    parser.add_argument("--motion", choices=MOTIONS, help="what all of them do, instead of what is drawn")
    parser.add_argument("--years", type=float, nargs=2, default=(0.8, 88.0), metavar=("FROM", "TO"), help="their ages (0.8 88)")
    parser.add_argument("--hair", help="a style for all of them")
    parser.add_argument("--outfit", help="an outfit for all of them")
    parser.add_argument("--held", help="a thing for all of their hands, or '' for none")
    parser.add_argument("--azimuth", type=float, default=0.5, help="radians from which they are seen, 0 from ahead (0.5)")
    parser.add_argument("--size", type=int, default=320, help="pixels of a picture (320)")
    parser.add_argument("--columns", type=int, default=6, help="pictures in a row (6)")
    parser.add_argument("--assets", type=Path, help="folder of MakeHuman's assets (CC0)")
    parser.add_argument("--json", action="store_true", help="print the descriptions as JSON instead")
    parser.add_argument("-o", "--output", type=Path, default=Path("people.png"), help="the contact sheet (people.png)")


def drawn(arguments: argparse.Namespace, seed: int) -> Person:
    """One person as the command's options have it."""
    given = {"motion": arguments.motion, "hair": arguments.hair, "outfit": arguments.outfit, "held": arguments.held}
    return draw_person(seed, years=(arguments.years[0], arguments.years[1]), assets=arguments.assets is not None, **given)


def run(arguments: argparse.Namespace) -> int:
    """The exit status."""
    try:
        people = [drawn(arguments, arguments.seed + k) for k in range(arguments.count)]
        if arguments.json:
            print(json.dumps([person.to_json() for person in people], indent=1))
            return 0
        pictures = []
        for person in people:
            began = time.perf_counter()
            actor = make_actor(person, arguments.assets)
            body = actor.at(np.arange(arguments.frames) / 3, Course())
            stools = tuple(replace(m, vertices=np.repeat(m.vertices, arguments.frames, axis=0)) for m in actor.furniture(Course()))
            print(
                f"{person.seed}: {person.years:.0f} years, {person.motion}, {person.hair.style} hair, {body.faces} faces, "
                f"{body.strand_points} strand points, {time.perf_counter() - began:.1f} s"
            )
            pictures += [
                picture(replace(body, meshes=(*body.meshes, *stools)), k, size=arguments.size, azimuth=arguments.azimuth)
                for k in range(arguments.frames)
            ]
    except (DataMissing, ValueError, OSError) as error:
        print(f"bench people: {error}", file=sys.stderr)
        return 2
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(arguments.output), sheet(pictures, arguments.columns)[..., ::-1]):
        print(f"bench people: {arguments.output} could not be written; its ending has to be one of pictures, as .png", file=sys.stderr)
        return 2
    return 0

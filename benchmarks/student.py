"""The student against the guided filter: the same windows of people whom it never saw, and the same guides. JSON on standard output.

    python benchmarks/student.py people.safetensors [--weights student.safetensors] [--windows 64] [--size 320] [--picture out.png]

A row for each way in which a guide is wrong: MAD x 1e-3, MAD in the band about the edge, Grad x 1e-3 (`training.student.task.measures`).
What is nobody's: the share of windows of which nothing is left (less than 0.2 % of their area).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.refine import refine
from vr180_ofx.matte.student.compiled import CompiledStudent
from vr180_ofx.matte.student.contract import StudentNetwork
from vr180_ofx.training.student.compose import NATIVE, NOBODY, PASTED, Composer, Scene, others_guide
from vr180_ofx.training.student.guides import FAULTS, KINDS, LEAST_AREA, Dice, base_of, fault, nobodys_guide
from vr180_ofx.training.student.packing import read_pack
from vr180_ofx.training.student.task import measures, planes
from vr180_ofx.weights.store import require


def guided(shown: dict[str, torch.Tensor]) -> torch.Tensor:
    """What the program's refiner `guided` makes of the guide, (n, 1, h, w)."""
    out = []
    for picture, mask in zip(shown["source"], shown["guide"], strict=True):
        r, g, b = (np.ascontiguousarray(c) for c in picture.numpy())
        y = 0.2126 * r + 0.7152 * g + 0.0722 * b
        ycc = np.stack([y, (b - y) / 1.8556, (r - y) / 1.5748], -1).astype(np.float32)
        out.append(refine(GuidedRefiner(), ycc, np.ascontiguousarray(mask[0].numpy())).value(ycc))
    return torch.from_numpy(np.stack(out))[:, None]


def student(network: StudentNetwork, shown: dict[str, torch.Tensor]) -> torch.Tensor:
    given = planes(shown).permute(0, 2, 3, 1).numpy()
    return torch.from_numpy(np.stack([network.look(given[k : k + 1])[0] for k in range(len(given))]))[:, None]


def with_guides(scene: Scene, kind: str, seed: int) -> dict[str, torch.Tensor]:
    """The windows with guides of one kind, or the tracker's with one fault."""
    dice = Dice(torch.Generator().manual_seed(seed))
    masks, others = [], []
    for own, theirs, tracked in zip(scene.alpha, scene.others, scene.tracked, strict=True):
        if kind == "nobody":
            guide = nobodys_guide(own, torch.maximum(own, theirs) < 0.05, dice)
        elif kind in FAULTS:
            guide = fault(kind, tracked, own, theirs, dice)
        else:
            guide = base_of(kind, own, tracked, dice)
        masks.append(guide.clamp(0, 1))
        others.append(others_guide(theirs, dice))
    return {"source": scene.picture, "guide": torch.stack(masks), "others": torch.stack(others), "alpha": scene.alpha}


def chosen(scene: Scene, which: torch.Tensor) -> Scene:
    return Scene(*(getattr(scene, name)[which] for name in Scene.__slots__))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("--weights", type=Path, help="the student's file (default: the program's)")
    parser.add_argument("--windows", type=int, default=64)
    parser.add_argument("--size", type=int, default=320)
    parser.add_argument("--precision", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--picture", type=Path, help="a sheet: window, guide, guided, student, truth")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    network = CompiledStudent(arguments.weights or require("student"), arguments.precision)
    held = read_pack(arguments.pack).halves()[1]
    composer, generator = Composer(held, arguments.size), torch.Generator().manual_seed(11)
    which = torch.arange(arguments.windows) % len(held)
    modes = torch.where(torch.arange(arguments.windows) % 2 == 0, NATIVE, PASTED)
    people = composer.scene(which, generator, modes)
    people = chosen(people, people.alpha.mean((1, 2, 3)) > 4 * LEAST_AREA)
    empty = composer.scene(which, generator, torch.full_like(modes, NOBODY))
    rows: dict[str, Any] = {}
    sheet = []
    for kind in (*KINDS, *FAULTS):
        shown = with_guides(people, kind, 7)
        made = {"guided": guided(shown), "student": student(network, shown)}
        rows[kind] = {name: measures(alpha, shown["alpha"]) for name, alpha in made.items()}
        if kind in ("tracker", "none", "limb", "thirtysecond"):
            sheet += [(shown, made, k) for k in range(0, min(len(shown["alpha"]), 12), 4 if kind != "tracker" else 1)]
    shown = with_guides(empty, "nobody", 8)
    made = {"guided": guided(shown), "student": student(network, shown)}
    nobody = {name: float((alpha.mean((1, 2, 3)) < LEAST_AREA).float().mean()) for name, alpha in made.items()}
    found = student(network, with_guides(people, "none", 9))
    again = float((torch.minimum(found, people.alpha).sum((1, 2, 3)) > 0.5 * people.alpha.sum((1, 2, 3))).float().mean())
    facts = {"people": len(set(held.people.tolist())), "windows": len(people.alpha), "size": arguments.size}
    json.dump({**facts, "rows": rows, "nothing_left_of_nobody": nobody, "found_without_a_guide": again}, sys.stdout, indent=1)
    print()
    if arguments.picture:
        columns = []
        for shown, made, k in sheet:
            planes_of = [shown["source"][k], shown["guide"][k], made["guided"][k], made["student"][k], shown["alpha"][k]]
            columns.append(torch.cat([p.expand(3, -1, -1) for p in planes_of], 1))
        picture = torch.cat(columns, 2).permute(1, 2, 0).numpy()[..., ::-1]
        cv2.imwrite(str(arguments.picture), np.rint(picture * 255).astype(np.uint8))
    return 0


if __name__ == "__main__":
    sys.exit(main())

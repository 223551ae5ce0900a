"""What better weights would bring here, and the command for it: in one line, and only where it is true."""

from __future__ import annotations

import importlib.util

from vr180_ofx.engine.models import MATTING_NETWORKS, SAM2, Models
from vr180_ofx.weights.catalogue import CATALOGUE
from vr180_ofx.weights.device import Machine
from vr180_ofx.weights.store import is_present

#: The ones that are named: RVM's smaller weights, whose speed the documents tell of, and the quickest SAM 2.1.
_RVM, _SAM2 = "rvm_mobilenetv3", "sam2.1_t"


def advice(models: Models, machine: Machine | None = None) -> str:
    """One line, or nothing: where what could be had is used already, where somebody chose, and where nobody is told from anybody.

    models: what mattes are made with. machine: by default the one that their settings name. What is claimed stands in the guide
    (refiners.md, trackers.md), with what has not been measured.
    """
    machine = machine or Machine.of(models.settings)
    return "; ".join(part for part in (_edges(models, machine), _people(models, machine)) if part)


def _edges(models: Models, machine: Machine) -> str:
    m = models.settings.matting
    if m.refiner != "auto" or models.matting_network is not None or not models.follows_people:
        return ""
    row = MATTING_NETWORKS["rvm"]
    place = row.place(machine)
    quick = place.kind == "cuda" or place.precision == "bfloat16"
    there = m.refiner_weights is not None or any(is_present(w) for w in row.weights)
    steps = _steps("rvm", ("torch", "torchvision"), _RVM, there=there)
    # what auto does not take by itself
    steps += [] if quick else ["render with --refiner rvm"]
    time = "" if quick else ", slowly on this processor"
    return f"edges: guided filter; RVM ({CATALOGUE[_RVM].licence}) makes them softer, hair above all{time}: {', then '.join(steps)}"


def _people(models: Models, machine: Machine) -> str:
    m = models.settings.matting
    if m.tracker != "auto" or models.tracker.name in SAM2 or not machine.device.startswith("cuda"):
        return ""
    steps = _steps("sam2", ("torch", "torchvision", "sam2"), _SAM2, there=any(is_present(w) for w in SAM2))
    return f"people: BlazePose; SAM 2.1 ({CATALOGUE[_SAM2].licence}) follows them by memory, on this GPU: {', then '.join(steps)}"


def _steps(extra: str, modules: tuple[str, ...], weights: str, *, there: bool) -> list[str]:
    """What is to be typed before it runs. there: whether weights are."""
    installed = all(importlib.util.find_spec(name) is not None for name in modules)
    steps = [] if installed else [f"pip install 'vr180-ofx[{extra}]'"]
    steps += [] if there else [f"vr180-ofx weights pull {weights}"]
    return [" && ".join(steps)] if steps else []

"""vr180-ofx doctor."""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.resources
import os
import platform
import shutil
import sys
import tempfile
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from vr180_ofx.cli.common import paper, print_json, styled
from vr180_ofx.cli.helping import Examples
from vr180_ofx.errors import ExitStatus, Vr180Error, WeightsError
from vr180_ofx.storage import cache_folder, weights_folder
from vr180_ofx.weights.catalogue import CATALOGUE
from vr180_ofx.weights.store import verify

_PACKAGES = (
    "numpy", "opencv-python-headless", "av", "OpenImageIO", "OpenEXR", "isal", "opencolorio", "openvino", "pydantic",
    "scenedetect-headless", "safetensors", "rich", "PyYAML", "fastapi", "uvicorn",
)  # fmt: skip
_OPTIONAL = {
    "torch": "sam2, yolo or rvm",
    "sam2": "sam2",
    "ultralytics-opencv-headless": "yolo",
    "PyMatting": "closed_form",
}


USAGE = "[options]"
EXAMPLES: Examples = (("what works here, and what to do about the rest", "vr180-ofx doctor"),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at. detail: what was found and, where something is wrong, what to do. optional: whether it may be absent."""

    what: str
    detail: str
    _: KW_ONLY
    ok: bool
    optional: bool = False

    @property
    def state(self) -> Text:
        if self.ok:
            return styled("ok", "green")
        return styled("absent", "yellow") if self.optional else styled("no", "red")


def run(arguments: argparse.Namespace) -> int:
    checks = examine()
    if arguments.json:
        print_json([asdict(c) for c in checks])
    else:
        table = Table("what", "state", "", title="vr180-ofx doctor")
        *rows, better = checks
        for c in rows:
            table.add_row(c.what, c.state, c.detail)
        paper.print(table)
        # in one piece, to be copied
        paper.print(better.detail)
    return ExitStatus.DONE if all(c.ok or c.optional for c in checks) else ExitStatus.RESOURCES


def examine() -> list[Check]:
    """Everything that the program needs of this machine, and what it may use."""
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    out = [Check("Python", python, ok=sys.version_info >= (3, 11))]
    out.append(Check("processor", f"{os.cpu_count() or 1} cores, {_memory()}", ok=True))
    for name in _PACKAGES:
        version = _version(name)
        out.append(Check(name, version or f"missing; run: pip install {name}", ok=version is not None))
    for name, extra in _OPTIONAL.items():
        version = _version(name)
        needed = f"only needed for the extra {extra}: pip install 'vr180-ofx[{extra.split(',')[0]}]'"
        out.append(Check(name, version or needed, ok=version is not None, optional=True))
    for entry in CATALOGUE.values():
        problem = verify(entry.name)
        detail = "whole" if problem is None else f"{problem}; run: vr180-ofx weights pull {entry.name}"
        # what nobody needs may be absent, but not damaged
        optional = not entry.needed and problem == "missing"
        out.append(Check(f"weights {entry.name}", detail, ok=problem is None, optional=optional))
    out += [_writable("cache", cache_folder("plans").parent), _writable("weights folder", weights_folder())]
    return [*out, *_devices(), _network(), _exr(), _better()]


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB of memory"
    except (AttributeError, ValueError, OSError):
        return "memory unknown"


def _writable(title: str, folder: Path) -> Check:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 2**30
        return Check(title, f"{folder}, {free:.0f} GiB free", ok=True)
    except OSError as error:
        return Check(title, f"{folder} cannot be written ({error.strerror}); set VR180_OFX_CACHE to another folder", ok=False)


def _devices() -> list[Check]:
    """What the trackers of SAM 2 would run on, and all that is done to pictures."""
    if _version("torch") is None:
        return [Check("device", "PyTorch is not installed; the embedded networks do not need it", ok=False, optional=True)]
    import torch

    from vr180_ofx.engine.card import card

    devices = [f"cuda:{k}" for k in range(torch.cuda.device_count())]
    if not devices:
        return [Check("device", f"the CPU, {torch.get_num_threads()} threads; PyTorch sees no CUDA device", ok=True)]
    return [c for d in devices for c in (Check(f"device {d}", card(d).describe(), ok=True), trial_of(d))]


def trial_of(device: str) -> Check:
    """Whether the way of pictures on a device comes out right; device: as PyTorch names it."""
    from vr180_ofx.engine.card import trial

    with importlib.resources.as_file(importlib.resources.files("vr180_ofx") / "demo" / "walk3d.mp4") as clip:
        try:
            done = trial(clip, device)
        except (Vr180Error, RuntimeError, OSError) as error:
            why = str(error).partition("\n")[0]
            words = f"pictures cannot be worked on there: {why}. Update the driver and PyTorch; until then use hardware.device=cpu"
            return Check(f"pictures on {device}", words, ok=False)
    return Check(f"pictures on {device}", done.describe(), ok=done.ok)


def _network() -> Check:
    """Runs the default networks once: a model file can be whole and still not run on this processor."""
    import numpy as np

    from vr180_ofx.engine.models import Models
    from vr180_ofx.settings import Settings
    from vr180_ofx.vr180.window import Window

    try:
        models = Models.of(Settings())
        detector = models.load_detector()
        window = Window((0, 0, 1), 60, size=detector.size)
        found = detector.find(np.full((detector.size, detector.size, 3), 0.5, np.float32), window, 0.5)
        pose = models.load_segmenter().segment(np.full((256, 256, 3), 0.5, np.float32))
    except (WeightsError, RuntimeError, ValueError, ImportError) as error:
        return Check("default networks", str(error), ok=False)
    sane = not found and pose.presence < 0.5
    words = "run; nobody is seen in an empty picture" if sane else "run, but see people in an empty picture"
    return Check("default networks", words, ok=sane)


def _exr() -> Check:
    import OpenEXR

    names = [c for c in ("ZIPS", "PIZ", "DWAA", "HTJ2K256", "ZSTD") if hasattr(OpenEXR, f"{c}_COMPRESSION")]
    return Check("EXR compression", ", ".join(n.lower().replace("256", "") for n in names), ok="ZIPS" in names)


def _better() -> Check:
    """What default settings leave unused here, and the command that changes it."""
    from vr180_ofx.engine.advice import advice
    from vr180_ofx.engine.models import Models
    from vr180_ofx.settings import Settings

    text = advice(Models.of(Settings()))
    return Check("better mattes", text or "the best that this machine runs at speed is used", ok=not text, optional=True)

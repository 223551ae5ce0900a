"""vr180-ofx doctor."""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from rich.table import Table

from vr180_ofx.cli.common import console, print_json
from vr180_ofx.errors import ExitStatus, WeightsError
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


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON on standard output")


def run(arguments: argparse.Namespace) -> int:
    checks = examine()
    if arguments.json:
        print_json(checks)
    else:
        table = Table("what", "state", "", title="vr180-ofx doctor")
        for c in checks:
            table.add_row(
                c["what"], "[green]ok[/]" if c["ok"] else ("[yellow]absent[/]" if c.get("optional") else "[red]no[/]"), c["detail"]
            )
        console.print(table)
    return ExitStatus.DONE if all(c["ok"] or c.get("optional") for c in checks) else ExitStatus.RESOURCES


def examine() -> list[dict[str, Any]]:
    """Every check with what it found and, where something is wrong, what to do."""
    out = [_check("Python", sys.version_info >= (3, 11), f"{platform.python_version()} on {platform.system()} {platform.machine()}")]
    cores = os.cpu_count() or 1
    out.append(_check("processor", True, f"{cores} cores, {_memory()}"))
    for name in _PACKAGES:
        version = _version(name)
        out.append(_check(name, version is not None, version or f"missing; run: pip install {name}"))
    for name, extra in _OPTIONAL.items():
        version = _version(name)
        out.append(
            {
                **_check(
                    name,
                    version is not None,
                    version or f"only needed for the extra {extra}: pip install 'vr180-ofx[{extra.split(',')[0]}]'",
                ),
                "optional": True,
            }
        )
    for entry in CATALOGUE.values():
        problem = verify(entry.name)
        detail = "whole" if problem is None else f"{problem}; run: vr180-ofx weights pull {entry.name}"
        # what nobody needs may be absent, but not damaged
        out.append({**_check(f"weights {entry.name}", problem is None, detail), "optional": not entry.needed and problem == "missing"})
    for title, folder in (("cache", cache_folder("plans").parent), ("weights folder", weights_folder())):
        out.append(_writable(title, folder))
    out.append(_device())
    out.append(_network())
    out.append(_exr())
    return out


def _check(what: str, ok: bool, detail: str) -> dict[str, Any]:
    return {"what": what, "ok": ok, "detail": detail}


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


def _writable(title: str, folder: Path) -> dict[str, Any]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            free = shutil.disk_usage(folder).free / 2**30
        return _check(title, True, f"{folder}, {free:.0f} GiB free")
    except OSError as error:
        return _check(title, False, f"{folder} cannot be written ({error.strerror}); set VR180_OFX_CACHE to another folder")


def _device() -> dict[str, Any]:
    """What the trackers of SAM 2 would run on."""
    if _version("torch") is None:
        return {**_check("device", False, "PyTorch is not installed; the embedded networks do not need it"), "optional": True}
    import torch

    names = [torch.cuda.get_device_name(k) for k in range(torch.cuda.device_count())]
    return _check("device", True, ", ".join(names) or f"the CPU, {torch.get_num_threads()} threads; PyTorch sees no CUDA device")


def _network() -> dict[str, Any]:
    """Runs the default networks once: a model file can be whole and still not run on this processor."""
    import numpy as np

    from vr180_ofx.people.blazepose import BlazePoseDetector
    from vr180_ofx.trackers.blazepose_net import BlazePoseSegmenter
    from vr180_ofx.weights.store import require

    try:
        found = BlazePoseDetector(require("blazepose_detector")).detect(np.full((224, 224, 3), 0.5, np.float32), 0.5)
        pose = BlazePoseSegmenter(require("blazepose_segmenter")).segment(np.full((256, 256, 3), 0.5, np.float32))
    except (WeightsError, RuntimeError, ValueError, ImportError) as error:
        return _check("default networks", False, str(error))
    sane = not found and pose.presence < 0.5
    return _check(
        "default networks", sane, "run; nobody is seen in an empty picture" if sane else "run, but see people in an empty picture"
    )


def _exr() -> dict[str, Any]:
    import OpenEXR

    names = [c for c in ("ZIPS", "PIZ", "DWAA", "HTJ2K256", "ZSTD") if hasattr(OpenEXR, f"{c}_COMPRESSION")]
    return _check("EXR compression", "ZIPS" in names, ", ".join(n.lower().replace("256", "") for n in names))

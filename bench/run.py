"""python -m bench run: scenes matted by a mode of the program, or by a method that it is compared with.

The program's modes go through its command line, as a user's would: the clip, how it is laid out, and nothing that the truth knows.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import vr180_ofx
from bench.methods.modes import MODES, Mode, mode_called
from bench.methods.truths import DAMAGES, untouched, write_truth
from bench.score.scene import find_scenes
from vr180_ofx.errors import SettingsError, Vr180Error
from vr180_ofx.imaging.encode import png
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings
from vr180_ofx.storage import weights_folder, write_atomic
from vr180_ofx.version import __version__
from vr180_ofx.weights.store import file_sha256

_RUN = "run.json"
#: Seconds for a scene of a few frames, after which something hangs.
_PATIENCE_S = 3600
#: Rooms of the program that decide no pixel.
_NO_PIXELS = frozenset({"quality", "service", "demo"})


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of ``run``."""
    parser.add_argument("scenes", type=Path, metavar="SCENES", help="a folder of scenes with truth, or one scene")
    parser.add_argument("--output", "-o", type=Path, metavar="DIR", required=True, help="mattes are written to DIR/MODE/SCENE")
    shown = [name for name in MODES if not name.startswith("damage-")]
    parser.add_argument(
        "--mode", action="append", metavar="MODE", required=True,
        help=f"{', '.join(shown)}, or damage-NAME-AMOUNT of {', '.join(DAMAGES)}; may be repeated",
    )  # fmt: skip
    parser.add_argument("--rvm-weights", type=Path, metavar="FILE", help="for modes with rvm: its weights, .pth or .safetensors")
    parser.add_argument("--scene", action="append", default=[], metavar="NAME", help="only this scene; may be repeated")
    parser.add_argument("--again", action="store_true", help="scenes that were done before are done again")


def run(arguments: argparse.Namespace) -> int:
    """The exit status: 0; 1 where a scene failed; 2 where nothing could be begun."""
    try:
        modes = {name: mode_called(name) for name in arguments.mode}
        for name, mode in modes.items():
            if mode.weights and (arguments.rvm_weights is None or not arguments.rvm_weights.is_file()):
                raise SettingsError(f"--rvm-weights is {arguments.rvm_weights}; mode {name} needs the file of RVM's weights")
        scenes = find_scenes(arguments.scenes, arguments.scene)
        failed = [f"{n}/{s}" for n, m in modes.items() for s, p in scenes.items() if not _scene((n, m), (s, p), arguments)]
    except (Vr180Error, OSError) as error:
        print(f"bench run: {error}", file=sys.stderr)
        return 2
    if failed:
        print(f"bench run: failed: {', '.join(failed)}; run.log in each folder says why", file=sys.stderr)
    return 1 if failed else 0


def _scene(named: tuple[str, Mode], scene: tuple[str, Path], arguments: argparse.Namespace) -> bool:
    """Mattes one scene, unless that was done. Returns whether they are there."""
    name, mode = named
    out = arguments.output / name / scene[0]
    asked = _asked(named, scene[1], arguments)
    before = _read(out / _RUN)
    if not arguments.again and before.get("asked") == asked and before.get("exit_status") == 0:
        return True
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    about = {"name": name, "what": mode.what, "program": f"vr180-ofx {__version__}"}
    write_atomic(arguments.output / name / _RUN, (json.dumps(about, indent=1) + "\n").encode())
    start = time.perf_counter()
    status = _program(mode, scene[1], out, arguments) if mode.command else _here(name, scene[1], out, arguments)
    seconds = time.perf_counter() - start
    done = {"asked": asked, "exit_status": status, "seconds": round(seconds, 2), "frames": len(Truth(scene[1]))}
    write_atomic(out / _RUN, (json.dumps(done, indent=1) + "\n").encode())
    print(f"{name} {scene[0]}: {'done' if status == 0 else f'failed with {status}'} in {seconds:.0f} s", flush=True)
    return status == 0


def _asked(named: tuple[str, Mode], scene: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """What mattes depend on: another answer, and they are made anew."""
    name, mode = named
    clip = scene / "clip.mp4"
    return {
        "mode": name,
        "command": list(mode.command),
        "program": _program_hash(),
        "clip": file_sha256(clip) if clip.exists() else "",
        "weights": file_sha256(arguments.rvm_weights) if mode.weights else "",
    }


def _program_hash() -> str:
    """Of all the source that there is: versions do not tell one change from the next."""
    digest = hashlib.sha256()
    for room in (Path(vr180_ofx.__file__).parent, Path(__file__).parent / "methods"):
        for path in sorted(room.rglob("*.py")):
            if not _NO_PIXELS.intersection(path.relative_to(room).parts):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def clip_settings(scene: Path) -> dict[str, str]:
    """How a clip is to be read, as the camera's maker says it: layout, projection, field of view."""
    truth = Truth(scene)
    said, fov = str(truth.scene.get("projection", "")), truth.scene.get("fov_degrees")
    kind = "fisheye" if "fisheye" in said else "equirect180" if "equirect" in said else "auto"
    return {"input.layout": truth.layout.name, "input.projection": kind} | ({} if fov is None else {"input.fov_degrees": f"{float(fov):g}"})


def _program(mode: Mode, scene: Path, out: Path, arguments: argparse.Namespace) -> int:
    """Through the command line, in a process of its own; its exit status. Decoded frames and mattes in its cache are not kept."""
    flags = [word for key, value in clip_settings(scene).items() for word in ("--set", f"{key}={value}")]
    if mode.weights and mode.command[0] == "render":
        flags += ["--set", f"matting.refiner_weights={arguments.rvm_weights.resolve()}"]
    elif mode.weights:
        flags += ["--weights", str(arguments.rvm_weights.resolve())]
    # plans are the same for all modes; whoever changes the program gets new ones
    cache = arguments.output.resolve() / ".cache" / _program_hash()
    with tempfile.TemporaryDirectory(prefix="vr180-bench-") as folder, (out / "run.log").open("wb") as log:
        words = [sys.executable, "-m", "vr180_ofx", mode.command[0], str(scene / "clip.mp4"), "-o", str(out), *mode.command[1:], *flags]
        words += ["--set", f"service.cache_dir={folder}"]
        log.write(f"{' '.join(words)}\n".encode())
        log.flush()
        try:
            ended = subprocess.run(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=_PATIENCE_S, check=False,
                env={**os.environ, "VR180_OFX_CACHE": str(cache), "VR180_OFX_WEIGHTS": str(weights_folder())},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            log.write(f"\nended after {_PATIENCE_S} s\n".encode())
            return 124
    _lift(out)
    return ended.returncode


def _lift(out: Path) -> None:
    """Frames that lie in the one folder inside (``matte`` makes one for each output) come up."""
    if any(out.glob("*.exr")):
        return
    for path in sorted(out.rglob("*.exr")):
        path.rename(out / path.name)


def _here(name: str, scene: Path, out: Path, arguments: argparse.Namespace) -> int:
    """A method that is no mode of the program."""
    try:
        if name == "rvm-boxes":
            from bench.methods.given_boxes import matte_in_boxes

            values = [f"{key}={value}" for key, value in clip_settings(scene).items()]
            matte_in_boxes(scene, out, arguments.rvm_weights, Settings.from_values({}, values))
        elif name == "nothing":
            truth = Truth(scene)
            black = png(np.zeros((truth.layout.height, truth.layout.width), np.uint8))
            for n in range(len(truth)):
                write_atomic(out / f"{n + 1:04d}.png", black)
        elif name == "truth":
            write_truth(scene, out, untouched)
        else:
            kind, amount = name.removeprefix("damage-").rsplit("-", 1)
            write_truth(scene, out, DAMAGES[kind].change, float(amount))
    except (Vr180Error, OSError) as error:
        write_atomic(out / "run.log", f"{error}\n".encode())
        return 1
    return 0


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}

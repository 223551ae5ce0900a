"""Runs the commands of docs/guide/recipes.md, one after the other, and puts what they print into the page: python docs/recipes.py

They run in a folder of their own, with the clip that comes with the program as clip.mp4 and caches of their own. Lines that begin with ``$``
are commands; a block keeps at most as many lines of output as `MOST`. A command that ends otherwise than with 0, or than the status behind
``# exit`` says, stops it all. Speeds are those of the machine that it ran on.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

PAGE = Path(__file__).parent / "guide" / "recipes.md"
ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "vr180_ofx" / "demo" / "walk3d.mp4"
#: Lines of output that a command keeps, from its beginning; of longer lines, so many letters.
MOST, WIDEST = 14, 130
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.S | re.M)
#: How long a server may take until it answers.
_PATIENCE_S = 60


def commands(text: str) -> list[str]:
    """The command lines of the page, in order; lines that end with a backslash go on."""
    lines = [line for block in _BLOCK.findall(text) for line in re.sub(r"\\\n\s*", "", block).splitlines()]
    return [line[2:] for line in lines if line.startswith("$ ")]


def run(text: str, folder: Path) -> str:
    """The page with what its commands print now. Raises RuntimeError where one fails."""
    shutil.copy(CLIP, folder / "clip.mp4")
    bin_folder = Path(sys.executable).parent
    caches = tempfile.mkdtemp(prefix="vr180-ofx-recipes-")
    environment = os.environ | {"COLUMNS": "100", "VR180_OFX_CACHE": caches, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    from vr180_ofx.storage import weights_folder

    weights = weights_folder()
    environment["VR180_OFX_WEIGHTS"] = str(weights)
    servers: list[subprocess.Popen[str]] = []
    try:
        return _BLOCK.sub(lambda m: f"```console\n{_block(m[1], folder, environment, servers)}```", text)
    finally:
        for server in servers:
            server.terminate()
            server.wait()
        shutil.rmtree(caches, ignore_errors=True)


def _block(block: str, folder: Path, environment: Mapping[str, str], servers: list[subprocess.Popen[str]]) -> str:
    out = ""
    for written in re.findall(r"^\$ (?:.*\\\n)*.*\n", block, re.M):
        command = re.sub(r"\\\n\s*", "", written[2:]).strip()
        print(f"$ {command}", flush=True)
        if command.endswith("&"):
            said = _served(command.removesuffix("&"), folder, environment, servers)
        else:
            wanted = int(match[1]) if (match := re.search(r"# exit ([0-9]+)$", command)) else 0
            ran = subprocess.run(
                command, shell=True, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
            )
            said = ran.stdout
            if ran.returncode != wanted:
                raise RuntimeError(f"{command} ended with {ran.returncode}:\n{said}")
        out += written + _trimmed(said, folder)
    return out


def _served(command: str, folder: Path, environment: Mapping[str, str], servers: list[subprocess.Popen[str]]) -> str:
    """Starts a server, and gives what it said until it listened."""
    log = folder / "server.txt"
    with log.open("w") as stream:
        servers.append(subprocess.Popen(command.split(), cwd=folder, env=environment, stdout=stream, stderr=subprocess.STDOUT, text=True))
    end = time.monotonic() + _PATIENCE_S
    while "serving" not in log.read_text():
        if time.monotonic() > end or servers[-1].poll() is not None:
            raise RuntimeError(f"{command} did not begin: {log.read_text()}")
        time.sleep(0.1)
    return log.read_text()


def _trimmed(said: str, folder: Path) -> str:
    lines = [line.rstrip() for line in said.replace(str(folder), "/work").splitlines()]
    lines = [line if len(line) <= WIDEST else f"{line[: WIDEST - 4]} ..." for line in lines]
    shown = lines if len(lines) <= MOST else [*lines[: MOST - 1], "..."]
    return "".join(f"{line}\n" for line in shown)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vr180-ofx-recipes-") as work:
        PAGE.write_text(run(PAGE.read_text(encoding="utf-8"), Path(work)), encoding="utf-8")

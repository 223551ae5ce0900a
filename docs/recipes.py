"""Runs the commands of docs/guide/recipes.md, one after the other, and puts what they print into the page: python docs/recipes.py

They run in a folder of their own, with the clip that comes with the program as clip.mp4 and caches of their own. Lines that begin with
``$`` are commands. What is long is cut, what the page has said already is left out. A command that ends otherwise than with 0, or than the
status behind ``# exit`` says, stops it all. Speeds are those of the machine that it ran on.
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

from vr180_ofx.storage import weights_folder

PAGE = Path(__file__).parent / "guide" / "recipes.md"
ROOT = Path(__file__).resolve().parents[1]
CLIP = ROOT / "vr180_ofx" / "demo" / "walk3d.mp4"
#: Lines of output that a command keeps, from its beginning, or from its end where something went wrong; and letters of a line.
MOST, WIDEST = 12, 110
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
    caches = tempfile.mkdtemp(prefix="vr180-ofx-recipes-")
    environment = os.environ | {
        "COLUMNS": "100", "VR180_OFX_CACHE": caches, "VR180_OFX_WEIGHTS": str(weights_folder()),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }  # fmt: skip
    session = Session(folder, Path(caches), environment)
    try:
        return _BLOCK.sub(lambda m: f"```console\n{session.block(m[1])}```", text)
    finally:
        session.end()
        shutil.rmtree(caches, ignore_errors=True)


class Session:
    """A terminal in ``folder``, and what the page has said so far."""

    def __init__(self, folder: Path, caches: Path, environment: Mapping[str, str]) -> None:
        self._folder, self._caches, self._environment = folder, caches, environment
        self._servers: list[subprocess.Popen[str]] = []
        self._said: set[str] = set()

    def end(self) -> None:
        for server in self._servers:
            server.terminate()
            server.wait()

    def block(self, block: str) -> str:
        """A block of the page, with what its commands print now."""
        out = ""
        for written in re.findall(r"^\$ (?:.*\\\n)*.*\n", block, re.M):
            command = re.sub(r"\\\n\s*", "", written[2:]).strip()
            print(f"$ {command}", flush=True)
            wanted = int(match[1]) if (match := re.search(r"# exit ([0-9]+)$", command)) else 0
            said = self._serve(command.removesuffix("&")) if command.endswith("&") else self._run(command, wanted)
            out += written + self._shortened(said, from_end=wanted != 0)
        return out

    def _run(self, command: str, wanted: int) -> str:
        ran = subprocess.run(
            command, shell=True, cwd=self._folder, env=self._environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        if ran.returncode != wanted:
            raise RuntimeError(f"{command} ended with {ran.returncode}:\n{ran.stdout}")
        return ran.stdout

    def _serve(self, command: str) -> str:
        """Starts a server, and gives what it said until it listened."""
        log = self._folder / "server.txt"
        with log.open("w") as stream:
            server = subprocess.Popen(
                command.split(), cwd=self._folder, env=self._environment, stdout=stream, stderr=subprocess.STDOUT, text=True
            )
        self._servers.append(server)
        end = time.monotonic() + _PATIENCE_S
        while "serving" not in log.read_text():
            if time.monotonic() > end or server.poll() is not None:
                raise RuntimeError(f"{command} did not begin: {log.read_text()}")
            time.sleep(0.1)
        return log.read_text()

    def _shortened(self, said: str, *, from_end: bool) -> str:
        lines = [line.rstrip() for line in said.replace(str(self._folder), "/plates").replace(str(self._caches), "~/.cache").splitlines()]
        lines = [line if len(line) <= WIDEST else f"{line[: WIDEST - 4]} ..." for line in lines]
        kept: list[str] = []
        for line in lines:
            known = line in self._said and line.startswith((" ", "edges: ")) and not from_end
            self._said.add(line)
            if not known or not kept:
                kept.append(line)
            elif kept[-1] != "  ...":
                kept.append("  ...")
        if len(kept) > MOST:
            kept = ["...", *kept[1 - MOST :]] if from_end else [*kept[: MOST - 1], "..."]
        return "".join(f"{line}\n" for line in kept)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="vr180-ofx-recipes-") as work:
        PAGE.write_text(run(PAGE.read_text(encoding="utf-8"), Path(work)), encoding="utf-8")

"""Attacks on the command line and on a real server, by a seed: python benchmarks/faults.py --json

Hostile configurations and options, plans and requests (`benchmarks.support.hostile`), each in a real process or over a real socket. What is
judged is what users see: how it ends, how long it takes, how much memory it wants, and that nobody meets a traceback. With ``--files`` also
damaged files (`benchmarks.support.corrupt`). One JSON object; the exit status is 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path = [str(ROOT), *[p for p in sys.path if Path(p or ".").resolve() != ROOT / "benchmarks"]]

from benchmarks.support.hostile import Case, configurations, mutations, plans, requests  # noqa: E402
from benchmarks.support.processes import ended, peak_mb  # noqa: E402
from vr180_ofx.client import connect  # noqa: E402
from vr180_ofx.settings import Settings  # noqa: E402
from vr180_ofx.storage import weights_folder  # noqa: E402

DEMO = ROOT / "vr180_ofx" / "demo" / "walk3d.mp4"
#: Longer is a hang.
TIMEOUT_S = 120.0
#: Of one process: the program itself needs 0.3 GB, a render of the demo clip 0.6 GB.
MOST_MB = 2000.0
#: As the command `vr180-ofx` begins, with a word when it does.
_START = "from vr180_ofx.cli import start; print('ready', flush=True); raise SystemExit(start.main())"
_WRONG = re.compile(r"Traceback|should not happen|Exception ignored|Task exception was never retrieved")


@dataclass(slots=True)
class Outcome:
    """How a case ended. status: of the process, or of the answer (`hostile.CLOSED` without one)."""

    case: str
    status: int | None
    seconds: float
    peak_mb: float
    faults: list[str]


def run_case(case: Case, folder: Path, cache: Path) -> Outcome:
    """A render of one frame in a process of its own, with the configuration, the options or the plan."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    words: list[bytes | str] = [*case.words]
    if case.kind in ("config", "plan"):
        path = folder / case.name
        path.write_bytes(case.data)
        words += [f"--{case.kind}", str(path)]
    command: list[bytes | str] = [sys.executable, "-m", "vr180_ofx", "render", str(DEMO), "-o", str(folder / "out")]
    command += [*words] if b"--frames" in words else [*words, "--frames", "1"]
    environment = os.environ | {"VR180_OFX_CACHE": str(cache), "VR180_OFX_WEIGHTS": str(weights_folder())}
    with tempfile.TemporaryFile() as said:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment, cwd=folder)
        hung, peak = ended(process, TIMEOUT_S)
        seconds = time.monotonic() - begin
        said.seek(0)
        text = said.read()
    faults = _faults(text.decode("utf-8", "replace"), seconds, peak)
    if process.returncode not in case.allowed and not hung:
        faults.append(f"status {process.returncode} and not {case.allowed}: {text[-300:].decode('utf-8', 'replace')}")
    if b"\x1b" in text or b"\x07" in text:
        faults.append("the terminal is commanded")
    if len(text) > 20_000:
        faults.append(f"{len(text)} bytes are said")
    return Outcome(f"{case.kind}: {case.name}", process.returncode, round(seconds, 2), round(peak, 1), faults)


def _faults(text: str, seconds: float, peak_mb: float) -> list[str]:
    found = []
    wrong = _WRONG.search(text)
    if wrong:
        found.append(f"{wrong.group()}: {text[-500:]}")
    if seconds >= TIMEOUT_S:
        found.append("hang")
    if peak_mb > MOST_MB:
        found.append(f"{peak_mb:.0f} MB")
    return found


def interrupted(delay_s: float, folder: Path) -> Outcome:
    """SIGINT so long after the program was begun; what Python itself says to one while it starts is not the program's."""
    begin = time.monotonic()
    command = [sys.executable, "-c", _START, "render", str(DEMO), "-o", str(folder / "out")]
    environment = os.environ | {"VR180_OFX_CACHE": str(folder / "cache"), "VR180_OFX_WEIGHTS": str(weights_folder())}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay_s)
    process.send_signal(signal.SIGINT)
    text = process.communicate(timeout=TIMEOUT_S)[0].decode("utf-8", "replace")
    faults = _faults(text, time.monotonic() - begin, 0.0)
    if process.returncode not in (-signal.SIGINT, 5):
        faults.append(f"status {process.returncode}")
    return Outcome(f"SIGINT after {delay_s:.2f} s", process.returncode, round(time.monotonic() - begin, 2), 0.0, faults)


class Server:
    """A frame server in a process of its own, with the demo clip open."""

    def __init__(self, folder: Path) -> None:
        root = folder / "root"
        root.mkdir(parents=True)
        self.clip_path = root / "clip.mp4"
        shutil.copy(DEMO, self.clip_path)
        self.log = folder / "log"
        environment = os.environ | {"VR180_OFX_CACHE": str(folder / "cache"), "VR180_OFX_WEIGHTS": str(weights_folder())}
        command = [sys.executable, "-m", "vr180_ofx", "serve", "--root", str(root), "--token-file", str(folder / "token"), "-v",
                   "--idle-exit", "10"]  # fmt: skip
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=environment)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().decode().strip()
        self.port = int(self.address.rpartition(":")[2])
        self.server = connect(self.address, str(folder / "token"))
        self.token = (folder / "token").read_text().strip()
        self.clip = self.server.open(str(self.clip_path), None).wait()

    def send(self, case: Case) -> Outcome:
        """A request as its bytes are."""
        begin = time.monotonic()
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as connection:
            with contextlib.suppress(OSError):
                # it may be refused before all of it is sent
                connection.sendall(case.data)
            with contextlib.suppress(ConnectionError, TimeoutError):
                while piece := connection.recv(1 << 16):
                    answer += piece
        seconds = time.monotonic() - begin
        found = re.match(rb"HTTP/1\.[01] (\d{3})", answer)
        status = int(found.group(1)) if found else -1
        faults = _faults(answer.decode("utf-8", "replace"), seconds, 0.0)
        if status not in case.allowed:
            faults.append(f"status {status}: {answer[-300:].decode('utf-8', 'replace')}")
        if self.process.poll() is not None:
            faults.append(f"the server ended with {self.process.returncode}")
        return Outcome(f"request: {case.name}", status, round(seconds, 2), 0.0, faults)

    def end(self) -> list[str]:
        """Ends it. Returns what is wrong with its end and its log."""
        faults = [] if self.server.open(str(self.clip_path), None).facts["state"] == "ready" else ["the clip is not ready any more"]
        peak = peak_mb(self.process.pid)
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(TIMEOUT_S)
        faults += [] if status == 0 else [f"the server ended with {status}"]
        return faults + _faults(self.log.read_text("utf-8", "replace"), 0.0, peak)


def attack(folder: Path, *, mutated: int, seed: int, every: int = 1) -> dict[str, Any]:
    """All of it. mutated: so many cases more that the seed makes. every: takes each so-manieth of the written ones alone."""
    server = Server(folder / "server")
    sound = server.clip.people()
    config = json.dumps(Settings().model_dump(mode="json", include={"processing", "detection", "output", "stereo"}), indent=1).encode()
    written = [*configurations(), *plans(sound)][::every]
    made = mutations(config, json.dumps(sound, indent=1).encode(), mutated, seed)
    outcomes = [run_case(case, folder / "case", folder / "cache") for case in [*written, *made]]
    wire = [*requests(server.token, server.clip.id, str(server.clip_path))][::every]
    outcomes += [server.send(case) for case in wire]
    outcomes += [interrupted(delay_s, folder / "interrupted") for delay_s in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.8, 1.2, 2.0, 3.0)[::every]]
    peak = peak_mb(server.process.pid)
    faults = [f"{o.case}: {fault}" for o in outcomes for fault in o.faults]
    faults += [f"server: {fault}" for fault in server.end()]
    statuses = Counter(str(o.status) for o in outcomes)
    kinds = Counter(o.case.partition(":")[0].partition(" ")[0] for o in outcomes)
    return {
        "seed": seed, "cases": len(outcomes), "kinds": dict(kinds), "statuses": dict(sorted(statuses.items())),
        "slowest_s": max(o.seconds for o in outcomes), "largest_mb": max(o.peak_mb for o in outcomes), "server_mb": round(peak, 1),
        "faults": faults, "outcomes": [asdict(o) for o in outcomes],
    }  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=22)
    parser.add_argument(
        "--mutated", type=int, default=40, help="configurations and plans that the seed makes, beside those that are written"
    )
    parser.add_argument("--files", type=int, default=0, help="damaged files as well, so many")
    parser.add_argument("--json", action="store_true", help="all outcomes, not the sums alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = attack(Path(folder), mutated=arguments.mutated, seed=arguments.seed)
    if arguments.files:
        command = [sys.executable, "-m", "benchmarks.support.corrupt", "--count", str(arguments.files), "--seed", str(arguments.seed)]
        child = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE)
        result["files"] = json.loads(child.stdout)
        result["faults"] += [f"file {fault}" for fault in result["files"]["faults"]]
    if not arguments.json:
        del result["outcomes"]
    print(json.dumps(result, indent=1))
    return 1 if result["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())

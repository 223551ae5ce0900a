"""The frame server over HTTP: how long a cached frame takes, what random access costs, and what many clients at once do to it.

    python benchmarks/serve.py CLIP [--long CLIP] [--seconds 60] [--clients 32] [--json]

Everything goes through a real server process. CLIP: its frames are asked for as halves, one eye at a time. --long: a clip that is
repeated to 2,000 frames for random access (default: CLIP). The reference for times is a plain copy of the same bytes
through a socket between two processes, measured in the same run.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.render import repeated
from vr180_ofx.client import Clip, connect
from vr180_ofx.engine.plans import find_plan, keep_plan
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings

LONG = 2000
#: Chunks short enough for a tracker that never forgets to be measured on a CPU.
CHUNK, OVERLAP = 40, 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--long", help="the clip that is repeated for random access")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vr180-bench.") as name:
        work = Path(name)
        os.environ["VR180_OFX_CACHE"] = str(work / "cache")
        os.environ.setdefault("VR180_OFX_WEIGHTS", str(Path.home() / ".cache" / "vr180-ofx" / "weights"))
        result: dict[str, Any] = {"benchmark": "serve", "clip": Path(arguments.clip).name, "cores": os.cpu_count()}
        with Server(work, Path(arguments.clip).resolve().parent) as server:
            clip = server.open(arguments.clip)
            result |= cached(clip, arguments.requests)
            result["many_clients"] = crowd(server, clip, arguments.clients, arguments.seconds)
        result["random_access"] = access(work, Path(arguments.long or arguments.clip))
    print(json.dumps(result, indent=None if arguments.json else 1))


class Server:
    """A server process, as a user starts it."""

    def __init__(self, work: Path, root: Path, *words: str) -> None:
        self.token = str(work / "token")
        command = [sys.executable, "-m", "vr180_ofx", "serve", "--root", str(root), "--token-file", self.token,
                   "--announce", str(work / "server.json"), "--set", "service.max_requests_per_second=100000",
                   "--idle-exit", "10", *words]  # fmt: skip
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        while True:
            try:
                self.client = connect(self.address, self.token)
                break
            except Exception:  # noqa: BLE001 - not yet
                time.sleep(0.1)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def open(self, path: str | Path, settings: dict[str, Any] | None = None) -> Clip:
        return self.client.open(str(Path(path).resolve()), settings).wait()


def percentiles(seconds: list[float]) -> dict[str, float]:
    values = sorted(seconds)

    def pick(p: float) -> float:
        return round(1000 * values[min(len(values) - 1, int(p * len(values)))], 2)

    return {"p50_ms": pick(0.5), "p90_ms": pick(0.9), "p99_ms": pick(0.99), "max_ms": round(1000 * values[-1], 2)}


def cached(clip: Clip, count: int) -> dict[str, Any]:
    """One client, one frame after the other, all of them in memory."""
    frames = list(range(min(6, len(clip))))
    first = [timed(lambda n=n: clip.frame(n))[1] for n in frames]
    times, size = [], 0
    for k in range(count + 20):
        picture, seconds = timed(lambda k=k: clip.frame(frames[k % len(frames)], clip.facts["views"][k % 2]))
        assert picture is not None
        size = len(picture.data)
        if k >= 20:
            times.append(seconds)
    plain = plain_socket(size, min(count, 100))
    return {
        "bytes": size,
        "size": [picture.width, picture.height],
        "first_request_s": round(statistics.median(first), 3),
        "cached": percentiles(times),
        "plain_socket": percentiles(plain),
        "ratio_to_plain_socket": round(statistics.median(times) / statistics.median(plain), 2),
    }


def timed(function: Any) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begin


def plain_socket(size: int, count: int) -> list[float]:
    """The same bytes from another process, without HTTP."""
    listening = socket.create_server(("127.0.0.1", 0))
    child = multiprocessing.get_context("spawn").Process(target=_send, args=(listening.getsockname()[1], size, count))
    child.start()
    connection, _ = listening.accept()
    times = []
    for _ in range(count):
        begin = time.perf_counter()
        connection.sendall(b"?")
        left = size
        while left:
            left -= len(connection.recv(min(left, 1 << 20)))
        times.append(time.perf_counter() - begin)
    connection.close()
    listening.close()
    child.join()
    return times


def _send(port: int, size: int, count: int) -> None:
    data = bytes(size)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for _ in range(count):
            connection.recv(1)
            connection.sendall(data)


def crowd(server: Server, clip: Clip, clients: int, seconds: float) -> dict[str, Any]:
    """Many clients that ask for random frames of both eyes, and check what they get."""
    views = clip.facts["views"]
    frames = list(range(min(24, len(clip))))
    expected = {(n, v): zlib.crc32(clip.frame(n, v).data) for n in frames for v in views}  # type: ignore[union-attr]
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    processes = 4
    arguments = {
        "address": server.address, "token": server.token, "path": clip.facts["path"], "expected": expected,
        "clients": clients // processes, "seconds": seconds, "queue": queue,
    }  # fmt: skip
    children = [context.Process(target=_crowd, kwargs=arguments) for _ in range(processes)]
    before = clip.stats()["resident_bytes"]
    memory = []
    for child in children:
        child.start()
    done: list[Any] = []
    while len(done) < processes:
        time.sleep(1)
        memory.append(clip.stats()["resident_bytes"])
        while not queue.empty():
            done.append(queue.get())
    for child in children:
        child.join()
    times = [t for d in done for t in d["times"]]
    half = len(memory) // 2
    return {
        "clients": clients,
        "seconds": seconds,
        "requests": len(times),
        "requests_per_second": round(len(times) / seconds, 1),
        "errors": sum(d["errors"] for d in done),
        "wrong_frames": sum(d["wrong"] for d in done),
        **percentiles(times),
        "resident_mb": {
            "before": round(before / 1e6),
            "first_half_peak": round(max(memory[:half]) / 1e6),
            "second_half_peak": round(max(memory[half:]) / 1e6),
            "after": round(clip.stats()["resident_bytes"] / 1e6),
        },
    }


def _crowd(*, address: str, token: str, path: str, expected: dict[tuple[int, str], int], clients: int, seconds: float, queue: Any) -> None:
    times: list[float] = []
    wrong = errors = 0
    end = time.monotonic() + seconds

    def one(seed: int) -> None:
        nonlocal wrong, errors
        rng = random.Random(seed)
        clip = connect(address, token).open(path)
        while time.monotonic() < end:
            key = rng.choice(list(expected))
            begin = time.perf_counter()
            try:
                picture = clip.frame(*key)
            except Exception:  # noqa: BLE001 - whatever it is, it counts
                errors += 1
                continue
            times.append(time.perf_counter() - begin)
            wrong += picture is None or zlib.crc32(picture.data) != expected[key]

    threads = [threading.Thread(target=one, args=(os.getpid() * 100 + k,)) for k in range(clients)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    queue.put({"times": times, "wrong": wrong, "errors": errors})


def access(work: Path, path: Path) -> dict[str, Any]:
    """Random frames of a clip of 2,000: tracker steps for each, with nothing cached nearby."""
    root = work / "long"
    root.mkdir()
    long = repeated(path, root / f"{path.stem}.mkv", LONG)
    settings = Settings()
    with open_clip(path, settings) as short, open_clip(long, settings) as clip:
        plan = repeated_plan(find_plan(short, settings), clip)
        keep_plan(clip, settings, plan)
    out: dict[str, Any] = {"frames": LONG}
    rng = random.Random(0)
    with Server(work, root, "--set", "service.prefetch=0") as server:
        clip_open = server.open(long)
        out["default_tracker"] = steps(clip_open, [rng.randrange(LONG) for _ in range(40)], settings.processing.chunk_size + 60)
    try:
        import torch
    except ImportError:
        return out
    # sam2.py beside this file is not the library
    sys.path = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).resolve().parent]
    from benchmarks.support.sam2_reference import random_network

    weights = work / "random.pt"
    torch.save({"model": random_network("sam2.1_t", 128).model.state_dict()}, weights)
    values = {
        "matting.tracker": "sam2.1_t", "matting.tracker_weights": weights, "matting.window_size": 128, "service.prefetch": 0,
        "processing.chunk_size": CHUNK, "processing.overlap_frames": OVERLAP,
    }  # fmt: skip
    with Server(work, root, *(w for k, v in values.items() for w in ("--set", f"{k}={v}"))) as server:
        clip_open = server.open(long)
        # the dearest frames are those before a chunk's end, where the next one is faded in
        dearest = [c * (CHUNK - OVERLAP) + CHUNK - 1 for c in (3, 17, 40)]
        asked = [*dearest, *(rng.randrange(LONG) for _ in range(12))]
        out["sam2.1_t"] = {"chunk_size": CHUNK, "overlap_frames": OVERLAP, **steps(clip_open, asked, CHUNK + OVERLAP)}
    return out


def steps(clip: Clip, asked: list[int], bound: int) -> dict[str, Any]:
    counts, seconds = [], []
    clip.frame(0)
    before = clip.stats()["engine"]["steps"]
    for n in asked:
        seconds.append(timed(lambda n=n: clip.frame(n))[1])
        after = clip.stats()["engine"]["steps"]
        counts.append(after - before)
        before = after
    return {"requests": len(asked), "most_steps": max(counts), "bound": bound, "median_s": round(statistics.median(seconds), 3),
            "max_s": round(max(seconds), 3)}  # fmt: skip


def repeated_plan(plan: Plan, clip: Any) -> Plan:
    """The plan of a clip that is repeated from its beginning."""
    data = json.loads(plan.to_json())
    for person in data["people"]:
        person["shot"] = 0
        for view, rows in person["views"].items():
            person["views"][view] = {
                str(k): row for turn in range(0, len(clip), plan.frames) for n, row in rows.items() if (k := int(n) + turn) < len(clip)
            }
    data["shots"] = [[0, len(clip) - 1]]
    data["clip"] = {}
    return Plan.from_data(data, clip)


if __name__ == "__main__":
    main()

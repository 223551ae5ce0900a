"""What many requests, many connections and many given-up analyses leave behind in a server: memory, descriptors, threads, work.

    python benchmarks/load.py CLIP [--requests 2000] [--connections 500] [--aborted 50] [--rounds 3] [--seed 0] [--json]

Everything goes through a real server process on 127.0.0.1. Each round has three parts: requests of all kinds from eight clients,
connections that are all open at once, and analyses of settings that nobody had before, each of which is asked for and given up.
The first round warms up what is kept for good (networks, pools of threads, arenas); the others are held against it. Resident memory,
descriptors and threads are those that the kernel counts (/proc), when the server has come to rest. Nothing waits without a bound.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.serve import Server
from vr180_ofx.client import Clip, ServerProblem, ServerUnavailable, connect

#: Clients that ask one after the other.
_CLIENTS = 8
#: What a server may take to come to rest, and a part of a round to be over.
_BOUND_S = 300.0
#: Connections that do not answer within so long are counted as silent.
_ANSWER_S = 120.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--connections", type=int, default=500)
    parser.add_argument("--aborted", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3, choices=range(1, 9))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vr180-load.") as name:
        result = measure(
            Path(name), Path(arguments.clip), requests=arguments.requests, connections=arguments.connections, aborted=arguments.aborted,
            rounds=arguments.rounds, seed=arguments.seed,
        )  # fmt: skip
    print(json.dumps(result, indent=None if arguments.json else 1))


def measure(work: Path, path: Path, *, requests: int, connections: int, aborted: int, rounds: int, seed: int) -> dict[str, Any]:
    """So many rounds against a server of its own, whose cache lies in ``work``."""
    os.environ["VR180_OFX_CACHE"] = str(work / "cache")
    os.environ.setdefault("VR180_OFX_WEIGHTS", str(Path.home() / ".cache" / "vr180-ofx" / "weights"))
    rng = random.Random(seed)
    with Server(work, path.resolve().parent) as server:
        clip = server.open(path)
        clip.frame(0)
        made = [
            one_round(server, clip, requests=requests, connections=connections, aborted=aborted, rng=rng, first_threshold=0.2 + 0.06 * k)
            for k in range(rounds)
        ]
        asked = time.monotonic()
        last = opened(server, path, 0.199)
        waited = time.monotonic() - asked
        begin = time.monotonic()
    return {
        "benchmark": "load", "clip": path.name, "frames": len(clip), "cores": os.cpu_count(), "seed": seed,
        "requests": requests, "connections": connections, "aborted": aborted, "rounds": made,
        "analysis_after_all": {"state": last, "seconds": round(waited, 2)}, "end_s": round(time.monotonic() - begin, 2),
    }  # fmt: skip


def one_round(
    server: Server, clip: Clip, *, requests: int, connections: int, aborted: int, rng: random.Random, first_threshold: float
) -> dict[str, Any]:  # fmt: skip
    before = counted(server.process.pid)
    answers, seconds = many_requests(server, clip, requests, rng)
    crowd, crowd_s = asyncio.run(many_connections(server, clip, connections, rng))
    analyses, analyses_s = many_aborted(server, clip, aborted, rng, first_threshold)
    rest = come_to_rest(server)
    return {
        "before": before, "after": counted(server.process.pid), "rest_s": rest,
        "requests": {"seconds": seconds, "answers": answers},
        "connections": {"seconds": crowd_s, "answers": crowd},
        "aborted": {"seconds": analyses_s, "answers": analyses},
    }  # fmt: skip


def counted(pid: int) -> dict[str, Any]:
    """What the kernel says of a process: megabytes that are resident, open descriptors, threads."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    names = Counter(Path(f"/proc/{pid}/task/{t}/comm").read_text().strip() for t in os.listdir(f"/proc/{pid}/task"))
    return {
        "resident_mb": round(int(status["VmRSS"].split()[0]) / 1024, 1),
        "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
        "threads": sum(names.values()),
    }


def jobs_left(server: Server) -> int:
    return sum(job["state"] in ("waiting", "running") for job in server.client.jobs())


def come_to_rest(server: Server) -> float | None:
    """Seconds until no job is left and its threads had time to end; None when that took too long."""
    begin = time.monotonic()
    while jobs_left(server):
        if time.monotonic() > begin + _BOUND_S:
            return None
        time.sleep(0.1)
    rest = round(time.monotonic() - begin, 2)
    # idle workers end when a later call finds them idle for ten seconds
    time.sleep(11)
    server.client.health()
    server.client.clips()
    time.sleep(0.5)
    return rest


# requests of all kinds -------------------------------------------------------------------------------------------


def paths_of(clip: Clip, rng: random.Random) -> str:
    """Something to ask for: mostly frames, some of what is wrong."""
    own, n = f"/v1/clips/{clip.id}", rng.randrange(len(clip))
    view = rng.choice(clip.facts["views"])
    kinds = [
        (60, f"{own}/frames/{n}?view={view}&format={rng.choice(['f16', 'f16', 'f32', 'png'])}"),
        (5, f"{own}/frames/{n}?view=both&format=exr"),
        (5, f"{own}/frames/{n}?quality=draft"),
        (5, own), (5, f"{own}/people"), (5, f"{own}/stats"), (4, "/v1/clips"), (3, "/v1/jobs"), (3, "/v1/health"),
        (2, f"{own}/frames/{len(clip) + n}"), (1, f"{own}/frames/{n}?layer=nobody"), (1, "/v1/clips/0123456789abcdef"), (1, "/nothing"),
    ]  # fmt: skip
    return rng.choices([path for _, path in kinds], [weight for weight, _ in kinds])[0]


def many_requests(server: Server, clip: Clip, count: int, rng: random.Random) -> tuple[dict[str, int], float]:
    """Requests of eight clients, one after the other each. Answers: status -> how many."""
    lists = [[paths_of(clip, rng) for _ in range(count // _CLIENTS)] for _ in range(_CLIENTS)]
    answers: Counter[str] = Counter()
    lock, begin = threading.Lock(), time.monotonic()

    def one(paths: list[str]) -> None:
        mine = connect(server.address, server.token, _ANSWER_S)
        for path in paths:
            try:
                status = str(mine.request("GET", path)[0])
            except ServerProblem as problem:
                status = str(problem.status)
            except ServerUnavailable:
                status = "silent"
            with lock:
                answers[status] += 1
        mine.close()

    threads = [threading.Thread(target=one, args=(paths,)) for paths in lists]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return dict(sorted(answers.items())), round(time.monotonic() - begin, 2)


# connections at once ---------------------------------------------------------------------------------------------


async def many_connections(server: Server, clip: Clip, count: int, rng: random.Random) -> tuple[dict[str, int], float]:
    """All are open before the first one asks; all are answered before the first one closes, but for those that hang up."""
    parts, token = urlsplit(server.address), Path(server.token).read_text().strip()
    asks = [(paths_of(clip, rng), rng.random() < 0.1) for _ in range(count)]
    everybody = asyncio.Barrier(count)
    begin = time.monotonic()

    async def one(path: str, *, hangs_up: bool) -> str:
        try:
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        except OSError:
            await everybody.wait()
            return "refused"
        await everybody.wait()
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nHost: {parts.hostname}\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
            await writer.drain()
            if hangs_up:
                return "hung up"
            async with asyncio.timeout(_ANSWER_S):
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
                await reader.readexactly(int(length.partition(":")[2]))
            return head.split()[1]
        except (OSError, EOFError, TimeoutError, StopIteration):
            return "silent"
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    answers = Counter(await asyncio.gather(*(one(path, hangs_up=leaves) for path, leaves in asks)))
    return dict(sorted(answers.items())), round(time.monotonic() - begin, 2)


# analyses that are given up --------------------------------------------------------------------------------------


def many_aborted(server: Server, clip: Clip, count: int, rng: random.Random, first: float) -> tuple[dict[str, int], float]:
    """As somebody turns a knob: each change is an analysis of its own, which is waited for a moment and given up."""
    path, begin = clip.facts["path"], time.monotonic()
    answers: Counter[str] = Counter(asyncio.run(_aborted(server, path, first + 0.001 * k, rng.random() * 0.3)) for k in range(count))
    return dict(sorted(answers.items())), round(time.monotonic() - begin, 2)


async def _aborted(server: Server, path: str, threshold: float, patience_s: float) -> str:
    """The status with which the clip was opened."""
    parts, token = urlsplit(server.address), Path(server.token).read_text().strip()
    asker = f"load-{threshold:.3f}".replace(".", "-")
    common = f"Host: {parts.hostname}\r\nAuthorization: Bearer {token}\r\nX-Asker: {asker}\r\n"
    body = json.dumps({"path": path, "settings": {"detection": {"confidence_threshold": round(threshold, 3)}}})
    writer = None
    try:
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            writer.write(f"POST /v1/clips HTTP/1.1\r\n{common}{kind}\r\n{body}".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            length = next(line for line in head.lower().splitlines() if line.startswith("content-length:"))
            answer = json.loads(await reader.readexactly(int(length.partition(":")[2])))
            if head.split()[1] == "200":
                writer.write(f"GET /v1/clips/{answer['clip']}?wait_s=30 HTTP/1.1\r\n{common}\r\n".encode())
                await writer.drain()
                await asyncio.sleep(patience_s)
            return head.split()[1]
    except (OSError, EOFError, TimeoutError, StopIteration):
        return "silent"
    finally:
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def opened(server: Server, path: Path, threshold: float) -> str:
    """How the analysis of one more setting ends, which is waited for."""
    end = time.monotonic() + _BOUND_S
    while True:
        try:
            clip = server.client.open(str(path.resolve()), {"detection": {"confidence_threshold": threshold}})
            return str(clip.wait(max(1.0, end - time.monotonic())).facts["state"])
        except ServerProblem as problem:
            # all places are taken by what nobody wants
            if problem.status != 503 or time.monotonic() > end:
                return f"{problem.status}: {problem}"
            time.sleep(0.5)
        except ServerUnavailable as error:
            return str(error)


if __name__ == "__main__":
    main()

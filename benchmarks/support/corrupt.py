"""Small real files, damaged by a seed, and what the program says of them: python -m benchmarks.support.corrupt --count 300 --json

Each file is looked into (``inspect``) and rendered, in processes of their own with a limit of time; what is judged is what people and
scripts see: the exit status, the words, and whether pictures that were accepted are those that were there before the damage.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import OpenImageIO as oiio

from benchmarks.support.processes import ended

TIMEOUT_S = 120.0
FRAMES = 8
SIZE = (128, 64)
VIDEOS = {
    "mp4": ("libx264", "yuv420p", {"crf": "4"}),
    "mkv": ("libx264", "yuv420p", {"crf": "4"}),
    "mov": ("prores_ks", "yuv422p10le", {}),
}
IMAGES = {"exr": "half", "png": "uint8", "tif": "uint8", "dpx": "uint16", "jpg": "uint8"}
DOCUMENTS = ("plan", "index")
KINDS = ("truncated", "flipped", "zeroed", "header")
#: Formats that carry a checksum, or compress so that any damage shows: nothing may get through.
_CHECKED = ("png", "index")
_SETTINGS = ("--set", "input.layout=sbs", "--set", "input.projection=equirect180")


@dataclass(frozen=True, slots=True)
class Corrupted:
    """A damaged file. argument: what a command is given (of a sequence its pattern). sound: the same, undamaged."""

    number: int
    format: str
    kind: str
    path: Path
    argument: Path
    sound: Path
    what: str

    @property
    def certain(self) -> bool:
        """Whether a reader can know: bits that no checksum guards may be right."""
        return self.kind == "truncated" or self.format in _CHECKED


@dataclass(slots=True)
class Ran:
    """A process that ended. status: below 0 for a signal, None when it had to be killed. said: its words."""

    status: int | None
    seconds: float
    peak_mb: float
    said: str

    @property
    def faults(self) -> list[str]:
        found = []
        if self.status is None:
            found.append("hang")
        elif self.status < 0:
            found.append(f"signal {-self.status}")
        elif self.status not in (0, 2, 3, 4):
            found.append(f"status {self.status}")
        if "Traceback" in self.said or "should not happen" in self.said:
            found.append("traceback")
        return found


@dataclass(slots=True)
class Outcome:
    """What came of one file. verdicts: command -> whole, said, silent, or unguarded (changed, and nothing in the file could tell)."""

    case: Corrupted
    ran: dict[str, Ran] = field(default_factory=dict)
    verdicts: dict[str, str] = field(default_factory=dict)

    @property
    def faults(self) -> list[str]:
        found = [f"{name}: {fault}" for name, ran in self.ran.items() for fault in ran.faults]
        return (
            found
            + [f"{name}: silent" for name, verdict in self.verdicts.items() if verdict == "silent"]
            + [f"{name}: refused for nothing" for name, verdict in self.verdicts.items() if verdict == "refused for nothing"]
        )

    def to_dict(self) -> dict[str, Any]:
        case = asdict(self.case) | {k: str(getattr(self.case, k)) for k in ("path", "argument", "sound")}
        return {"case": case, "ran": {k: asdict(v) for k, v in self.ran.items()}, "verdicts": self.verdicts, "faults": self.faults}


def picture(n: int) -> np.ndarray[Any, Any]:
    """(h, w, 3) uint8: gradients with grain, another for each frame, so that any change of bits is one of pixels."""
    width, height = SIZE
    rng = np.random.default_rng(n)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    base = np.stack([(x * 2 + 9 * n) % 256, (y * 4) % 256, (x + y + 5 * n) % 256], axis=-1)
    return np.clip(base + rng.integers(-8, 9, base.shape), 0, 255).astype(np.uint8)


def seed_files(folder: Path) -> dict[str, Path]:
    """format -> a sound file, or the pattern of a sequence; documents beside a clip of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    for ending, (codec, pix_fmt, options) in VIDEOS.items():
        made[ending] = folder / f"clip.{ending}"
        with av.open(str(made[ending]), "w") as container:
            stream: Any = container.add_stream(codec, rate=24, options=options)
            stream.width, stream.height, stream.pix_fmt = *SIZE, pix_fmt
            stream.gop_size = 4
            for n in range(FRAMES):
                frame = av.VideoFrame.from_ndarray(picture(n), format="rgb24").reformat(format=pix_fmt)
                frame.pts, frame.time_base = n, Fraction(1, 24)
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    for ending, kind in IMAGES.items():
        (folder / ending).mkdir(exist_ok=True)
        for n in range(3):
            path = str(folder / ending / f"plate.{n + 1:04d}.{ending}")
            out = oiio.ImageOutput.create(path)
            assert out is not None and out.open(path, oiio.ImageSpec(*SIZE, 3, kind)), oiio.geterror()
            assert out.write_image(picture(n) / np.float32(255)), out.geterror()
            out.close()
        made[ending] = folder / ending / f"plate.%04d.{ending}"
    made["plan"] = folder / "clip.plan.json"
    cache = folder / "cache"
    ran = run([*_program(), "analyse", str(made["mp4"]), "-o", str(made["plan"]), *_SETTINGS], cache)
    assert ran.status == 0, ran.said
    # an index lies under a name of its clip's own; a hurt one is put back there
    made["index"] = next((cache / "index").iterdir())
    return made


def corrupted(folder: Path, count: int, seed: int) -> Iterator[Corrupted]:
    """``count`` damaged files under ``folder``, the same for the same seed; formats and kinds take turns."""
    sound = seed_files(folder / "sound")
    rng = random.Random(seed)
    formats = [*VIDEOS, *IMAGES, *DOCUMENTS]
    for number in range(count):
        name = formats[number % len(formats)]
        kind = KINDS[number // len(formats) % len(KINDS)]
        home = folder / f"{number:04d}"
        home.mkdir()
        if name in IMAGES:
            for f in sound[name].parent.iterdir():
                shutil.copy2(f, home)
            path, argument = home / f"plate.{rng.randint(1, 3):04d}.{name}", home / sound[name].name
        elif name == "index":
            shutil.copytree(sound["index"].parents[1], home / "cache")
            path, argument = home / "cache" / "index" / sound["index"].name, sound["mp4"]
        else:
            path = argument = home / sound[name].name
            shutil.copy2(sound[name], path)
        # for a header of another format: any file that is not of this one
        other = [p for k, p in sound.items() if k != name and k not in IMAGES]
        data, what = _damaged(path.read_bytes(), kind, rng, rng.choice(other).read_bytes())
        path.write_bytes(data)
        yield Corrupted(number, name, kind, path, argument, sound[name], what)


def _damaged(data: bytes, kind: str, rng: random.Random, other: bytes) -> tuple[bytes, str]:
    hurt = bytearray(data)
    if kind == "truncated":
        keep = rng.randrange(0, len(data))
        return data[:keep], f"{keep} of {len(data)} bytes"
    if kind == "flipped":
        places = [rng.randrange(len(data) * 8) for _ in range(rng.choice((1, 1, 4, 16)))]
        for bit in places:
            hurt[bit // 8] ^= 1 << bit % 8
        return bytes(hurt), f"bits {sorted(places)}"
    if kind == "zeroed":
        start, size = rng.randrange(len(data)), rng.choice((4, 64, 512, 4096))
        hurt[start : start + size] = bytes(len(hurt[start : start + size]))
        return bytes(hurt), f"{size} bytes at {start}"
    size = min(rng.choice((8, 32, 256)), len(data))
    return other[:size].ljust(size, b"\0") + data[size:], f"the first {size} bytes of another format"


def _program() -> list[str]:
    return [sys.executable, "-m", "vr180_ofx"]


def run(command: list[str], cache: Path) -> Ran:
    """Runs a command with a cache of its own, at most `TIMEOUT_S`."""
    from vr180_ofx.storage import weights_folder

    environment = os.environ | {"VR180_OFX_CACHE": str(cache), "VR180_OFX_WEIGHTS": str(weights_folder()), "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryFile() as out:
        begin = time.monotonic()
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment)
        killed, peak = ended(process, TIMEOUT_S)
        status = None if killed else process.returncode
        seconds = time.monotonic() - begin
        out.seek(0)
        return Ran(status, round(seconds, 2), round(peak, 1), out.read().decode("utf-8", "replace")[-4000:])


def decoded(path: Path, kept: Path | None = None) -> dict[int, str]:
    """frame -> a hash of its pixels as the program reads them; 'error' for those it refuses. By a process of its own.

    kept: a cache to begin with.
    """
    code = (
        "import sys, json, hashlib\nfrom vr180_ofx.media.open import open_clip\nfrom vr180_ofx.errors import Vr180Error\nout = {}\n"
        "with open_clip(sys.argv[1]) as clip:\n    for n in range(len(clip)):\n        try:\n"
        "            out[n] = hashlib.sha256(b''.join(v.tobytes() for v in clip.read(n).values())).hexdigest()\n"
        "        except Vr180Error as e:\n            out[n] = 'error'\nprint('@' + json.dumps(out))\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        if kept is not None:
            shutil.copytree(kept, cache, dirs_exist_ok=True)
        ran = run([sys.executable, "-c", code, str(path)], Path(cache))
    lines = [line for line in ran.said.splitlines() if line.startswith("@")]
    return {int(k): v for k, v in json.loads(lines[-1][1:]).items()} if lines else {}


def look(case: Corrupted, whole: dict[str, dict[int, str]]) -> Outcome:
    """Runs `inspect` and `render` on a file. whole: format -> what `decoded` says of the sound file."""
    outcome = Outcome(case)
    home = case.path.parent if case.format != "index" else case.path.parents[2]
    media = case.argument
    extra: list[str] = []
    if case.format == "plan":
        media, extra = case.sound.parent / "clip.mp4", ["--plan", str(case.path)]
    hurt = home / "cache" if case.format == "index" else home / "own"
    render = [*_program(), "render", str(media), "-o", str(home / "out"), *_SETTINGS, *extra]
    commands = {"render": render}
    if case.format != "plan":
        # of a sequence the damaged file itself, and what is said of its folder
        one = case.path if case.format in IMAGES else media
        commands = {"inspect": [*_program(), "inspect", str(one)], **commands}
        if case.format in IMAGES:
            commands["inspect folder"] = [*_program(), "inspect", str(home)]
    changed: bool | None = None
    for name, command in commands.items():
        cache = home / f"cache-{name[:8]}" if case.format == "index" else hurt
        if case.format == "index":
            shutil.copytree(hurt, cache)
        ran = outcome.ran[name] = run(command, cache)
        if ran.status != 0:
            # the clip of a damaged index is sound: it is indexed again
            outcome.verdicts[name] = "said" if case.format != "index" else "refused for nothing"
            continue
        if changed is None:
            # a plan says who is seen, not what is read
            changed = case.format != "plan" and decoded(media, hurt if case.format == "index" else None) != whole[case.format]
        words = ran.said.lower()
        for nothing in ("damaged: none", "damaged_frames: 0", "lost_frames: 0", "(assumed:"):
            words = words.replace(nothing, "")
        told = any(w in words for w in ("damaged", "cut off", "could not be decoded", "lost_frames", "is no rate", "not followed"))
        if not changed:
            outcome.verdicts[name] = "whole"
        elif told:
            outcome.verdicts[name] = "said"
        else:
            outcome.verdicts[name] = "silent" if case.certain else "unguarded"
    shutil.rmtree(home, ignore_errors=True)
    return outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", metavar="FILE", help="where each outcome is written")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with tempfile.TemporaryDirectory() as folder:
        cases = list(corrupted(Path(folder), arguments.count, arguments.seed))
        sound = {c.format: c.sound for c in cases}
        whole = {k: decoded(p) for k, p in sound.items() if k not in DOCUMENTS}
        whole["index"] = whole["mp4"]
        with ThreadPoolExecutor(arguments.jobs) as pool:
            outcomes = list(pool.map(lambda c: look(c, whole), cases))
    counts = Counter(f"{name}: {verdict}" for o in outcomes for name, verdict in o.verdicts.items())
    faults = [f"{o.case.number} {o.case.format} {o.case.kind} ({o.case.what}): {f}" for o in outcomes for f in o.faults]
    slowest = max(r.seconds for o in outcomes for r in o.ran.values())
    largest = max(r.peak_mb for o in outcomes for r in o.ran.values())
    summary = {"files": len(cases), "seed": arguments.seed, "verdicts": dict(sorted(counts.items())), "faults": faults}
    summary |= {"slowest_s": slowest, "largest_mb": largest}
    print(json.dumps(summary, indent=1))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps([o.to_dict() for o in outcomes], indent=1))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

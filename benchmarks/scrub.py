"""Scrubbing through the client, as a host does it: python benchmarks/scrub.py CLIP --json

With nothing cached: how long after a wish a draft appears, beyond what decoding its frame costs by itself (measured in the same run, with a
decoder of its own). With everything cached: how long a final frame takes. And what a user leaves behind who changes direction in haste.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path = [str(ROOT), *[p for p in sys.path if Path(p or ".").resolve() != ROOT / "benchmarks"]]

from vr180_ofx import client as c  # noqa: E402
from vr180_ofx.media.open import open_clip  # noqa: E402
from vr180_ofx.storage import weights_folder  # noqa: E402


class Seen:
    """What came: (time, frame, quality)."""

    def __init__(self) -> None:
        self.events: list[tuple[float, int, str]] = []
        self.changed = threading.Condition()

    def deliver(self, wish: c.Wish, pictures: dict[str, c.Picture]) -> None:
        with self.changed:
            self.events.append((time.perf_counter(), wish.n, next(iter(pictures.values())).quality))
            self.changed.notify_all()

    def failed(self, wish: c.Wish, text: str) -> None:
        raise SystemExit(f"frame {wish.n}: {text}")

    def first(self, n: int, *kinds: str) -> tuple[float, str]:
        """When the first picture of frame ``n`` came, and which."""
        with self.changed:
            assert self.changed.wait_for(lambda: any(e[1] == n and e[2] in kinds for e in self.events), 120), self.events
            when, _, kind = next(e for e in self.events if e[1] == n and e[2] in kinds)
            return when, kind


def decoding_s(path: str, frames: list[int]) -> dict[int, float]:
    """What a cold decoder needs for each of these frames, groups of pictures included."""
    out = {}
    with open_clip(path) as clip:
        for n in frames:
            reader = clip.reopen()
            begin = time.perf_counter()
            reader.frame(n)
            out[n] = time.perf_counter() - begin
            reader.close()
    return out


def measure(path: str, repeats: int) -> dict[str, object]:
    link = c.Link(path)
    count = len(link.wait())
    view = link.clip().facts["views"][0]
    order = random.Random(3).sample(range(count), min(repeats, count))
    cost = decoding_s(path, order)
    # the first frame of a server loads the networks
    link.clip().frame(order[0], view, quality="draft")
    link.clip().clear_cache()
    seen = Seen()
    drafts = c.Scrubber(link, seen.deliver, seen.failed, quality="draft")
    beyond, whole = [], []
    for n in order[1:]:
        begin = time.perf_counter()
        drafts.want(c.Wish(n, (view,)))
        when, _ = seen.first(n, "draft")
        whole.append(when - begin)
        beyond.append(max(0.0, when - begin - cost[n]))
    drafts.close()
    for n in range(count):
        link.frame(n, view=view)
    seen = Seen()
    both = c.Scrubber(link, seen.deliver, seen.failed)
    warm, kinds = [], []
    for n in order * 3:
        seen.events.clear()
        begin = time.perf_counter()
        both.want(c.Wish(n, (view,)))
        when, kind = seen.first(n, "draft", "final")
        warm.append(when - begin)
        kinds.append(kind)
    both.close()
    return {
        "what": "scrubbing through the client", "clip": Path(path).name, "frames": count, "size": link.clip().facts["frame_size"],
        "cores": os.cpu_count(),
        "cold_draft_beyond_decoding_s": summary(beyond), "cold_draft_s": summary(whole), "decoding_s": summary(list(cost.values())),
        "warm_s": summary(warm), "warm_finals": kinds.count("final") / len(kinds), "haste": haste(link, view, count),
    }  # fmt: skip


def haste(link: c.Link, view: str, count: int) -> dict[str, object]:
    """Forwards and backwards, thirty wishes a second, with nothing cached; then the last one is waited for."""
    link.clip().clear_cache()
    seen, waiting = Seen(), []
    scrubber = c.Scrubber(link, seen.deliver, seen.failed)
    path = [*range(0, count - 1), *range(count - 1, 0, -1), *range(0, count // 2)]
    for n in path:
        scrubber.want(c.Wish(n, (view,)))
        waiting.append(link.clip().stats()["engine"]["waiting"]["interactive"])
        time.sleep(1 / 30)
    end = time.perf_counter()
    when, _ = seen.first(path[-1], "final")
    stale = [e for e in seen.events if e[0] > end + 0.01 and e[1] != path[-1]]
    scrubber.close()
    time.sleep(0.5)
    return {
        "wishes": len(path), "delivered": len(seen.events), "stale_after_the_last_wish": len(stale),
        "most_waiting_in_the_server": max(waiting),
        "waiting_at_the_end": link.clip().stats()["engine"]["waiting"]["interactive"], "last_final_after_s": when - end,
    }  # fmt: skip


def summary(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    return {"median": statistics.median(ordered), "p90": ordered[int(0.9 * (len(ordered) - 1))], "worst": ordered[-1], "n": len(ordered)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clip")
    parser.add_argument("--repeats", type=int, default=24)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    os.environ["VR180_OFX_WEIGHTS"] = str(weights_folder())
    with tempfile.TemporaryDirectory() as folder:
        os.environ["VR180_OFX_CACHE"] = str(Path(folder) / "cache")
        os.environ["VR180_OFX_COMMAND"] = f"{sys.executable} -m vr180_ofx"
        try:
            result = measure(str(Path(arguments.clip).resolve()), arguments.repeats)
        finally:
            os.kill(json.loads(c.announce_path().read_text())["pid"], 15)
            time.sleep(2)
    print(json.dumps(result) if arguments.json else json.dumps(result, indent=1))


if __name__ == "__main__":
    main()

"""The OpenFX plug-in against the HTTP call that it makes: python benchmarks/ofx.py --json

One 8192x4096 frame (two eyes side by side) of a clip made for it, finished before: how long the host waits for it through the plug-in
(float, alpha alone and RGBA), and how long the same bytes take over HTTP without it.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path = [str(ROOT), *[p for p in sys.path if Path(p or ".").resolve() != ROOT / "benchmarks"]]

from benchmarks.support.ofx_host import OK, Effect, Host, Props  # noqa: E402
from vr180_ofx import client as c  # noqa: E402
from vr180_ofx.storage import weights_folder  # noqa: E402

DEMO = ROOT / "vr180_ofx" / "demo" / "walk3d.mp4"


def enlarged(path: Path, frames: int, width: int) -> Path:
    """Frames of the demo clip at 8K: the people are real, the size is what is measured."""
    with av.open(str(DEMO)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = width, width // 2, "yuv420p"
        stream.options = {"preset": "ultrafast", "crf": "20"}
        for n, frame in enumerate(source.decode(video=0)):
            if n == frames:
                break
            big = frame.reformat(width=width, height=width // 2, format="yuv420p")
            big.pts = None
            target.mux(stream.encode(big))
        target.mux(stream.encode(None))
    return path


def seconds(function: Callable[[], object], repeats: int) -> list[float]:
    out = []
    for _ in range(repeats):
        begin = time.perf_counter()
        function()
        out.append(time.perf_counter() - begin)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=8192)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder) / "build"
        for command in (["cmake", "-S", str(ROOT / "host_bridges/ofx"), "-B", str(build)], ["cmake", "--build", str(build)]):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        os.environ["VR180_OFX_WEIGHTS"] = str(weights_folder())
        os.environ["VR180_OFX_CACHE"] = str(Path(folder) / "cache")
        os.environ["VR180_OFX_COMMAND"] = f"{sys.executable} -m vr180_ofx"
        clip = enlarged(Path(folder) / "clip.mp4", 2, arguments.width)
        link = c.Link(str(clip))
        try:
            result = measure(link, build / "VR180Matte.ofx.bundle", clip, arguments)
        finally:
            os.kill(json.loads(c.announce_path().read_text())["pid"], 15)
            time.sleep(2)
    print(json.dumps(result) if arguments.json else json.dumps(result, indent=1))


def measure(link: c.Link, bundle: Path, clip: Path, arguments: argparse.Namespace) -> dict[str, object]:
    picture = link.frame(0, view="both")
    expected = np.frombuffer(picture.data, "<f2").reshape(picture.height, picture.width)
    host = Host(bundle)
    assert host.load() == OK
    effect = host.create(frames=(1, 2))
    host.set(effect, clip=str(clip))
    out: dict[str, object] = {
        "what": "a finished frame of both eyes: through the plug-in, and the HTTP call alone",
        "size": [picture.width, picture.height], "megabytes_over_http": len(picture.data) / 1e6, "cores": os.cpu_count(),
        "repeats": arguments.repeats,
    }  # fmt: skip
    sources = {"alpha_float": np.zeros(expected.shape, np.float32), "rgba_float": np.zeros((*expected.shape, 4), np.float32)}
    for name, source in sources.items():
        lower, target = np.ascontiguousarray(source[::-1]), np.zeros_like(source)
        http, first, again, copies = [], [], [], []
        for _ in range(arguments.repeats):
            # in turns, so that a noisy moment of the machine meets all of them
            http += seconds(lambda: link.call(lambda open_clip: open_clip.frame(0, view="both")), 1)
            # the plug-in keeps pictures and asks whether they are still right; purged, it fetches them
            host.call("OfxActionPurgeCaches", effect)
            through = functools.partial(render, host, effect, lower, target)
            first += seconds(through, 1)
            again += seconds(through, 1)
            copies += seconds(functools.partial(np.copyto, target, lower), 1)
            render(host, effect, lower, target)
        alpha = target[::-1][..., 3] if target.ndim == 3 else target[::-1]
        assert np.array_equal(alpha, expected.astype(np.float32)) and alpha.any()
        out[name] = {
            "http_s": statistics.median(http), "plugin_s": statistics.median(first),
            "ratio": statistics.median(first) / statistics.median(http),
            "plugin_unchanged_s": statistics.median(again), "copying_the_picture_s": statistics.median(copies),
        }  # fmt: skip
    host.destroy(effect)
    return out


def render(host: Host, effect: Effect, lower: np.ndarray, target: np.ndarray) -> None:
    """As `Host.render`, without turning pictures over: that is not the plug-in's time."""
    height, width = lower.shape[:2]
    for name, array in (("Source", lower), ("Output", target)):
        effect.clips[name].images, effect.clips[name].rod = {None: (array, (0, 0))}, (0, 0, width, height)
    arguments = Props(OfxPropTime=1.0, OfxImageEffectPropRenderWindow=(0, 0, width, height), OfxImageEffectPropRenderScale=(1.0, 1.0))
    assert host.call("OfxImageEffectActionRender", effect, arguments) == OK, effect.persistent


if __name__ == "__main__":
    main()

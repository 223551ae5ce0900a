"""Whether people are told apart, on scenes of which it is known who is who.

    python benchmarks/identity.py CLIPS [--backgrounds DIR] [--scenes 40] [--first 0] [--json]

CLIPS: a folder in which, at any depth, clips lie as ``clip.mp4`` with ``gt_person1.mkv`` and so on beside them: the truth's alphas. The
left eye's people are cut out, put into other clothes, and before other backgrounds (pictures in DIR; by default blurred frames of the
clips themselves), in one of eight ways: somebody stays; the light changes; they go and come back; somebody passes before them; somebody
else comes instead (twice); somebody else comes from behind a passer-by (twice). Each is a clip of two and a half seconds that is
analysed as any other.

It prints how many were split, doubted and left alone, of scenes with and without a change of person, and which seeds went wrong: a
split or a doubt is right within half a second of where a tracklet's place in the truth passes from one person to another.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan

KINDS = ("stays", "light", "returns", "hidden", "replaced", "replaced", "from behind", "from behind")
WIDTH, HEIGHT, FRAMES, FPS = 720, 480, 60, 24
#: sRGB, 0..255: black, white, grey, navy, denim, red, beige, olive, brown, green, rose, yellow, dark grey, light blue.
CLOTHES = (
    (20, 20, 22), (235, 235, 235), (120, 122, 125), (30, 40, 80), (70, 95, 140), (150, 30, 35), (190, 170, 135), (85, 95, 60), (95, 65, 45),
    (40, 110, 80), (210, 150, 170), (225, 195, 70), (60, 60, 60), (130, 160, 190),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    figures = cut_outs(arguments.clips)
    if not figures:
        parser.error(f"there is no clip.mp4 with gt_person1.mkv below {arguments.clips}")
    places = backgrounds(arguments.backgrounds, arguments.clips)
    counts: dict[str, Counter[str]] = {"one person": Counter(), "another comes": Counter()}
    wrong = []
    with tempfile.TemporaryDirectory(prefix="vr180-identity.") as folder:
        for seed in range(arguments.first, arguments.first + arguments.scenes):
            path = Path(folder) / "scene.mp4"
            scene = Scene(seed, figures, places)
            scene.write(path)
            with open_clip(path) as clip:
                found = judged(scene, analyse(clip))
            counts["another comes" if scene.changes else "one person"][found] += 1
            if found not in (("split", "doubted", "two from the beginning") if scene.changes else ("left alone", "change of number found")):
                wrong.append({"seed": seed, "kind": scene.kind, "found": found})
            print(f"{seed} {scene.kind}: {found}", file=sys.stderr)
    print(json.dumps({"scenes": arguments.scenes, **counts, "wrong": wrong}, indent=None if arguments.json else 1))


def judged(scene: Scene, plan: Plan) -> str:
    """What an analysis made of a scene."""
    labels = {p.id: {n: who for n, e in p.views["left"].items() if (who := scene.at(n, (e.box[0] + e.box[2]) / 2))} for p in plan.people}
    mixed = {k for k, own in labels.items() if len({v for v, c in Counter(own.values()).items() if c >= 3}) > 1}
    split = any("looks different" in note for note in plan.notes)
    doubted = {p.id for p in plan.people if p.doubts}
    if not scene.changes:
        if mixed & doubted or (split and len(plan.people) > scene.people):
            return "change of number found" if mixed or (split and scene.kind == "hidden") else "split"
        return "doubted" if doubted else "left alone"
    if split and not mixed - doubted:
        return "split"
    if doubted:
        return "doubted"
    return "missed" if mixed else "two from the beginning"


# scenes ----------------------------------------------------------------------------------------------------------


def linear(x: Any) -> Any:
    x = np.asarray(x, float) / 255
    return np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)


def encoded(x: Any) -> Any:
    x = np.clip(x, 0, 1)
    return 255 * np.where(x <= 0.0031308, x * 12.92, 1.055 * x ** (1 / 2.4) - 0.055)


def left_eye(path: Path) -> list[Any]:
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    return [f[:, : f.shape[1] // 2] for f in frames]


def cut_outs(folder: Path) -> list[list[Any]]:
    """Of everybody in the truth: pictures of them alone, (h, w, 4) with alpha, the largest piece of each frame."""
    figures = []
    for clip in sorted(folder.rglob("clip.mp4")):
        alphas = sorted(clip.parent.glob("gt_person*.mkv"))
        plate = left_eye(clip) if alphas else []
        if not plate or plate[0].shape[0] > 1100:
            continue
        for path in alphas:
            own = []
            for picture, alpha in zip(plate, left_eye(path), strict=False):
                count, parts, stats, _ = cv2.connectedComponentsWithStats((alpha[..., 0] > 128).astype(np.uint8))
                if count < 2:
                    continue
                piece = cv2.dilate((parts == 1 + np.argmax(stats[1:, 4])).astype(np.uint8), np.ones((7, 7), np.uint8))
                matte = np.where(piece > 0, alpha[..., 0], 0)
                ys, xs = np.nonzero(matte > 40)
                inside = slice(ys.min(), ys.max() + 1), slice(xs.min(), xs.max() + 1)
                own.append(np.dstack([picture[inside], matte[inside]]))
            if len(own) > 2:
                figures.append(own)
    return figures


def backgrounds(folder: Path | None, clips: Path) -> list[Any]:
    """Pictures to stand before, linear light."""
    if folder is not None:
        found = [cv2.imread(str(p)) for p in sorted(folder.iterdir())]
        return [linear(p[..., ::-1]) for p in found if p is not None]
    return [cv2.GaussianBlur(linear(left_eye(p)[0]), (0, 0), 25) for p in sorted(clips.rglob("clip.mp4"))]


@dataclass
class Figure:
    """Somebody in clothes. upper, lower: linear light; None: as they came."""

    pictures: list[Any]
    upper: Any
    lower: Any
    flip: bool
    size: float
    start: int

    @classmethod
    def drawn(cls, rng: np.random.Generator, figures: list[list[Any]]) -> Figure:
        worn = [linear(np.clip(np.array(CLOTHES[rng.integers(len(CLOTHES))]) * rng.uniform(0.85, 1.15), 0, 255)) for _ in range(2)]
        upper, lower = worn if rng.random() > 0.15 else (None, None)
        pictures = figures[rng.integers(len(figures))]
        return cls(pictures, upper, lower, bool(rng.random() < 0.5), float(rng.uniform(0.85, 1.15)), int(rng.integers(1000)))

    def at(self, n: int, height: float) -> tuple[Any, Any]:
        """(linear colours (h, w, 3), alpha (h, w)) of a frame; the pictures run forth and back."""
        k = (n + self.start) % (2 * len(self.pictures) - 2)
        k = min(k, 2 * len(self.pictures) - 2 - k)
        scale = height * self.size / max(p.shape[0] for p in self.pictures)
        picture = cv2.resize(self.pictures[k], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        picture = picture[:, ::-1] if self.flip else picture
        colour, alpha = linear(picture[..., :3]), picture[..., 3] / 255.0
        if self.upper is not None:
            light = colour.mean(axis=-1)
            skin = np.clip((colour[..., 0] / (colour[..., 1] + 1e-3) - 1.25) / 0.3, 0, 1) * (light > 0.05)
            rows = np.linspace(0, 1, len(colour))[:, None] + 0 * light
            for first, last, cloth in ((0.2, 0.52, self.upper), (0.52, 1.01, self.lower)):
                own = (rows >= first) & (rows < last)
                usual = np.median(light[own & (alpha > 0.5)]) if (own & (alpha > 0.5)).any() else 0.2
                folds = np.clip((light + 0.01) / (usual + 0.01), 0.15, 4) ** 0.6
                weight = (own * 0.92 * (1 - 0.8 * skin))[..., None]
                colour = colour * (1 - weight) + weight * cloth * folds[..., None]
        return colour, alpha


class Scene:
    """One clip. changes: whether somebody else comes. people: how many there are at most."""

    def __init__(self, seed: int, figures: list[list[Any]], places: list[Any]) -> None:
        self.rng = rng = np.random.default_rng(seed)
        self.kind = KINDS[seed % len(KINDS)]
        self.changes = self.kind in ("replaced", "from behind")
        self.cast = {name: Figure.drawn(rng, figures) for name in "abc"}
        place = cv2.resize(places[rng.integers(len(places))], (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        self.place = place / (np.percentile(place, 90) + 1e-6) * rng.uniform(0.3, 0.8)
        self.height, self.floor = float(rng.uniform(200, 300)), float(rng.uniform(0.85, 0.98)) * HEIGHT
        self.x, self.speed = float(rng.uniform(0.35, 0.65)) * WIDTH, float(rng.uniform(-1, 1))
        self.beside = self.kind in ("hidden", "from behind") or rng.random() < 0.6
        self.people = (2 if self.changes else 1) + int(self.beside)
        self.cut, self.gap = int(rng.integers(20, 34)), int(rng.integers(0, 14) if self.changes else rng.integers(6, 24))
        self.step = float(rng.uniform(-0.35, 0.35)) * self.height
        self.aside = float(rng.choice([-1, 1]) * rng.uniform(0.65, 0.95)) * self.height
        self.gain = np.ones(3)
        if self.kind == "light" or rng.random() < 0.25:
            self.gain = np.exp(rng.uniform(-0.6, 0.6) + rng.uniform(-0.12, 0.12, 3))
        self.turn, self.over = int(rng.integers(10, 45)), int(rng.integers(1, 12))

    def where(self, n: int) -> dict[str, float]:
        """Who is in a frame, and where, from back to front."""
        x = self.x + self.speed * (n - FRAMES / 2)
        there: dict[str, float] = {}
        if self.kind in ("stays", "light", "hidden") or n < self.cut:
            there["a"] = x
        elif self.kind == "from behind":
            there["b"] = x + self.step / 2
        elif n >= self.cut + self.gap:
            there["b" if self.changes else "a"] = x + self.step
        if self.beside:
            passing = self.kind in ("hidden", "from behind")
            t = np.clip((n - (self.cut - 14)) / 28, 0, 1) if passing else 0.0
            there["c"] = x + self.aside * (1 - 2 * t)
        return there

    def at(self, n: int, x: float) -> str | None:
        """Who is nearest to a column of a frame; None where it is not clear."""
        near = sorted((abs(own - x), who) for who, own in self.where(n).items())
        return None if not near or (len(near) > 1 and near[1][0] - near[0][0] < 25) else near[0][1]

    def write(self, path: Path) -> None:
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libx264", Fraction(FPS), {"crf": "16"})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            for n in range(FRAMES):
                light = 1 + (self.gain - 1) * np.clip((n - self.turn) / self.over, 0, 1)
                picture = encoded(self._picture(n) * light * 0.9) + self.rng.normal(0, 2, (HEIGHT, WIDTH, 3))
                out.mux(stream.encode(av.VideoFrame.from_ndarray(np.clip(picture, 0, 255).astype(np.uint8), format="rgb24")))
            out.mux(stream.encode())

    def _picture(self, n: int) -> Any:
        picture = np.clip(self.place, 0, 1).copy()
        for who, x in self.where(n).items():
            front = who == "c"
            colour, alpha = self.cast[who].at(n, self.height * (1.12 if front else 1))
            h, w = alpha.shape
            left, top = int(x - w / 2), int(self.floor + 10 * front - h)
            x0, y0, x1, y1 = max(0, left), max(0, top), min(WIDTH, left + w), min(HEIGHT, top + h)
            if x1 > x0 and y1 > y0:
                inside = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
                cover = alpha[inside][..., None]
                picture[y0:y1, x0:x1] = picture[y0:y1, x0:x1] * (1 - cover) + cover * colour[inside]
        return picture


if __name__ == "__main__":
    main()

"""python -m bench check FOLDER: holds the truth of scenes against itself, and makes contact sheets."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from bench.camera import develop
from bench.camera.files import read_clip, read_truth
from bench.produce import FORMAT, MARKS, SHIFT_OFFSET, SHIFT_SCALE

Floats = NDArray[np.float32]
#: "within 1/255 on average where both see"
STEREO_LIMIT = 1 / 255
#: near outlines: a tenth of a pixel of a soft edge
STEREO_RIM = 0.05
#: of the signal 0..1: eight-bit codes and coding at real bit rates move a block's mean by a few codes,
#: and by some hundredths in the worst
RECOMPOSED_MEAN, RECOMPOSED_WORST = 0.012, 0.08
#: side of the blocks in which noise is averaged away, pixels
BLOCK = 8
COLOURS = ((255, 80, 80), (80, 220, 80), (90, 130, 255), (250, 220, 60), (240, 90, 240), (80, 230, 230))


@dataclass
class Found:
    """What was measured of a scene, and what is wrong with it."""

    values: dict[str, float] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def limit(self, name: str, value: float, most: float, words: str) -> None:
        """Notes a value; above ``most`` it is wrong."""
        self.values[name] = round(value, 5)
        if not value <= most:
            self.wrong.append(f"{words}: {value:.5f}; at most {most:.5f} is allowed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's."""
    parser.add_argument("folder", type=Path, help="a scene's folder, or a folder of those")
    parser.add_argument("--sheets", type=Path, help="folder for contact sheets as PNG")


def run(arguments: argparse.Namespace) -> int:
    """0: all is right; 1: something is wrong; 2: there are no scenes."""
    folder: Path = arguments.folder
    scenes = [folder] if (folder / "scene.json").exists() else sorted(p.parent for p in folder.glob("*/scene.json"))
    scenes = [s for s in scenes if not s.name.startswith(".")]
    if not scenes:
        print(f"bench check: {folder} holds no scenes: folders with scene.json are looked for", file=sys.stderr)
        return 2
    bad = 0
    for scene in scenes:
        found = check_scene(scene)
        print(json.dumps({"scene": scene.name, "ok": not found.wrong, **found.values}), flush=True)
        for words in found.wrong:
            print(f"{scene.name}: {words}", file=sys.stderr, flush=True)
        bad += bool(found.wrong)
        if arguments.sheets is not None:
            arguments.sheets.mkdir(parents=True, exist_ok=True)
            sheet(scene, arguments.sheets / f"{scene.name}.png")
    return 1 if bad else 0


def check_scene(folder: Path) -> Found:
    """All tests of one scene's folder."""
    found = Found()
    try:
        scene = json.loads((folder / "scene.json").read_text("utf-8"))
        hashes = json.loads((folder / "truth.json").read_text("utf-8"))["sha256_of_decoded_frames"]
    except (OSError, ValueError, KeyError) as error:
        found.wrong.append(f"scene.json or truth.json cannot be read: {error}")
        return found
    if scene.get("format") != FORMAT:
        found.wrong.append(f"format is {scene.get('format')!r}; this program knows {FORMAT}")
        return found
    _whole(folder, scene, hashes, found)
    if found.wrong:
        return found
    _adds_up(folder, scene, found)
    _recomposes(folder, scene, found)
    if scene["people"]:
        _carries(folder, scene, found)
    return found


def _whole(folder: Path, scene: dict[str, Any], hashes: dict[str, str], found: Found) -> None:
    """Files, sizes, frames, hashes, tags."""
    people = [f"gt_{p['name']}.mkv" for p in scene["people"]]
    wanted = {"gt_everybody.mkv", "foreground.mkv", "background.mkv", *people}
    wanted |= {"gt_held.mkv", "depth.mkv", "disparity.mkv", "flow.mkv"} if people else set()
    there = {p.name for p in folder.glob("*.mkv")}
    if there != wanted or set(hashes) != wanted:
        found.wrong.append(f"truth files are {sorted(there)}, hashes are of {sorted(hashes)}; {sorted(wanted)} are needed")
        return
    size = scene["eye_size"]
    for name, said in sorted(hashes.items()):
        digest, count = hashlib.sha256(), 0
        for codes in read_truth(folder / name):
            digest.update(codes.tobytes())
            count += 1
            if codes.shape[:2] != (size, 2 * size):
                found.wrong.append(f"{name} has frames of {codes.shape[1]}x{codes.shape[0]}; {2 * size}x{size} is needed")
                return
        if count != scene["frames"]:
            found.wrong.append(f"{name} has {count} frames; scene.json says {scene['frames']}")
        if digest.hexdigest() != said:
            found.wrong.append(f"{name} has another SHA-256 than truth.json says")
    with av.open(str(folder / "clip.mp4")) as container:
        count = sum(1 for _ in container.decode(video=0))
    if count != scene["frames"]:
        found.wrong.append(f"clip.mp4 has {count} frames; scene.json says {scene['frames']}")
    tags = scene["tags"]
    if ("nobody" in tags) != (not people) or f"people:{len(people)}" not in tags:
        found.wrong.append(f"tags are {tags} with {len(people)} people")


def _adds_up(folder: Path, scene: dict[str, Any], found: Found) -> None:
    """People's layers add up to everybody; held things are part of them."""
    everybody = read_truth(folder / "gt_everybody.mkv")
    layers = [read_truth(folder / f"gt_{p['name']}.mkv") for p in scene["people"]]
    held = read_truth(folder / "gt_held.mkv") if layers else None
    worst = over = most = 0.0
    for whole in everybody:
        total = np.zeros(whole.shape)
        for layer in layers:
            total += next(layer)
        worst = max(worst, float(np.abs(np.minimum(total, 65535) - whole).max()))
        most = max(most, float(total.max()))
        if held is not None:
            over = max(over, float((next(held).astype(float) - whole).max()))
    # each layer is rounded once
    found.limit("layers_add_up", worst / 65535, (len(layers) + 1) / 65535, "the people's layers do not add up to everybody")
    found.limit("layers_total", most / 65535, 1.002, "the people's layers add up to more than one")
    found.limit("held_inside", over / 65535, 2 / 65535, "held things cover more than everybody")


def _recomposes(folder: Path, scene: dict[str, Any], found: Found) -> None:
    """Foreground over background gives the clip, but for noise and coding: compared in blocks, where noise averages out."""
    sensor = scene["sensor"]
    hlg = sensor["transfer"] == "hlg"
    size, n = scene["eye_size"], BLOCK
    white = 1 / develop.HLG_WHITE if hlg else 1.0
    sums, worst = [], []
    clip = read_clip(folder / "clip.mp4", bt2020=hlg)
    for picture, front, back, alpha in zip(
        clip, *(read_truth(folder / f"{x}.mkv") for x in ("foreground", "background", "gt_everybody")), strict=True
    ):
        a = alpha.astype(np.float32)[..., None] / 65535
        light = np.clip(develop.decoded(front) * a + develop.decoded(back) * (1 - a), 0, white)
        difference = (picture - develop.signal(light, sensor["transfer"])).mean(axis=2)
        blocks = difference[: size // n * n, : 2 * size // n * n].reshape(size // n, n, 2 * size // n, n).mean(axis=(1, 3))
        sums.append(float(np.abs(blocks).mean()))
        worst.append(float(np.quantile(np.abs(blocks), 0.999)))
    found.limit(
        "recomposes", float(np.mean(sums)), RECOMPOSED_MEAN, "the clip differs from foreground over background, on average in blocks"
    )
    found.limit(
        "recomposes_worst",
        float(np.mean(worst)),
        RECOMPOSED_WORST,
        "the clip differs from foreground over background, worst block of a thousand",
    )


def _carries(folder: Path, scene: dict[str, Any], found: Found) -> None:
    """Each person's alpha in one eye taken from the other's by disparity, where both see.

    Two pixels and more inside an outline the limit holds. Nearer to it, a pixel's alpha is the outline's affair and its disparity that of
    the surface in its middle, which turns away there: on a limb they differ by some hundredths of a pixel. There the limit is wide.
    """
    size = scene["eye_size"]
    inner, rim = [0.0, 0], [0.0, 0]
    layers = [read_truth(folder / f"gt_{p['name']}.mkv") for p in scene["people"]]
    everything = [read_truth(folder / "depth.mkv"), read_truth(folder / "disparity.mkv")]
    for depth, codes, *alphas in zip(*everything, *layers, strict=True):
        owner = np.argmax(np.stack(alphas), axis=0)
        for k, alpha in enumerate(alphas):
            eyes = [cv2.GaussianBlur(a.astype(np.float32) / 65535, (0, 0), 0.7) for a in (alpha[:, :size], alpha[:, size:])]
            for e in range(2):
                part = codes[:, e * size : (e + 1) * size]
                mine = (depth[:, e * size : (e + 1) * size] > 0) & (owner[:, e * size : (e + 1) * size] == k)
                seen = (part[..., 2] == MARKS[2]) & mine
                shift = part[..., :2].astype(np.float32) / SHIFT_SCALE - SHIFT_OFFSET
                y, x = np.mgrid[0:size, 0:size].astype(np.float32)
                there = cv2.remap(eyes[1 - e], x + shift[..., 0], y + shift[..., 1], cv2.INTER_CUBIC)
                core = cv2.erode(((eyes[e] > 0.998) & (there > 0)).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
                error = np.abs(there - eyes[e])
                for sums, where in ((inner, seen & core), (rim, seen & ~core)):
                    sums[0] += float(error[where].sum())
                    sums[1] += int(where.sum())
    if inner[1]:
        found.limit("stereo", inner[0] / inner[1], STEREO_LIMIT, "disparity does not carry one eye's alpha to the other's")
    if rim[1]:
        found.limit("stereo_rim", rim[0] / rim[1], STEREO_RIM, "disparity does not carry one eye's alpha to the other's at outlines")


def sheet(folder: Path, path: Path) -> None:
    """First, middle and last frame as the clip has them, with outlines of people in one colour each, over their alphas; both eyes."""
    scene = json.loads((folder / "scene.json").read_text("utf-8"))
    chosen = sorted({0, scene["frames"] // 2, scene["frames"] - 1})
    layers = [list(read_truth(folder / f"gt_{p['name']}.mkv")) for p in scene["people"]]
    rows = []
    for n, picture in enumerate(read_clip(folder / "clip.mp4", bt2020=scene["sensor"]["transfer"] == "hlg")):
        if n not in chosen:
            continue
        top = np.ascontiguousarray(picture * 255, dtype=np.uint8)
        below = np.zeros_like(picture)
        for k, layer in enumerate(layers):
            colour = COLOURS[k % len(COLOURS)]
            alpha = layer[n].astype(np.float32) / 65535
            below += alpha[..., None] * np.asarray(colour, np.float32) / 255
            edges, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(top, edges, -1, colour, 1)
        parts = [top, np.asarray(np.clip(below, 0, 1) * 255, np.uint8)] if layers else [top]
        rows.append(np.concatenate(parts, axis=0))
    whole = np.concatenate(rows, axis=0)
    if not cv2.imwrite(str(path), whole[..., ::-1]):
        raise OSError(f"{path} could not be written")

"""Shots of a scene: which regions of which frames the renderer has to render, and reading them back as layers of each eye."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bench.camera.projection import Eye
from bench.compose import Geometry, Layers, foreground, read_geometry, shaded, turned
from bench.people import Body
from bench.render.films import Film
from bench.render.job import Job
from bench.scenes.contract import Place, Scene

Region = tuple[int, int, int, int]
VIEWS = ("left", "right")


@dataclass(frozen=True, slots=True)
class Quality:
    """Samples a pixel. cover: of coverage, 64 at least for a truth. colour: of people's colours, denoised. plate: of the still background.
    shade: of shadows, at 1/shade_scale of the size."""

    cover: int = 64
    colour: int = 12
    plate: int = 6
    shade: int = 12
    shade_scale: int = 4


def eye_of(scene: Scene, view: str, size: int, time_s: float | None) -> Eye:
    """An eye at a time; None: where it would be on a tripod. The rig trembles about its middle."""
    rig = scene.rig
    turn = np.eye(3)
    if rig.hand_held_degrees and time_s is not None:
        rng = np.random.default_rng([scene.place_seed, 7])
        angles = np.zeros(3)
        for rate in (0.7, 1.9, 4.3):
            phase, part = rng.uniform(0, 2 * np.pi, 3), rng.uniform(0.5, 1.0, 3)
            angles += part / rate**0.7 * np.sin(2 * np.pi * rate * time_s + phase)
        turn = rotation(*(np.radians(rig.hand_held_degrees) * angles))
    pose = np.eye(4)
    side = -0.5 if view == "left" else 0.5
    wrong = rotation(*np.radians(rig.misalignment_degrees)) if view == "right" else np.eye(3)
    pose[:3, :3] = turn @ wrong
    pose[:3, 3] = np.array([0, rig.height_m, 0]) + turn @ np.array([side * rig.baseline_m, 0, 0])
    return Eye(rig.projection, size, rig.degrees, pose)


def rotation(yaw: float, pitch: float, roll: float) -> NDArray[np.float64]:
    """About y, then x, then z."""
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(about_y @ about_x @ about_z)


def grown(low: NDArray[np.float64], high: NDArray[np.float64], margin: float, size: int, step: int) -> Region | None:
    """A box of pixels with a margin, on multiples of ``step``, inside the picture; None for nothing."""
    x0, y0 = (np.floor((low - margin) / step) * step).clip(0, size).astype(int)
    x1, y1 = (np.ceil((high + margin) / step) * step).clip(0, size).astype(int)
    return (int(x0), int(y0), int(x1), int(y1)) if x1 > x0 and y1 > y0 else None


def reduced(region: Region, scale: int) -> Region:
    """The same region of a smaller picture."""
    x0, y0, x1, y1 = (v // scale for v in region)
    return (x0, y0, x1, y1)


def merged(regions: list[Region]) -> list[Region]:
    """Boxes that touch become one."""
    out = list(regions)
    again = True
    while again:
        again = False
        for i in range(len(out)):
            for j in range(i + 1, len(out)):
                a, b = out[i], out[j]
                if a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]:
                    out[i] = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
                    del out[j]
                    again = True
                    break
            if again:
                break
    return sorted(out)


def points_of(body: Body, rows: slice) -> NDArray[np.float64]:
    """All places that a body takes at some of its times, (n, 3)."""
    sets = [m.vertices[rows].reshape(-1, 3) for m in body.meshes] + [s.points[rows].reshape(-1, 3) for s in body.strands]
    return np.concatenate(sets).astype(np.float64)


class Shoot:
    """Plans a scene's shots and reads them."""

    def __init__(self, scene: Scene, place: Place, job: Job, *, size: int, frames: int, quality: Quality) -> None:
        self.scene, self.place, self.job = scene, place, job
        self.size, self.frames, self.quality = size, frames, quality
        self.regions: dict[tuple[int, str], list[Region]] = {}
        #: (frame, eye) -> (region, how much smaller it is rendered, its film with movers, without)
        self.shades: dict[tuple[int, str], list[tuple[Region, int, str, str]]] = {}
        self.mirrors: dict[str, Region] = {}

    def plan(self, movers: list[Body]) -> None:
        """Fills the job's shots. movers: everything that is rendered anew in each frame."""
        whole: Region = (0, 0, self.size, self.size)
        for view in VIEWS:
            base = eye_of(self.scene, view, self.size, None)
            self._shot(f"plate_{view}", "plate", 0, base, whole, samples=self.quality.plate, denoise=True)
            if movers:
                self._unlit(f"unlit_{view}", base, whole, self.quality.shade_scale)
                for prop in self.place.props:
                    if prop.mesh.name.startswith("mirror"):
                        pixels, _ = base.places(prop.mesh.vertices[0].astype(np.float64))
                        region = grown(pixels.min(0), pixels.max(0), 2, self.size, 4)
                        if region:
                            self.mirrors[view] = region
                            self._unlit(f"mirror_{view}", base, region, 1)
        for n in range(self.frames):
            for view in VIEWS:
                self._frame(n, view, movers)

    def _unlit(self, name: str, base: Eye, region: Region, scale: int) -> None:
        """The scenery without what moves, to compare with."""
        self._shot(
            name, "plate", 0, replace(base, size=self.size // scale), reduced(region, scale), samples=self.quality.shade, denoise=True
        )

    def _frame(self, n: int, view: str, movers: list[Body]) -> None:
        now = eye_of(self.scene, view, self.size, n / self.scene.fps)
        base = eye_of(self.scene, view, self.size, None)
        boxes: list[Region] = []
        shadow: list[Region] = []
        for body in movers:
            points = points_of(body, slice(3 * n, 3 * n + 3))
            # what is behind the lens, beyond the picture's rim, does not count
            pixels, far = now.places(points)
            inside = ((points - now.pose[:3, 3]) @ -now.pose[:3, 2]) > -0.05 * far
            if not inside.any():
                continue
            rig = self.scene.rig
            blur = rig.aperture_m / 2 * abs(1 / max(float(far[inside].min()), 0.2) - 1 / rig.focus_m) * self.size / np.radians(rig.degrees)
            box = grown(pixels[inside].min(0), pixels[inside].max(0), 4 + blur, self.size, 4)
            if box:
                boxes.append(box)
            dark = self._shadow(base, points)
            if dark:
                shadow.append(dark)
        self.regions[n, view] = merged(boxes)
        for k, region in enumerate(self.regions[n, view]):
            self._shot(f"{n:03d}_{view}_{k}_cover", "cover", n, now, region, samples=self.quality.cover)
            self._shot(f"{n:03d}_{view}_{k}_colour", "layers", n, now, region, samples=self.quality.colour, denoise=True)
            self._shot(f"{n:03d}_{view}_{k}_geometry", "geometry", n, now, region, samples=1)
        regions = []
        if shadow:
            x0, y0, x1, y1 = (f(v) for f, v in zip((min, min, max, max), zip(*shadow, strict=True), strict=True))
            regions.append(((x0, y0, x1, y1), self.quality.shade_scale, "shade", f"unlit_{view}"))
        if view in self.mirrors and movers:
            regions.append((self.mirrors[view], 1, "mirror", f"mirror_{view}"))
        for region, scale, name, unlit in regions:
            stem = f"{n:03d}_{view}_{name}"
            small = replace(base, size=self.size // scale)
            self._shot(stem, "shade", n, small, reduced(region, scale), samples=self.quality.shade, denoise=True)
            self.shades.setdefault((n, view), []).append((region, scale, stem, unlit))

    def _shadow(self, eye: Eye, points: NDArray[np.float64]) -> Region | None:
        """Where a body may change the background: a metre about it, and along the sun's and spots' rays to the ground."""
        around = np.array([0.8, 0, 0.8])
        low, high = points.min(0), points.max(0)
        corners = np.stack(np.meshgrid(*zip(low - around, high + around, strict=True)), -1).reshape(-1, 3)
        more = [corners]
        for lamp in self.place.lamps:
            place, target = np.asarray(lamp.place), np.asarray(lamp.target)
            for corner in corners:
                ray = target - place if lamp.kind == "sun" else corner - place
                if ray[1] < -0.05:
                    reach = min(corner[1] / -ray[1], 6.0 / np.linalg.norm(ray))
                    more.append((corner + ray * reach)[None])
        places = np.concatenate(more)
        pixels, far = eye.places(places)
        inside = -(places - eye.pose[:3, 3])[:, 2] > -0.1 * far
        if not inside.any():
            return None
        return grown(pixels[inside].min(0), pixels[inside].max(0), 8, self.size, 4 * self.quality.shade_scale)

    def _shot(self, name: str, kind: str, frame: int, eye: Eye, region: Region, *, samples: int, denoise: bool = False) -> None:
        rig = self.scene.rig
        self.job.shots.append({
            "file": name + ".exr", "kind": kind, "frame": frame, "projection": eye.kind, "degrees": eye.degrees,
            "camera": eye.pose.tolist(), "size": eye.size, "border": list(region), "samples": samples, "denoise": denoise,
            "shutter": rig.shutter if kind in ("layers", "cover") else 0.0,
            "aperture_m": 0.0 if kind == "geometry" else rig.aperture_m, "focus_m": rig.focus_m,
            # the same numbers for all shades of an eye, so that what does not change is the same to the bit
            "seed": 1 + frame if kind in ("layers", "cover") else 0,
        })  # fmt: skip

    def plate(self, view: str) -> NDArray[np.float32]:
        """The still background's light (h, w, 3)."""
        return colours(Film(self.job.folder / f"plate_{view}.exr"))

    def layers(self, n: int, view: str, plate: NDArray[np.float32], *, people: int, held: list[str]) -> Layers:
        """One eye of one frame."""
        size = self.size
        nothing = np.zeros((size, size), np.float32)
        out = Layers(np.zeros((people, size, size), np.float32), nothing, nothing.copy(), np.zeros((size, size, 3), np.float32), plate)
        names = [f"person{k + 1}" for k in range(people)]
        for k, (x0, y0, x1, y1) in enumerate(self.regions.get((n, view), [])):
            stem = f"{n:03d}_{view}_{k}"
            film = Film(self.job.folder / f"{stem}_cover.exr")
            shares = film.coverage("CryptoAsset", [*names, "mover"])
            total = np.sum(list(shares.values()), axis=0)
            for j, name in enumerate(names):
                out.people[j, y0:y1, x0:x1] = shares[name]
            out.cover[y0:y1, x0:x1] = np.clip(total, 0, 1)
            if held:
                out.held[y0:y1, x0:x1] = np.clip(np.sum(list(film.coverage("CryptoObject", held).values()), axis=0), 0, 1)
            colour = Film(self.job.folder / f"{stem}_colour.exr")
            alpha = colour.get("Combined.A")[..., 0]
            straight = foreground(colours(colour), alpha, out.cover[y0:y1, x0:x1])
            out.light[y0:y1, x0:x1] = straight * out.cover[y0:y1, x0:x1, None]
        for (x0, y0, x1, y1), s, with_movers, without in self.shades.get((n, view), []):
            lit = colours(Film(self.job.folder / f"{with_movers}.exr"))
            unlit = colours(Film(self.job.folder / f"{without}.exr"))
            if unlit.shape != lit.shape:
                unlit = unlit[y0 // s : y1 // s, x0 // s : x1 // s]
            if s == 1:
                # a mirror's own render replaces what the small one said of it
                out.background = out.background.copy()
                out.background[y0:y1, x0:x1] = plate[y0:y1, x0:x1]
            fade = 0 if s == 1 else max(min(x1 - x0, y1 - y0) // 5, 1)
            out.background = shaded(out.background, lit, unlit, (x0, y0, x1, y1), fade=fade)
        base, now = eye_of(self.scene, view, size, None), eye_of(self.scene, view, size, n / self.scene.fps)
        out.background = turned(out.background, base, now)
        return out

    def geometry(self, n: int, view: str) -> Geometry:
        """One eye of one frame, without blur."""
        size = self.size
        nothing = np.zeros((size, size), np.float32)
        out = Geometry(
            nothing.astype(np.int32), np.zeros((size, size, 3), np.float32), np.zeros((size, size, 3), np.float32), nothing.copy()
        )
        eye = eye_of(self.scene, view, size, n / self.scene.fps)
        for k, region in enumerate(self.regions.get((n, view), [])):
            read_geometry(Film(self.job.folder / f"{n:03d}_{view}_{k}_geometry.exr"), eye, region, out)
        return out


def colours(film: Film) -> NDArray[np.float32]:
    """The colour that a film's light adds up to, denoised where that was asked for."""
    return film.get("Combined.R", "Combined.G", "Combined.B")


__all__ = ["VIEWS", "Quality", "Shoot", "colours", "eye_of", "merged"]

"""A job for the renderer: geometry and shots as files in a folder, run by `bench.render.worker` in a process of its own."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.people import Body, Mesh, Strands
from bench.scenes.contract import Lamp, Prop, World

Arrays = dict[str, NDArray[Any]]
ROOT = Path(__file__).resolve().parents[2]


class RenderError(RuntimeError):
    """The renderer's process did not do its job."""


@dataclass
class Job:
    """Collects what the renderer needs. Frames are numbered from 0; a moving thing has arrays for each."""

    folder: Path
    fps: int
    world: World
    lamps: Sequence[Lamp]
    threads: int
    items: list[dict[str, Any]] = field(default_factory=list)
    shots: list[dict[str, Any]] = field(default_factory=list)
    still: Arrays = field(default_factory=dict)
    frames: dict[int, Arrays] = field(default_factory=dict)

    def scenery(self, props: Sequence[Prop]) -> None:
        """What stands still."""
        for prop in props:
            look = {**asdict(prop.mesh.material), "glow": prop.glow, "picture": prop.picture}
            name = "scenery_" + prop.mesh.name
            self._item(name, prop.mesh, look, asset="scenery", role="scenery", index=0, moves=False)
            self.still[name + ".now"] = prop.mesh.vertices[0]

    def statue(self, name: str, body: Body) -> None:
        """A body that never moves, as scenery."""
        parts: tuple[Mesh | Strands, ...] = (*body.meshes, *body.strands)
        for k, part in enumerate(parts):
            item = f"scenery_{name}_{k}_{part.name}"
            self._item(item, part, asdict(part.material), asset="scenery", role="scenery", index=0, moves=False)
            self.still[item + ".now"] = (part.vertices if isinstance(part, Mesh) else part.points)[0].reshape(-1, 3)

    def body(self, asset: str, role: str, index: int, body: Body, *, frames: int, shutter_s: float) -> None:
        """A person or thing that moves. ``body`` has the times of ``times_of``: open, middle, close for each frame, then one."""
        parts: tuple[Mesh | Strands, ...] = (*body.meshes, *body.strands)
        for part in parts:
            points = part.vertices if isinstance(part, Mesh) else part.points.reshape(len(body.times), -1, 3)
            if not points.shape[1]:
                continue
            name = f"{asset}_{part.part}_{part.name}"
            while any(item["name"] == name for item in self.items):
                name += "+"
            self._item(name, part, asdict(part.material), asset=asset, role=role, index=index, moves=True)
            self.items[-1]["held"] = part.part in ("held", "bag")
            for n in range(frames):
                first, now, last = points[3 * n], points[3 * n + 1], points[3 * n + 2]
                after = points[3 * n + 4] if n + 1 < frames else points[3 * frames]
                arrays = self.frames.setdefault(n, {})
                arrays[name + ".now"], arrays[name + ".after"] = now, after
                arrays[name + ".speed"] = ((last - first) / shutter_s).astype(np.float32)

    def _item(self, name: str, part: Mesh | Strands, look: dict[str, Any], **more: Any) -> None:
        item: dict[str, Any] = {"name": name, "material": look, **more}
        if isinstance(part, Mesh):
            item |= {"kind": "mesh", "vertices": part.vertices.shape[1], "smooth": part.part != "prop" or part.name.startswith(SMOOTH)}
            self.still[name + ".faces"], self.still[name + ".texture"] = part.faces, part.texture
            if part.tint is not None:
                self.still[name + ".tint"] = part.tint
        else:
            item |= {"kind": "strands", "strands": part.points.shape[1], "points": part.points.shape[2], "smooth": True}
            self.still[name + ".radius"] = part.radius
        self.items.append(item)

    def write(self) -> None:
        """The job's files; shots of the very same job stay, so that one that was interrupted goes on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        np.savez(self.folder / "still.npz", **self.still)  # type: ignore[arg-type]
        for n in {shot["frame"] for shot in self.shots}:
            np.savez(self.folder / f"frame_{n:03d}.npz", **self.frames.get(n, {}))  # type: ignore[arg-type]
        lamps = [
            {**asdict(lamp), "kind": lamp.kind.upper(), "name": f"lamp{k}", "matrix": lamp.pose().tolist()}
            for k, lamp in enumerate(self.lamps)
        ]
        document = {
            "items": self.items,
            "shots": self.shots,
            "lamps": lamps,
            "world": asdict(self.world),
            "fps": self.fps,
            "threads": self.threads,
        }
        digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode())
        for arrays in (self.still, *(self.frames[n] for n in sorted(self.frames))):
            for name in sorted(arrays):
                digest.update(name.encode() + np.ascontiguousarray(arrays[name]).tobytes())
        document["digest"] = digest.hexdigest()
        there = self.folder / "job.json"
        if not there.exists() or json.loads(there.read_text("utf-8")).get("digest") != document["digest"]:
            for film in self.folder.glob("*.exr"):
                film.unlink()
            (self.folder / "took.jsonl").unlink(missing_ok=True)
        partial = self.folder / "job.json.partial"
        partial.write_text(json.dumps(document), encoding="utf-8")
        partial.rename(self.folder / "job.json")

    def run(self) -> list[dict[str, Any]]:
        """Renders what is not there yet; what each shot took. RenderError with the renderer's last words."""
        log = self.folder / "blender.log"
        with log.open("w", encoding="utf-8") as file:
            command = [sys.executable, "-m", "bench.render.worker", str(self.folder)]
            done = subprocess.run(
                command, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
            )
        if done.returncode or any(not (self.folder / shot["file"]).exists() for shot in self.shots):
            words = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip() and "Fra:" not in line]
            raise RenderError(f"Blender ended with status {done.returncode} on {self.folder / 'job.json'}:\n" + "\n".join(words[-8:]))
        took = self.folder / "took.jsonl"
        return [json.loads(line) for line in took.read_text(encoding="utf-8").splitlines()] if took.exists() else []


#: props whose surfaces are round; others have edges
SMOOTH = ("pot", "coat", "hat", "bag", "pillow", "trunk", "sack", "balloon", "stand", "bin", "curtain", "cloth", "wheels", "microphone")


def times_of(frames: int, fps: int, shutter: float, onset_s: float = 0.0) -> NDArray[np.float64]:
    """Seconds (3 frames + 1): shutter's opening, middle and closing of each frame, then the middle of the frame after the last."""
    middle = onset_s + np.arange(frames) / fps
    half = max(shutter, 0.02) / 2 / fps
    return np.append(np.stack([middle - half, middle, middle + half], axis=1).ravel(), onset_s + frames / fps)

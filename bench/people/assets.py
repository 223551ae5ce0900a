"""MakeHuman's clothes (CC0): ``.mhclo`` files say how each vertex lies on three vertices of the base mesh.

Format: MakeHuman's "shared/proxy.py". A vertex is w1 a + w2 b + w3 c plus an offset whose axes are scaled by how far two named vertices
of this body lie apart, over how far they lie apart in the file (``x_scale A B LENGTH``, decimetres).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from .base_mesh import DECIMETRE, DataMissing, Doubles, Ints, base_mesh, read_obj
from .regions import Figure, compact
from .skeleton import Skin


@dataclass(frozen=True, slots=True)
class Fitted:
    """A file's clothes on one body. hidden: rows of the base mesh that are covered."""

    vertices: Doubles
    faces: Ints
    skin: Skin
    hidden: Ints


def read_asset(folder: Path, name: str, figure: Figure) -> Fitted:
    """name: as "clothes/shoes01/shoes01", under the assets' folder. DataMissing where it is not; ValueError for a file of another form."""
    path = next((p for p in (folder / f"{name}.mhclo", folder / "base" / f"{name}.mhclo") if p.is_file()), None)
    if path is None:
        raise DataMissing(
            f"{folder} has no {name}.mhclo; --assets has to name the folder of MakeHuman's assets, in which clothes/ and hair/ lie"
        )
    references: list[tuple[int, ...]] = []
    numbers: list[list[float]] = []
    scales = np.full(3, 1.0)
    hidden: list[int] = []
    obj_name, section = f"{path.stem}.obj", ""
    for line_number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            if words[0] == "obj_file":
                obj_name = words[1]
            elif words[0] in ("x_scale", "y_scale", "z_scale"):
                axis = "xyz".index(words[0][0])
                a, b = figure.vertices[int(words[1])], figure.vertices[int(words[2])]
                scales[axis] = abs(a[axis] - b[axis]) / (float(words[3]) * DECIMETRE)
            elif words[0] in ("verts", "delete_verts"):
                section = words[0]
            elif section == "verts" and words[0].isdigit():
                if len(words) == 1:
                    references.append((int(words[0]),) * 3)
                    numbers.append([1.0, 0, 0, 0, 0, 0])
                else:
                    references.append(tuple(int(w) for w in words[:3]))
                    numbers.append([float(w) for w in words[3:9]])
            elif section == "delete_verts":
                hidden.extend(_ranges(words))
        except (ValueError, IndexError) as error:
            raise ValueError(f"{path}, line {line_number}: {line.strip()!r} is not as a .mhclo file has it ({error})") from error
    rows, values = np.array(references, np.int64), np.array(numbers)
    if not len(rows) or rows.max() >= len(figure.vertices):
        raise ValueError(f"{path} names no vertices, or more than the base mesh hm08 has ({len(figure.vertices)})")
    vertices = sum(values[:, k, None] * figure.vertices[rows[:, k]] for k in range(3)) + values[:, 3:] * DECIMETRE * scales
    mesh = base_mesh()
    skin = Skin.mixed([Skin.of_base(rows[:, k]) for k in range(3)], values[:, :3], len(mesh.bones))
    obj = read_obj(path.parent / obj_name)
    if len(obj.vertices) != len(vertices):
        raise ValueError(f"{path} places {len(vertices)} vertices; {obj_name} has {len(obj.vertices)}")
    return Fitted(np.asarray(vertices), obj.triangles, skin, np.array(sorted(set(hidden)), np.int64))


def _ranges(words: list[str]) -> list[int]:
    """ "3 5 - 8" is 3, 5, 6, 7, 8."""
    out: list[int] = []
    k = 0
    while k < len(words):
        if k + 2 < len(words) and words[k + 1] == "-":
            out.extend(range(int(words[k]), int(words[k + 2]) + 1))
            k += 3
        else:
            out.append(int(words[k]))
            k += 1
    return out


def lower_half(fitted: Fitted, level: float) -> tuple[Fitted, Fitted]:
    """A suit's pieces above and below a height in metres: whole connected pieces by where their middle lies."""
    count = len(fitted.vertices)
    edges = np.concatenate([fitted.faces[:, [0, 1]], fitted.faces[:, [1, 2]]])
    graph = coo_matrix((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(count, count))
    pieces, label = connected_components(graph, directed=False)
    middle = np.bincount(label, fitted.vertices[:, 1], pieces) / np.maximum(np.bincount(label, minlength=pieces), 1)
    below = (middle < level)[label]
    upper, lower = (_part(fitted, fitted.faces[side[fitted.faces[:, 0]]]) for side in (~below, below))
    return upper, lower


def _part(fitted: Fitted, faces: Ints) -> Fitted:
    rows, renumbered = compact(faces) if len(faces) else (np.zeros(0, np.int64), faces)
    return Fitted(fitted.vertices[rows], renumbered, fitted.skin.take(rows), fitted.hidden)


#: what the CC0 repository has, by whom it was made for; suits cover trunk and legs
SUITS = {
    "female": ("female_casualsuit01", "female_casualsuit02", "female_elegantsuit01", "female_sportsuit01"),
    "male": (
        "male_casualsuit01", "male_casualsuit02", "male_casualsuit03", "male_casualsuit04", "male_casualsuit05", "male_casualsuit06",
        "male_elegantsuit01", "male_worksuit01",
    ),
}  # fmt: skip
SHOES = ("shoes01", "shoes02", "shoes03", "shoes04", "shoes05", "shoes06")

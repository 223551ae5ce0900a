"""Quick pictures of bodies without a renderer: triangles and strands drawn from far to near with OpenCV, for looking only."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .contract import Body, Material, Mesh

Picture = NDArray[np.uint8]
_LIGHT = np.array([0.4, 0.7, 0.6]) / np.linalg.norm([0.4, 0.7, 0.6])


def picture(body: Body, index: int = 0, *, size: int = 480, azimuth: float = 0.0, span: float = 0.0) -> Picture:
    """One time of a body, seen from the side of +z turned by ``azimuth`` radians, orthographically -> (size, size, 3) uint8 RGB.

    span: metres from edge to edge; 0 fits the body with the ground in view.
    """
    low, high = (corner[index] for corner in body.bounds())
    span = span or float(1.08 * max(high[1], *(high - low), 0.3))
    middle = np.array([(low[0] + high[0]) / 2, span * 0.46 if low[1] < span * 0.4 else (low[1] + high[1]) / 2, (low[2] + high[2]) / 2])
    c, s = np.cos(azimuth), np.sin(azimuth)
    view = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    shapes: list[tuple[float, NDArray[np.int32], tuple[float, ...], int]] = []

    def seen(points: Any) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
        turned = (np.asarray(points, np.float64) - middle) @ view.T
        flat = np.stack([size / 2 + turned[..., 0] * size / span, size / 2 - turned[..., 1] * size / span], axis=-1)
        return np.round(flat * 16).astype(np.int32), turned

    for mesh in body.meshes:
        flat, turned = seen(mesh.vertices[index])
        corners = turned[mesh.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        facing = normals if not mesh.thin else normals * np.sign(normals[:, 2:3])
        front = facing[:, 2] > 0
        shade = np.clip(facing @ _LIGHT, 0, 1) * 0.75 + 0.25
        colours = _display(_colours(mesh) * shade[:, None])
        depth = corners[..., 2].mean(axis=1)
        shapes.extend((depth[f], flat[mesh.faces[f]], tuple(colours[f]), 0) for f in np.flatnonzero(front))
    for strands in body.strands:
        flat, turned = seen(strands.points[index])
        lit = 0.55 + 0.45 * np.abs(np.linspace(-1, 1, len(flat)))
        for k, line in enumerate(flat):
            colour = tuple(_display(np.array(strands.material.colour) * lit[(k * 7919) % len(flat)]))
            shapes.append((float(turned[k, ..., 2].mean()), line, colour, 1))
    shapes.sort(key=lambda shape: shape[0])
    canvas = np.full((size, size, 3), 200, np.uint8)
    ground = int(size / 2 + (middle[1]) * size / span)
    canvas[min(max(ground, 0), size) :] = 170
    for _, points, colour, line in shapes:
        if line:
            cv2.polylines(canvas, [points], False, colour, 1, cv2.LINE_AA, 4)
        else:
            cv2.fillConvexPoly(canvas, points, colour, cv2.LINE_8, 4)
    return canvas


def _colours(mesh: Mesh) -> NDArray[np.float64]:
    """Of faces, linear light (f, 3)."""
    base = np.broadcast_to(np.array(mesh.material.colour), (mesh.vertices.shape[1], 3)).astype(np.float64)
    share = pattern_share(mesh.material, np.asarray(mesh.texture, np.float64))[:, None]
    base = base * (1 - share) + np.array(mesh.material.pattern.colour) * share
    if mesh.tint is not None:
        base = base * mesh.tint
    return np.asarray(base[mesh.faces].mean(axis=1))


def pattern_share(material: Material, texture: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the pattern's colour (n,) is at points (n, 3) of the cloth, 0..1: what a renderer's shader does, at vertices."""
    pattern = material.pattern
    unit = texture / pattern.scale
    if pattern.kind == "stripes":
        return np.asarray(np.mod(unit[:, 1], 1.0) < 0.5, np.float64)
    if pattern.kind == "checks":
        return np.asarray((np.floor(2 * unit).sum(axis=1) % 2), np.float64)
    if pattern.kind == "dots":
        return np.asarray(np.linalg.norm(np.mod(unit, 1.0) - 0.5, axis=1) < 0.3, np.float64)
    if pattern.kind == "noise":
        waves = np.sin(unit @ np.array([[4.1, 1.7], [2.3, -3.9], [3.1, 2.9]]))
        return np.asarray(np.clip(0.5 + 0.5 * waves.sum(axis=1), 0, 1))
    return np.zeros(len(texture))


def _display(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.round(255 * np.clip(linear, 0, 1) ** (1 / 2.2)))


def sheet(pictures: list[Picture], columns: int) -> Picture:
    """Pictures of one size side by side."""
    blank = np.full_like(pictures[0], 255)
    filled = pictures + [blank] * (-len(pictures) % columns)
    rows = [np.concatenate(filled[k : k + columns], axis=1) for k in range(0, len(filled), columns)]
    return np.asarray(np.concatenate(rows), np.uint8)

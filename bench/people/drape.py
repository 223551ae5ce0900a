"""What hangs and lags behind: skirts, scarf ends, coat tails and hair, as particles held together by lengths.

Position based dynamics (Mueller et al. 2007) on a fixed grid of 60 steps a second that begins one second before time 0, so that any time
asked gives the same numbers. What comes out are displacements from where a rigid garment would be; they are interpolated in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .base_mesh import Doubles, Ints, base_mesh
from .regions import Figure
from .skeleton import Frames, unit

#: steps a second, and seconds before time 0 at which everything begins
STEPS, BEFORE = 60, 1.0
GRAVITY = np.array([0.0, -9.81, 0.0])
#: share of the speed that is left after a second in air: cloth and hair are light
AIR = 0.25
ROUNDS = 6


@dataclass(frozen=True, slots=True)
class Net:
    """Particles. links: groups of (a, b, metres), no particle twice in a group. hold: (n,) share of the way back to the rigid place
    each step; 1 is fixed there. apart: metres kept from the body."""

    links: tuple[tuple[Ints, Ints, Doubles], ...]
    hold: Doubles
    apart: float


@dataclass(frozen=True, slots=True)
class Capsules:
    """Round cones along bones that cloth stays outside of. ends: (c, 2, 3) at rest; bones: (c,); radii: (c, 2) metres."""

    names: tuple[str, ...]
    ends: Doubles
    radii: Doubles

    @classmethod
    def of(cls, figure: Figure) -> Capsules:
        """Trunk, head, arms and legs, as thick as the body is there."""
        mesh, s = base_mesh(), figure.skeleton
        rows = np.unique(mesh.faces("body"))
        main = mesh.bone_of[rows, 0]
        names, ends, radii = [], [], []
        for name in _THICK:
            k = s.index(name)
            near = figure.vertices[rows[main == k]]
            if len(near) < 8:
                continue
            a, b = s.heads[k], s.tails[k]
            along = np.clip((near - a) @ (b - a) / max(1e-9, float((b - a) @ (b - a))), 0, 1)
            away = np.linalg.norm(near - (a + along[:, None] * (b - a)), axis=1)
            names.append(name)
            ends.append([a, b])
            radius = float(np.percentile(away, 60))
            radii.append([radius, radius])
        return cls(tuple(names), np.array(ends), np.array(radii))

    def at(self, frames: Frames) -> Doubles:
        """Ends now: (t, c, 2, 3)."""
        return np.stack([frames.carried(name, pair) for name, pair in zip(self.names, self.ends, strict=True)], axis=1)


_LIMBS = (
    "pelvis", "upperleg01", "upperleg02", "lowerleg01", "lowerleg02", "shoulder01", "upperarm01", "upperarm02", "lowerarm01", "lowerarm02",
)  # fmt: skip
_THICK = ("head", "neck02", "spine01", "spine02", "spine03", "spine04", "spine05", *(f"{n}.{s}" for s in "LR" for n in _LIMBS))


def grid_times(until: float) -> Doubles:
    """The steps' times up to ``until`` and one more."""
    return np.arange(round(-BEFORE * STEPS), int(np.ceil(until * STEPS)) + 2) / STEPS


def simulate(net: Net, rigid: Doubles, capsules: Doubles, radii: Doubles, ground: float) -> Doubles:
    """Displacements (t, n, 3) from ``rigid`` (t, n, 3): where particles are when they hang, swing and are pushed aside.

    capsules: (t, c, 2, 3) ends, radii (c, 2): of the body at the same times. ground: metres.
    """
    step = 1.0 / STEPS
    damping = AIR**step
    now, before = rigid[0].copy(), rigid[0].copy()
    out = np.empty_like(rigid)
    free = (net.hold < 1)[:, None]
    weight = np.where(net.hold < 1, 1.0, 0.0)
    for k, target in enumerate(rigid):
        # a second of settling where they stand comes first of all
        for settle in range(STEPS // 2 if k == 0 else 1):
            moved = now + damping * (now - before) * (0.8 if k == 0 else 1.0) + GRAVITY * step * step
            before = now
            now = np.where(free, moved, target)
            now = now + net.hold[:, None] * (target - now)
            for _ in range(ROUNDS):
                for a, b, length in net.links:
                    d = now[b] - now[a]
                    far = np.sqrt((d * d).sum(axis=1))
                    both = np.maximum(weight[a] + weight[b], 1e-9)
                    push = ((far - length) / np.maximum(far, 1e-9) / both)[:, None] * d
                    now[a] += weight[a][:, None] * push
                    now[b] -= weight[b][:, None] * push
            now = np.where(free, _outside(now, capsules[k], radii, net.apart), target)
            now[:, 1] = np.maximum(now[:, 1], ground + net.apart)
            del settle
        out[k] = now - target
    return out


def _outside(points: Doubles, capsules: Doubles, radii: Doubles, apart: float) -> Doubles:
    for (a, b), (r, _) in zip(capsules, radii, strict=True):
        d = b - a
        u = np.clip((points - a) @ d / max(1e-9, float(d @ d)), 0, 1)
        away = points - (a + u[:, None] * d)
        far = np.sqrt((away * away).sum(axis=1))
        short = np.maximum(0.0, r + apart - far)
        if short.any():
            points = points + (short / np.maximum(far, 1e-6))[:, None] * away
    return points


def between(times: Doubles, values: Doubles, at: Doubles) -> Doubles:
    """Values (t, ...) at other times (s,), linearly, constant before and after."""
    place = np.clip((at - times[0]) * STEPS, 0, len(times) - 1)
    k = np.minimum(place.astype(np.int64), len(times) - 2)
    u = (place - k).reshape(-1, *[1] * (values.ndim - 1))
    return np.asarray(values[k] * (1 - u) + values[k + 1] * u)


def chains(points: Doubles, hold: Doubles, apart: float) -> Net:
    """Strands (k, m, 3) as a net: links along each, and half as strong ones over two, so that hair bends and does not fold."""
    count, many, _ = points.shape
    index = np.arange(count * many).reshape(count, many)
    flat = points.reshape(-1, 3)
    links = []
    for hop in (1, 2):
        for start in range(0, 2 * hop):
            a = index[:, start : many - hop : 2 * hop].ravel()
            b = index[:, start + hop :: 2 * hop][:, : (index[:, start : many - hop : 2 * hop]).shape[1]].ravel()
            if len(a):
                links.append((a, b, np.linalg.norm(flat[a] - flat[b], axis=1)))
    return Net(tuple(links), hold.ravel(), apart)


def sheet_net(rest: Doubles, hold: Doubles, apart: float, *, closed: bool) -> Net:
    """A grid (r, c, 3) of cloth: links down, around and across."""
    rows, columns, _ = rest.shape
    index = np.arange(rows * columns).reshape(rows, columns)
    flat = rest.reshape(-1, 3)
    pairs = [(index[s:-1:2].ravel(), index[s + 1 :: 2][: len(index[s:-1:2])].ravel()) for s in (0, 1)]
    around = np.concatenate([index, index[:, :1]], axis=1) if closed else index
    width = around.shape[1]
    for start in (0, 1):
        left = around[:, start : width - 1 : 2]
        pairs.append((left.ravel(), around[:, start + 1 :: 2][:, : left.shape[1]].ravel()))
    for start in (0, 1):
        upper, lower = around[start:-1:2], around[start + 1 :: 2]
        lower = lower[: len(upper)]
        for odd in (0, 1):
            left = upper[:, odd : width - 1 : 2]
            pairs.append((left.ravel(), lower[:, odd + 1 :: 2][:, : left.shape[1]].ravel()))
    links = tuple((a, b, np.linalg.norm(flat[a] - flat[b], axis=1)) for a, b in pairs if len(a))
    return Net(links, hold.ravel(), apart)


def grid_faces(rows: int, columns: int, *, closed: bool) -> Ints:
    """Triangles of a grid (r, c), the front to the right of the way down."""
    index = np.arange(rows * columns).reshape(rows, columns)
    around = np.concatenate([index, index[:, :1]], axis=1) if closed else index
    a, b, c, d = around[:-1, :-1].ravel(), around[:-1, 1:].ravel(), around[1:, 1:].ravel(), around[1:, :-1].ravel()
    return np.concatenate([np.stack([a, d, c], axis=1), np.stack([a, c, b], axis=1)])


def nearest_guides(roots: Doubles, guides: Doubles, many: int = 3) -> tuple[Ints, Doubles]:
    """For each root the nearest guides' rows (k, many) and shares that sum to 1."""
    distance = np.sqrt(((roots[:, None] - guides[None]) ** 2).sum(axis=2))
    rows = np.argsort(distance, axis=1, kind="stable")[:, :many]
    share = 1 / (np.take_along_axis(distance, rows, axis=1) + 0.004)
    return rows, share / share.sum(axis=1, keepdims=True)


__all__ = ["Capsules", "Net", "between", "chains", "grid_faces", "grid_times", "nearest_guides", "sheet_net", "simulate", "unit"]

"""Made-up scenes whose geometry is known exactly: a ball with a pattern, and discs that stand for people."""

from pathlib import Path

import cv2
import numpy as np

from vr180_ofx.imaging.logistic import logit
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.patch import Patch
from vr180_ofx.media.contract import Sample
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.stereo.agreement import EyeView
from vr180_ofx.stereo.consistency import Consistency
from vr180_ofx.stereo.state import FrameState
from vr180_ofx.trackers.contract import Crop, Mask, NetworkAlpha, WindowImage
from vr180_ofx.vr180.epipolar import angles, directions
from vr180_ofx.vr180.layout import LEFT, RIGHT
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window

DEMO = Path(__file__).resolve().parents[2] / "vr180_ofx" / "demo"
#: Metres between the eyes.
B = 0.064
#: Pixels of the discs' windows.
SIZE = 128
PROJECTION = Equirectangular(512, 512)
EYES = {LEFT: -1, RIGHT: 1}


def whole(alpha):
    """A matte of the whole eye."""
    return Patch(Rect(0, 0, alpha.shape[1], alpha.shape[0]), alpha.astype(np.float32), np.ones_like(alpha, np.float32))


def trimmed(alpha, confidence=1.0):
    """The part of a matte where somebody is."""
    ys, xs = np.nonzero(alpha > 0)
    rect = Rect(int(xs.min()) - 2, int(ys.min()) - 2, int(xs.max()) + 3, int(ys.max()) + 3)
    return Patch(rect, alpha[rect.slices].astype(np.float32), np.full(alpha[rect.slices].shape, confidence, np.float32))


def in_eye(patch, size):
    """A patch's alpha in the whole eye."""
    out = np.zeros((size, size), np.float32)
    out[patch.rect.slices] = patch.alpha
    return out


def ball(eye, size=512, centre=(0.25, -0.15, 1.1), radius=0.3):
    """A ball with a pattern on it, as an eye sees it: (picture, alpha, distance along the ray)."""
    projection = Equirectangular(size, size)
    rows, columns = np.mgrid[:size, :size] + 0.5
    rays = projection.unproject(np.stack([columns, rows], axis=-1))
    origin = np.array([eye * B / 2, 0, 0]) - np.array(centre)
    along = rays @ origin
    inside = along**2 - (origin @ origin - radius**2)
    t = -along - np.sqrt(np.maximum(inside, 0))
    hit = origin + rays * t[..., None]
    pattern = 0.5 + 0.2 * sum(np.sin(f * hit[..., k] + k) for k, f in ((0, 70), (1, 90), (2, 60), (0, 31), (1, 23)))
    picture = np.where((inside > 0)[..., None], pattern[..., None], 0.2).repeat(3, axis=-1)
    return (np.clip(picture, 0, 1) * 255).astype(np.uint8), (inside > 0).astype(np.float32), np.where(inside > 0, t, 0)


def seen_ball(size):
    """Both eyes' pictures of a ball, and where it is: (view -> eye, view -> alpha)."""
    eyes, alphas = {}, {}
    for view, eye in EYES.items():
        picture, alphas[view], _ = ball(eye, size)
        eyes[view] = RgbEye(picture, (0, 0), size, size)
    return eyes, alphas


def claimed(found, rays, projection):
    """Where the left eye sees what the right eye sees along the rays, (n, 3): (n, 2) pixels."""
    p = found.right.points(rays).astype(np.float32) - 0.5
    laterals = cv2.remap(found.laterals_left().astype(np.float32), p[None, :, 0], p[None, :, 1], cv2.INTER_LINEAR)[0]
    return projection.project(directions(laterals, angles(rays)[:, 1]))


def disc(eye, metres=2.0, radius=0.35, height=0.0, off=0.0, score=1.0, occluders=(), centre=0.0):
    """A disc at a distance, straight ahead, in a window that looks there; ``off`` metres to its side. centre: where the window looks."""
    direction = np.array([centre - eye * B / 2, height, metres])
    window = Window(tuple(direction / np.linalg.norm(direction)), 40, 0, SIZE)
    ticks = np.arange(SIZE) + 0.5
    rays = window.directions(np.stack(np.meshgrid(ticks, ticks), axis=-1))
    hit = rays / rays[..., 2:] * metres + np.array([eye * B / 2, 0, 0])
    away = np.hypot(hit[..., 0] - off, hit[..., 1] - height)
    mask = np.clip((radius - away) * 100 + 0.5, 0, 1).astype(np.float32)
    luma = (0.5 + 0.3 * np.sin(60 * hit[..., 0]) * np.sin(60 * hit[..., 1])).astype(np.float32)
    return EyeView(mask, luma, window, score, occluders)


def consistency(threshold=0.8, reference=LEFT, mode="reference_eye", method="transfer", **more):
    return Consistency(mode, threshold, method, reference, **more)


def grey(view):
    """Luma, and no colour differences: (n, n, 3)."""
    return np.repeat(view.luma[..., None], 3, -1) * np.array([1, 0, 0], np.float32)


def state_of(views, shifts=None, together=(), union=None):
    """A frame's state. views: (person, eye) -> `EyeView`. together: people whom a network saw together in each eye, with the first one's
    window. union: eye -> (SIZE, SIZE) what it says of them; by default the union of their masks, whose windows are then one.
    """
    windows = {k: WindowImage(Sample(np.repeat(v.luma[..., None], 3, -1), grey(v)), v.window) for k, v in views.items()}
    networks = {}
    for eye in {view for _, view in views} if together else ():
        members = [views[p, eye] for p in together]
        alpha = np.maximum.reduce([m.mask for m in members]) if union is None else union[eye]
        networks[eye] = NetworkAlpha(alpha, grey(members[0]), members[0].window, Crop(tuple(together), 0, 0, 1.0, SIZE, SIZE))
    tracked = {k: Mask(logit(v.mask), v.score, networks.get(k[1]) if k[0] in together else None) for k, v in views.items()}
    return FrameState.of(windows, tracked, PROJECTION, shifts or {})

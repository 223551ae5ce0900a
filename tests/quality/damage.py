"""Mattes damaged on purpose, each in one way that compositors complain of."""

import cv2
import numpy as np


def untouched(alpha, n, view):
    return alpha


def blurred(alpha, n, view):
    return cv2.GaussianBlur(alpha, (0, 0), 4)


def jagged(alpha, n, view):
    """A mask of a quarter of the size, enlarged without interpolation."""
    small = cv2.resize(alpha, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    return cv2.resize((small > 0.5).astype(np.float32), alpha.shape[::-1], interpolation=cv2.INTER_NEAREST)


def flickering(alpha, n, view):
    """Wider and narrower by two pixels, from frame to frame."""
    return cv2.dilate(alpha, np.ones((5, 5))) if n % 2 else cv2.erode(alpha, np.ones((5, 5)))


def holes_in_one_eye(alpha, n, view):
    if view == "left" or not (alpha > 0.5).any():
        return alpha
    depth = cv2.distanceTransform((alpha > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(np.argmax(depth)), depth.shape)
    out = alpha.copy()
    cv2.circle(out, (int(x), int(y)), max(2, int(depth.max() * 0.7)), 0, -1)
    return out


def shifted_eye(alpha, n, view):
    return alpha if view == "left" else np.roll(alpha, 5, axis=1)


def lost_for_a_frame(alpha, n, view):
    """Half of the person is missing in every fifth frame."""
    if n % 5 != 2 or not (alpha > 0.5).any():
        return alpha
    ys, _ = np.nonzero(alpha > 0.5)
    out = alpha.copy()
    out[int(np.median(ys)) :] = 0
    return out


#: Damage -> the metric that must see it.
DAMAGES = {
    blurred: "softness", jagged: "jaggedness", flickering: "flicker", holes_in_one_eye: "holes", shifted_eye: "stereo",
    lost_for_a_frame: "jump",
}  # fmt: skip

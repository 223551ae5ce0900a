"""The same thing found in two pictures."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import BoolArray, ByteArray, FloatArray
from vr180_ofx.imaging.either import either
from vr180_ofx.imaging.planes import padded
from vr180_ofx.imaging.resize import resize


@either
def semi_global_shift(
    left: ByteArray, right: ByteArray, least: int, most: int, *, enlarge: int = 1, block: int = 5, uniqueness: int = 5
) -> FloatArray:
    """How far to the right ``left`` shows what ``right`` does, on the same row (Hirschmueller 2008, OpenCV's StereoSGBM).

    left, right: (h, w). least, most: pixels between which shifts are looked for. enlarge: pictures are matched at so many times their
    size, where the sixteenths of a pixel that the matcher counts in are finer. block: the side of what is compared, pixels; changes of
    the shift by one pixel cost 8 block^2, larger ones 32 block^2. uniqueness: percent by which the best shift must win.

    Returns (h, w) float32, for the pixels of ``right``; less than ``least`` where nothing was found.
    """
    size = (left.shape[1] * enlarge, left.shape[0] * enlarge)
    count = -(-enlarge * (most - least) // 16) * 16
    # the count is rounded up, by less than 16
    reach = enlarge * max(-least, most) + 16
    big = [padded(resize(p, size, "cubic"), left=reach, right=reach) for p in (left, right)]
    matcher = cv2.StereoSGBM.create(
        minDisparity=enlarge * least, numDisparities=count, blockSize=block, P1=8 * block**2, P2=32 * block**2, disp12MaxDiff=-1,
        uniquenessRatio=uniqueness, mode=cv2.STEREO_SGBM_MODE_SGBM,
    )  # fmt: skip
    # the matcher takes its left picture for the reference, so both are mirrored
    found = cv2.flip(matcher.compute(cv2.flip(big[1], 1), cv2.flip(big[0], 1)), 1)[:, reach:-reach].astype(np.float32) / 16
    small: FloatArray = resize(found, (left.shape[1], left.shape[0]), "area") / enlarge
    return small


def template_likeness(picture: FloatArray, template: FloatArray, mask: FloatArray) -> FloatArray:
    """How like ``template`` each part of ``picture`` is: the correlation coefficient, -1..1; not finite where a part has no contrast.

    picture: (h, w) float32; template, mask: (k, l) float32, no larger; the mask weighs. Returns (h - k + 1, w - l + 1), for the place of
    the template's first pixel.
    """
    out: FloatArray = cv2.matchTemplate(picture, template, cv2.TM_CCOEFF_NORMED, mask=mask)
    return out


def corners(picture: ByteArray, most: int, *, quality: float = 0.01, apart: float = 7) -> npt.NDArray[np.float32]:
    """Points that can be told from those around them (Shi and Tomasi 1994), the best first: (n, 2) pixel indices, n <= most.

    picture: (h, w). quality: the least one of a point, in shares of the best one's. apart: pixels between any two.
    """
    found = cv2.goodFeaturesToTrack(picture, most, quality, apart)
    return np.zeros((0, 2), np.float32) if found is None else found.reshape(-1, 2)


def track_points(
    here: ByteArray, there: ByteArray, points: npt.NDArray[np.float32], *, window: int = 15, levels: int = 4
) -> tuple[npt.NDArray[np.float32], BoolArray]:
    """Where points of one picture are in another one (Lucas and Kanade 1981, in pyramids).

    here, there: (h, w). points: (n, 2) pixel indices of ``here``. window: the side of what is compared, pixels. levels: of the pyramid,
    each half as large, beside the pictures themselves.

    Returns (n, 2) pixel indices of ``there``, and (n,) whether they were found.
    """
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 40, 0.01)
    places, found, _ = cv2.calcOpticalFlowPyrLK(
        here, there, points.reshape(-1, 1, 2), np.empty(0, np.float32), winSize=(window, window), maxLevel=levels, criteria=until
    )
    return places.reshape(-1, 2), found.ravel() > 0

"""Pictures divided among seeds, along their edges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vr180_ofx.arrays import ByteArray


def flooded(picture: ByteArray, seeds: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Each pixel's seed: the one from which it is reached over the smallest steps of colour (watershed by flooding, Meyer 1992).

    picture: (h, w, 3). seeds: (h, w), from 1 on; 0 is what has to be divided. Returns (h, w): numbers of seeds, and -1 on the lines,
    a pixel wide, where two meet. It is the same whatever else runs.
    """
    labels = seeds.copy()
    # the network of lines includes the picture's rim, which is no meeting of anything
    room = cv2.copyMakeBorder(np.ascontiguousarray(picture), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    labels = cv2.copyMakeBorder(labels, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    out: npt.NDArray[np.int32] = cv2.watershed(room, labels)[1:-1, 1:-1].copy()
    return out

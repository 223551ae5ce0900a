"""What controls may look at: a clip's pictures, and given mattes."""

import numpy as np

from vr180_ofx.media.contract import SourceFrame
from vr180_ofx.media.picture import RgbEye


class Given:
    """See `controls.contract.Around`. grey: instead of the clip's pictures there is nothing to see."""

    def __init__(self, clip, mattes, *, grey=False):
        self._clip = clip
        self._mattes = mattes
        self._grey = grey
        self.said = {}

    def picture(self, n):
        if not self._grey:
            return self._clip.frame(n)
        width, height = self._clip.eye_size
        nothing = np.full((height, width, 3), 128, np.uint8)
        return SourceFrame(n, 0.0, {view: RgbEye(nothing, (0, 0), width, height) for view in self._clip.views})

    def mattes(self, n):
        return self._mattes

    def say(self, kind, name, fact):
        self.said.setdefault(kind, {})[name] = fact

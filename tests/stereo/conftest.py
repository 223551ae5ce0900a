"""Clips with an eye damaged, and what is to be known of them."""

import numpy as np
import pytest

from tests.stereo.damaged import damaged_clip
from tests.stereo.scenes import DEMO
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality import metrics
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings


@pytest.fixture(scope="package")
def painted_out(tmp_path_factory):
    """Eight frames of the demo clip, nobody in the right eye from 3 to 5: (clip, plan, truth)."""
    path = tmp_path_factory.mktemp("damaged") / "walk_LR_180.mp4"
    damaged_clip(DEMO / "walk3d.mp4", DEMO / "truth", path, "painted_out", "right", range(3, 6), length=8)
    truth = list(Truth(DEMO / "truth").frames())[:8]
    with open_clip(path) as clip:
        yield clip, analyse(clip), truth


@pytest.fixture(scope="package")
def ious():
    """A function of clip, plan, truth, view and frames -> frame -> (IoU of an eye, metadata)."""

    def measure(clip, plan, truth, view, frames, stabilise=0.7, **stereo):
        out = {}
        with FrameServer(clip, plan, Settings(stereo=stereo, matting={"stabilise": stabilise})) as server:
            for n in frames:
                frame = server.request(n).result()
                out[n] = metrics.iou(frame.views[view].alpha.astype(np.float32), truth[n].union(view)), frame.metadata
        return out

    return measure

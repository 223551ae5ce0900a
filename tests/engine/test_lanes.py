from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

from vr180_ofx.engine.lanes import NO_LANE, borrowed, following, lane
from vr180_ofx.imaging.either import beside
from vr180_ofx.media.contract import EyeImage, SourceFrame
from vr180_ofx.media.picture import RgbEye


class Noting:
    """A lane that says what it was lent."""

    def __init__(self):
        self.tensors = []

    def work(self, *after):
        return nullcontext()

    def mark(self):
        return None

    def borrow(self, tensors):
        self.tensors += tensors

    def finish(self): ...


def a_frame(kind="array"):
    pixels = np.zeros((4, 8, 3), np.uint8)
    if kind == "tensor":
        pixels = beside(pixels, pytest.importorskip("torch").zeros(1))
    eyes: dict[str, EyeImage] = {view: RgbEye(pixels, (x, 0), 4, 4) for view, x in (("left", 0), ("right", 4))}
    return SourceFrame(0, 0.0, eyes)


def test_pictures_of_numpy_have_no_lanes():
    assert lane(None) is NO_LANE
    with NO_LANE.work(NO_LANE.mark()):
        NO_LANE.finish()
    with ThreadPoolExecutor(1) as pool:
        assert following(pool, None) is pool and following(pool, "cpu") is pool


@pytest.mark.parametrize(("kind", "planes"), [("array", 0), ("tensor", 1)])
def test_a_lane_is_lent_the_planes_of_a_frame_once(kind, planes):
    frame, by = a_frame(kind), Noting()
    assert borrowed(frame, by) is frame and len(by.tensors) == planes
    assert borrowed(frame, NO_LANE) is frame


@pytest.mark.cuda
def test_threads_work_in_the_lane_of_whoever_asks_them():
    torch = pytest.importorskip("torch")
    own = lane("cuda:0")
    with ThreadPoolExecutor(2) as pool, own.work():
        current = torch.cuda.current_stream("cuda:0").cuda_stream
        seen = list(following(pool, "cuda:0").map(lambda _: torch.cuda.current_stream("cuda:0").cuda_stream, range(4)))
    assert seen == [current] * 4 and current != torch.cuda.default_stream("cuda:0").cuda_stream

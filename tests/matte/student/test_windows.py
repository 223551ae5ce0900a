"""The student in person windows: what it is shown, whose its alpha is, and that it remembers nothing."""

import numpy as np
import pytest
import torch

from vr180_ofx.engine.models import Models
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.errors import SettingsError, WeightsError
from vr180_ofx.imaging.either import beside, host, is_tensor
from vr180_ofx.imaging.rect import Rect
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.student.compiled import CompiledStudent
from vr180_ofx.matte.student.model import TorchStudent
from vr180_ofx.matte.student.windows import StudentWindows, crop_of
from vr180_ofx.media.open import open_clip
from vr180_ofx.media.picture import RgbEye
from vr180_ofx.settings import Settings
from vr180_ofx.trackers.contract import Mask, Memory, WindowImage
from vr180_ofx.vr180.projection import Equirectangular
from vr180_ofx.vr180.window import Window


@pytest.fixture(scope="module")
def shown():
    """(windows, masks) of people in windows of one eye with a picture; masks are boxes of a window's pixels."""
    eye = RgbEye(np.random.default_rng(0).random((256, 256, 3)).astype(np.float32), (0, 0), 256, 256)
    projection = Equirectangular(256, 256)

    def of(*boxes, tensors=False):
        images, masks = {}, {}
        for person, (x0, y0, x1, y1) in enumerate(boxes, start=1):
            # each looks elsewhere
            window = Window((0.1 * person, 0, 1), 80, 0, 96)
            logits = np.full((96, 96), -6, np.float32)
            logits[y0:y1, x0:x1] = 6
            picture = eye.moved(torch.from_numpy) if tensors else eye
            images[person, "left"] = WindowImage(
                picture.sample(window.grid(projection, like=picture.like)), window, eye=picture, projection=projection
            )
            masks[person, "left"] = Mask(beside(logits, picture.like), 1.0)
        return images, masks

    return of


class Seen:
    """A network that keeps what it is shown and gives the guide back."""

    def __init__(self):
        self.planes = []

    def identity(self):
        return "seen"

    def look(self, planes):
        self.planes.append(planes)
        return planes[..., 3]


def test_it_is_shown_the_picture_the_guide_and_the_others(shown):
    network = Seen()
    windows, masks = shown((30, 20, 50, 80), (30, 30, 60, 70))
    _, alphas = StudentWindows(network, GuidedRefiner(), 128).step(Memory(), windows, masks)
    planes = network.planes[0][0]
    found = alphas[1, "left"]
    crop = found.crop
    assert crop.members == (1,) and planes.shape == (crop.height, crop.width, 6)
    # the guide is the mask where it lies in the crop, and so is the other's, which was taken by another camera
    sample = windows[1, "left"].source.sample(crop)
    assert np.array_equal(planes[..., :3], sample.rgb) and np.array_equal(found.guide, sample.guide)
    area = (planes[..., 3] > 0.5).sum() / crop.scale**2
    assert abs(area / (20 * 60) - 1) < 0.05
    assert np.array_equal(planes[..., 4], GuidedRefiner().refine(sample.guide, planes[..., 3]).value(sample.guide))
    middle = windows[1, "left"].window.points(windows[2, "left"].window.directions(np.array([45.0, 50.0])))
    x, y = ((middle - (crop.x, crop.y)) * crop.scale).astype(int)
    assert planes[y, x, 5] > 0.9 and planes[2, 2, 5] < 0.1


def test_whom_the_tracker_does_not_see_has_no_alpha(shown):
    windows, masks = shown((30, 20, 50, 80), (0, 0, 0, 0))
    memory, alphas = StudentWindows(Seen(), GuidedRefiner(), 128).step(Memory(), windows, masks)
    assert set(alphas) == {(1, "left")} and not memory.arrays


def test_threads_change_nothing(student_file, shown):
    windows, masks = shown((30, 20, 50, 80), (10, 30, 60, 70), (60, 10, 80, 40))
    network = CompiledStudent(student_file)
    one, three = (StudentWindows(network, GuidedRefiner(), 128, threads) for threads in (1, 3))
    alphas = [each.step(each.begin(), windows, masks)[1] for each in (one, three, three)]
    three.close()
    for other in alphas[1:]:
        assert all(np.array_equal(other[k].alpha, a.alpha) for k, a in alphas[0].items())


def test_tensors_as_on_a_graphics_card(student_file, shown):
    boxes = (30, 20, 50, 80), (10, 30, 60, 70)
    network = TorchStudent(student_file)
    arrays, tensors = (StudentWindows(network, GuidedRefiner(), 128).step(Memory(), *shown(*boxes, tensors=t))[1] for t in (False, True))
    for key, found in tensors.items():
        assert is_tensor(found.alpha) and np.abs(host(found.alpha) - arrays[key].alpha).max() < 0.02


@pytest.mark.parametrize("mask", [Rect(20, 10, 50, 90), Rect(0, 0, 416, 416), Rect(100, 100, 103, 180), Rect(5, 80, 300, 120)])
def test_a_crop_holds_the_mask_and_stays_when_its_border_trembles(mask):
    crop = crop_of(1, mask, 384)
    x0, y0, x1, y1 = crop.box
    assert x0 < mask.x0 and y0 < mask.y0 and x1 > mask.x1 and y1 > mask.y1
    assert crop.width % 32 == 0 and crop.height % 32 == 0 and 0.5 < crop.width * crop.height / 384**2 < 2
    trembling = [crop_of(1, Rect(mask.x0 + dx, mask.y0, mask.x1 + dx, mask.y1), 384) for dx in (0, 1, 0, 1)]
    assert len({(c.scale, c.width, c.height) for c in trembling}) == 1


@pytest.mark.parametrize("size", [0, 32, 100, 400])
def test_sizes_that_cannot_be_are_refused(size):
    with pytest.raises(ValueError, match=f"size is {size}"):
        StudentWindows(Seen(), GuidedRefiner(), size)
    if size:
        with pytest.raises(SettingsError, match="multiple of 32"):
            Models.of(Settings(matting={"refiner": "student", "refiner_size": size})).load_matting_network()


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(WeightsError, match=r"refiner_weights names .*none\.safetensors"):
        Models.of(Settings(matting={"refiner": "student", "refiner_weights": "none.safetensors"})).load_matting_network()


@pytest.fixture(scope="module")
def scene(people_clip, student_file):
    """The clip, its plan, settings, and frames 0 to 3 in order."""
    settings = Settings(matting={"refiner": "student", "refiner_weights": str(student_file), "refiner_size": 128})
    with open_clip(people_clip, settings) as clip:
        plan = analyse(clip)
        with FrameServer(clip, plan, settings) as server:
            yield clip, plan, settings, [server.request(n).result() for n in range(4)]


@pytest.mark.slow
def test_any_order_gives_the_same_bits_and_long_clips_are_entered_anywhere(scene):
    clip, plan, settings, reference = scene
    with FrameServer(clip, plan, settings, keep_frames=False) as server:
        assert server.request(3).result().same(reference[3])
        # it forgets with the tracker: frame 3 needs two frames before it
        assert server.steps == 3
        assert server.request(1).result().same(reference[1])
    assert all("student" in frame.metadata["tracker"] for frame in reference)
    assert all(view.alpha.max() > 0.5 for frame in reference for view in frame.views.values())

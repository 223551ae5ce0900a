"""Whole frames on arrays of NumPy and on tensors of PyTorch: as good as each other."""

import pytest

from tests.conftest import SHARED, shared_clip
from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.quality.truth import Truth
from vr180_ofx.settings import Settings

pytest.importorskip("torch")


def settings_for(refiner: str) -> Settings:
    given = ["hardware.device=cpu", f"matting.refiner={refiner}"]
    if refiner == "rvm":
        weights = SHARED / "weights" / "rvm_mobilenetv3_test.safetensors"
        if not weights.exists():
            pytest.skip("RVM's weights for tests belong to the development set, which is not here")
        given.append(f"matting.refiner_weights={weights}")
    return Settings.from_values({}, given)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("refiner", ["guided", "rvm"])
@pytest.mark.parametrize("name", ["walk3d_2k", "duo_2k"])
def test_whole_clips_are_as_good_on_tensors(name, refiner):
    from benchmarks.kinds import compared

    path, settings = shared_clip(f"vr180/{name}/clip.mp4"), settings_for(refiner)
    with open_clip(path, settings) as clip:
        found = compared(clip, analyse(clip, settings), settings, len(clip), Truth(path.parent))
    assert found["alpha_mean_difference"] <= 2e-4
    assert found["tensors_iou"] == pytest.approx(found["arrays_iou"], rel=0.01)
    assert found["tensors_mad"] == pytest.approx(found["arrays_mad"], rel=0.01)

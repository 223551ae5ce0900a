"""The weights that come with the program: whole, there without a set-up, and of use."""

import numpy as np
import pytest

from vr180_ofx.engine.models import Models
from vr180_ofx.errors import WeightsError
from vr180_ofx.imaging.filter import gaussian_blur
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.student.compiled import CompiledStudent
from vr180_ofx.settings import Settings
from vr180_ofx.weights import store


def test_they_are_there_without_a_set_up(tmp_path, monkeypatch):
    """They come with the program: no folder of weights is looked at, and nothing is fetched."""
    monkeypatch.setenv("VR180_OFX_WEIGHTS", str(tmp_path))
    assert store.verify("student") is None and store.pull("student", force=True) == store.path_of("student")
    network = Models.of(Settings(matting={"refiner": "student"})).load_matting_network()
    assert network is not None and network.exact_after == 0
    network.close()
    assert not list(tmp_path.iterdir())


def test_damaged_ones_are_refused_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "PACKAGE", tmp_path)
    with pytest.raises(WeightsError, match="are not there.*install vr180-ofx again"):
        store.require("student")
    (tmp_path / "weights").mkdir()
    store.path_of("student").write_bytes(b"x" * 100)
    for ask in (store.require, store.pull):
        with pytest.raises(WeightsError, match="install vr180-ofx again"):
            ask("student")


def test_they_mend_a_soft_mask():
    """A plain figure before noise, and a mask as soft as the tracker's are."""
    network = CompiledStudent(store.require("student"))
    random = np.random.default_rng(4)
    y, x = np.mgrid[:128, :128]
    figure = ((np.hypot(x - 64, y - 28) < 14) | ((abs(x - 64) < 22) & (y > 44) & (y < 120))).astype(np.float32)
    ground = gaussian_blur(random.random((128, 128, 3), np.float32), 2)
    picture = np.where(figure[..., None] > 0, np.array([0.75, 0.5, 0.4]), 0.5 * ground).astype(np.float32)
    luma = picture @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    guide = np.stack([luma, (picture[..., 2] - luma) / 1.8556, (picture[..., 0] - luma) / 1.5748], -1)
    mask = gaussian_blur(figure, 3)
    filtered = GuidedRefiner().refine(guide, mask).value(guide)
    planes = np.concatenate([picture, np.stack([mask, filtered, np.zeros_like(mask)], -1)], -1)
    alpha = network.look(planes[None])[0]
    assert np.abs(alpha - figure).mean() < 0.5 * np.abs(mask - figure).mean()

import numpy as np
import pytest
from vr180_ofx.people.search import merge_sightings, tiles

from vr180_ofx.engine.models import Models
from vr180_ofx.errors import SettingsError
from vr180_ofx.people.blazepose import anchors
from vr180_ofx.people.contract import Candidate
from vr180_ofx.settings import Settings
from vr180_ofx.vr180.body import Body
from vr180_ofx.vr180.projection import Equirectangular, Fisheye, Rectilinear


def test_the_anchors_are_those_of_the_model():
    a = anchors()
    assert a.shape == (2254, 2) and a[0] == pytest.approx([0.5 / 28] * 2) and a[-1] == pytest.approx([6.5 / 7] * 2)


@pytest.mark.parametrize(
    "projection", [Equirectangular(512, 512), Fisheye(512, 512, 190), Rectilinear(640, 360)], ids=["equirect", "fisheye", "flat"]
)
def test_the_windows_leave_nothing_unseen(projection):
    """Every direction in the field of view, but the very poles, is in some window of the coarser levels."""
    xs, ys = np.meshgrid(np.linspace(8, projection.width - 8, 60), np.linspace(8, projection.height - 8, 60))
    d = projection.unproject(np.stack([xs, ys], -1).reshape(-1, 2))
    d = d[np.isfinite(d).all(-1)]
    d = d[np.abs(np.degrees(np.arcsin(d[:, 1]))) < 80]
    d = d[d[:, 2] > np.cos(np.radians(88))]
    seen = np.zeros(len(d), bool)
    for level in (0, 1):
        for w in tiles(projection, 224, level):
            p = w.points(d)
            with np.errstate(invalid="ignore"):
                seen |= ((p > 2) & (p < 222)).all(-1)
    assert seen.mean() > 0.995


def test_sightings_of_one_person_become_one():
    found = [
        Candidate(Body(0.1, 0, 0.5), 0.9),
        Candidate(Body(0.15, 0.02, 0.55), 0.8),
        Candidate(Body(0.5, 0, 0.5), 0.7),
        Candidate(Body(0.1, 0, 0.15), 0.6),
    ]
    merged = merge_sightings(found)
    assert [c.score for c in merged] == [0.9, 0.7, 0.6] and 0.1 < merged[0].body.longitude < 0.15


def test_an_unknown_detector_lists_the_known():
    with pytest.raises(SettingsError, match="this version has blazepose"):
        Models.of(Settings(detection={"model": "haar"})).load_detector()

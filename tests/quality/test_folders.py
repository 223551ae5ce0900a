"""Clips in folders, as matting benchmarks have them."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vr180_ofx.cli.main import main
from vr180_ofx.errors import MediaError
from vr180_ofx.quality import metrics
from vr180_ofx.quality.folders import compare


def write(folder, alphas, colour=None, ending="png", dtype=np.uint8):
    (folder / "pha").mkdir(parents=True)
    for n, alpha in enumerate(alphas):
        cv2.imwrite(str(folder / "pha" / f"{n:04d}.{ending}"), np.rint(alpha * np.iinfo(dtype).max).astype(dtype))
    if colour is not None:
        (folder / "fgr").mkdir()
        for n in range(len(alphas)):
            cv2.imwrite(str(folder / "fgr" / f"{n:04d}.png"), np.full((*alphas[0].shape, 3), colour, np.uint8))


@pytest.fixture
def folders(tmp_path):
    ys, xs = np.mgrid[:40, :60]
    discs = [np.clip(12 - np.hypot(xs - 25 - n, ys - 20), 0, 1) for n in range(3)]
    write(tmp_path / "truth" / "real" / "a", discs, 100)
    write(tmp_path / "truth" / "real" / "b", discs)
    write(tmp_path / "made" / "real" / "a", [d * 0.5 for d in discs], 151, dtype=np.uint16)
    write(tmp_path / "made" / "real" / "b", discs)
    return tmp_path, discs


def test_the_measures_of_papers(folders, capsys):
    path, discs = folders
    found = compare(path / "made", path / "truth")
    assert set(found["clips"]) == {"real/a", "real/b"} and found["frames"] == 6
    a, b = found["clips"]["real/a"], found["clips"]["real/b"]
    assert all(b[k] == 0 for k in b if k != "frames") and "fgr_mad" not in b
    assert a["pha_mad"] == pytest.approx(np.mean([0.5 * d.mean() for d in discs]), rel=0.01)
    assert a["pha_sad"] == pytest.approx(a["pha_mad"] * 40 * 60 / 1000, rel=0.01)
    assert a["pha_dtssd"] == pytest.approx(metrics.dtssd(discs[1] / 2, discs[0] / 2, discs[1], discs[0]), rel=0.05)
    assert a["fgr_mad"] == pytest.approx(0.2, abs=1e-4) and a["fgr_mse"] == pytest.approx(0.04, abs=1e-4)
    assert found["mean"]["pha_mse"] == pytest.approx(a["pha_mse"] / 2, abs=1e-6) and a["pha_grad"] > 0
    assert main(["evaluate", str(path / "made"), "--truth", str(path / "truth"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == found
    assert main(["evaluate", str(path / "made"), "--truth", str(path / "truth")]) == 0


def test_what_is_missing_is_named(folders, tmp_path):
    path, discs = folders
    (path / "made" / "real" / "a" / "pha" / "0001.png").unlink()
    with pytest.raises(MediaError, match="lacks 0001"):
        compare(path / "made", path / "truth")
    write(path / "truth" / "real" / "c", discs)
    with pytest.raises(MediaError, match="1 of 3 clips"):
        compare(path / "made", path / "truth")
    write(path / "small" / "x", [d[:20] for d in discs])
    write(path / "other" / "x", discs)
    with pytest.raises(MediaError, match="is 60x20 and"):
        compare(path / "small", path / "other")
    with pytest.raises(MediaError, match="holds no clips"):
        compare(path / "made", tmp_path / "nothing")
    assert main(["evaluate", str(path / "small"), "--truth", str(path / "other")]) == 3

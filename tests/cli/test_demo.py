import json

import pytest

from tests.cli.conftest import cli


@pytest.mark.slow
def test_the_demo_reaches_its_marks(capsys, tmp_path):
    """The scores that the README promises, on the clip that everybody has."""
    status, said, _ = cli(capsys, "demo", "-o", str(tmp_path), "--json")
    d = json.loads(said)
    assert status == 0 and (tmp_path / "result.png").stat().st_size > 200_000
    o = d["overall"]
    assert o["iou"] >= 0.95 and o["mad"] <= 1.9e-3 and o["band_mad"] <= 0.07 and o["everybody_found"] == 1
    assert d["layers"] == ["person01", "person02"] and d["ghosts"] == []

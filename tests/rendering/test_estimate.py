"""A render is foretold from a short one."""

import json
import tempfile
from pathlib import Path

import pytest

from tests.conftest import DEMO
from vr180_ofx.cli.main import main
from vr180_ofx.engine.plans import analyse
from vr180_ofx.media.open import open_clip
from vr180_ofx.rendering.estimate import _line, _steady, estimate
from vr180_ofx.rendering.render import render
from vr180_ofx.settings import Settings


def test_frames_that_warm_things_up_do_not_count():
    slow = [(n, 2.0 * n) for n in range(1, 7)]
    steady = [(n, 12.0 + 0.5 * (n - 6)) for n in range(7, 13)]
    assert _steady(slow + steady) == pytest.approx(0.5) and _steady(slow + steady[:3]) is None


@pytest.mark.parametrize(("rate", "expected"), [(0.5, 12 + 0.5 * 88), (None, 100.0)])
def test_the_rest_grows_with_the_frames(rate, expected):
    assert _line(12.0, 12, 100, rate) == pytest.approx(expected)


@pytest.mark.slow
def test_an_estimate_and_what_came_of_it(tmp_path, capsys):
    """Times are for the benchmark to judge; here: what does not depend on the machine's mood, and nothing is left behind."""
    before = set(Path(tempfile.gettempdir()).glob("vr180-ofx-estimate-*"))
    assert main(["estimate", str(DEMO), "--measure", "12", "--price", "3.6", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert set(Path(tempfile.gettempdir()).glob("vr180-ofx-estimate-*")) == before
    assert data["frames"] == 24 and data["measured"]["frames"] == 12 and data["measured"]["people"] == 2
    assert data["cost"] == pytest.approx(data["total_s"] / 1000, rel=0.05, abs=1e-4)
    assert data["render_s"] > data["measured"]["render_s"] and data["memory_bytes"] > 100e6
    assert main(["render", str(DEMO), "-o", str(tmp_path / "out"), "--json"]) == 0
    made = sum(p.stat().st_size for p in (tmp_path / "out").glob("*.exr"))
    assert data["output_bytes"] == pytest.approx(made, rel=0.25)
    # a plan that is kept costs nothing any more
    assert main(["estimate", str(DEMO), "--measure", "8", "--json"]) == 0
    again = json.loads(capsys.readouterr().out.split("\n}\n", 1)[1])
    assert again["analysis_s"] == 0 and again["cost"] is None


def test_frames_that_are_cached_are_not_taken_for_speed(people_clip, tmp_path):
    """Nothing is read from the cache, and so nothing is put there; a render does."""
    settings = Settings(service={"cache_dir": str(tmp_path / "cache")})
    with open_clip(people_clip, settings) as clip:
        estimate(clip, settings, 3)
        assert not (tmp_path / "cache").exists()
        render(clip, analyse(clip, settings), settings, tmp_path / "out")
    assert any((tmp_path / "cache").iterdir())


def test_too_little_to_learn_from(capsys):
    assert main(["estimate", str(DEMO), "--measure", "1"]) == 2
    assert "--measure" in capsys.readouterr().err

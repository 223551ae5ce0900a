"""Hostile configurations, plans and requests: a reduced run of benchmarks/faults.py, and what a seed makes of sound documents."""

import json
import random
import shutil

import pytest

from benchmarks.faults import attack
from benchmarks.support.hostile import configurations, mutated, plans, requests
from tests.conftest import make_clip
from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, PlanError, SettingsError
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.settings import Settings

BOX = {"box": [10, 10, 60, 80], "hips": [35, 50], "top": [35, 12], "score": 0.9, "source": "found"}
PLAN = {
    "format": "vr180-ofx plan", "version": 1,
    "people": [{"id": k, "name": f"p{k}", "views": {"left": {"0": BOX, "3": BOX}}} for k in (1, 2)],
}  # fmt: skip


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    with open_clip(make_clip(tmp_path_factory.mktemp("clips") / "c.mp4", 4)) as clip:
        yield clip


def test_what_a_seed_makes_of_a_plan_is_a_plan_or_a_plan_error(clip):
    rng = random.Random(22)
    sound = json.dumps(PLAN, indent=1).encode()
    assert len(Plan.from_data(documents.from_json(sound), clip).people) == 2
    taken = 0
    for _ in range(3000):
        try:
            plan = Plan.from_data(documents.from_json(mutated(sound, rng)), clip)
        except (DocumentError, PlanError) as error:
            assert len(str(error)) < 1500
        else:
            taken += 1
            assert Plan.from_data(documents.from_json(plan.to_json()), clip).to_json() == plan.to_json()
    assert 0 < taken < 2000


@pytest.mark.parametrize("ending", ["yaml", "toml"])
def test_what_a_seed_makes_of_settings_is_settings_or_an_error(tmp_path, ending):
    rng = random.Random(22)
    path = tmp_path / f"c.{ending}"
    Settings().save(path)
    sound = path.read_bytes()
    taken = 0
    for _ in range(60):
        path.write_bytes(mutated(sound, rng))
        try:
            Settings.load(path).digest()
            taken += 1
        except SettingsError as error:
            assert len(str(error)) < 5000
    assert taken < 60


def test_there_are_enough_of_them():
    kinds = [*configurations(), *plans(PLAN), *requests("token", "0" * 16, "/clip.mp4")]
    assert len(kinds) >= 60 and len({(c.kind, c.name) for c in kinds}) == len(kinds)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nobody_meets_a_traceback_a_hang_or_a_wrong_status(tmp_path):
    """A real server, real processes: every fourth of the written cases, and some that the seed makes."""
    result = attack(tmp_path, mutated=6, seed=5, every=4)
    shutil.rmtree(tmp_path, ignore_errors=True)
    assert result["faults"] == [] and result["cases"] >= 30
    assert result["slowest_s"] < 120 and result["largest_mb"] < 2000 and result["server_mb"] < 2000

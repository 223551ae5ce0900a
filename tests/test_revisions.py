"""A change of what plans or mattes look like cannot land without its revision."""

import shutil

import pytest

from tests import revisions


@pytest.mark.parametrize("result", sorted(revisions.RESULTS))
def test_the_record_is_that_of_the_code(result):
    assert revisions.problem(result) is None


@pytest.mark.parametrize("result", sorted(revisions.RESULTS))
def test_what_results_come_out_of_exists(result):
    assert set(revisions.RESULTS[result]) <= set(revisions.deciding(result))


def test_what_decides_mattes_is_hashed():
    found = revisions.deciding("matte")
    for module in (
        "matte.fusion",
        "matte.guided",
        "matte.rvm.network",
        "stereo.disparity",
        "imaging.flow",
        "trackers.blazepose",
        "vr180.window",
        "media.colour",
    ):
        assert f"vr180_ofx.{module}" in found
    assert not any(m.startswith(("vr180_ofx.service", "vr180_ofx.cli", "vr180_ofx.rendering", "vr180_ofx.settings")) for m in found)


@pytest.fixture
def copy(tmp_path):
    """The package, to be changed."""
    shutil.copytree(revisions.ROOT / "vr180_ofx", tmp_path / "vr180_ofx", ignore=shutil.ignore_patterns("__pycache__", "demo"))
    return tmp_path / "vr180_ofx"


def test_a_number_changes_the_hash_and_a_comment_does_not(copy):
    before = revisions.code_hash("matte", copy)
    assert before == revisions.code_hash("matte")
    numbers = copy / "matte" / "parameters.py"
    text = numbers.read_text()
    numbers.write_text('"""Other words."""\n\n\n# and a comment\n' + text[text.index("from __future__") :])
    assert revisions.code_hash("matte", copy) == before
    assert "2e-5" in text
    numbers.write_text(text.replace("2e-5", "3e-5"))
    assert revisions.code_hash("matte", copy) != before
    numbers.write_text(text)
    assert revisions.code_hash("matte", copy) == before


def test_a_forgotten_revision_is_said(monkeypatch):
    monkeypatch.setattr(revisions, "code_hash", lambda result, package=None: "0" * 16)
    said = revisions.problem("matte")
    assert said is not None and "--raise matte" in said and "still" in said
    monkeypatch.setattr(revisions, "revision", lambda result: 10_000)
    said = revisions.problem("matte")
    assert said is not None and "MATTE_REVISION is 10000" in said

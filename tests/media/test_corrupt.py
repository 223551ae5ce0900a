"""Damaged files, as the command line meets them; ``benchmarks/support/corrupt.py`` makes as many as one likes."""

import pytest

from benchmarks.support.corrupt import KINDS, corrupted, decoded, look


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_nothing_damaged_hangs_crashes_or_passes_for_whole(tmp_path):
    cases = list(corrupted(tmp_path, 40, seed=11))
    assert {c.kind for c in cases} == set(KINDS)
    whole = {c.format: decoded(c.sound) for c in cases if c.format not in ("plan", "index")}
    whole["index"] = whole["mp4"]
    outcomes = [look(case, whole) for case in cases]
    assert [(o.case.format, o.case.what, o.faults) for o in outcomes if o.faults] == []

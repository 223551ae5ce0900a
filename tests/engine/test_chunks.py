"""How a clip is divided."""

from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.chunks import ChunkPlan


@given(st.lists(st.integers(1, 40), min_size=1, max_size=6), st.integers(0, 30), st.integers(0, 20))
def test_chunks_cover_every_frame_once_and_stay_in_their_shot(lengths, size, overlap):
    shots, at = [], 0
    for length in lengths:
        shots.append((at, at + length - 1))
        at += length
    plan = ChunkPlan(shots, size, overlap)
    owners = [plan.of(n) for n in range(at)]
    assert [n for c in plan.chunks for n in range(c.first, c.last + 1)] == list(range(at))
    for n, c in enumerate(owners):
        assert n in c
        shot = next(s for s in shots if s[0] <= n <= s[1])
        assert shot[0] <= c.start <= c.first <= c.last <= shot[1] and c.first - c.start <= overlap
        fade = plan.fade(n)
        if fade is not None:
            assert 0 < fade[1] < 1 and fade[0].number == c.number + 1 and fade[0].start <= n < fade[0].first

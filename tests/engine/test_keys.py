"""What decides a frame changes its key, and nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from vr180_ofx.engine.chunks import ChunkPlan
from vr180_ofx.engine.keys import Chain, frame_key
from vr180_ofx.engine.scheduler import Quality

LENGTH = 40


@dataclass(frozen=True)
class Case:
    """Everything that a key is made of. said: what the plan says of each frame."""

    shots: tuple[tuple[int, int], ...]
    size: int
    overlap: int
    exact_after: int | None
    ahead: int
    quality: Quality = "final"
    finish: str = "guided|1|edge_aware"
    base: str = "clip|tracker"
    said: tuple[int, ...] = (0,) * (LENGTH + 8)

    @property
    def chunks(self) -> ChunkPlan:
        return ChunkPlan(self.shots, self.size, self.overlap)

    def key(self, n: int) -> str:
        chain = Chain(lambda k: str(self.said[k]).encode(), self.base, self.ahead)
        return frame_key(n, self.quality, chunks=self.chunks, chain=chain, exact_after=self.exact_after, finish=self.finish)

    def seen(self, n: int) -> range:
        """The frames that frame ``n`` depends on, from the definition: its warm-up, itself, and those that are looked ahead at."""
        chunk = self.chunks.of(n)
        first = n if self.quality == "draft" else chunk.start
        if self.quality == "final" and self.exact_after is not None:
            first = max(chunk.start, n - self.exact_after)
        return range(first, n + self.ahead + 1)

    def corrected(self, n: int) -> Case:
        """The plan says something else of frame ``n``."""
        return replace(self, said=tuple(v + (k == n) for k, v in enumerate(self.said)))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    cut = draw(st.integers(1, LENGTH))
    shots = ((0, cut - 1), (cut, LENGTH - 1)) if cut < LENGTH else ((0, LENGTH - 1),)
    return Case(
        shots, draw(st.integers(0, 20)), draw(st.integers(0, 12)), draw(st.sampled_from([None, 0, 2, 5])), draw(st.integers(0, 3)),
        draw(st.sampled_from(["final", "draft"])),
    )  # fmt: skip


FRAME = st.integers(0, LENGTH - 1)


@given(cases(), FRAME)
def test_equal_arguments_give_equal_keys_of_forty_digits(case, n):
    assert case.key(n) == case.key(n) and len(case.key(n)) == 40 and int(case.key(n), 16) >= 0


@given(cases(), FRAME, FRAME)
def test_no_two_frames_have_the_same_key(case, n, m):
    assert (case.key(n) == case.key(m)) == (n == m)


@given(cases(), FRAME)
@pytest.mark.parametrize("change", [{"base": "clip|other"}, {"finish": "none|1|edge_aware"}])
def test_what_makes_all_frames_changes_all_keys(change, case, n):
    assert replace(case, **change).key(n) != case.key(n)


@given(cases(), FRAME)
def test_a_draft_is_never_taken_for_the_final_frame(case, n):
    assert replace(case, quality="draft").key(n) != replace(case, quality="final").key(n)


@given(cases(), FRAME, st.integers(0, LENGTH + 2))
def test_a_correction_changes_the_keys_of_what_depends_on_it_and_no_others(case, n, at):
    # where two chunks are cross-faded the second one, too, begins within the first
    assert (case.corrected(at).key(n) != case.key(n)) == (at in case.seen(n))


@given(cases(), FRAME)
def test_how_the_rest_of_a_clip_is_divided_changes_nothing_for_a_network_that_forgets(case, n):
    case = replace(case, exact_after=2)
    whole = replace(case, size=0)
    assume(case.quality == "draft" or n - case.chunks.of(n).start >= 2)
    assert whole.key(n) == case.key(n)


@given(cases(), FRAME)
def test_where_a_chunk_begins_changes_the_keys_of_a_network_that_never_forgets(case, n):
    case = replace(case, exact_after=None, quality="final")
    whole = replace(case, size=0)
    same = case.chunks.of(n).start == whole.chunks.of(n).start and case.chunks.fade(n) is None
    assert (whole.key(n) == case.key(n)) == same


def test_the_share_of_a_cross_fade_is_part_of_the_key():
    case = Case(((0, LENGTH - 1),), 12, 6, None, 0)
    chunk = case.chunks.chunks[0]
    fading = [n for n in range(chunk.first, chunk.last + 1) if case.chunks.fade(n) is not None]
    assert fading and len({case.key(n) for n in fading}) == len(fading)
    # the next chunk has another beginning: what is faded in is something else
    assert replace(case, overlap=4).key(fading[-1]) != case.key(fading[-1])


@given(cases(), FRAME)
def test_memory_is_known_by_what_led_to_it(case, n):
    chain = Chain(lambda k: str(case.said[k]).encode(), case.base, case.ahead)
    chunk = case.chunks.of(n)
    keys = [chain.memory(chunk, k) for k in range(chunk.start, chunk.last + 2)]
    assert len(set(keys)) == len(keys)
    # a correction changes the memory after it, and, looked ahead at, that of the frames before it
    other = case.corrected(n)
    corrected = Chain(lambda k: str(other.said[k]).encode(), case.base, case.ahead)
    changed = [k for k in range(chunk.start, chunk.last + 2) if corrected.memory(chunk, k) != chain.memory(chunk, k)]
    assert changed == [k for k in range(chunk.start, chunk.last + 2) if k + case.ahead > n]


def test_chains_that_are_forgotten_are_made_again():
    chain = Chain(lambda k: b"", "base")
    first = chain.frame(0, 3)
    for start in range(5000):
        chain.frame(start, start)
    assert chain.frame(0, 3) == first

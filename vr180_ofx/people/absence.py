"""Frames in which somebody is out of sight because a person said so: ranges, and what is left of shots without them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

#: (first, last) frame, both included.
Range = tuple[int, int]


def joined(ranges: Iterable[Range]) -> list[Range]:
    """In order, with those that touch or overlap as one."""
    found: list[Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def subtracted(ranges: Iterable[Range], gone: Range) -> list[Range]:
    """What is left of ranges without the frames of ``gone``."""
    parts = ((a, b) for first, last in ranges for a, b in ((first, min(last, gone[0] - 1)), (max(first, gone[1] + 1), last)))
    return joined(dict.fromkeys(r for r in parts if r[0] <= r[1]))


def holds(ranges: Iterable[Sequence[int]], n: int) -> bool:
    """Whether frame ``n`` is in one of them."""
    return any(first <= n <= last for first, last in ranges)


def shots_without(shots: Sequence[Range], absent: Iterable[Range]) -> list[Range]:
    """Shots, cut where somebody is out of sight: nothing is bridged from one part to the next, and entries hold to the ends of theirs."""
    left = [*shots]
    for gone in absent:
        left = [part for shot in left for part in subtracted([shot], gone)]
    return left


def marked(
    marks: Mapping[str, Iterable[Sequence[int]]], views: Iterable[str], first: int, last: int, *, absent: bool
) -> dict[str, list[list[int]]]:
    """View -> ranges, with the frames ``first`` to ``last`` of ``views`` marked, or not marked any more."""
    made = {view: [(int(a), int(b)) for a, b in own] for view, own in marks.items()}
    for view in views:
        own = subtracted(made.get(view, []), (first, last))
        made[view] = joined([*own, (first, last)] if absent else own)
    return _as_data(made)


def ranges_of(frames: Iterable[int]) -> list[Range]:
    """Frames as ranges."""
    return joined((n, n) for n in frames)


def of_both(
    one: Mapping[str, Iterable[Sequence[int]]], other: Mapping[str, Iterable[Sequence[int]]], there: Mapping[str, Iterable[Range]],
    other_there: Mapping[str, Iterable[Range]],
) -> dict[str, list[list[int]]]:  # fmt: skip
    """The marks of somebody who was taken for two. there: view -> the frames in which the one is; there the other's marks say nothing."""
    made: dict[str, list[Range]] = {}
    for marks, times in ((one, other_there), (other, there)):
        for view, ranges in marks.items():
            left = [(int(a), int(b)) for a, b in ranges]
            for part in times.get(view, ()):
                left = subtracted(left, part)
            made[view] = joined([*made.get(view, []), *left])
    return _as_data(made)


def _as_data(marks: Mapping[str, Iterable[Range]]) -> dict[str, list[list[int]]]:
    rows = {view: [list(r) for r in own] for view, own in marks.items()}
    return {view: own for view, own in rows.items() if own}

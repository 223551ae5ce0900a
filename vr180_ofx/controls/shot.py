"""Which frames are beside a frame."""

from __future__ import annotations

from collections.abc import Sequence


def beside(n: int, shots: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The frames before and after ``n``, of the same shot. shots: (first, last) frames."""
    first, last = next((s for s in shots if s[0] <= n <= s[1]), (n, n))
    return tuple(k for k in (n - 1, n + 1) if first <= k <= last)

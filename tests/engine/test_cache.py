"""A cache that is bounded by bytes."""

from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.cache import BytesCache


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=60))
def test_the_cache_never_holds_more_than_it_may(items):
    cache: BytesCache[int, str] = BytesCache(100)
    for key, size in items:
        cache.put(key, str(key), size)
        assert cache.nbytes <= 100 and cache.nbytes == sum(s for _, s in cache._entries.values())

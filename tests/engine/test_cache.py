"""A cache that is bounded by bytes."""

from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.cache import BytesCache, SharedCache


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), max_size=60))
def test_the_cache_never_holds_more_than_it_may(items):
    cache: BytesCache[int, str] = BytesCache(100)
    for key, size in items:
        cache.put(key, str(key), size)
        assert cache.nbytes <= 100 and cache.nbytes == sum(s for _, s in cache._entries.values())


def test_a_shared_one_is_bounded_and_gives_up_a_share():
    cache: SharedCache[int, str] = SharedCache(100)
    for key in range(5):
        cache.put(key, str(key), 30)
    assert len(cache) == 3 and cache.nbytes == 90 and cache.get(4) == "4" and cache.get(0) is None
    cache.keep_share(0.5)
    assert len(cache) == 1 and cache.get(4) == "4"
    cache.keep_share(0)
    cache.put(7, "7", 1)
    assert len(cache) == 0
    cache.keep_share(1)
    cache.put(7, "7", 100)
    assert cache.get(7) == "7"
    cache.clear()
    assert cache.nbytes == 0

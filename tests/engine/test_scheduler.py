"""Who is served next."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.engine.frame import Frame
from vr180_ofx.engine.scheduler import Priority, Scheduler, Work
from vr180_ofx.errors import ServerBusyError

FRAME = Frame(0, {})


def next_of(scheduler: Scheduler) -> Work:
    """What is to be done next; there is something."""
    work = scheduler.next()
    assert work is not None
    return work


def test_the_most_urgent_comes_first_and_equals_in_their_order():
    s = Scheduler()
    for n, p in ((1, Priority.BATCH), (2, Priority.INTERACTIVE), (3, Priority.PREFETCH), (4, Priority.INTERACTIVE)):
        s.submit(n, "final", p)
    order = []
    for _ in range(4):
        work = next_of(s)
        order.append(work.n)
        s.finish(work, FRAME)
    assert order == [2, 4, 3, 1] and len(s) == 0


def test_equal_requests_share_a_work_and_raise_its_priority():
    s = Scheduler()
    batch = s.submit(1, "final", Priority.BATCH)
    s.submit(2, "final", Priority.PREFETCH)
    urgent = s.submit(1, "final", Priority.INTERACTIVE)
    work = next_of(s)
    assert work.n == 1 and len(s) == 2
    s.finish(work, FRAME)
    assert batch.result() is FRAME and urgent.result() is FRAME
    # a draft of it is something else
    assert s.submit(2, "draft", Priority.BATCH) is not None and len(s) == 2


def test_cancelled_works_are_not_given_out_and_running_ones_are_known_to_be_unwanted():
    s = Scheduler()
    a, b, c = (s.submit(n, "final", Priority.BATCH) for n in range(3))
    assert a.cancel()
    work = next_of(s)
    assert work.n == 1
    assert b.cancel() and not work.wanted
    s.drop(work)
    assert next_of(s).n == 2 and not c.done()
    # somebody who asks again after everybody else gave up gets a new work
    assert s.submit(1, "final", Priority.BATCH) is not b and next_of(s).n == 1


def test_a_work_makes_room_and_comes_back():
    s = Scheduler()
    future = s.submit(1, "final", Priority.BATCH)
    work = next_of(s)
    assert not s.urgent(work)
    s.submit(2, "final", Priority.BATCH)
    assert not s.urgent(work)
    s.submit(3, "final", Priority.INTERACTIVE)
    assert s.urgent(work)
    s.requeue(work)
    first = next_of(s)
    assert first.n == 3
    s.finish(first, FRAME)
    assert s.next() is work
    s.fail(work, ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        future.result()


def test_more_than_it_takes_are_refused_and_cancelled_ones_make_room():
    s = Scheduler(limit=3)
    futures = [s.submit(n, "final", Priority.BATCH) for n in range(3)]
    with pytest.raises(ServerBusyError, match="ask again later"):
        s.submit(9, "final", Priority.INTERACTIVE)
    futures[1].cancel()
    assert s.submit(9, "final", Priority.INTERACTIVE)


def test_closing_wakes_whoever_waits_and_cancels_the_rest():
    s = Scheduler()
    got: list[Work] = []
    thread = threading.Thread(target=lambda: got.append(next_of(s)))
    thread.start()
    future = s.submit(1, "final", Priority.BATCH)
    thread.join(5)
    left = s.submit(2, "final", Priority.BATCH)
    s.close()
    assert s.next() is None and left.cancelled() and not future.done()
    s.finish(got[0], FRAME)
    assert future.result() is FRAME
    with pytest.raises(RuntimeError, match="closed"):
        s.submit(3, "final", Priority.BATCH)


@given(
    st.lists(
        st.tuples(st.sampled_from(["ask", "cancel", "serve", "yield"]), st.integers(0, 4), st.sampled_from(list(Priority))), max_size=40
    )
)
def test_every_future_is_settled_exactly_once(actions):
    s = Scheduler()
    futures = []
    for what, n, priority in actions:
        if what == "ask":
            futures.append((n, s.submit(n, "final", priority)))
        elif what == "cancel" and futures:
            futures[n % len(futures)][1].cancel()
        elif any(not f.done() for _, f in futures):
            work = next_of(s)
            if what == "yield":
                s.requeue(work)
            else:
                s.finish(work, Frame(work.n, {}))
    while any(not f.done() for _, f in futures):
        work = next_of(s)
        s.finish(work, Frame(work.n, {}))
    assert all(f.cancelled() or f.result().index == n for n, f in futures) and not any(w.wanted for w in s._works.values())

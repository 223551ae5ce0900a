"""Functions that are recorded and replayed: the same numbers as called as they are, whatever lies in between."""

import logging

import pytest

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

from vr180_ofx.weights import memory_short  # noqa: E402
from vr180_ofx.weights.graphs import BUCKETS, Graphs, Rehearsal, filled, recorder_for  # noqa: E402


def network(x, state):
    """What is seen, and what is remembered of it."""
    after = torch.tanh(x @ x.T + state)
    return after.sum(dim=1), after


def run(graphs, steps, device="cpu"):
    """What is kept of each step, while the next ones overwrite what was lent."""
    generator = torch.Generator().manual_seed(0)
    state, out = torch.zeros(4, 4, device=device), []
    with torch.inference_mode():
        for _ in range(steps):
            x = torch.rand(4, 8, generator=generator).to(device)
            seen, after = graphs("step", network, x, state)
            # what is lent goes in again as it is, as features do
            state, kept = after, graphs.kept(seen, after)
            out.append(kept)
    return out


def same(a, b):
    return all(torch.equal(x, y) for one, other in zip(a, b, strict=True) for x, y in zip(one, other, strict=True))


def test_replays_give_what_calls_give():
    rehearsed = Graphs(Rehearsal())
    assert same(run(Graphs(None), 9), run(rehearsed, 9))
    # the first calls prepare
    assert rehearsed.replays == 7 and len(rehearsed) == 1


def test_what_is_lent_is_overwritten_and_what_is_kept_is_not():
    graphs = Graphs(Rehearsal(), calls_before=0)
    with torch.inference_mode():
        first = graphs("double", lambda x: (x * 2,), torch.ones(3))
        (kept,) = graphs.kept(*first)
        second = graphs("double", lambda x: (x * 2,), torch.full((3,), 5.0))
    assert first[0].data_ptr() == second[0].data_ptr() and first[0].tolist() == [10, 10, 10] and kept.tolist() == [2, 2, 2]


def test_memory_that_runs_short_ends_recordings_of_every_thread():
    graphs = [Graphs(Rehearsal()), Graphs(Rehearsal())]
    reference = run(Graphs(None), 9)
    assert all(same(run(g, 9), reference) for g in graphs) and [len(g) for g in graphs] == [1, 1]
    memory_short.tell()
    for g in graphs:
        replays = g.replays
        assert same(run(g, 2), reference[:2]) and len(g) == 0 and g.replays == replays
        # what goes on coming is recorded again
        assert same(run(g, 9), reference) and len(g) == 1


def test_what_another_recording_leaves_is_read_where_it_lies():
    """Features of pictures are many megabytes; numbers that come from elsewhere are copied into the same place."""
    graphs = Graphs(Rehearsal(), calls_before=0)
    with torch.inference_mode():
        for k in (1.0, 2.0):
            (features,) = graphs("encode", lambda x: (x + 1,), torch.full((4,), k))
            (made,) = graphs("follow", lambda f, y: (f * y,), features, torch.full((4,), 3.0))
            assert made.tolist() == [3 * (k + 1)] * 4
        follow = list(graphs._recordings.values())[1]
        assert follow.inputs[0].data_ptr() == features.data_ptr()
        (made,) = graphs("follow", lambda f, y: (f * y,), torch.full((4,), 7.0), torch.full((4,), 3.0))
        assert made.tolist() == [21.0] * 4


def test_other_shapes_types_and_layouts_are_recorded_apart():
    graphs = Graphs(Rehearsal(), calls_before=0, kept=2)
    with torch.inference_mode():
        for x in (torch.ones(2, 3), torch.ones(3, 2), torch.ones(2, 3).T, torch.ones(2, 3, dtype=torch.float64)):
            (made,) = graphs("sum", lambda x: (x.sum(dim=1),), x)
            assert torch.equal(made, x.sum(dim=1)) and made.dtype == x.dtype
        assert len(graphs) == 2
        graphs.clear()
        assert len(graphs) == 0
        graphs("sum", lambda x: (x.sum(dim=1),), torch.ones(2, 3))
        assert len(graphs) == 1


def test_what_cannot_be_recorded_is_called_and_that_is_said_once(caplog):
    class Refusing(Rehearsal):
        def record(self, function, inputs):
            raise RuntimeError("operation not permitted when stream is capturing\nlong words of the driver")

    graphs = Graphs(Refusing(), calls_before=1)
    with caplog.at_level(logging.WARNING):
        assert same(run(graphs, 6), run(Graphs(None), 6))
    assert [r.message.count("operation not permitted when stream is capturing)") for r in caplog.records] == [1]


def test_batches_are_filled_up_with_their_last_window():
    assert [len(filled(list(range(n)))) for n in (1, 2, 3, 4, 5, 8, 9)] == [1, 2, 4, 4, 8, 8, 9]
    assert filled(["a", "b", "c"]) == ["a", "b", "c", "c"] and filled(["a", "b", "c"], ()) == ["a", "b", "c"]
    assert tuple(sorted(BUCKETS)) == BUCKETS


def test_on_the_cpu_nothing_is_recorded():
    assert recorder_for(torch.device("cpu")) is None


@pytest.mark.cuda
def test_cuda_graphs_give_what_calls_give():
    graphs = Graphs(recorder_for(torch.device("cuda:0")))
    assert same(run(Graphs(None), 9, "cuda:0"), run(graphs, 9, "cuda:0"))
    assert graphs.replays == 7

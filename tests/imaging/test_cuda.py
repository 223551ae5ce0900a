import pytest

torch = pytest.importorskip("torch")

from vr180_ofx.imaging.on_torch.cuda import Lane  # noqa: E402


def test_without_a_card_there_is_one_queue():
    networks, finishing = Lane("cpu"), Lane("cpu")
    with networks.work():
        made = torch.ones(4) * 2
        mark = networks.mark()
    assert mark is None
    with finishing.work(mark):
        finishing.borrow([made])
        assert float(made.sum()) == 8
    finishing.finish()


@pytest.mark.cuda
def test_what_another_lane_made_is_waited_for():
    networks, finishing = Lane("cuda:0"), Lane("cuda:0")
    with networks.work():
        made = torch.ones(2048, 2048, device="cuda:0")
        for _ in range(50):
            made = made @ torch.full_like(made, 1 / 2048)
        mark = networks.mark()
    with finishing.work(mark):
        finishing.borrow([made])
        total = float(made.sum())
    finishing.finish()
    assert total == pytest.approx(2048 * 2048)

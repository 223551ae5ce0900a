"""The network by itself: what it is before it learns, what it reaches, how large it is."""

import torch

from vr180_ofx.matte.student.contract import STRIDE
from vr180_ofx.matte.student.network import PLANES, Student


def planes(n=2, height=2 * STRIDE, width=3 * STRIDE):
    return torch.rand(n, PLANES, height, width, generator=torch.Generator().manual_seed(1))


def test_untrained_it_follows_the_filtered_guide():
    given = planes()
    given[:, 4] = (given[:, 4] > 0.5).float()
    answer = Student().eval()(given)
    assert (answer.alpha[:, 0] - given[:, 4]).abs().max() < 0.01
    assert not answer.foreground.any() and (answer.confidence > 0.9).all()


def test_shapes_are_those_of_the_window():
    answer = Student().eval()(planes())
    assert answer.alpha.shape == answer.confidence.shape == (2, 1, 64, 96) and answer.foreground.shape == (2, 3, 64, 96)
    assert answer.presence.shape == (2,)


def test_both_ends_are_reached():
    low, middle, high = Student.alpha(torch.tensor([-8.0, 0.0, 8.0])).tolist()
    assert low == 0 and abs(middle - 0.5) < 1e-6 and high == 1


def test_one_to_four_million_parameters():
    assert 1e6 < sum(p.numel() for p in Student().parameters()) < 4e6


def test_products_of_matrices_are_convolutions():
    """What trains on a CPU computes its points as products; what is used, as convolutions. The same numbers."""
    network = Student()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
    given = planes(1)
    learning = network(given).logits
    using = network.eval()(given).logits
    assert (learning - using).abs().max() < 1e-5


def test_all_of_it_learns():
    network = Student().train()
    torch.nn.init.normal_(network.out.weight, 0, 0.1)
    answer = network(planes())
    (answer.alpha.mean() + answer.presence.mean() + answer.foreground.mean() + answer.confidence.mean()).backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() and p.grad.any() for p in network.parameters())

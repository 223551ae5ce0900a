"""Networks whose answer is nothing, or nobody where somebody is."""

from __future__ import annotations

import numpy as np
import pytest

from tests.matte.rvm.networks import random_network
from tests.matte.shapes import disc, heights_of, logits_of
from vr180_ofx.engine.plans import analyse
from vr180_ofx.engine.server import FrameServer
from vr180_ofx.matte.contradiction import contradicted
from vr180_ofx.matte.parameters import MATTE
from vr180_ofx.media.open import open_clip
from vr180_ofx.settings import Settings

ONE, TWO = disc(110, 190, 60), disc(280, 190, 60)


def nobody(network, *masks):
    made = contradicted(network, {p: logits_of(m) for p, m in enumerate(masks)}, heights_of(*masks), MATTE.fusion)
    return np.broadcast_to(made, network.shape)


def test_who_is_nobody_to_a_network_is_known_by_person():
    both, one = np.maximum(ONE, TWO), ONE
    assert not nobody(both, ONE, TWO).any() and nobody(np.zeros_like(ONE), ONE, TWO).all()
    away = nobody(one, ONE, TWO)
    assert not away[:, :180].any() and away[:, 210:].all()
    # of one person, and where no mask is
    assert nobody(np.zeros_like(ONE), ONE).all() and not nobody(ONE, ONE).any() and not nobody(ONE).any()


@pytest.mark.parametrize(("share", "believed"), [(0.05, False), (0.25, True)])
def test_a_part_that_the_network_does_not_see_is_its_business(share, believed):
    """An arm that only the mask has does not make all of somebody."""
    network = ONE.copy()
    network[round(190 - 60 + 120 * share) :] = 0
    assert nobody(network, ONE).any() == (not believed)


def test_of_two_minds_it_is_believed_in_part():
    """So that a share that rounding, or the next frame, changes a little changes a matte a little."""
    shares = np.linspace(0.02, 0.3, 121)
    made = np.array([nobody(np.where(np.arange(ONE.shape[0])[:, None] < 190 - 60 + 120 * s, ONE, 0), ONE).max() for s in shares])
    assert made[0] == 1 and made[-1] == 0 and np.abs(np.diff(made)).max() < 0.2 and (np.diff(made) <= 0).all()


@pytest.mark.parametrize("refiner", ["rvm"])
def test_nobody_vanishes_when_a_network_says_nothing(people_clip, tmp_path, refiner):
    """The network itself, with weights by which it sees nobody anywhere: the matte is what it is without it."""
    torch = pytest.importorskip("torch", reason="the extra rvm is not installed")
    network = random_network()
    state = network.state_dict()
    with torch.no_grad():
        # foreground residual and alpha are what the last projection gives
        state["project_mat.conv.weight"][3] = 0
        state["project_mat.conv.bias"][3] = -1
    path = tmp_path / "rvm_mobilenetv3.pth"
    torch.save(state, path)
    mattes = {}
    for name, matting in (("without", {"refiner": "guided"}), ("with", {"refiner": refiner, "refiner_weights": str(path)})):
        settings = Settings(matting=matting)
        with open_clip(people_clip, settings) as clip, FrameServer(clip, analyse(clip, stop=4), settings) as server:
            mattes[name] = server.request(2).result().views
    for view, known in mattes["without"].items():
        assert len(known.people) == 2
        for person, alpha in known.people.items():
            made = mattes["with"][view].person(person)
            assert alpha.sum() > 1000 and np.minimum(alpha, made).sum() / np.maximum(alpha, made).sum() > 0.9

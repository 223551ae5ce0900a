"""RVM as a task: which losses count, and that they make it better."""

from __future__ import annotations

import pytest

pytest.importorskip("torchvision", reason="the extra training is not installed")
import torch

from vr180_ofx.errors import SettingsError
from vr180_ofx.matte.rvm.network import VARIANTS
from vr180_ofx.training.matting_task import WEIGHTS, MattingTask, matting_task
from vr180_ofx.training.parts import make_optimiser
from vr180_ofx.training.recipe import Optimiser
from vr180_ofx.training.registry import task_maker


def discs(count=2, frames=3, side=32, seed=0):
    """Bright discs that move before dark noise: a batch with everything in it."""
    random = torch.Generator().manual_seed(seed)
    at = torch.rand(count, 1, 2, generator=random) * 0.8 - 0.4
    move = torch.rand(count, 1, 2, generator=random) * 0.2 - 0.1
    where = at + move * torch.arange(frames)[None, :, None]
    line = torch.linspace(-1, 1, side)
    y, x = line[:, None], line[None]
    away = torch.hypot(x - where[..., 0, None, None], y - where[..., 1, None, None])
    alpha = ((0.5 - away) * side / 4 + 0.5).clamp(0, 1)[:, :, None]
    colour = torch.tensor([0.9, 0.7, 0.6]).view(3, 1, 1).expand(count, frames, 3, side, side)
    ground = 0.4 * torch.rand(count, frames, 3, side, side, generator=random)
    return {"source": alpha * colour + (1 - alpha) * ground, "alpha": alpha, "foreground": colour.clone(), "background": ground}


def test_it_is_found_by_its_name():
    task = task_maker("matting")({"variant": "mamba_rvm"}, {})
    assert isinstance(task, MattingTask) and task.name == "matting" and task.weights == {k: w for k, w in WEIGHTS.items() if w}


@pytest.mark.parametrize("variant", ["mamba_rvm", *(pytest.param(v, marks=pytest.mark.slow) for v in VARIANTS if v != "mamba_rvm")])
def test_a_few_steps_make_it_better_on_what_it_did_not_see(variant):
    torch.manual_seed(0)
    task = matting_task({"variant": variant}, {})
    network, unseen = task.build(), discs(frames=2, seed=99)
    optimiser = torch.optim.Adam(network.parameters(), 2e-3)

    def judged():
        # by what this batch looks like: averages of normalisations need more than a few steps
        with torch.no_grad():
            return task.evaluate(network, unseen)

    before = judged()
    for step in range(12):
        losses = task.losses(network, discs(frames=2, seed=step), step)
        assert all(loss.dim() == 0 and bool(loss.isfinite()) for loss in losses.values())
        optimiser.zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        optimiser.step()
    after = judged()
    assert set(after) == {"loss", "mad", "mse", "gradient", "temporal"}
    assert after["loss"] < 0.8 * before["loss"] and after["mad"] < 0.8 * before["mad"], (before, after)


def test_losses_of_a_batch_are_the_mean_of_those_of_its_parts():
    """So that several processes make the step that one would make; mattes and masks mixed."""
    torch.manual_seed(0)
    weights = {name: 1.0 for name in WEIGHTS if name != "perceptual"}
    task = matting_task({"variant": "mamba_rvm"}, weights)
    network, batch = task.build().eval(), discs(4)
    batch["matte"] = torch.tensor([1.0, 0.0, 1.0, 1.0])
    with torch.no_grad():
        whole = task.losses(network, batch, 0)
        parts = [task.losses(network, {k: v[b : b + 1] for k, v in batch.items()}, 0) for b in range(4)]
    assert set(whole) == set(weights)
    for name, loss in whole.items():
        mean = sum(float(p.get(name, torch.zeros(()))) for p in parts) / 4
        assert float(loss) == pytest.approx(mean, rel=1e-4), name
    assert set(parts[1]) == {"segmentation"} and "segmentation" not in parts[0]


def test_weights_weigh_and_what_a_batch_has_not_is_left_out():
    torch.manual_seed(0)
    one, two = (matting_task({"variant": "mamba_rvm"}, {"alpha_l1": w, "foreground": 1, "composition": 1}) for w in (1.0, 2.5))
    network, batch = one.build().eval(), discs(2)
    with torch.no_grad():
        first, second = one.losses(network, batch, 0), two.losses(network, batch, 0)
        assert float(second["alpha_l1"]) == pytest.approx(2.5 * float(first["alpha_l1"]))
        assert set(first) == {"alpha_l1", "foreground", "composition"}
        alpha_alone = {k: batch[k] for k in ("source", "alpha")}
        assert set(one.losses(network, alpha_alone, 0)) == {"alpha_l1"}


def test_where_truth_is_not_known_nothing_is_learned():
    torch.manual_seed(0)
    task = matting_task({"variant": "mamba_rvm"}, dict.fromkeys(("alpha_l1", "alpha_l2", "laplacian", "gradient", "temporal"), 1.0))
    network, batch = task.build().eval(), discs(2)
    batch["known"] = torch.ones_like(batch["alpha"])
    batch["known"][..., 16:] = 0
    lies = dict(batch, alpha=torch.where(batch["known"] > 0, batch["alpha"], 1 - batch["alpha"]))
    with torch.no_grad():
        true, told = task.losses(network, batch, 0), task.losses(network, lies, 0)
    for name in ("alpha_l1", "alpha_l2", "gradient", "temporal"):
        assert float(true[name]) == pytest.approx(float(told[name])), name


def test_a_stage_of_masks_alone_trains_the_head_for_segmentation():
    torch.manual_seed(0)
    task = matting_task({"variant": "mamba_rvm", "downsample": 0.5}, {"segmentation": 1})
    network, batch = task.build(), discs(2) | {"matte": torch.zeros(2)}
    losses = task.losses(network, batch, 0)
    assert set(losses) == {"segmentation"}
    losses["segmentation"].backward()
    assert network.project_seg.conv.weight.grad is not None and network.project_mat.conv.weight.grad is None
    # mattes that no loss counts: there is something to go back from
    nothing = task.losses(network, discs(2), 0)
    assert sum(float(v.detach()) for v in nothing.values()) == 0 and all(v.requires_grad for v in nothing.values())


def test_how_fast_states_forget_is_not_pulled_to_nothing():
    task = matting_task({"variant": "mamba_rvm"}, {})
    network = task.build()
    groups = make_optimiser(network, Optimiser(weight_decay=0.1)).param_groups
    decayed = {id(p) for g in groups if g["weight_decay"] for p in g["params"]}
    assert {g["weight_decay"] for g in groups} == {0.0, 0.1}
    for name, parameter in network.named_parameters():
        kept = parameter.dim() <= 1 or name.endswith(("scan.log_a", "scan.step_bias", "scan.through"))
        assert (id(parameter) in decayed) != kept, name


def test_there_is_something_to_look_at():
    task = matting_task({"variant": "mamba_rvm"}, {})
    network, batch = task.build().eval(), discs(6)
    sheet = task.pictures(network, batch)
    assert sheet.shape == (3, 4 * 32, 4 * 32) and float(sheet.min()) >= 0 and float(sheet.max()) <= 1
    assert torch.equal(sheet[:, :32, :32], batch["source"][0, -1]) and torch.equal(sheet[:1, 32:64, 96:], batch["alpha"][1, -1])


def test_without_vgg_there_is_no_perceptual_loss(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    task = matting_task({}, {"alpha_l1": 1, "perceptual": 1})
    assert task.weights == {"alpha_l1": 1.0} and "the perceptual loss is off" in caplog.text


@pytest.mark.parametrize(
    ("options", "losses", "message"),
    [
        ({"varient": "resnet50"}, {}, "the task has no option 'varient'; it has variant"),
        ({}, {"alpha": 1}, "there is no loss 'alpha'; there are alpha_l1"),
        ({}, {"alpha_l1": "much"}, "the weight of the loss alpha_l1 is 'much'; it is a number from 0 on"),
        ({}, {"alpha_l1": -1}, "from 0 on"),
        ({}, {"alpha_l1": float("nan")}, "from 0 on"),
        ({"downsample": 0}, {}, "the task's downsample is 0; it is above 0 and at most 1"),
        ({"light": "dim"}, {}, "the task's light is 'dim'; it is linear or display"),
    ],
)
def test_words_that_mean_nothing(options, losses, message):
    with pytest.raises(SettingsError, match=message):
        matting_task(options, losses)

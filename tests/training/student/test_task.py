"""The student in the kit: its words, its windows through the loop's own hands, and that it learns."""

import numpy as np
import pytest
import torch

from vr180_ofx.errors import MediaError, SettingsError
from vr180_ofx.matte.guided import GuidedRefiner
from vr180_ofx.matte.student.network import Student
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.loader import augmented, floats, stacked
from vr180_ofx.training.recipe import load
from vr180_ofx.training.registry import source_maker, task_maker
from vr180_ofx.training.student.source import StudentWindowSource
from vr180_ofx.training.student.task import filtered, filtered_tensors, measures, planes


def batch_of(source, count, seed=0):
    samples = [source.sample(k, np.random.default_rng(k)) for k in range(count)]
    return augmented(source, floats(stacked(samples, "people"), torch.device("cpu")), range(seed, seed + count), torch.Generator())


def test_a_window_is_the_same_whoever_else_is_in_the_batch(people):
    source = StudentWindowSource(people, 64)
    three, two = batch_of(source, 3), batch_of(source, 2)
    assert all(torch.equal(three[k][:2], two[k]) for k in two)


def test_held_out_windows_are_whole_without_augmentation(people):
    source = StudentWindowSource(people.halves()[1], 64, windows=5)
    assert len(source) == 5
    batch = floats(stacked([source.sample(k, np.random.default_rng(k)) for k in range(3)], "held"), torch.device("cpu"))
    assert batch["source"].shape == (3, 1, 3, 64, 64) and batch["alpha"].shape == (3, 1, 1, 64, 64)
    task = task_maker("student")({}, {})
    network = task.build().eval()
    found = task.evaluate(network, batch)
    # the loop adds measures up window by window: each has all of them
    assert all(task.evaluate(network, {key: v[k : k + 1] for key, v in batch.items()}).keys() == found.keys() for k in range(3))
    # untrained it is the filtered guide along the curve of a logistic function
    made = filtered(batch["source"][:, 0], batch["guide"][:, 0])
    assert isinstance(network, Student)
    with torch.no_grad():
        curve = network.alpha(network.trust * (2 * made - 1))
    assert found["mad"] == pytest.approx(measures(curve, batch["alpha"][:, 0])["mad"], rel=1e-3) and found["loss"] > 0


def test_the_filtered_guide_is_the_programs(people):
    batch = batch_of(StudentWindowSource(people, 64), 2)
    picture, guide = batch["source"][:, 0], batch["guide"][:, 0]
    made = filtered(picture, guide)
    y = (picture[0] * torch.tensor([0.2126, 0.7152, 0.0722])[:, None, None]).sum(0)
    ycc = torch.stack([y, (picture[0, 2] - y) / 1.8556, (picture[0, 0] - y) / 1.5748], -1).numpy()
    alpha = GuidedRefiner().refine(ycc, guide[0, 0].numpy()).value(ycc)
    assert np.abs(alpha - made[0, 0].numpy()).max() < 1e-3
    # as on a graphics card, with half precision around it
    with torch.autocast("cpu", torch.bfloat16):
        assert np.abs(filtered_tensors(torch.from_numpy(ycc)[None], guide[:1, 0])[0].numpy() - alpha).max() < 0.02
    shown = planes({k: v[:, 0] for k, v in batch.items() if v.dim() == 5})
    assert torch.equal(shown[:, :3], picture) and torch.equal(shown[:, 4:5], made)


def test_it_learns(people):
    """A few steps on one batch lower its loss."""
    torch.manual_seed(0)
    batch = batch_of(StudentWindowSource(people, 64), 3)
    task = task_maker("student")({}, {})
    network = task.build().train()
    optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
    seen = []
    for step in range(6):
        loss = torch.stack(list(task.losses(network, batch, step).values())).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        seen.append(float(loss))
    assert seen[-1] < 0.9 * seen[0]
    with torch.autocast("cpu", torch.bfloat16):
        half = task.losses(network, batch, 0)
    assert all(v.dtype == torch.float32 and torch.isfinite(v) for v in half.values())
    picture = task.pictures(network.eval(), batch)
    assert picture is not None and picture.shape[0] == 3 and picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("name", ["student-cpu", "student-h100"])
def test_the_recipes_are_whole(name, tmp_path):
    recipe = load(name, data=tmp_path)
    assert recipe.task == "student" and "held" in recipe.evaluation.sources
    assert recipe.data["people"].path == str(tmp_path / "people.safetensors")
    for stage in recipe.stages:
        shape = recipe.stages[stage].shape("people")
        assert shape.height % 32 == 0


def test_what_cannot_be_is_said(stills, tmp_path):
    make = source_maker("student_windows")
    with pytest.raises(SettingsError, match="single and square"):
        make(stills, {}, Shape(2, 64, 64))
    with pytest.raises(SettingsError, match="part"):
        make(stills, {"part": "some"}, Shape(1, 64, 64))
    with pytest.raises(MediaError, match="none.safetensors"):
        make(tmp_path / "none.safetensors", {}, Shape(1, 64, 64))
    with pytest.raises(SettingsError, match="width"):
        task_maker("student")({"width": 2}, {})
    with pytest.raises(SettingsError, match="no loss"):
        task_maker("student")({}, {"beauty": 1.0})

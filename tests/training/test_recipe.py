import re
from pathlib import Path

import pytest
import yaml

from tests.training.small import recipe
from vr180_ofx.errors import SettingsError
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.recipe import Recipe, load, shipped
from vr180_ofx.training.sections import checked


@pytest.fixture
def file(tmp_path):
    def write(**more):
        path = tmp_path / "recipe.yaml"
        path.write_text(yaml.safe_dump(recipe(**more)))
        return path

    return write


def test_paths_are_relative_to_the_recipe_and_changes_win(file, tmp_path):
    made = load(file(), ["first.steps=7", "optimiser.rates.body=0.5", "data.noise.path=../there", "data.noise.count=4", "seed=3"])
    assert made.stages["first"].steps == 7 and made.seed == 3 and made.optimiser.rates == {"body": 0.5}
    assert Path(made.data["noise"].path) == tmp_path / ".." / "there" and made.data["noise"].options == {"count": 4}
    assert load(file(), data=tmp_path / "x").data["noise"].path == str(tmp_path / "x")


def test_what_is_written_reads_as_the_same(file):
    made = load(file())
    assert checked(Recipe, yaml.safe_load(made.to_yaml())) == made
    assert load(file(), ["machine.workers=5", "log.every=3"]).digest() == made.digest() != load(file(), ["first.batch=2"]).digest()


def test_a_source_has_the_stages_words_unless_it_has_its_own(file):
    made = load(file(), ["first.sources.noise={weight: 3, size: [32, 48], batch: 2}", "first.at_once=4"])
    stage = made.stages["first"]
    assert stage.shape("noise") == Shape(1, 32, 48) and stage.shape("other") == Shape(1, 16, 16)
    assert (stage.share("noise").batch, stage.share("noise").at_once, stage.share("other").at_once) == (2, 2, 4)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["frist.steps=3"], "neither a stage nor a section; did you mean 'first'?"),
        (["first.stpes=3"], "stages.first.stpes is not known; did you mean 'steps'?"),
        (["first.steps=many"], "stages.first.steps is 'many'"),
        (["first.steps=0"], "stages.first.steps is 0: input should be greater than or equal to 1"),
        (["first.warm_up=12"], "warm_up is 12; it must be less than steps, 12"),
        (["first.size=20"], "multiples of 16"),
        (["first.at_once=3"], "must be a multiple of at_once"),
        (["first.rate=.nan"], "stages.first.rate is '.nan'"),
        (["first.rate=1e999"], "stages.first.rate is"),
        (["first.sources={nois: 1}"], "names 'nois', which is not in data; did you mean 'noise'?"),
        (["evaluation.sources=[zzz]"], "names 'zzz', which is not in data; allowed are noise, other"),
        (["precision=float8"], "'float32', 'bfloat16' or 'float16'"),
        (["machine.device=tpu"], "machine.device is 'tpu'"),
        (["first"], "write it as stage.key=value"),
        (["stages.log={sources: {noise: 1}, steps: 3}"], "a stage is called log"),
        (["name=../x"], "name is '../x'"),
        (["ema.decay=1"], "less than 1"),
        (["first.steps.x=1"], "stages.first.steps is 12, which holds no keys"),
        (["task="], None),
    ],
)
def test_what_is_wrong_is_said(file, changes, said):
    if said is None:
        assert load(file(), changes).task == ""
        return
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(file(), changes)


def test_unknown_keys_name_the_nearest_one(file):
    with pytest.raises(SettingsError, match="evaluaton is not known; did you mean 'evaluation'"):
        load(file(evaluaton={}))
    with pytest.raises(SettingsError, match=r"ema\.decy is not known; did you mean 'decay'"):
        load(file(ema={"decy": 0.5}))
    path = file(stges={}, machine=[1])
    with pytest.raises(SettingsError) as told:
        load(path)
    assert "stges is not known; did you mean 'stages'?" in str(told.value) and "machine is [1]" in str(told.value)


@pytest.mark.parametrize("text", ["", "- 1", "a: &x 1\nb: *x", "a: [", "\xff", "name: a\nname: b"])
def test_what_is_no_recipe_is_said(tmp_path, text):
    path = tmp_path / "r.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError, match="the recipe .*r.yaml"):
        load(path)


def test_a_recipe_that_there_is_not(tmp_path):
    with pytest.raises(SettingsError, match="does not exist"):
        load(tmp_path / "no.yaml")
    with pytest.raises(SettingsError, match="there is no recipe 'nothing'"):
        load("nothing")


@pytest.mark.parametrize("name", shipped())
def test_shipped_recipes_are_understood(name):
    assert load(name).name == name

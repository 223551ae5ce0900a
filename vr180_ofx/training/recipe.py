"""Recipes: everything that decides what a training run gives, as one YAML file.

Stages follow each other with one network, as in Robust Video Matting (Lin and others 2021, section 4.3): short sequences of small
pictures, long ones, large pictures, then images and videos mixed with segmentation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import ConfigDict, Field, field_validator, model_validator

from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, SettingsError
from vr180_ofx.settings.traits import Section
from vr180_ofx.training.contract import Shape
from vr180_ofx.training.sections import allowed, checked, nearest
from vr180_ofx.wording import short

Count = Annotated[int, Ge(1), Le(10**9)]
Rate = Annotated[float, Gt(0), Le(10)]
Share01 = Annotated[float, Ge(0), Le(1)]
#: Networks halve pictures four times.
STEP = 16
#: Keys of data that are paths.
PLACES = ("path", "backgrounds", "annotations")
_NAME = r"^[A-Za-z][A-Za-z0-9_-]*$"


class Data(Section):
    """A source. kind: of `registry.SOURCES`, or module:function. path: relative to the recipe. Its other keys are the source's own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    path: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class Share(Section):
    """How a stage uses a source. weight: its steps among those of all sources. Others: instead of the stage's, see `Stage`."""

    weight: Annotated[float, Gt(0), Le(1e6)] = 1.0
    frames: Count | None = None
    size: Count | tuple[Count, Count] | None = None
    batch: Count | None = None
    at_once: Count | None = None


class Stage(Section):
    """One of several parts of a run.

    steps: of the optimiser. batch: samples of a step, in all processes together. at_once: samples that a process sees at once; a larger
    batch is accumulated. size: pixels of a side, or [height, width]. rate: of learning, after a linear warm-up of so many steps, then
    along a cosine to final_rate. clip: the longest gradient (0: any). losses: loss -> weight; none: the task's own. options: of the task,
    over those of ``network``. checkpointing: modules whose activations are computed again instead of kept.
    """

    sources: dict[str, Annotated[float, Gt(0), Le(1e6)] | Share] = Field(min_length=1)
    steps: Count
    batch: Count = 1
    at_once: Count | None = None
    frames: Count = 1
    size: Count | tuple[Count, Count] = 256
    rate: Rate = 1e-4
    final_rate: Annotated[float, Ge(0), Le(10)] = 0.0
    warm_up: Annotated[int, Ge(0)] = 0
    clip: Annotated[float, Ge(0)] = 1.0
    losses: dict[str, Annotated[float, Ge(0)]] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    checkpointing: tuple[str, ...] = ()

    def share(self, source: str) -> Share:
        """With the stage's own words where the source has none."""
        given = self.sources[source]
        s = given if isinstance(given, Share) else Share(weight=given)
        batch = s.batch or self.batch
        at_once = s.at_once or (min(self.at_once, batch) if self.at_once else batch)
        return Share(weight=s.weight, frames=s.frames or self.frames, size=s.size or self.size, batch=batch, at_once=at_once)

    def shape(self, source: str) -> Shape:
        s = self.share(source)
        height, width = (s.size, s.size) if isinstance(s.size, int) else s.size or (0, 0)
        return Shape(s.frames or 1, height, width)

    @model_validator(mode="after")
    def _goes_together(self) -> Self:
        if self.warm_up >= self.steps:
            raise ValueError(f"warm_up is {self.warm_up}; it must be less than steps, {self.steps}")
        if self.final_rate > self.rate:
            raise ValueError(f"final_rate is {self.final_rate}; it must be at most rate, {self.rate}")
        for name in self.sources:
            s, shape = self.share(name), self.shape(name)
            if shape.height % STEP or shape.width % STEP:
                raise ValueError(f"size is {shape.height} x {shape.width} for {name}; both must be multiples of {STEP}")
            if s.batch is None or s.at_once is None or s.batch % s.at_once:
                raise ValueError(f"batch is {s.batch} for {name}; it must be a multiple of at_once, {s.at_once}")
        return self


class Optimiser(Section):
    """AdamW (Loshchilov and Hutter 2019) or SGD, anew in each stage.

    rates: beginning of parameters' names -> factor of the rate; 0 freezes them.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    betas: tuple[Annotated[float, Ge(0), Lt(1)], Annotated[float, Ge(0), Lt(1)]] = (0.9, 0.999)
    weight_decay: Annotated[float, Ge(0), Le(1)] = 0.01
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.9
    rates: dict[str, Annotated[float, Ge(0), Le(1000)]] = Field(default_factory=dict)


class Ema(Section):
    """The mean of weights over steps, which is what is evaluated and exported. decay: 0 for the last weights alone."""

    decay: Annotated[float, Ge(0), Lt(1)] = 0.999


class Evaluation(Section):
    """sources: of ``data``, none of them trained on. every: steps. samples: of each source. frames, size: of samples."""

    sources: tuple[str, ...] = ()
    every: Count = 1000
    samples: Count = 32
    frames: Count = 1
    size: Count | tuple[Count, Count] = 256

    @property
    def shape(self) -> Shape:
        height, width = (self.size, self.size) if isinstance(self.size, int) else self.size
        return Shape(self.frames, height, width)


class Checkpoints(Section):
    """every: steps. keep: how many of the last. best: also the weights that evaluated best."""

    every: Count = 1000
    keep: Count = 3
    best: bool = True


class Log(Section):
    """Steps between lines, pictures and histograms (0: none). tensorboard: whether TensorBoard's files are written beside log.jsonl."""

    every: Count = 10
    pictures: Annotated[int, Ge(0)] = 500
    histograms: Annotated[int, Ge(0)] = 0
    tensorboard: bool = True


class Machine(Section):
    """What changes no result but by rounding.

    threads: of a CPU's arithmetic (0: all cores). workers: threads that read data. ahead: batches that are ready. cache_mb: memory for
    decoded pictures. cache: a folder for them, or none. cache_gb: its size at most. compile: whether PyTorch compiles the network.
    """

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    threads: Annotated[int, Ge(0), Le(1024)] = 0
    workers: Annotated[int, Ge(1), Le(256)] = 2
    ahead: Annotated[int, Ge(1), Le(64)] = 2
    cache_mb: Annotated[int, Ge(0)] = 512
    cache: str | None = None
    cache_gb: Annotated[float, Gt(0)] = 20.0
    compile: bool = False


class Recipe(Section):
    """A run.

    name: of the run. task: of `registry.TASKS`, or module:function. network: the task's own words. precision: what the network multiplies
    in. sync_batch_norm: in several processes, whether batch norm sees the whole batch. weights: to begin with.
    """

    name: Annotated[str, Field(pattern=_NAME)]
    task: str
    network: dict[str, Any] = Field(default_factory=dict)
    seed: Annotated[int, Ge(0), Lt(2**63)] = 1
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    sync_batch_norm: bool = True
    weights: str | None = None
    data: dict[str, Data] = Field(min_length=1)
    stages: dict[str, Stage] = Field(min_length=1)
    optimiser: Optimiser = Optimiser()
    ema: Ema = Ema()
    evaluation: Evaluation = Evaluation()
    checkpoints: Checkpoints = Checkpoints()
    log: Log = Log()
    machine: Machine = Machine()

    @field_validator("stages")
    @classmethod
    def _no_stage_hides_a_key(cls, stages: dict[str, Stage]) -> dict[str, Stage]:
        hidden = sorted(set(stages) & set(cls.model_fields))
        if hidden:
            raise ValueError(f"a stage is called {hidden[0]}, as a key of recipes is; call it otherwise")
        return stages

    @model_validator(mode="after")
    def _names_what_is_there(self) -> Self:
        known = list(self.data)
        named = [(f"stages.{n}.sources", s) for n, stage in self.stages.items() for s in stage.sources]
        for where, name in [*named, *(("evaluation.sources", s) for s in self.evaluation.sources)]:
            if name not in known:
                raise ValueError(f"{where} names {short(name)}, which is not in data{nearest(name, known)}")
        shape = self.evaluation.shape
        if shape.height % STEP or shape.width % STEP:
            raise ValueError(f"evaluation.size is {shape.height} x {shape.width}; both must be multiples of {STEP}")
        return self

    @property
    def steps(self) -> int:
        """Of all stages."""
        return sum(s.steps for s in self.stages.values())

    def digest(self) -> str:
        """Equal recipes have equal ones, whatever machine they are for, wherever their data lie, and however often they say something."""
        data = self.model_dump(mode="json", exclude={"machine", "log", "checkpoints"})
        for source in data["data"].values():
            for key in PLACES:
                source.pop(key, None)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def shipped() -> dict[str, Path]:
    """Name -> file of the recipes that come with the program."""
    folder = Path(str(resources.files("vr180_ofx.training") / "recipes"))
    return {f.stem: f for f in sorted(folder.glob("*.yaml"))}


def load(recipe: str | Path, overrides: Iterable[str] = (), *, data: Path | None = None) -> Recipe:
    """A recipe from a file, or by the name of one that comes with the program; its paths are absolute afterwards.

    overrides: ``section.key=value``, where a section may be a stage. data: what relative paths of data are relative to; by default the
    folder of the recipe, and for those that come with the program the current one. Raises SettingsError.
    """
    path = Path(recipe)
    known = shipped()
    at = data
    if not path.suffix and not path.exists():
        if str(recipe) not in known:
            raise SettingsError(f"there is no recipe {short(str(recipe))}{nearest(str(recipe), list(known))}; name one of these, or a file")
        path, at = known[str(recipe)], data or Path.cwd()
    try:
        values = documents.from_yaml(documents.text_of(path, documents.SETTINGS_BYTES))
    except DocumentError as error:
        raise SettingsError(f"the recipe {path} {error}") from None
    if not isinstance(values, dict):
        raise SettingsError(f"the recipe {path} holds {type(values).__name__}; it holds keys such as 'stages:'")
    for text in overrides:
        override(values, text)
    try:
        made = checked(Recipe, values)
    except SettingsError as error:
        lines = str(error).splitlines()
        raise SettingsError(f"the recipe {path}: {lines[0]}" if len(lines) == 1 else f"the recipe {path}:\n" + "\n".join(lines)) from None
    return resolved(made, (at or path.parent).resolve())


def resolved(recipe: Recipe, folder: Path) -> Recipe:
    """With absolute paths. folder: what they are relative to."""

    def of(text: str) -> str:
        return str(folder / Path(text).expanduser())

    options = {
        name: {k: of(v) if k in PLACES and isinstance(v, str) else v for k, v in d.options.items()} for name, d in recipe.data.items()
    }
    data = {name: Data(kind=d.kind, path=of(d.path), **options[name]) for name, d in recipe.data.items()}
    cache = recipe.machine.cache
    machine = recipe.machine.model_copy(update={"cache": of(cache) if cache else None})
    weights = of(recipe.weights) if recipe.weights else None
    return recipe.model_copy(update={"data": data, "machine": machine, "weights": weights})


def override(values: dict[str, Any], text: str) -> None:
    """Puts ``section.key=value`` into what a recipe holds; a section may be a stage. Raises SettingsError."""
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise SettingsError(f"--set {short(text)} is not understood; write it as stage.key=value, for instance low.steps=100")
    stages = values.get("stages")
    if isinstance(stages, Mapping) and keys[0] in stages:
        keys = ["stages", *keys]
    if keys[0] not in Recipe.model_fields:
        known = [*Recipe.model_fields, *(stages if isinstance(stages, Mapping) else ())]
        raise SettingsError(f"--set {short(text)}: {short(keys[0])} is neither a stage nor a section{nearest(keys[0], known)}")
    at, inside = values, Recipe
    for k, key in enumerate(keys[:-1]):
        if at.get(key) is None:
            at[key] = {}
        at = at[key]
        if not isinstance(at, dict):
            raise SettingsError(f"--set {short(text)}: {'.'.join(keys[: k + 1])} is {short(at)}, which holds no keys")
    known = allowed(inside, keys[:-1])
    if known and keys[-1] not in known and keys[0] != "data":
        raise SettingsError(f"--set {short(text)}: {'.'.join(keys)} is not known{nearest(keys[-1], known)}")
    try:
        at[keys[-1]] = documents.from_yaml(value) if value.strip() else ""
    except DocumentError:
        # a name of a file need not be YAML
        at[keys[-1]] = value

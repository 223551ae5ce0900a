"""The loop: stages, steps, and everything that makes a run that was killed give what it would have given.

What is random in a step is seeded by the recipe's seed, the stage and the step; data come in an order that is a function of the same
(`order`). So nothing about chance has to be remembered: weights, their mean, the optimiser and the scaler of small gradients are all.
"""

from __future__ import annotations

import contextlib
import json
import math
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from vr180_ofx.errors import ComputationError, MediaError, ResourceError, SettingsError
from vr180_ofx.training import checkpoint
from vr180_ofx.training.checkpoint import Checkpoint
from vr180_ofx.training.contract import Batch, Source, Task
from vr180_ofx.training.data import cache
from vr180_ofx.training.distributed import Processes, synchronised
from vr180_ofx.training.loader import Loader, Piece, augmented, floats, stacked
from vr180_ofx.training.log import Log
from vr180_ofx.training.order import Order, evaluation_random
from vr180_ofx.training.parts import Asked, Mean, make_optimiser, rate_at, recompute, recompute_nothing, set_rate, total
from vr180_ofx.training.recipe import Recipe, Stage
from vr180_ofx.training.registry import source_maker, task_maker
from vr180_ofx.version import __version__
from vr180_ofx.wording import counted

_DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
#: A scale below this says that gradients are no numbers at any scale.
_LEAST_SCALE = 2.0**-14
Progress = Callable[[int, int, str], None]


@dataclass(slots=True)
class State:
    """Where a run is. stage: its number. stage_step, step: steps that are done, of the stage and of all. best: of evaluations."""

    stage: int = 0
    stage_step: int = 0
    step: int = 0
    best: float | None = None
    told: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """step: steps that are done. ended: whether these are all; otherwise somebody asked to stop. loss: of the last step. best: of the
    evaluations.
    """

    step: int
    ended: bool
    loss: float | None
    best: float | None


class Training:
    """A run in a folder. Raises SettingsError for what does not go together, MediaError for data that are not there."""

    def __init__(self, recipe: Recipe, run: Path, processes: Processes) -> None:
        self.recipe, self.run, self.processes = recipe, run, processes
        self.device = processes.device
        if recipe.machine.threads and self.device.type == "cpu":
            torch.set_num_threads(recipe.machine.threads)
        machine = recipe.machine
        cache.configure(machine.cache_mb << 20, Path(machine.cache) if machine.cache else None, int(machine.cache_gb * 2**30))
        makers = task_maker(recipe.task)
        self.tasks: list[Task] = [makers({**recipe.network, **s.options}, s.losses) for s in recipe.stages.values()]
        seed_everything(recipe.seed)
        network = self.tasks[0].build()
        if recipe.weights:
            load_weights(network, Path(recipe.weights))
        network = network.to(self.device)
        if recipe.sync_batch_norm:
            network = synchronised(network, processes)
        processes.equalise(network)
        self.network = network
        self.mean = Mean(network, recipe.ema.decay)
        self.state = State()
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=recipe.precision == "float16")
        self.optimiser: torch.optim.Optimizer | None = None
        self._restored: Checkpoint | None = None
        self._evaluated = {n: self._source(n, None) for n in recipe.evaluation.sources}

    def restore(self, saved: Checkpoint) -> None:
        """Goes on from a checkpoint of the same recipe. Raises SettingsError when it is of another one."""
        if saved.facts["recipe"] != self.recipe.digest():
            raise SettingsError(
                f"the checkpoint at step {saved.step} of {self.run} was made by another recipe (its hash is {saved.facts['recipe']}, this "
                f"one's {self.recipe.digest()}); only machine, log and checkpoints may change when a run goes on"
            )
        self.network.load_state_dict(saved.part("network"))
        self.mean.network.load_state_dict(saved.part("mean"))
        if self.recipe.precision == "float16":
            self.scaler.load_state_dict(saved.facts["scaler"])
        stage, step = saved.facts["stage"], saved.facts["stage_step"]
        if step == list(self.recipe.stages.values())[stage].steps:
            # of a stage that is done nothing is drawn again
            stage, step = stage + 1, 0
        self.state = State(stage, step, saved.step, saved.facts["best"])
        self._restored = saved

    def train(self, log: Log | None, asked: Asked, progress: Progress | None = None) -> Result:
        """All that is left. log: None in all processes but the first. Raises ComputationError when a loss is no number."""
        loss: float | None = None
        stages = list(self.recipe.stages.items())
        while self.state.stage < len(stages):
            name, stage = stages[self.state.stage]
            with self._stage(stage) as pieces:
                for step, of_step in pieces:
                    with self._enough_memory(name):
                        loss = self._step(stage, step, of_step, log)
                    self.state.stage_step, self.state.step = step + 1, self.state.step + 1
                    if progress and self.processes.first:
                        progress(self.state.step, self.recipe.steps, f"{name}, loss {loss:.4g}")
                    last = step + 1 == stage.steps
                    self._after(log, last=last)
                    if self._asked(asked) and not (last and self.state.stage + 1 == len(stages)):
                        self._save()
                        return Result(self.state.step, ended=False, loss=loss, best=self.state.best)
            self.state.stage, self.state.stage_step = self.state.stage + 1, 0
            self.optimiser = None
        if self.processes.first:
            self._weights("weights.safetensors")
        return Result(self.state.step, ended=True, loss=loss, best=self.state.best)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Source -> measures, means over its samples, of the mean weights. The same samples each time."""
        found: dict[str, dict[str, float]] = {}
        task = self.tasks[min(self.state.stage, len(self.tasks) - 1)]
        for number, (name, source) in enumerate(self._evaluated.items()):
            count = min(self.recipe.evaluation.samples, len(source))
            rows = []
            for k in range(self.processes.rank, count, self.processes.world):
                index = k * len(source) // count
                sample = source.sample(index, evaluation_random(self.recipe.seed, number, index))
                batch = floats(stacked([sample], name), self.device)
                with torch.no_grad(), self._autocast():
                    rows.append(task.evaluate(self.mean.network, batch))
            # a process may have none
            keys = sorted({k for row in rows for k in row}) if self.processes.world == 1 else sorted(self._keys(task, name, source))
            sums = self.processes.sums([*(sum(r[k] for r in rows) for k in keys), float(len(rows))])
            found[name] = {k: s / sums[-1] for k, s in zip(keys, sums, strict=False)}
        return found

    def _keys(self, task: Task, name: str, source: Source) -> set[str]:
        batch = floats(stacked([source.sample(0, evaluation_random(self.recipe.seed, 0, 0))], name), self.device)
        with torch.no_grad(), self._autocast():
            return set(task.evaluate(self.mean.network, batch))

    # one stage

    @contextlib.contextmanager
    def _stage(self, stage: Stage) -> Iterator[Iterator[tuple[int, list[Piece]]]]:
        """Its optimiser and its data. Gives (step, pieces) of all steps that are left."""
        recipe, number = self.recipe, self.state.stage
        recompute_nothing(self.network)
        recompute(self.network, stage.checkpointing)
        self.optimiser = make_optimiser(self.network, recipe.optimiser)
        if self._restored is not None and self.state.stage_step:
            parameters = dict(self.network.named_parameters())
            checkpoint.restore_optimiser(
                self.optimiser, self._restored.part("optimiser"), self._restored.facts["optimiser"], parameters
            )  # fmt: skip
        self._sources = {name: self._source(name, stage) for name in stage.sources}
        self._sizes = {n: len(s) for n, s in self._sources.items()}
        if self._restored is not None and self.state.stage_step:
            self._refuse_other_data(self._restored.facts["sizes"])
        self._restored = None
        self.order = Order(recipe.seed, number, stage, self._sizes)
        at_once = {}
        for name in stage.sources:
            s = stage.share(name)
            batch, most = s.batch or 1, s.at_once or 1
            if batch % self.processes.world:
                raise SettingsError(f"batch is {batch} for {name}, which {self.processes.world} processes cannot share equally")
            part = batch // self.processes.world
            at_once[name] = min(most, part)
            if part % at_once[name]:
                raise SettingsError(f"each process sees {part} samples of {name} in a step, which is no multiple of at_once, {most}")
        self._called: Any = torch.compile(self.network) if recipe.machine.compile else self.network
        begin = self.state.stage_step
        with Loader(
            self.order, self._sources, at_once, workers=recipe.machine.workers, ahead=recipe.machine.ahead, rank=self.processes.rank,
            world=self.processes.world,
        ) as loader:  # fmt: skip
            yield zip(range(begin, stage.steps), loader.steps(begin, stage.steps), strict=True)

    def _refuse_other_data(self, before: dict[str, int]) -> None:
        for name, size in self._sizes.items():
            if before.get(name) != size:
                raise SettingsError(
                    f"data.{name} has {counted(size, 'sample')}, and had {before.get(name)} when the run was interrupted: what comes next "
                    "would be drawn otherwise. Put the data back as they were, or begin another run with the last weights"
                )

    def _source(self, name: str, stage: Stage | None) -> Source:
        data = self.recipe.data[name]
        shape = stage.shape(name) if stage is not None else self.recipe.evaluation.shape
        made = source_maker(data.kind)(Path(data.path), data.options, shape)
        if not len(made):
            raise MediaError(f"data.{name}: {data.path} has no samples")
        return made

    # one step

    def _step(self, stage: Stage, step: int, pieces: list[Piece], log: Log | None) -> float:
        assert self.optimiser is not None
        task = self.tasks[self.state.stage]
        seed_everything(self.order.step_seed(step, self.processes.rank))
        rate = rate_at(stage, step)
        set_rate(self.optimiser, rate)
        self.optimiser.zero_grad(set_to_none=True)
        self.network.train()
        started = time.perf_counter()
        sums: dict[str, Tensor] = {}
        last: Batch = {}
        for piece in pieces:
            last = self._batch(piece)
            with self._autocast():
                losses = task.losses(self._called, last, step)
            whole = total(losses) / len(pieces)
            self.scaler.scale(whole).backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                part = value.detach().float() / len(pieces)
                sums[name] = sums[name] + part if name in sums else part
        names = list(sums)
        values = self.processes.sums([*torch.stack([sums[n].reshape(()) for n in names]).tolist()])
        shown = {n: v / self.processes.world for n, v in zip(names, values, strict=True)}
        loss = sum(shown.values())
        self._refuse_no_number("loss", loss, shown)
        self.processes.average(self.network.parameters())
        gradient = self._gradient(stage, loss, shown)
        before = self.scaler.get_scale()
        self.scaler.step(self.optimiser)
        self.scaler.update()
        if self.scaler.is_enabled() and self.scaler.get_scale() < min(before, _LEAST_SCALE):
            self._refuse_no_number("gradient", math.nan, shown)
        self.mean.update(self.network, self.state.step + 1)
        if log is not None:
            self._tell(log, {"loss": loss, "rate": rate, "gradient": gradient}, shown, last, time.perf_counter() - started)
        return loss

    def _batch(self, piece: Piece) -> Batch:
        generator = torch.Generator(self.device)
        with torch.no_grad():
            batch = floats(piece.tensors, self.device)
            return augmented(self._sources[piece.source], batch, [self.order.augment_seed(d) for d in piece.draws], generator)

    def _gradient(self, stage: Stage, loss: float, losses: dict[str, float]) -> float:
        """How long the gradient is, before it is clipped."""
        assert self.optimiser is not None
        self.scaler.unscale_(self.optimiser)
        trained = [p for p in self.network.parameters() if p.grad is not None]
        norm = float(nn.utils.clip_grad_norm_(trained, stage.clip or math.inf))
        if not math.isfinite(norm) and not self.scaler.is_enabled():
            self._refuse_no_number("gradient", norm, {"loss": loss, **losses})
        return norm

    def _refuse_no_number(self, what: str, value: float, losses: dict[str, float]) -> None:
        if math.isfinite(value):
            return
        stage = list(self.recipe.stages)[self.state.stage]
        kept = checkpoint.listed(self.run)
        at = f"the last checkpoint is of step {kept[-1][0]}" if kept else "there is no checkpoint yet"
        raise ComputationError(
            f"the {what} is {value} in step {self.state.step + 1} (stage {stage}, step {self.state.stage_step + 1}): "
            f"{', '.join(f'{n} {v:.6g}' for n, v in losses.items())}; nothing was learnt from it, and {at}. Look at the data with "
            "'vr180-ofx train look', lower the rate or the clip, or use precision: float32"
        )

    @contextlib.contextmanager
    def _enough_memory(self, stage: str) -> Iterator[None]:
        """What does not fit is said, with what helps."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, torch.OutOfMemoryError) and "allocate memory" not in str(error):
                raise
            raise ResourceError(
                f"a step of stage {stage} does not fit into the memory of {self.device}: lower {stage}.at_once (the batch stays), or "
                f"name modules in {stage}.checkpointing, such as [backbone]"
            ) from None

    def _autocast(self) -> torch.autocast:
        dtype = _DTYPES[self.recipe.precision]
        return torch.autocast(self.device.type, dtype if dtype != torch.float32 else torch.bfloat16, enabled=dtype != torch.float32)

    # what is told and kept

    def _tell(self, log: Log, numbers: dict[str, float], losses: dict[str, float], batch: Batch, seconds: float) -> None:
        """Of the step that is being done."""
        how, step = self.recipe.log, self.state.step + 1
        stage = list(self.recipe.stages)[self.state.stage]
        if step % how.every == 0 or step == 1:
            finite = {k: v for k, v in numbers.items() if math.isfinite(v)}
            log.line(step=step, stage=stage, **finite, losses=losses, seconds=round(seconds, 4))
            log.scalars(step, {**{f"loss/{k}": v for k, v in losses.items()}, **{f"train/{k}": v for k, v in finite.items()}})
        if how.histograms and step % how.histograms == 0:
            log.histograms(step, self.network)
        if how.pictures and step % how.pictures == 0:
            self.network.eval()
            with torch.no_grad(), self._autocast():
                picture = self.tasks[self.state.stage].pictures(self.network, batch)
            if picture is not None:
                log.picture(step, "samples", picture)

    def _after(self, log: Log | None, *, last: bool) -> None:
        """What is due when a step is done. last: of its stage."""
        step = self.state.step
        if self._evaluated and (last or step % self.recipe.evaluation.every == 0):
            found = self.evaluate()
            for name, measures in found.items():
                for measure, value in measures.items():
                    self._refuse_no_number(f"{measure} of the evaluation on {name}", value, measures)
            mean = sum(m["loss"] for m in found.values()) / len(found)
            better = self.state.best is None or mean < self.state.best
            self.state.best = mean if better else self.state.best
            if log is not None:
                log.line(step=step, stage=list(self.recipe.stages)[self.state.stage], evaluation=found, evaluation_loss=mean)
                log.scalars(step, {f"evaluation/{s}/{k}": v for s, of in found.items() for k, v in of.items()})
            if better and self.recipe.checkpoints.best and self.processes.first:
                self._weights("best.safetensors")
        if last or step % self.recipe.checkpoints.every == 0:
            self._save()
            if log is not None:
                log.flush()

    def _asked(self, asked: Asked) -> bool:
        """Whether any process was asked to end: all of them end in the same step."""
        return self.processes.sums([float(asked.signal != 0)])[0] > 0

    def _save(self) -> None:
        if not self.processes.first or self.optimiser is None:
            return
        names = {id(p): n for n, p in self.network.named_parameters()}
        remembered, numbers = checkpoint.optimiser_tensors(self.optimiser, names)
        parts: dict[str, dict[str, Any]] = {
            "network": self.network.state_dict(), "mean": self.mean.network.state_dict(), "optimiser": remembered,
        }  # fmt: skip
        tensors = {f"{part}.{k}": t for part, of in parts.items() for k, t in of.items()}
        facts = {
            "stage": self.state.stage, "stage_step": self.state.stage_step, "best": self.state.best, "recipe": self.recipe.digest(),
            "optimiser": numbers, "scaler": self.scaler.state_dict(), "sizes": self._sizes, "version": __version__,
        }  # fmt: skip
        checkpoint.write(self.run, Checkpoint(self.state.step, tensors, facts), self.recipe.checkpoints.keep)

    def _weights(self, name: str) -> None:
        """The mean weights, with what they are of."""
        facts = {
            "task": self.recipe.task, "network": json.dumps(self.recipe.network), "name": self.recipe.name, "step": str(self.state.step),
            "recipe": self.recipe.digest(), "version": __version__,
        }  # fmt: skip
        checkpoint.write_weights(self.run / name, self.mean.network.state_dict(), facts)


def seed_everything(seed: int) -> None:
    """PyTorch's generators, NumPy's old one and Python's, whichever a task asks."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)
    random.seed(seed)


def load_weights(network: nn.Module, path: Path) -> None:
    """A file of safetensors. Raises SettingsError when it is of another network."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        given = load_file(path)
    except (OSError, SafetensorError) as error:
        raise SettingsError(f"weights is {path}, which cannot be read as safetensors: {str(error).splitlines()[0]}") from None
    own = network.state_dict()
    wrong = [k for k in own if k not in given or given[k].shape != own[k].shape]
    more = [k for k in given if k not in own]
    if wrong or more:
        raise SettingsError(
            f"weights is {path}, which is of another network: {len(wrong)} tensors are missing or of another shape, {len(more)} do not "
            f"belong there, such as {(wrong + more)[0]}"
        )
    network.load_state_dict(given)

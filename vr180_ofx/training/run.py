"""A run's folder: what lies in it, who works in it, beginning one and going on with one.

recipe.yaml   everything that decides what comes out, with absolute paths
log.jsonl     a line for each step that is told of, and for each evaluation
checkpoints/  step-00001000.safetensors, ...: what the run remembers
tensorboard/  for `tensorboard --logdir`
best.safetensors, weights.safetensors   the mean weights that evaluated best, and those of the end
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, MediaError, OutputError, SettingsError
from vr180_ofx.folders import Folder
from vr180_ofx.storage import write_atomic
from vr180_ofx.training import checkpoint
from vr180_ofx.training.distributed import join
from vr180_ofx.training.log import LOG, Log
from vr180_ofx.training.loop import Progress, Result, Training
from vr180_ofx.training.parts import Asked
from vr180_ofx.training.recipe import PLACES, Recipe, override, resolved
from vr180_ofx.training.sections import checked
from vr180_ofx.wording import short

RECIPE = "recipe.yaml"
#: What may change when a run goes on, beside where data lie: none of it decides what comes out.
MACHINE = ("machine", "log", "checkpoints")


def begin(recipe: Recipe, folder: Path, progress: Progress | None = None) -> Result:
    """Trains from the start. Raises OutputError when there is a run in the folder, and what `Training` raises."""
    if (folder / RECIPE).exists() or checkpoint.listed(folder):
        raise OutputError(
            f"{folder} holds a run already; 'vr180-ofx train resume {folder}' goes on with it, or name another folder with -o"
        )
    return _run(recipe, folder, progress, fresh=True)


def resume(folder: Path, overrides: Iterable[str] = (), progress: Progress | None = None) -> Result:
    """Goes on where a run was ended or killed. overrides: of `MACHINE` alone. Raises MediaError when there is none."""
    return _run(recipe_of(folder, overrides), folder, progress, fresh=False)


def recipe_of(folder: Path, overrides: Iterable[str] = ()) -> Recipe:
    """What a run was begun with. Raises MediaError, SettingsError."""
    path = folder / RECIPE
    if not path.exists():
        raise MediaError(f"{folder} holds no run: there is no {RECIPE} in it; 'vr180-ofx train RECIPE -o {folder}' begins one")
    try:
        values = documents.from_yaml(documents.text_of(path, documents.SETTINGS_BYTES))
    except DocumentError as error:
        raise SettingsError(f"the recipe {path} {error}") from None
    for text in overrides:
        keys = text.partition("=")[0].strip().split(".")
        moved = keys[0] == "data" and len(keys) == 3 and keys[2] in PLACES
        if keys[0] not in MACHINE and not moved:
            raise SettingsError(
                f"--set {short(text)}: only {', '.join(MACHINE)}, and where data lie, may change when a run goes on; else begin another"
            )
        override(values, text)
    return resolved(checked(Recipe, values), Path.cwd())


def _run(recipe: Recipe, folder: Path, progress: Progress | None, *, fresh: bool) -> Result:
    with join(recipe.machine.device) as processes, Asked() as asked:
        if not processes.first:
            training = Training(recipe, folder, processes)
            _restore(training, fresh=fresh)
            return training.train(None, asked, progress)
        with Folder(Path(os.path.realpath(folder)), make=True) as held:
            if not held.lock(alone=True):
                raise OutputError(f"another process trains in {folder}; wait for it, or name another folder with -o")
            # what does not go together is said before anything is written
            training = Training(recipe, folder, processes)
            told = _restore(training, fresh=fresh)
            write_atomic(folder / RECIPE, recipe.to_yaml().encode())
            log = Log(folder, begin=training.state.step, tensorboard=recipe.log.tensorboard)
            try:
                for text in told:
                    log.line(step=training.state.step, note=text)
                return training.train(log, asked, progress)
            finally:
                log.close()


def _restore(training: Training, *, fresh: bool) -> list[str]:
    """From the last checkpoint that is whole. Returns what was wrong with later ones."""
    if fresh:
        return []
    saved, wrong = checkpoint.newest(training.run)
    if saved is None and wrong:
        raise MediaError(
            f"no checkpoint of {training.run} is whole: {wrong[-1]}; begin another run, with weights: best.safetensors if there is one"
        )
    if saved is not None:
        training.restore(saved)
    return [f"{text}; the run goes on from step {training.state.step}" for text in wrong]


__all__ = ["LOG", "MACHINE", "RECIPE", "begin", "recipe_of", "resume"]

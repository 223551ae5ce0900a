"""Networks that were trained, at work on data sets: every clip becomes a folder with pha, fgr and com, as benchmarks of matting have it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from torch import Tensor, nn

from vr180_ofx.arrays import Array, FloatArray
from vr180_ofx.errors import MediaError, SettingsError, WeightsError
from vr180_ofx.imaging.encode import png
from vr180_ofx.output.png import write_png
from vr180_ofx.settings import OutputSettings
from vr180_ofx.storage import write_atomic
from vr180_ofx.training import checkpoint
from vr180_ofx.training.contract import Shape, Task
from vr180_ofx.training.data.light import composed
from vr180_ofx.training.data.windows import Item, WindowSource
from vr180_ofx.training.order import evaluation_random
from vr180_ofx.training.recipe import Data, Recipe
from vr180_ofx.training.registry import source_maker, task_maker
from vr180_ofx.wording import short

Progress = Callable[[int, int, str], None]
#: What a folder's name keeps of an item's.
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@runtime_checkable
class Predictor(Protocol):
    """A task whose network can be run by itself."""

    def predict(self, network: nn.Module, picture: Tensor, memory: Any) -> tuple[Tensor | None, Tensor, Any]:
        """picture: (1, 3, H, W) sRGB 0..1. memory: what the last frame left, None before the first. Returns the foreground (1, 3, H, W), or
        None, the alpha (1, 1, H, W), and the memory.
        """


@dataclass(frozen=True, slots=True)
class Trained:
    """A network in evaluation mode, and what it is of. name: for messages and folders."""

    name: str
    task: Predictor
    network: nn.Module


def load_trained(path: Path, device: torch.device) -> Trained:
    """From a run's folder (its best weights, else its last), or a file of weights. Raises WeightsError, MediaError."""
    if path.is_dir():
        found = next((path / n for n in ("best.safetensors", "weights.safetensors") if (path / n).is_file()), None)
        if found is None:
            return _of_checkpoint(path, device)
        path = found
    facts = _header(path)
    if "task" not in facts:
        from vr180_ofx.matte.rvm.model import load_network

        # the authors' files, and others that say nothing: RVM's, or an error that says so
        known = load_network(path)
        return Trained(path.stem, _predictor("matting", {}), known.to(device).eval())
    task = task_maker(facts["task"])(json.loads(facts["network"]), {})
    network = task.build()
    from vr180_ofx.training.loop import load_weights

    load_weights(network, path)
    return Trained(facts.get("name", path.stem), _able(task), network.to(device).eval())


def _of_checkpoint(run: Path, device: torch.device) -> Trained:
    from vr180_ofx.training.run import recipe_of

    recipe = recipe_of(run)
    saved, wrong = checkpoint.newest(run)
    if saved is None:
        raise MediaError(f"{run} has no checkpoint yet" if not wrong else f"no checkpoint of {run} is whole: {wrong[-1]}")
    task = task_maker(recipe.task)(recipe.network, {})
    network = task.build()
    network.load_state_dict(saved.part("mean"))
    return Trained(recipe.name, _able(task), network.to(device).eval())


def _header(path: Path) -> dict[str, str]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise WeightsError(f"{path} is neither a run's folder nor a file of weights")
    if path.suffix != ".safetensors":
        return {}
    try:
        with safe_open(path, "pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} cannot be read as safetensors: {str(error).splitlines()[0]}") from None


def _predictor(task: str, options: dict[str, Any]) -> Predictor:
    return _able(task_maker(task)(options, {}))


def _able(task: Task) -> Predictor:
    if not isinstance(task, Predictor):
        raise SettingsError(f"the task {task.name} cannot be run on pictures alone: it has no predict")
    return cast(Predictor, task)


def items_of(data: Data) -> tuple[list[Item], WindowSource]:
    """The clips of a data set of a recipe. Raises MediaError, SettingsError."""
    source = source_maker(data.kind)(Path(data.path), data.options, Shape(1, 16, 16))
    if not isinstance(source, WindowSource):
        raise SettingsError(f"data of the kind {short(data.kind)} has no clips that can be run through; name another one")
    return list(source.items), source


def folder_name(name: str, taken: Sequence[str]) -> str:
    """A name for an item's folder that is not in use."""
    plain = _UNSAFE.sub("_", name).strip("._") or "clip"
    return plain if plain not in taken else next(f"{plain}_{k}" for k in range(2, 10**9) if f"{plain}_{k}" not in taken)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is written.

    frames: at most so many of each clip, 0: all. clips: at most so many, evenly chosen, 0: all. truth: a folder for what is true, laid
    out alike.
    """

    frames: int = 0
    clips: int = 0
    truth: Path | None = None


def infer(trained: Trained, data: Data, out: Path, wanted: Wanted, *, device: torch.device, progress: Progress | None = None) -> list[str]:
    """Every clip to OUT/CLIP/{pha,fgr,com}/0000.png: alpha in 16 bits, the foreground where the network gives one, and it over green.

    Files that are there are made again. Returns the clips' names. Raises MediaError, OSError.
    """
    items, source = items_of(data)
    chosen = items if not wanted.clips else [items[k * len(items) // wanted.clips] for k in range(min(wanted.clips, len(items)))]
    names: list[str] = []
    counts = [min(i.count, wanted.frames or i.count) for i in chosen]
    done = 0
    for number, item in enumerate(chosen):
        name = folder_name(item.name, names)
        names.append(name)
        memory: Any = None
        for n, frame in enumerate(_frames(item, number, source, counts[number])):
            picture = torch.from_numpy(np.array(frame["source"])).to(device).permute(2, 0, 1)[None].float() / 255
            with torch.inference_mode():
                foreground, alpha, memory = trained.task.predict(trained.network, picture, memory)
            seen = alpha[0, 0].float().clamp(0, 1).cpu().numpy()
            colour = None if foreground is None else foreground[0].float().clamp(0, 1).permute(1, 2, 0).cpu().numpy()
            _write(out / name, n, seen, colour, frame["source"])
            if wanted.truth is not None:
                _write_truth(wanted.truth / name, n, frame)
            done += 1
            if progress:
                progress(done, sum(counts), name)
    return names


def _frames(item: Item, number: int, source: WindowSource, count: int) -> Iterator[dict[str, Array]]:
    """The first frames of an item, as they are: source, alpha, foreground where it is known."""
    ground: Array | None = None
    for n in range(count):
        layers = item.read([n], 0)
        frame: dict[str, Array] = {"alpha": layers.alphas[0]}
        if layers.foregrounds is not None:
            frame["foreground"] = layers.foregrounds[0]
        if layers.pictures is not None and source.backgrounds is None:
            frame["source"] = layers.pictures[0]
        elif source.backgrounds is not None and "foreground" in frame:
            if ground is None:
                shape = Shape(1, *frame["alpha"].shape)
                ground = source.backgrounds.frames(shape, evaluation_random(0, 0, number))[0]
            frame["source"] = composed(frame["foreground"], ground, frame["alpha"])
        else:
            raise MediaError(f"{item.name} has a foreground and no picture; name backgrounds for it")
        yield frame


def _write(folder: Path, n: int, alpha: FloatArray, foreground: FloatArray | None, picture: Array) -> None:
    codes = np.rint(alpha * 65535).astype(np.uint16)
    colour = picture if foreground is None else np.rint(foreground * 255).astype(np.uint8)
    green = np.broadcast_to(np.array(OutputSettings().background_color, np.uint8), colour.shape)
    _files(folder, n, codes, {"com": composed(colour, green, codes)} | ({} if foreground is None else {"fgr": colour}))


def _write_truth(folder: Path, n: int, frame: dict[str, Array]) -> None:
    known = {"com": frame["source"]} | ({"fgr": frame["foreground"]} if "foreground" in frame else {})
    _files(folder, n, frame["alpha"], known)


def _files(folder: Path, n: int, alpha: Array, pictures: dict[str, Array]) -> None:
    for kind in ("pha", *pictures):
        (folder / kind).mkdir(parents=True, exist_ok=True)
    write_atomic(folder / "pha" / f"{n:04d}.png", png(alpha))
    for kind, picture in pictures.items():
        write_png(folder / kind / f"{n:04d}.png", np.ascontiguousarray(picture, np.uint8))


def data_of(recipe: Recipe | None, names: Sequence[str], path: str | None, kind: str | None) -> list[tuple[str, Data]]:
    """What is to be run through: data of a recipe by name, by default what it evaluates on; or a folder of a kind. Raises SettingsError."""
    if path is not None:
        if kind is None:
            raise SettingsError(f"of which kind is {path}? Say --kind scenes, stills, images or videomatte")
        return [(kind, Data(kind=kind, path=str(Path(path).resolve())))]
    if recipe is None:
        raise SettingsError("no data were named; use --path DIR --kind KIND, or a run's folder, whose recipe names some")
    chosen = list(names) or list(recipe.evaluation.sources)
    if not chosen:
        raise SettingsError(f"the recipe evaluates on nothing; name data with --data: {', '.join(recipe.data)}")
    unknown = [n for n in chosen if n not in recipe.data]
    if unknown:
        raise SettingsError(f"the recipe has no data {short(unknown[0])}; it has {', '.join(recipe.data)}")
    return [(n, recipe.data[n]) for n in chosen]

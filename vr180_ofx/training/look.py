"""Data looked at before they are trained on: everything that is wrong with them, by name, and a page of samples as they will be seen."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vr180_ofx.arrays import Array, ByteArray, FloatArray
from vr180_ofx.errors import MediaError, Vr180Error
from vr180_ofx.imaging.resize import resize
from vr180_ofx.output.png import write_png
from vr180_ofx.quality.page import STYLE
from vr180_ofx.storage import write_atomic
from vr180_ofx.training.contract import Shape, Source
from vr180_ofx.training.data.windows import Item, Layers, WindowSource
from vr180_ofx.training.loader import augmented, floats, stacked
from vr180_ofx.training.order import Draw, Order
from vr180_ofx.training.recipe import Recipe
from vr180_ofx.training.registry import source_maker
from vr180_ofx.wording import counted

Progress = Callable[[int, int, str], None]
#: Pixels of a side of a picture on the sheet, and grey between them.
_SIDE, _GAP = 192, 4
#: An alpha that hardly has values between none and all is a mask: of a person with any hair or blur at least so many of the pixels at its
#: outline lie between. Chosen: of 1,000 pixels with an edge of half a pixel 300 do.
_LEAST_SOFT = 0.02


@dataclass(frozen=True, slots=True)
class Finding:
    """data: name in the recipe. item: which clip or picture; '' for all. text: what is wrong. bad: whether it must be mended."""

    data: str
    item: str
    text: str
    bad: bool


@dataclass(frozen=True, slots=True)
class Looked:
    """findings: the worst first. counts: data -> items. sheet, page: files."""

    findings: list[Finding]
    counts: dict[str, int]
    sheet: Path | None
    page: Path | None

    @property
    def bad(self) -> list[Finding]:
        return [f for f in self.findings if f.bad]


def look(recipe: Recipe, out: Path, *, samples: int = 4, every: bool = False, progress: Progress | None = None) -> Looked:
    """Checks all data of a recipe and writes OUT/samples.png and OUT/index.html.

    samples: of each source of each stage. every: all frames of each item are read, not only its first, middle and last one.
    """
    findings: list[Finding] = []
    counts: dict[str, int] = {}
    used = [*dict.fromkeys(n for s in recipe.stages.values() for n in s.sources), *recipe.evaluation.sources]
    for name in dict.fromkeys([*used, *recipe.data]):
        if name not in used:
            findings.append(Finding(name, "", "is in data, and no stage and no evaluation uses it", bad=False))
        try:
            data = recipe.data[name]
            source = source_maker(data.kind)(Path(data.path), data.options, Shape(1, 64, 64))
        except Vr180Error as error:
            findings.append(Finding(name, "", str(error), bad=True))
            counts[name] = 0
            continue
        counts[name] = len(source.items) if isinstance(source, WindowSource) else len(source)
        if isinstance(source, WindowSource):
            findings += _items(name, source.items, every=every, progress=progress)
    findings += _shared(recipe)
    rows = _rows(recipe, samples, findings)
    findings.sort(key=lambda f: not f.bad)
    out.mkdir(parents=True, exist_ok=True)
    if not rows:
        return Looked(findings, counts, None, _page(out, recipe, findings, counts, []))
    write_png(out / "samples.png", _sheet([pictures for _, pictures in rows]))
    return Looked(findings, counts, out / "samples.png", _page(out, recipe, findings, counts, [text for text, _ in rows]))


def _items(name: str, items: Sequence[Item], *, every: bool, progress: Progress | None) -> Iterator[Finding]:
    empty = 0
    for k, item in enumerate(items):
        if progress:
            progress(k + 1, len(items), f"{name}")
        try:
            count = item.count
            numbers = list(range(count)) if every else sorted({0, count // 2, count - 1})
            # one at a time: one that cannot be read hides no other
            frames = [item.read([n], 0) for n in numbers]
        except (Vr180Error, OSError) as error:
            yield Finding(name, item.name, str(error), bad=True)
            continue
        wrong = [text for f in frames for text in _frame(f)]
        yield from (Finding(name, item.name, text, bad=True) for text in dict.fromkeys(wrong))
        if len({f.alphas[0].shape for f in frames}) > 1:
            yield Finding(name, item.name, "its frames are not of one size", bad=True)
        alphas = [f.alphas[0] for f in frames]
        if not any(a.any() for a in alphas):
            empty += 1
            yield Finding(name, item.name, "alpha is empty in every frame that was read: nobody is in it", bad=False)
        elif all(bool(np.equal(a, np.iinfo(str(a.dtype)).max).all()) for a in alphas):
            yield Finding(name, item.name, "alpha is full everywhere: it is no matte, or its transparency was lost", bad=True)
        elif item.soft and max(_softness(a) for a in alphas) < _LEAST_SOFT:
            yield Finding(name, item.name, "alpha has hardly a value between none and all: it is a mask, and teaches hard edges", bad=False)
    if items and empty == len(items):
        yield Finding(name, "", "every alpha is empty; are these folders the right ones?", bad=True)


def _frame(layers: Layers) -> Iterator[str]:
    height, width = layers.alphas[0].shape
    for what, pictures in (("picture", layers.pictures), ("foreground", layers.foregrounds)):
        if pictures is not None and pictures[0].shape[:2] != (height, width):
            h, w = pictures[0].shape[:2]
            yield f"its alpha is {width}x{height} and its {what} {w}x{h}"


def _softness(alpha: Array) -> float:
    """Of the pixels at an outline, the share that is neither none nor all."""
    part: FloatArray = alpha.astype(np.float32) / np.float32(np.iinfo(str(alpha.dtype)).max)
    between = (part > 0.02) & (part < 0.98)
    edge = np.zeros(part.shape, bool)
    inside = part > 0.5
    edge[:, 1:] |= inside[:, 1:] != inside[:, :-1]
    edge[1:] |= inside[1:] != inside[:-1]
    return float(np.count_nonzero(between)) / max(1, int(np.count_nonzero(edge | between)))


def _shared(recipe: Recipe) -> Iterator[Finding]:
    """What is trained on must not be what is evaluated on."""
    trained = dict.fromkeys(n for s in recipe.stages.values() for n in s.sources)
    for name in recipe.evaluation.sources:
        mine = _parts(recipe, name)
        for other in trained:
            both = sorted(mine & _parts(recipe, other))
            if both:
                text = f"{counted(len(both), 'item')} of it, such as {both[0][1]}, are trained on as {other}: its measures say nothing"
                yield Finding(name, "", text, bad=True)


def _parts(recipe: Recipe, name: str) -> set[tuple[str, str]]:
    data = recipe.data[name]
    try:
        source = source_maker(data.kind)(Path(data.path), data.options, Shape(1, 64, 64))
    except Vr180Error:
        return set()
    if not isinstance(source, WindowSource):
        return set()
    return {(str(Path(data.path).resolve()), i.name) for i in source.items}


def _rows(recipe: Recipe, samples: int, findings: list[Finding]) -> list[tuple[str, list[Tensor]]]:
    """(what it is, pictures (3, H, W)) of samples, as the loop would make them."""
    rows = []
    generator = torch.Generator()
    for number, (stage_name, stage) in enumerate(recipe.stages.items()):
        for k, name in enumerate(stage.sources):
            data = recipe.data[name]
            try:
                source = source_maker(data.kind)(Path(data.path), data.options, stage.shape(name))
                order = Order(recipe.seed, number, stage, dict.fromkeys(stage.sources, 1) | {name: len(source)})
                for n in range(min(samples, len(source))):
                    draw = Draw(k, 0, n * len(source) // min(samples, len(source)))
                    rows.append((f"{stage_name}, {name}: sample {draw.index}", _pictures(source, order, draw, generator, name)))
            except Vr180Error as error:
                if not any(f.data == name and f.bad for f in findings):
                    findings.append(Finding(name, "", str(error), bad=True))
    return rows


def _pictures(source: Source, order: Order, draw: Draw, generator: torch.Generator, name: str) -> list[Tensor]:
    """As it is read; as it is trained on, its first frame and its last; alpha; what is cut out over red; the foreground."""
    before = floats(stacked([source.sample(draw.index, order.random(draw))], name), torch.device("cpu"))
    after = augmented(source, before, [order.augment_seed(draw)], generator)
    picture, alpha = after["source"][0, -1], after["alpha"][0, -1]
    red = torch.tensor([0.85, 0.1, 0.1]).view(3, 1, 1)
    shown = [before["source"][0, 0], after["source"][0, 0], picture, alpha.expand(3, -1, -1), alpha * picture + (1 - alpha) * red]
    if "foreground" in after:
        shown.append(after["foreground"][0, -1])
    if "source_right" in after:
        shown.append(after["source_right"][0, -1])
    return shown


def _sheet(rows: Sequence[Sequence[Tensor]]) -> ByteArray:
    across = max(len(r) for r in rows)
    step = _SIDE + _GAP
    sheet = np.full((len(rows) * step - _GAP, across * step - _GAP, 3), 40, np.uint8)
    for k, row in enumerate(rows):
        for n, picture in enumerate(row):
            codes = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).contiguous().numpy()
            scale = _SIDE / max(codes.shape[:2])
            size = max(1, round(codes.shape[1] * scale)), max(1, round(codes.shape[0] * scale))
            small = np.asarray(resize(codes, size, "area" if scale < 1 else "linear"))
            sheet[k * step : k * step + size[1], n * step : n * step + size[0]] = small
    return sheet


def _page(out: Path, recipe: Recipe, findings: Sequence[Finding], counts: dict[str, int], rows: Sequence[str]) -> Path:
    """index.html beside the sheet."""
    said = "".join(
        f"<tr><td class={'bad' if f.bad else 'dim'}>{'mend' if f.bad else 'know'}</td><td>{html.escape(f.data)}</td>"
        f"<td>{html.escape(f.item)}</td><td>{html.escape(f.text)}</td></tr>"
        for f in findings
    )  # fmt: skip
    table = f"<table><tr><th></th><th>data</th><th>item</th><th>what</th></tr>{said}</table>" if findings else "<p class=good>Nothing.</p>"
    kinds = "".join(
        f"<tr><td>{html.escape(n)}</td><td>{html.escape(recipe.data[n].kind)}</td><td class=n>{c}</td></tr>" for n, c in counts.items()
    )  # fmt: skip
    pictures = ""
    if rows:
        columns = "as it is read; as it is trained on, first and last frame; alpha; cut out over red; foreground where it is known"
        captions = "".join(f"<li>{html.escape(text)}</li>" for text in rows)
        pictures = (
            f'<h2>Samples</h2><p class=dim>{columns}</p><img style="max-width:100%" src="samples.png" alt="samples">'
            f"<p class=dim>Rows, from the top:</p><ol class=dim>{captions}</ol>"
        )
    text = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(recipe.name)}: data</title><style>{STYLE}</style>'
        f"<h1>{html.escape(recipe.name)}: what it is trained on</h1><table><tr><th>data</th><th>kind</th><th class=n>items</th></tr>{kinds}"
        f"</table><h2>What was found</h2>{table}{pictures}</html>"
    )
    path = out / "index.html"
    write_atomic(path, text.encode())
    return path


def of_folder(path: Path, kind: str) -> Recipe:
    """A recipe that looks at one folder. Raises MediaError."""
    from vr180_ofx.training.sections import checked

    if not path.is_dir():
        raise MediaError(f"{path} is not a folder")
    values = {
        "name": "data", "task": "matting", "data": {kind: {"kind": kind, "path": str(path.resolve())}},
        "stages": {"samples": {"sources": {kind: 1}, "steps": 1, "size": 256}},
    }  # fmt: skip
    return checked(Recipe, values)

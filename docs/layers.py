"""The layers of the program, held against its imports, and their picture: python docs/layers.py

An arrow points to an earlier line only. Imports are read from the syntax trees: at the top of a module, inside functions and under
TYPE_CHECKING alike.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import escape

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vr180_ofx"
PICTURE = Path(__file__).parent / "images" / "layers.svg"

#: Rooms, lowest first: a line may import itself and those above it in this list. What is on one line is independent of each other.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("version", "arrays", "errors", "parameters", "timecode", "wording"),
    ("frame_ranges", "regular", "folders"),
    ("storage", "telemetry", "documents", "sealed"),
    ("settings",),
    ("resources",),
    ("imaging",),
    ("vr180",),
    ("weights",),
    ("media",),
    ("trackers",),
    ("matte",),
    ("stereo",),
    ("people",),
    ("controls",),
    ("engine",),
    ("output",),
    ("rendering",),
    ("quality",),
    ("training",),
    ("node", "client"),
    ("install",),
    ("service",),
    ("cli",),
    ("__init__", "__main__"),
)


@dataclass(frozen=True, slots=True)
class Import:
    """One import. source, target: dotted names of modules. line: in the file of ``source``."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source.replace('.', '/')}.py:{self.line} imports {self.target}"


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Dotted name -> file, of all modules of the package; of a folder the name is its own."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 2 else parts)] = path
    return found


def imports(package: Path = PACKAGE) -> list[Import]:
    """All imports of the package's own modules by each other."""
    known = modules(package)
    return [i for name, path in known.items() for i in _imports_of(name, path, known, package.name)]


def _imports_of(name: str, path: Path, known: Mapping[str, Path], package: str) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == package:
                    yield Import(name, alias.name if alias.name in known else f"{package}.__init__", node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
                base = ".".join([*parts[: len(parts) - node.level + 1], *([base] if base else [])])
            if base.split(".")[0] != package:
                continue
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(name, full if full in known else f"{package}.__init__" if base == package else base, node.lineno)


def room(module: str) -> str:
    """``vr180_ofx.media.colour`` -> ``media``."""
    return module.split(".")[1]


def rank(module: str) -> int:
    """The line that a module stands on. Raises ValueError for a room that has none."""
    for line, names in enumerate(LAYERS):
        if room(module) in names:
            return line
    raise ValueError(f"{module} stands on no line; add its room {room(module)!r} to LAYERS in docs/layers.py")


def arrows_back(found: list[Import]) -> list[str]:
    """Imports of a later line, or of a neighbour on the same line; of the package itself; and of implementations by contracts."""
    wrong = []
    for i in found:
        own, other = rank(i.source), rank(i.target)
        if other > own:
            wrong.append(f"{i}: {room(i.target)} stands on a later line than {room(i.source)}")
        elif other == own and room(i.source) != room(i.target):
            wrong.append(f"{i}: {room(i.target)} and {room(i.source)} are independent of each other")
        elif i.source.endswith(".contract") and room(i.source) == room(i.target) and i.source != i.target:
            wrong.append(f"{i}: a contract knows no implementation")
    return wrong


def circles(found: list[Import]) -> list[list[str]]:
    """Modules that import each other, directly or by others (Tarjan's strongly connected components)."""
    graph: dict[str, set[str]] = {}
    for i in found:
        graph.setdefault(i.source, set()).add(i.target)
        graph.setdefault(i.target, set())
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    out = []

    def visit(v: str) -> None:
        number[v] = low[v] = len(number)
        stack.append(v)
        for w in sorted(graph[v]):
            if w not in number:
                visit(w)
                low[v] = min(low[v], low[w])
            elif w in stack:
                low[v] = min(low[v], number[w])
        if low[v] == number[v]:
            k = stack.index(v)
            part = sorted(stack[k:])
            del stack[k:]
            if len(part) > 1 or v in graph[v]:
                out.append(part)

    for v in sorted(graph):
        if v not in number:
            visit(v)
    return out


def picture() -> str:
    """The layers as SVG: the latest line on top, and beside each line the rooms that it imports."""
    there = {room(name) for name in modules()}
    uses: dict[str, set[str]] = {}
    for i in imports():
        if room(i.source) != room(i.target):
            uses.setdefault(room(i.source), set()).add(room(i.target))
    layers = [[r for r in names if r in there] for names in reversed(LAYERS) if "__init__" not in names]
    row, width, left = 46, 860, 20
    height = row * len(layers) + 20
    box: dict[str, tuple[int, int, int]] = {}
    parts = []
    for k, names in enumerate(layers):
        for j, name in enumerate(names):
            share = 300 // len(names)
            box[name] = (left + j * share, 12 + k * row, share - 8)
    for name, (x, y, w) in box.items():
        words = escape(name)
        parts.append(f'<rect x="{x}" y="{y}" width="{w}" height="32" rx="5" fill="#e8eef7" stroke="#4a6fa5"/>')
        parts.append(f'<text x="{x + 8}" y="{y + 20}" font-weight="bold">{words}</text>')
    order = {name: k for k, names in enumerate(layers) for name in names}
    for name, (_, y, _) in box.items():
        targets = sorted(uses.get(name, set()) & set(box), key=lambda t: (order[t], t))
        if name == layers[order[name]][0]:
            everyone = sorted(set().union(*(uses.get(n, set()) for n in layers[order[name]])) & set(box), key=lambda t: (order[t], t))
            words = ", ".join(everyone if len(layers[order[name]]) > 1 else targets)
            if words:
                parts.append(f'<text x="345" y="{y + 20}" fill="#333">→ {escape(words)}</text>')
    for upper, lower in pairwise(range(len(layers))):
        y = 12 + upper * row + 32
        parts.append(f'<path d="M 160 {y} L 160 {12 + lower * row}" stroke="#4a6fa5" marker-end="url(#tip)"/>')
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="13">'
        "<title>The layers of vr180_ofx: each imports lines below it only</title>"
        '<defs><marker id="tip" markerWidth="8" markerHeight="8" refX="7" refY="4" orient="auto">'
        '<path d="M 0 0 L 8 4 L 0 8 z" fill="#4a6fa5"/></marker></defs>'
        f'<rect width="{width}" height="{height}" fill="white"/>'
    )
    return head + "\n" + "\n".join(parts) + "\n</svg>\n"


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
    everything = imports()
    for problem in [*arrows_back(everything), *("circle: " + ", ".join(c) for c in circles(everything))]:
        print(problem)

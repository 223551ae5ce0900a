"""Signatures of a host's API as its type stubs on the package index say, for stand-ins of that host to be held against."""

import ast
import importlib.util
import inspect
from pathlib import Path
from typing import Any


def folder(package):
    """The stubs' folder. None when they are not installed."""
    for root in map(Path, __import__("site").getsitepackages()):
        if (root / f"{package}-stubs").is_dir():
            return root / f"{package}-stubs"
    return None


def definitions(package):
    """name or Class.name -> list of ast arguments (overloads), from all modules of the stubs."""
    out: dict[str, list[Any]] = {}
    for file in sorted(folder(package).rglob("*.pyi")):
        for node in ast.parse(file.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                out.setdefault(node.name, []).append((node.args, False))
            elif isinstance(node, ast.ClassDef):
                out.setdefault(node.name, [])
                bases = [b.id for b in node.bases if isinstance(b, ast.Name)]
                out.setdefault(f"{node.name}:bases", []).extend(bases)
                for item in node.body:
                    if isinstance(item, ast.FunctionDef):
                        static = any(isinstance(d, ast.Name) and d.id == "staticmethod" for d in item.decorator_list)
                        out.setdefault(f"{node.name}.{item.name}", []).append((item.args, not static))
                    elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                        out.setdefault(f"{node.name}.{item.target.id}", [])
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                out.setdefault(node.target.id, [])
    return out


def signature(arguments, bound):
    """inspect.Signature of a definition in a stub. bound: without its first parameter."""
    kind = inspect.Parameter
    positional = [*arguments.posonlyargs, *arguments.args][1 if bound else 0 :]
    first_default = len(positional) - len(arguments.defaults)
    out = [kind(a.arg, kind.POSITIONAL_OR_KEYWORD, default=None if i >= first_default else kind.empty) for i, a in enumerate(positional)]
    if arguments.vararg:
        out.append(kind(arguments.vararg.arg, kind.VAR_POSITIONAL))
    out += [
        kind(a.arg, kind.KEYWORD_ONLY, default=None if d else kind.empty)
        for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    if arguments.kwarg:
        out.append(kind(arguments.kwarg.arg, kind.VAR_KEYWORD))
    return inspect.Signature(out)


def found(table, owner, name):
    """The definitions of a method, also in the bases of its class. None when there is none."""
    todo, seen = [owner], set()
    while todo:
        one = todo.pop(0)
        if f"{one}.{name}" in table:
            return table[f"{one}.{name}"]
        seen.add(one)
        todo += [b for b in table.get(f"{one}:bases", []) if b not in seen]
    return None


def takes(definitions_of, function, bound):
    """Whether everything that ``function`` may be called with, the host's own function takes, too."""
    own = inspect.signature(function)
    names = [p for p in own.parameters.values() if p.name != "self" or not bound]
    least = [p for p in names if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    most = [p for p in names if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    for arguments, is_bound in definitions_of:
        wanted = signature(arguments, is_bound)
        try:
            wanted.bind(*[0] * len(least))
            wanted.bind(*[0] * len(most))
        except TypeError:
            continue
        return True
    return not definitions_of


def available(package):
    return folder(package) is not None or importlib.util.find_spec(package) is not None

"""Documents that people write, in JSON, YAML and TOML: read within bounds, so that none of them takes the memory, the time or the stack.

Known attacks that are refused: aliases that multiply (billion laughs), nesting without end, numbers of a million digits, files that are
pipes. And mistakes: a key that is there twice, of which one would silently win.
"""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import yaml

from vr180_ofx.errors import DocumentError
from vr180_ofx.regular import read_regular
from vr180_ofx.wording import short

#: Bytes of a file of settings: 30 times one that says everything, and YAML takes some seconds for a megabyte.
SETTINGS_BYTES = 256 << 10
#: Bytes of a plan: four hours of eight people in both eyes are a fifth of it.
PLAN_BYTES = 256 << 20
#: How many lists and objects may be in each other. Settings have three, facts of a clip in a plan sixteen, which are the ninth.
DEEPEST = 32
#: No setting and no number in a plan is larger.
_MOST_BITS = 64


def text_of(path: Path, limit_bytes: int) -> str:
    """The text of a file. Raises DocumentError, whose message is the end of a sentence that begins with the name of the file."""
    try:
        return _decoded(read_regular(path, limit_bytes))
    except FileNotFoundError:
        raise DocumentError("does not exist") from None
    except OSError as error:
        raise DocumentError(f"cannot be read: {error.strerror or error}") from None


def from_json(text: str | bytes) -> Any:
    """What JSON holds (RFC 8259). Raises DocumentError: it is none, has a key twice, a number that is none, or nests too deep."""
    try:
        if isinstance(text, bytes):
            text = _decoded(text)
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_once)
    except RecursionError:
        raise DocumentError(f"nests deeper than {DEEPEST}") from None
    except DocumentError:
        raise
    except ValueError as error:
        raise DocumentError(f"is not JSON: {_line(error)}") from None


def from_yaml(text: str) -> Any:
    """What YAML holds: null, true and false, numbers, texts, lists and objects, without aliases. Raises DocumentError."""
    try:
        return plain(yaml.load(text, _Loader))
    except DocumentError:
        raise
    except (yaml.YAMLError, ValueError, LookupError, ArithmeticError, TypeError) as error:
        raise DocumentError(f"is not YAML: {_line(error)}") from None


def from_toml(text: str) -> Any:
    """What TOML holds, without times. Raises DocumentError."""
    try:
        return plain(tomllib.loads(text))
    except RecursionError:
        raise DocumentError(f"nests deeper than {DEEPEST}") from None
    except DocumentError:
        raise
    except ValueError as error:
        raise DocumentError(f"is not TOML: {_line(error)}") from None


def plain(value: Any) -> Any:
    """``value``, when it is what JSON can hold, nested at most `DEEPEST` deep, with numbers of 64 bits. Raises DocumentError."""
    rest = [(value, 0)]
    while rest:
        item, depth = rest.pop()
        if depth >= DEEPEST and isinstance(item, (dict, list, tuple)):
            raise DocumentError(f"nests deeper than {DEEPEST}")
        if isinstance(item, dict):
            for key, inner in item.items():
                if not isinstance(key, str):
                    raise DocumentError(f"has the key {short(key)}; keys are texts")
                rest += ((key, depth + 1), (inner, depth + 1))
        elif isinstance(item, (list, tuple)):
            rest += ((inner, depth + 1) for inner in item)
        elif isinstance(item, int):
            if item.bit_length() > _MOST_BITS:
                raise DocumentError(f"has {short(item)}; numbers have at most {_MOST_BITS} bits")
        elif isinstance(item, float):
            if not math.isfinite(item):
                raise DocumentError(f"has {item}, which is no number")
        elif item is not None and not isinstance(item, str):
            raise DocumentError(f"has {short(item)}, a {type(item).__name__}; put a text into quotation marks")
    return value


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DocumentError(f"is not UTF-8 (byte {error.start})") from None


def _no_number(name: str) -> None:
    raise DocumentError(f"has {name}, which is no number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise DocumentError(f"has {short(digits)}, which is too large a number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise DocumentError(f"has the key {short(key)} twice in one object; one of them would be lost")
            seen.add(key)
    return made


def _line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return words if len(words) < 300 else f"{words[:297]}..."


class _Loader(yaml.SafeLoader):
    """YAML's own values alone; no aliases (the only way to make much of little), no times, no merged keys."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - as the library declares it
        first: [(tag, pattern) for tag, pattern in rows if tag.rpartition(":")[2] not in ("timestamp", "merge", "value")]
        for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise DocumentError(f"has an alias (*name) in line {self.line + 1}; write its value out")
        if self._depth > DEEPEST:
            raise DocumentError(f"nests deeper than {DEEPEST}")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                name = key.tag, key.value
                if name in seen:
                    raise DocumentError(f"has the key {short(key.value)} twice, again in line {key.start_mark.line + 1}; one would be lost")
                seen.add(name)
        return node

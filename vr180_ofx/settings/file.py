"""Settings as people write them: files, ``section.key=value``, and what to say when something is not understood.

known: everywhere, the sections by name.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w
import yaml
from pydantic import ValidationError

from vr180_ofx import documents
from vr180_ofx.errors import DocumentError, SettingsError
from vr180_ofx.settings import search
from vr180_ofx.settings.former import KEYS, current, current_key
from vr180_ofx.settings.traits import Section
from vr180_ofx.wording import short

Sections = Mapping[str, type[Section]]
#: How much alike a mistyped name is to the one that is meant (difflib's ratio), and what is like it when nothing else is known. Chosen.
_MISTYPED, _LIKE = 0.8, 0.6
#: What is longer than any setting's name is like none of them.
_LONGEST = 100


def read(path: Path) -> Mapping[str, Any]:
    """What a YAML or TOML file (by its ending) holds. Raises SettingsError."""
    try:
        text = documents.text_of(path, documents.SETTINGS_BYTES)
        data = documents.from_toml(text) if path.suffix.lower() == ".toml" else documents.from_yaml(text)
    except DocumentError as error:
        raise SettingsError(f"the config file {path} {error}") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise SettingsError(f"{path} holds {type(data).__name__}; a config file holds sections such as 'input:'")
    return data


def written(data: Mapping[str, Any], path: Path) -> str:
    """``data`` as YAML or TOML, by the file's ending."""
    if path.suffix.lower() == ".toml":
        return tomli_w.dumps(data)
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True)


def nest(values: Mapping[str, Any], source: str, known: Sections) -> dict[str, dict[str, Any]]:
    """Keys that stand outside a section, as in older files, put into theirs; former names are replaced. Raises SettingsError.

    source: what is read, for the message.
    """
    owner: dict[str, str] = {}
    for name, section in known.items():
        for key in (*section.model_fields, *KEYS.get(name, ())):
            # of a name that two sections have nobody knows which is meant
            owner[key] = "" if key in owner else name
    nested: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        if key in known:
            if value is not None and not isinstance(value, Mapping):
                raise SettingsError(f"{source}: {key} is {short(value)}; it is a section and holds keys")
            nested[key] = {**nested.get(key, {}), **(value or {})}
        elif owner.get(str(key)):
            nested.setdefault(owner[str(key)], {}).setdefault(key, value)
        else:
            raise SettingsError(f"{source}: {short(key)} is not a setting{closest(str(key), known)}")
    return {name: current(name, section) for name, section in nested.items()}


def override(nested: dict[str, dict[str, Any]], text: str, known: Sections) -> None:
    """Puts ``section.key=value`` into ``nested``, over what is there. Raises SettingsError."""
    path, equals, value = text.partition("=")
    section, dot, key = path.strip().partition(".")
    if not equals or not dot:
        raise SettingsError(f"--set {short(text)} is not understood; write it as section.key=value, for instance processing.chunk_size=300")
    key = current_key(section, key)
    if section not in known or key not in known[section].model_fields:
        raise SettingsError(f"--set {short(text)}: {short(path.strip())} is not a setting{closest(path.strip(), known)}")
    try:
        parsed = documents.from_yaml(value) if value.strip() else ""
    except DocumentError:
        # a name of a file need not be YAML
        parsed = value
    nested.setdefault(section, {})[key] = parsed


def closest(key: str, known: Sections) -> str:
    """What might have been meant, as the end of a sentence: a name that is spelled nearly so, else what people mean by that word."""
    key = key[:_LONGEST]
    near = [f"{name}.{key}" for name, s in known.items() if key in s.model_fields] or _spelled(key, known, _MISTYPED)
    if not near:
        # one that names its section means one in there
        section, dot, last = key.rpartition(".")
        inside = {section: known[section]} if dot and section in known else known
        near = search.find(last.replace("_", " "), inside, 1) or search.find(last.replace("_", " "), known, 1)
    if not near:
        near = _spelled(key, known, _LIKE)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else f"; sections are {', '.join(known)}"


def _spelled(key: str, known: Sections, ratio: float) -> list[str]:
    """At most one section or setting whose letters are like those of ``key`` (difflib's ratio)."""
    names = [f"{name}.{k}" for name, s in known.items() for k in s.model_fields]
    section, dot, last = key.rpartition(".")
    if not dot and (near := difflib.get_close_matches(key, list(known), 1, ratio)):
        return near
    # its section's name makes any key look alike
    own = {n.partition(".")[2]: n for n in names if not dot or n.startswith(f"{section}.")}
    by_last = own or {n.partition(".")[2]: n for n in names}
    return [by_last[m] for m in difflib.get_close_matches(last, list(by_last), 1, ratio)]


def explain(error: ValidationError, known: Sections) -> str:
    """One line for each problem: the key, the value, and what is allowed."""
    lines = []
    for problem in error.errors():
        where = ".".join(str(p) for p in problem["loc"])
        if problem["type"] == "extra_forbidden":
            lines.append(f"{where} is not a setting{closest(where, known)}")
            continue
        cause = problem.get("ctx", {}).get("error")
        if isinstance(cause, SettingsError):
            # it names key and value by itself
            lines.append(str(cause))
            continue
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "value_error" and where in known:
            # of settings that do not go together: it names them
            lines.append(message)
            continue
        lines.append(f"{where} is {short(problem.get('input'))}: {message[:1].lower()}{message[1:]}")
    return "\n".join(lines)

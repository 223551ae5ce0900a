"""Names that settings had before: what people wrote with them keeps loading, and the log says the new name, once.

How long: docs/contributing/deprecation.md.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vr180_ofx.errors import SettingsError
from vr180_ofx.frame_ranges import INDEX

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Former:
    """now: the new name. since: the version that brought it. until: the first one that need not know the old one."""

    now: str
    since: str
    until: str


#: section -> old key -> new one.
KEYS: dict[str, dict[str, Former]] = {"stereo": {"master": Former("reference", "0.2.0", "0.4.0")}}
#: (section, key) -> old value -> new one.
VALUES: dict[tuple[str, str], dict[str, Former]] = {
    ("stereo", "consistency_mode"): {"master_slave": Former("reference_eye", "0.2.0", "0.4.0")}
}
_said: set[str] = set()


def current_key(section: str, key: str) -> str:
    """The name that a key has now."""
    former = KEYS.get(section, {}).get(key)
    if former is None:
        return key
    _say(f"{section}.{key} is called {section}.{former.now}", former)
    return former.now


def current(section: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A section's values by the names of now. Raises SettingsError when a key is given by both of its names."""
    out: dict[str, Any] = {}
    for key, value in values.items():
        name = current_key(section, key) if isinstance(key, str) else key
        if name != key and name in values:
            raise SettingsError(f"{section}.{key} is the former name of {section}.{name}, and both are given; leave the former one out")
        former = VALUES.get((section, name), {}).get(value) if isinstance(value, str) else None
        if former is not None:
            _say(f"{section}.{name} is {value!r}, which is called {former.now!r}", former)
        out[name] = value if former is None else former.now
    return out


def tell_of_frames(value: object) -> None:
    """A file's ranges of frames counted from 0 in version 0.2.0: what they mean now stands in the log, once. value: input.frames."""
    if isinstance(value, str) and value.strip().lower() != "all" and not value.strip().startswith(INDEX) and value not in _said:
        _said.add(value)
        log.warning("input.frames is %s: numbers of output files since 0.3.0; %s%s counts from 0 as before", value, INDEX, value)


def _say(what: str, former: Former) -> None:
    if what not in _said:
        _said.add(what)
        log.warning("%s since %s; the old name works until %s", what, former.since, former.until)

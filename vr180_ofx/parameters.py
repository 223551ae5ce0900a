"""Tuned numbers as values: frozen dataclasses, and the hash by which caches know them.

Every function that was tuned takes its numbers as an argument, an instance of a frozen dataclass whose defaults are the numbers
in use. Whatever says of itself what its results depend on (``identity()``) puts `identity_of` of them into that, so that a cache
never mixes results of different numbers.
"""

from __future__ import annotations

import hashlib
from dataclasses import fields, is_dataclass

#: Hexadecimal digits: 48 bits, of which two sets of numbers that anybody tried will not have the same.
_DIGITS = 12


def identity_of(*parameters: object) -> str:
    """A short hash of parameters: 12 hexadecimal digits.

    parameters: instances of dataclasses whose fields are numbers, strings, booleans, None, tuples of these, or such dataclasses
    again. Equal instances have equal hashes, in every process and on every machine; another value of any field, another name of
    a field and another class give another one. Raises TypeError for fields of other kinds.
    """
    return hashlib.sha256("|".join(_text(p) for p in parameters).encode()).hexdigest()[:_DIGITS]


def _text(value: object) -> str:
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({','.join(f'{f.name}={_text(getattr(value, f.name))}' for f in fields(value))})"
    if isinstance(value, tuple):
        return f"({','.join(_text(v) for v in value)})"
    if value is None or isinstance(value, bool | str):
        return repr(value)
    # of NumPy's numbers the same as of Python's; the shortest text that reads as the same number
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return float.__repr__(value)
    kind = type(value).__name__
    raise TypeError(f"parameters hold {kind} ({value!r}); allowed are numbers, strings, booleans, None, tuples and dataclasses of them")

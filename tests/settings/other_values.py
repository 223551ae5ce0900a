"""For each setting a valid value that is not its default."""

from typing import Any, Literal, get_args, get_origin

from vr180_ofx.settings import Settings, every_setting, sections

#: Where the type does not say it.
_SPECIAL: dict[str, Any] = {
    "input.frames": "1-4",
    "processing.scale_factor": 0.5,
    "output.scale": 0.5,
    "output.background_color": [1, 2, 3],
    "output.colorspace": "as_source",
    "hardware.device": "cpu",
    # another network needs its weights
    "matting.refiner": "none",
}


def other_value(section: str, key: str) -> Any:
    """None where there is no other value."""
    name = f"{section}.{key}"
    if name in _SPECIAL:
        return _SPECIAL[name]
    field = sections()[section].model_fields[key]
    kinds = [a for a in get_args(field.annotation) if a is not type(None)] or [field.annotation]
    if get_origin(field.annotation) is Literal:
        return next((v for v in get_args(field.annotation) if v != field.default), None)
    if kinds[0] is bool:
        return not field.default
    if kinds[0] in (int, float):
        return next(v for v in (16, 1, 2, 0.5, 0.9, 0.25) if v != field.default and _is_valid(section, key, v))
    return ["folder"] if get_origin(field.annotation) is tuple else "name"


def _is_valid(section: str, key: str, value: Any) -> bool:
    try:
        Settings(**{section: {key: value}})
    except ValueError:
        return False
    return True


def with_other(*names: str) -> dict[str, dict[str, Any]]:
    """section -> key -> another value, for ``section.key``."""
    out: dict[str, dict[str, Any]] = {}
    for name in names:
        section, _, key = name.partition(".")
        out.setdefault(section, {})[key] = other_value(section, key)
    return out


def changeable() -> list[tuple[str, Any]]:
    """(section.key, traits) of all settings that have another value."""
    return [(f"{s}.{k}", traits) for s, k, traits in every_setting() if other_value(s, k) is not None]

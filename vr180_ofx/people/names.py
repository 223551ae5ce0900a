"""Names of people, which become layers of files: what is allowed, since two layers of one name are one layer less."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

#: Layer names begin with a letter and hold letters, digits and underscores: what every host accepts.
NAME_PATTERN = r"^[A-Za-z][A-Za-z0-9_]{0,62}$"
#: What is somebody else's, however it is spelled: layers of what was measured, channels, views and what is meant by all of them, and the
#: layers that Nuke and Blender take for the picture's own.
RESERVED = (
    "confidence",
    *"ABGILNRUVXYZ",
    *("left", "right", "main", "both", "whole", "everybody"),
    *("rgb", "rgba", "alpha", "depth", "motion", "forward", "backward", "other", "combined", "composite"),
)
_RESERVED = frozenset(name.casefold() for name in RESERVED)
NAME_RULE = (
    "it becomes a layer: a letter first, then letters, digits and _, at most 63, and not one of "
    + ", ".join(RESERVED)
    + ", which are taken"
)


def is_reserved(name: str) -> bool:
    """Whether a layer of this name would be taken for something else."""
    return name.casefold() in _RESERVED


def _free(name: str) -> str:
    if is_reserved(name):
        raise ValueError(f"{name} is taken")
    return name


PersonName = Annotated[str, Field(pattern=NAME_PATTERN), AfterValidator(_free)]

"""Documents that people write by hand, held against models; what is wrong is said with its place, its value and what is allowed."""

from __future__ import annotations

from typing import ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from vr180_ofx.errors import PlanError
from vr180_ofx.wording import short


class Part(BaseModel):
    """One object of a document. The description of a field is the end of a sentence: "it is a number from 1 to 9999".

    what: a sentence for when the whole is not an object, or lacks a field that it must have.
    """

    model_config = ConfigDict(frozen=True)
    what: ClassVar[str] = "it is an object"


P = TypeVar("P", bound=Part)


def checked(model: type[P], value: object, place: str) -> P:
    """``value`` as ``model`` has it. place: what names of fields are put behind, such as "plan: people[0]."

    Raises PlanError that names the first thing that is wrong.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise PlanError(_explained(model, value, place, error)) from None


def _explained(model: type[Part], value: object, place: str, error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    whole = place.rstrip(":. ")
    if not first["loc"] or not isinstance(value, dict) or (first["type"] == "missing" and len(first["loc"]) == 1):
        return f"{whole} is {short(value)}; {model.what}"
    name = str(first["loc"][0])
    field = model.model_fields.get(name)
    if field is None:
        return f"{whole} has the key {short(name)}; allowed are {', '.join(model.model_fields)}"
    return f"{place}{name} is {short(value.get(name))}; {field.description}"

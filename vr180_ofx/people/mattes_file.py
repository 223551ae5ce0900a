"""Garbage and holdout mattes in a plan's file: polygons with keyframes, or pictures, and what happens inside of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, StrictBool, StrictInt

from vr180_ofx.arrays import FloatArray
from vr180_ofx.errors import PlanError, SettingsError
from vr180_ofx.media.contract import Clip
from vr180_ofx.people.absence import Range, holds, joined
from vr180_ofx.people.names import NAME_PATTERN
from vr180_ofx.people.person import Person
from vr180_ofx.people.validation import Part, checked
from vr180_ofx.settings.inputs import InputMattesSettings
from vr180_ofx.wording import short

Kind = Literal["garbage", "holdout", "hand_over"]
#: What a plan's file may hold of them. A rotoscoped outline of a body has some hundred points, and a clip some dozen mattes.
MOST_MATTES = 200
MOST_POINTS = 2000
MOST_KEYS = 10_000
#: Wider soft edges are another matte.
MOST_FEATHER_PX = 500.0
#: As of boxes: no picture is so large.
_FARTHEST_PX = 1e6

#: (frame, its points): (x, y) in pixels of one eye.
Key = tuple[int, tuple[tuple[float, float], ...]]


@dataclass(frozen=True, slots=True)
class ImageInput:
    """Pictures that say where a matte is.

    path: absolute; one picture for all frames, or a pattern with ``%04d`` or ``####``, and ``%V`` where each eye has files of its own.
    channel: of the picture, None for its alpha, or what it has instead. view: the eye that it was drawn in, where the picture does not say;
    None: the first. first: the number of the file of frame 0; None: the lowest there is, where there are as many as frames.
    """

    path: str
    channel: str | None = None
    view: str | None = None
    first: int | None = None


@dataclass(frozen=True, kw_only=True)
class InputMatte:
    """A matte that somebody drew, and what happens inside of it.

    kind: garbage: nobody is there. holdout: it is all of one person's. hand_over: what others have there is that person's.
    person: whose; None: everybody's (garbage), or of the only one there is. shapes: view -> keyframes in order. image: instead of shapes.
    carry: into the eye in which it was not drawn, by disparity. metres: how far away that is which lies under it, along the ground, for
    carrying it without looking; None: as the pictures say. invert: outside instead of inside. feather: pixels over which its edge is
    soft. frames: in which it counts, in order; empty: all. enabled: whether it counts at all.
    """

    name: str
    kind: Kind
    person: int | None = None
    shapes: Mapping[str, tuple[Key, ...]] = field(default_factory=dict)
    image: ImageInput | None = None
    carry: bool = True
    metres: float | None = None
    invert: bool = False
    feather: float = 0.0
    frames: tuple[Range, ...] = ()
    enabled: bool = True

    def active(self, n: int) -> bool:
        """Whether it counts at frame ``n``."""
        return self.enabled and (not self.frames or holds(self.frames, n))

    def shape(self, view: str, n: int) -> FloatArray | None:
        """(k, 2) pixels of the eye at frame ``n``; None where nothing was drawn in this eye."""
        keys = self.shapes.get(view)
        if keys is None:
            return None
        before = max((k for k, (frame, _) in enumerate(keys) if frame <= n), default=0)
        after = min(before + 1, len(keys) - 1) if keys[before][0] <= n else before
        (a, from_points), (b, to_points) = keys[before], keys[after]
        share = (n - a) / (b - a) if b > a else 0.0
        return (1 - share) * np.array(from_points, float) + share * np.array(to_points, float)

    def facts(self, n: int) -> list[Any] | None:
        """All that decides what it does at frame ``n``, but for what files hold; None when it does nothing."""
        if not self.active(n):
            return None
        shapes = {view: shape.tolist() for view in sorted(self.shapes) if (shape := self.shape(view, n)) is not None}
        image = None if self.image is None else [self.image.path, self.image.channel, self.image.view, self.image.first]
        return [self.name, self.kind, self.person, shapes, image, self.carry, self.metres, self.invert, self.feather]


# writing ---------------------------------------------------------------------------------------------------------


def to_data(matte: InputMatte) -> dict[str, Any]:
    """As a plan's file has it: what is as usual is left out."""
    data: dict[str, Any] = {"name": matte.name, "kind": matte.kind}
    if matte.person is not None:
        data["person"] = matte.person
    if matte.image is not None:
        image = {"channel": matte.image.channel, "view": matte.image.view, "first": matte.image.first}
        data["image"] = {"path": matte.image.path} | {k: v for k, v in image.items() if v is not None}
    else:
        data["shapes"] = {view: _keys_to_data(keys) for view, keys in matte.shapes.items()}
    if not matte.carry:
        data["carry"] = False
    if matte.metres is not None:
        data["metres"] = matte.metres
    if matte.invert:
        data["invert"] = True
    if matte.feather:
        data["feather"] = matte.feather
    if matte.frames:
        data["frames"] = [list(r) for r in matte.frames]
    if not matte.enabled:
        data["enabled"] = False
    return data


def _keys_to_data(keys: tuple[Key, ...]) -> list[Any]:
    if len(keys) == 1:
        return [list(p) for p in keys[0][1]]
    return [[frame, [list(p) for p in points]] for frame, points in keys]


# reading ---------------------------------------------------------------------------------------------------------


def _encodable(text: str) -> str:
    """Half of a surrogate pair is in no file's name that a plan can hold, a zero in none at all. Raises ValueError."""
    text.encode()
    if "\0" in text:
        raise ValueError("a zero byte")
    return text


_Text = Annotated[str, AfterValidator(_encodable), Field(min_length=1, max_length=4096)]
_SHAPE = (
    "it is a list of at least 3 points [x, y] in pixels of one eye, or a list of [frame, points], each after the one before and with as "
    "many points"
)


class _Image(Part):
    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "it is an object with path, and perhaps channel, view and first"

    path: _Text = Field(description="it is the name of a picture, or a pattern with %04d or #### and perhaps %V")
    channel: _Text | None = Field(None, description="it is the name of a channel or a layer, such as A, R or lamp.A")
    view: str | None = Field(None, description="it is the name of the eye that the pictures are of")
    first: Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] | None = Field(
        None, description="it is the number of the file of frame 0, from 0"
    )


class _Matte(Part):
    model_config = ConfigDict(frozen=True, extra="forbid")
    what: ClassVar[str] = "a matte is an object with name, kind, and shapes or an image"

    name: Annotated[str, Field(pattern=NAME_PATTERN)] = Field(description="it is a letter first, then letters, digits and _, at most 63")
    kind: Kind = Field(description="allowed are garbage, holdout and hand_over")
    person: StrictInt | str | None = Field(None, description="it is the id or the name of a person")
    shapes: dict[str, list[Any]] | None = Field(None, description=f"it is an object of views, each a shape: {_SHAPE}")
    image: Any = Field(None, description=_Image.what)
    carry: StrictBool = Field(True, description="allowed are true and false")
    metres: Annotated[float, Field(strict=True, ge=0.05, lt=10_000)] | None = Field(
        None, description="it is how far away that is which lies under the matte, in metres from 0.05 on"
    )
    invert: StrictBool = Field(False, description="allowed are true and false")
    feather: Annotated[float, Field(strict=True, ge=0, le=MOST_FEATHER_PX)] = Field(
        0.0, description=f"it is a number of pixels from 0 to {MOST_FEATHER_PX:g}"
    )
    frames: Annotated[list[tuple[StrictInt, StrictInt]], Field(max_length=MOST_KEYS)] = Field(
        [], description="it is a list of [first, last] frames in which the matte counts"
    )
    enabled: StrictBool = Field(True, description="allowed are true and false")


def input_mattes(
    items: Sequence[Any], clip: Clip, people: Sequence[Person], source: str, folder: Path | None
) -> tuple[InputMatte, ...]:  # fmt: skip
    """What a plan's file says of mattes. source: what it is called in messages. folder: where names of files begin that are not absolute;
    None: they have to be. Raises PlanError.
    """
    if len(items) > MOST_MATTES:
        raise PlanError(f"{source}: there are {len(items)} mattes; at most {MOST_MATTES} are taken")
    found: list[InputMatte] = []
    for k, item in enumerate(items):
        matte = _matte(item, clip, people, f"{source}: mattes[{k}]", folder)
        if any(matte.name.casefold() == other.name.casefold() for other in found):
            raise PlanError(f"{source}: two mattes are called {matte.name!r}; names must differ")
        found.append(matte)
    return tuple(found)


def mattes_of(settings: InputMattesSettings, people: Sequence[Person]) -> tuple[InputMatte, ...]:
    """What the section mattes of the settings says. Raises SettingsError where it does not say whose a matte is, or somebody unknown."""
    found = []
    named: tuple[tuple[Kind, str | None], ...] = ("garbage", settings.garbage), ("holdout", settings.holdout)
    for kind, path in named:
        if path is None:
            continue
        person: int | None = None
        if kind == "holdout" and people:
            names = {p.name: p.id for p in people}
            if settings.holdout_person is None and len(people) == 1:
                person = people[0].id
            elif settings.holdout_person not in names:
                raise SettingsError(
                    f"mattes.holdout_person is {short(settings.holdout_person)}; it is who has the holdout matte, of {', '.join(names)}"
                )
            else:
                person = names[settings.holdout_person]
        image = ImageInput(str(Path(path).absolute()), settings.channel, None, settings.first)
        # no matte of a plan is called so: there it begins with a letter and has no dot
        name = f"mattes.{kind}"
        found.append(InputMatte(name=name, kind=kind, person=person, image=image, carry=settings.carry, feather=settings.feather))
    return tuple(found)


def _matte(item: Any, clip: Clip, people: Sequence[Person], where: str, folder: Path | None) -> InputMatte:
    data = checked(_Matte, item, f"{where}.")
    if (data.shapes is None) == (data.image is None):
        raise PlanError(f"{where} has {'neither shapes nor' if data.image is None else 'shapes and'} an image; it has one of both")
    shapes = {view: _shape(shape, view, clip, f"{where}.shapes") for view, shape in (data.shapes or {}).items()}
    if data.shapes is not None and not shapes:
        raise PlanError(f"{where}.shapes is empty; it is an object of views, each a shape: {_SHAPE}")
    for first, last in data.frames:
        if not 0 <= first <= last < len(clip):
            raise PlanError(
                f"{where}.frames has {short([first, last])}; it is [first, last], with frames from 0 to {len(clip) - 1} in order"
            )
    person = _number_of(data.person, people, where)
    if person is None and data.kind != "garbage" and len(people) > 1:
        raise PlanError(f"{where}.person is missing; a {data.kind} matte says whose it is, here one of {_names(people)}")
    return InputMatte(
        name=data.name, kind=data.kind, person=person, shapes=shapes, carry=data.carry, metres=data.metres, invert=data.invert,
        image=None if data.image is None else _image(data.image, clip, f"{where}.image", folder),
        feather=data.feather, frames=tuple(joined(data.frames)), enabled=data.enabled,
    )  # fmt: skip


def _number_of(who: int | str | None, people: Sequence[Person], where: str) -> int | None:
    if who is None:
        return None
    for p in people:
        if who in (p.id, p.name):
            return p.id
    raise PlanError(f"{where}.person is {short(who)}; the plan has {_names(people)}")


def _names(people: Sequence[Person]) -> str:
    return ", ".join(f"{p.id} ({p.name})" for p in people[:20]) or "nobody"


def _image(item: Any, clip: Clip, where: str, folder: Path | None) -> ImageInput:
    data = checked(_Image, item, f"{where}.")
    if data.view is not None:
        _known(data.view, clip, f"{where}.view")
    path = Path(data.path)
    if not path.is_absolute():
        if folder is None:
            raise PlanError(f"{where}.path is {short(data.path)}; here it must be absolute, from the root of the disk")
        path = folder.absolute() / path
    return ImageInput(str(path), data.channel, data.view, data.first)


def _known(view: str, clip: Clip, what: str) -> None:
    if view not in clip.views:
        raise PlanError(f"{what} is {short(view)}; this clip has {', '.join(clip.views)}")


def _shape(data: list[Any], view: str, clip: Clip, where: str) -> tuple[Key, ...]:
    if view not in clip.views:
        raise PlanError(f"{where} has {short(view)}; this clip has {', '.join(clip.views)}")
    place = f"{where}.{view}"
    # a list of points has numbers first, and so has a list of keys; what comes second tells them apart
    moving = bool(data) and all(isinstance(row, list) and len(row) == 2 and isinstance(row[1], list) for row in data)
    rows = data if moving else [[0, data]]
    if not 1 <= len(rows) <= MOST_KEYS:
        raise PlanError(f"{place} has {len(rows)} keyframes; at most {MOST_KEYS} are taken")
    keys: list[Key] = []
    for frame, points in rows:
        if type(frame) is not int or not 0 <= frame < len(clip):
            raise PlanError(f"{place} has a keyframe at {short(frame)}; frames are numbers from 0 to {len(clip) - 1}")
        own = _points(points, f"{place}{f' at frame {frame}' if moving else ''}")
        if keys and frame <= keys[-1][0]:
            raise PlanError(f"{place} has a keyframe at {frame} behind that at {keys[-1][0]}; each comes after the one before")
        if keys and len(own) != len(keys[-1][1]):
            raise PlanError(
                f"{place} has {len(keys[-1][1])} points at frame {keys[-1][0]} and {len(own)} at frame {frame}; between keyframes points "
                "move one by one, so there are as many in all of them"
            )
        keys.append((frame, own))
    _reaches_picture(keys, clip, place)
    return tuple(keys)


def _points(data: Any, place: str) -> tuple[tuple[float, float], ...]:
    if not isinstance(data, list) or not 3 <= len(data) <= MOST_POINTS:
        count = f" of {len(data)}" if isinstance(data, list) else ""
        raise PlanError(f"{place} is {short(data)}{count and f', a list{count}'}; a shape has 3 to {MOST_POINTS} points [x, y]")
    points = []
    for p in data:
        if not isinstance(p, list) or len(p) != 2 or any(type(v) not in (int, float) or not abs(v) <= _FARTHEST_PX for v in p):
            raise PlanError(f"{place} has the point {short(p)}; {_SHAPE}")
        points.append((round(float(p[0]), 2), round(float(p[1]), 2)))
    # twice the area, as the sum of triangles (the shoelace formula)
    x, y = np.array(points).T
    if not np.any(x != x[0]) or not np.any(y != y[0]) or _is_line(x, y):
        raise PlanError(f"{place} covers nothing: all of its points lie on one line")
    return tuple(points)


def _is_line(x: FloatArray, y: FloatArray) -> bool:
    across = (x - x[0]) * (y[:, None] - y[0]) - (x[:, None] - x[0]) * (y - y[0]) if len(x) <= 64 else np.ones(1)
    return not np.any(np.abs(across) > 1e-6)


def _reaches_picture(keys: Iterable[Key], clip: Clip, place: str) -> None:
    width, height = clip.eye_size
    corners = np.array([[f(p) for f in (np.min, np.max) for p in np.array(points).T] for _, points in keys])
    if corners[:, 2].max() <= 0 or corners[:, 3].max() <= 0 or corners[:, 0].min() >= width or corners[:, 1].min() >= height:
        raise PlanError(f"{place} lies outside the eye's picture of {width}x{height} in all of its keyframes")

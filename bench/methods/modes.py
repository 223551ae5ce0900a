"""The methods that ``bench run`` knows, by name."""

from __future__ import annotations

from dataclasses import dataclass

from bench.methods.truths import DAMAGES
from vr180_ofx.errors import SettingsError


@dataclass(frozen=True, slots=True)
class Mode:
    """One method.

    what: for the leaderboard. command: of the program, with its flags; empty: made here. weights: it needs RVM's, named by whom it is
    run by: no weights of RVM come with this benchmark.
    """

    what: str
    command: tuple[str, ...] = ()
    weights: bool = False


def _ours(what: str, *settings: str) -> Mode:
    flags = tuple(word for s in settings for word in ("--set", s))
    return Mode(what, ("render", *flags), weights="matting.refiner=rvm" in settings)


_GUIDED, _RVM = "matting.refiner=guided", "matting.refiner=rvm"
_JOINT, _APART = "stereo.consistency_mode=joint", "stereo.consistency_mode=independent"

MODES: dict[str, Mode] = {
    "guided": _ours("the default without RVM's weights: the guided filter, eyes compared and corrected", _GUIDED),
    "guided-joint": _ours("the guided filter, both eyes decide on each edge", _GUIDED, _JOINT),
    "guided-independent": _ours("the guided filter, each eye by itself", _GUIDED, _APART),
    "mask": _ours("no refiner: the tracker's mask, enlarged", "matting.refiner=none"),
    "closed-form": _ours("closed-form matting in a band around the mask", "matting.refiner=closed_form"),
    "student": _ours("the project's own network in windows of single people", "matting.refiner=student"),
    "rvm": _ours("RVM in windows, split by masks; eyes compared and corrected", _RVM),
    "rvm-joint": _ours("RVM in windows, both eyes decide on each edge", _RVM, _JOINT),
    "rvm-independent": _ours("RVM in windows, each eye by itself", _RVM, _APART),
    "rvm-whole": Mode("RVM on whole eyes, as it is usually run", ("matte", "--outputs", "exr"), weights=True),
    "rvm-boxes": Mode("RVM in windows around the truth's boxes, nothing else", weights=True),
    "nothing": Mode("no matte at all"),
    "truth": Mode("the truth itself, as half floats"),
    **{
        f"damage-{name}-{amount:g}": Mode(f"the truth, damaged: {name} {amount:g}")
        for name, damage in DAMAGES.items()
        for amount in damage.amounts
    },
}


def mode_called(name: str) -> Mode:
    """Raises SettingsError."""
    if name not in MODES:
        listed = [n for n in MODES if not n.startswith("damage-")]
        raise SettingsError(f"--mode is {name!r}; allowed are {', '.join(listed)}, and damage-NAME-AMOUNT of {', '.join(DAMAGES)}")
    return MODES[name]

"""How commands explain themselves: the form of ``--help``, examples, which flags stand for which settings, and where errors send people."""

from __future__ import annotations

import argparse
import difflib
import re
import shutil
from collections.abc import Iterator, Sequence
from typing import NoReturn

from vr180_ofx.errors import ExitStatus
from vr180_ofx.settings import sections
from vr180_ofx.settings.search import find
from vr180_ofx.wording import printable

#: Examples of a command: what for, and the command line as it is typed.
Examples = Sequence[tuple[str, str]]
#: How wide help is at most, and how far in its words begin: longer lines are not read.
_WIDEST, _WORDS_AT = 120, 30
#: How much alike a mistyped flag is to the one that is meant (difflib's ratio).
_MISTYPED = 0.75
#: A flag that stands for a setting says so at its end.
_STANDS_FOR = re.compile(r"\[([a-z]+\.[a-z0-9_]+)\]")
_KEY = re.compile(r"\b([a-z]+\.[a-z0-9_]+)\b")


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as they were written; columns that leave room for words."""

    def __init__(self, prog: str, indent_increment: int = 2, max_help_position: int = _WORDS_AT, width: int | None = None) -> None:
        super().__init__(prog, indent_increment, max_help_position, width or min(shutil.get_terminal_size().columns, _WIDEST) - 2)


class Parser(argparse.ArgumentParser):
    """A parser whose errors name the help of the very command, and the flag or setting that might have been meant."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitStatus.USAGE, f"{self.prog}: {printable(message)}\nTry '{self.prog} --help'.\n")

    def refuse(self, words: Sequence[str]) -> NoReturn:
        """Ends because of ``words`` that the command does not know."""
        flags = [word for word in words if word.startswith("-")] or list(words)
        self.error(f"unrecognized arguments: {' '.join(f'{word}{self._meant(word)}' for word in flags)}")

    def _meant(self, word: str) -> str:
        if not word.startswith("--"):
            return ""
        name = word.partition("=")[0]
        known = [o for a in self._actions for o in a.option_strings]
        near = difflib.get_close_matches(name, known, 1, _MISTYPED)
        if near:
            return f" (did you mean {near[0]}?)"
        meant = find(name.lstrip("-").replace("-", " "), sections(), 1)
        # of recipes --set says something else
        if not meant or not any(a.dest == "overrides" for a in self._actions):
            return ""
        flags = [o for setting, o in standing_for(self) if setting == meant[0]]
        return f" (did you mean {flags[0] if flags else f'--set {meant[0]}='}?)"


def examples(of: Examples) -> str:
    """The end of a command's help."""
    if not of:
        return ""
    wide = max(len(line) for _, line in of)
    if wide + max(len(what) for what, _ in of) + 6 <= _WIDEST:
        return "examples:\n" + "\n".join(f"  {line:<{wide}}  # {what}" for what, line in of)
    return "examples:\n" + "\n".join(f"  # {what}\n  {line}" for what, line in of)


def standing_for(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """(setting, flag) of a command's flags that stand for settings: their help ends with the setting's name in brackets."""
    for action in parser._actions:
        if action.option_strings and isinstance(action.help, str):
            for setting in _STANDS_FOR.findall(action.help):
                yield setting, next((o for o in action.option_strings if o.startswith("--")), action.option_strings[0])


def commands_of(parser: argparse.ArgumentParser) -> dict[str, Parser]:
    """The parsers of all commands, by their names."""
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return {name: p for name, p in subparsers.choices.items() if isinstance(p, Parser)}


def flags(program: argparse.ArgumentParser) -> dict[str, list[str]]:
    """setting -> the flags that stand for it, each with its commands: ``--format (render)``. program: the parser of all commands."""
    found: dict[str, dict[str, list[str]]] = {}
    for command, parser in commands_of(program).items():
        for setting, flag in standing_for(parser):
            found.setdefault(setting, {}).setdefault(flag, []).append(command)
    return {setting: [f"{flag} ({', '.join(commands)})" for flag, commands in of.items()] for setting, of in found.items()}


def where_to_look(message: str, command: str) -> str:
    """The line after an error in what was asked for: the explanation of the setting that it speaks of, or the command's help; none where
    the error itself says what to type.
    """
    known = {f"{name}.{key}" for name, section in sections().items() for key in section.model_fields}
    named = [key for key in dict.fromkeys(_KEY.findall(message)) if key in known]
    if len(named) == 1:
        return f"See 'vr180-ofx settings {named[0]}', and 'vr180-ofx {command} --help'."
    if any(word in message for word in ("; add --", "; use -", "--help", "pip install")):
        return ""
    return f"Try 'vr180-ofx {command} --help'."

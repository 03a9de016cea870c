"""Every error a user can cause, as one tree; each says what is wrong, what was found, the rule and the cure.

    DrivetrainError                exit 1   something the user cannot mend: please report it
    ├── UsageError                 exit 2   a command or call that makes no sense
    ├── ScenarioError              exit 2   faults in a scenario file, all of them at once
    │   └── FormulaError           exit 2   faults in one formula
    ├── DataError                  exit 3   faults in a table or a run folder
    ├── InfeasibleError            exit 4   no setting meets the constraints
    └── RefusedError               exit 5   a guard refused: too little data, support or evidence

Each is also a `ValueError`, so that Python code can catch bad values without knowing this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from numbers import Integral
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar


@dataclass(frozen=True, order=True)
class Place:
    """Where a fault stands in a file; lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        """`file:line:column`, as editors and terminals link it."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, said so that the reader can mend it."""

    thing: str
    """What it is about: a key's path (`levers.price.max`), a column, a file, an option."""
    found: str
    """What was found there, as a clause: `found 'abc'`, `the column is missing`."""
    rule: str = ""
    """What must hold, as a sentence."""
    cure: str = ""
    """What to do, as a sentence."""
    place: Place | None = None

    def __str__(self) -> str:
        """One line: place, thing, what was found, the rule, the cure."""
        head = f"{self.place}: " if self.place else ""
        sentences = (_sentence(part) for part in (self.found, self.rule, self.cure) if part)
        return f"{head}{self.thing}: {' '.join(sentences)}"


class DrivetrainError(ValueError):
    """The root of the tree; carries at least one `Fault`."""

    exit_code: ClassVar[int] = 1

    def __init__(self, *faults: Fault) -> None:
        """Args: faults: what is wrong, at least one; all are reported together."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class UsageError(DrivetrainError):
    """A command, an option or a call that makes no sense."""

    exit_code = 2


class ScenarioError(DrivetrainError):
    """Faults in a scenario file."""

    exit_code = 2


class FormulaError(ScenarioError):
    """A formula that is not allowed, cannot be read, or names what does not exist."""


class DataError(DrivetrainError):
    """Faults in a table, a file of rows, or a run folder."""

    exit_code = 3


class InfeasibleError(DrivetrainError):
    """No setting meets all constraints."""

    exit_code = 4


class RefusedError(DrivetrainError):
    """A guard refused to go on, because the answer would not be worth its name."""

    exit_code = 5


def nearest(word: object, choices: Iterable[str]) -> str:
    """A sentence that offers the choice spelled most like `word`, or lists the choices where none is close.

    >>> nearest("incentve", ["incentive", "price"])
    "Did you mean 'incentive'?"
    >>> nearest("xyz", ["a", "b"])
    "Choose one of 'a', 'b'."
    """
    known = list(choices)
    if close := alike(word, known):
        return close
    if not known:
        return ""
    listed = ", ".join(f"'{choice}'" for choice in known[:12])
    return f"Choose one of {listed}{', …' if len(known) > 12 else ''}."


def alike(word: object, choices: Iterable[str]) -> str:
    """A sentence that offers the choice spelled most like `word`; empty where none is close.

    >>> alike("incentve", ["incentive", "price"]), alike("xyz", ["a", "b"])
    ("Did you mean 'incentive'?", '')
    """
    close = get_close_matches(str(word), list(choices), n=1, cutoff=0.6)
    return f"Did you mean '{close[0]}'?" if close else ""


def integer(thing: str, found: Any, least: int = 1, such: int = 10) -> int:
    """An argument that is a whole number from `least` on, `such` as one. Raises: UsageError: it is none.

    >>> integer("top", 10)
    10
    """
    if isinstance(found, bool) or not isinstance(found, Integral) or found < least:
        raise UsageError(Fault(thing, f"found {found!r}", f"It is a whole number from {least}", f"Write {such}, say"))
    return int(found)


def one_of(thing: str, found: Any, choices: Iterable[str]) -> None:
    """Raises: UsageError: an argument is none of the words that it may be."""
    known = list(choices)
    if found not in known:
        raise UsageError(Fault(thing, f"found {found!r}", "", nearest(found, known)))


def path_of(thing: str, found: Any) -> Path:
    """An argument that is the path of a file or folder. Raises: UsageError: it is none."""
    if not isinstance(found, str | PathLike):
        rule = "It is the path of a file or a folder, as text or a Path"
        raise UsageError(Fault(thing, f"found {found!r}", rule, "Write it in quotation marks"))
    return Path(found)


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."

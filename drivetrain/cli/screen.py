"""What the command line shows: results on stdout, as words or as JSON; progress and faults on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from drivetrain.errors import DrivetrainError

WIDE = 240
"""What is not read on a terminal, such as a log or a pipe, is not cut to a terminal's width."""

_results = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
_notes = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str = "") -> None:
    """A line of the result."""
    _results.print(escape(line))


def table(header: Sequence[str], lines: Sequence[Sequence[str]], *, texts: int = 1) -> None:
    """A small table of the result; the first columns, so many, are text, the others figures."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(header):
        drawn.add_column(escape(name), justify="left" if place < texts else "right", no_wrap=True)
    for line in lines:
        drawn.add_row(*(escape(cell) for cell in line))
    _results.print(drawn)


def data(value: Any) -> None:
    """The result as JSON."""
    sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, default=str) + "\n")


def note(line: str) -> None:
    """A line beside the result, on stderr."""
    _notes.print(escape(line))


def faults(error: DrivetrainError, *, as_json: bool) -> None:
    """Everything that is wrong, a line each on stderr; with `--json` as JSON on stdout as well."""
    for fault in error.faults:
        _notes.print(f"[bold red]error:[/] {escape(str(fault))}")
    if as_json:
        data({"faults": [{"place": str(f.place or ""), **_plain(f)} for f in error.faults], "exit": error.exit_code})


def _plain(fault: Any) -> dict[str, str]:
    return {"thing": fault.thing, "found": fault.found, "rule": fault.rule, "cure": fault.cure}


@contextmanager
def progress(quiet: bool) -> Iterator[Callable[[str], None]]:
    """A way to tell what is being done: one changing line in a terminal, a line each in a log, nothing when quiet."""
    if quiet:
        yield lambda _: None
    elif _notes.is_terminal:
        with _notes.status("starting") as status:
            yield lambda words: status.update(escape(words))
    else:
        yield lambda words: _notes.print(escape(words))

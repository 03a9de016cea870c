"""What-ifs that somebody wanted to keep: a name, the link that asks it again, and what was answered then."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from drivetrain.decisions.export import replacing
from drivetrain.errors import DataError, Fault, UsageError
from drivetrain.evidence import Estimate

FILE = ".what_ifs.json"
MOST = 200


@dataclass(frozen=True)
class Kept:
    """One what-if as it was answered."""

    name: str
    run: str
    """The run folder's name."""
    question: str
    """In words: for whom, which settings."""
    link: str
    """The query of the page that asks it, without the question mark."""
    estimates: Mapping[str, tuple[float, float]]
    """`objective`, then each outcome → value and standard error."""
    supported: bool
    at: str
    """UTC, ISO 8601."""

    def estimate(self, name: str) -> Estimate:
        """One of the estimates."""
        return Estimate(*self.estimates[name])


def keep(
    folder: Path, name: str, run: str, question: str, link: str, told: Mapping[str, Estimate], *, supported: bool
) -> Kept:
    """Keep a what-if in a folder of runs; one of the same name and run is replaced.

    Raises:
        UsageError: no name, or the folder cannot be written.
        DataError: the file that is there is none of ours.
    """
    if not name.strip():
        raise UsageError(Fault("the name", "found none", "A kept what-if is found again by its name", "Give it one"))
    estimates = {of: (each.value, each.error) for of, each in told.items()}
    made = Kept(
        name.strip(), run, question, link, estimates, supported, datetime.now(UTC).isoformat(timespec="seconds")
    )
    others = [each for each in kept(folder) if (each.name, each.run) != (made.name, made.run)]
    _write(folder, [*others, made][-MOST:])
    return made


def forget(folder: Path, name: str, run: str) -> None:
    """Remove a what-if; nothing happens where there is none."""
    _write(folder, [each for each in kept(folder) if (each.name, each.run) != (name, run)])


def kept(folder: Path) -> list[Kept]:
    """Every what-if that was kept in a folder of runs, oldest first.

    Raises:
        DataError: the file that is there is none of ours.
    """
    path = folder / FILE
    if not path.exists():
        return []
    try:
        lines = json.loads(path.read_text(encoding="utf-8"))
        return [Kept(**{**line, "estimates": {k: tuple(v) for k, v in line["estimates"].items()}}) for line in lines]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"it cannot be read ({type(error).__name__})"
        raise DataError(Fault(str(path), found, "The dashboard writes it", "Move it away")) from error


def _write(folder: Path, lines: list[Kept]) -> None:
    with replacing(folder / FILE) as temporary:
        temporary.write_text(json.dumps([asdict(each) for each in lines], indent=1), encoding="utf-8")

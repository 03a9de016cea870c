"""Long benchmarks in pieces: each case is kept in a JSON-lines file once it is measured, and never measured twice.

{"case": ["three_levers", 2000, 1], "code": "72e4b99", "found": {"ours": 0.857, ...}}
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

Case = tuple[Any, ...]


@dataclass(frozen=True)
class Pieces:
    """Cases measured so far."""

    path: Path | None
    """Where they are kept; nowhere where that is None."""

    @property
    def cases(self) -> dict[Case, dict[str, Any]]:
        """Every case that the file has; of one that was measured again, what was found last."""
        return {tuple(line["case"]): line["found"] for line in self._lines()}

    def measured(self, case: Case, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """What was found for the case; measured and kept now where the file does not have it."""
        if case in (known := self.cases):
            return known[case]
        found = measure()
        if self.path is not None:
            line = {"case": list(case), "code": _code(), "found": found}
            with self.path.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(line) + "\n")
        return found

    @property
    def code(self) -> list[str]:
        """The commits whose code measured them."""
        return sorted({line["code"] for line in {tuple(line["case"]): line for line in self._lines()}.values()})

    def _lines(self) -> Iterator[dict[str, Any]]:
        if self.path is not None and self.path.exists():
            yield from map(json.loads, self.path.read_text(encoding="utf-8").splitlines())


def spread(values: Sequence[float]) -> str:
    """A mean, and where there are several values its standard error: `0.9412 ± 0.0031`."""
    told = [value for value in values if np.isfinite(value)]
    if len(told) < 2:
        return f"{told[0]:.4f}" if told else "-"
    return f"{np.mean(told):.4f} ± {np.std(told, ddof=1) / np.sqrt(len(told)):.4f}"


def _code() -> str:
    asked = ["git", "describe", "--always", "--dirty"]
    return subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() or "unknown"

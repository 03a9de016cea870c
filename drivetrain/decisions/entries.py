"""What the decision log holds of a recommendation: the entry, signatures, and promise against what happened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from drivetrain.evidence import Estimate

Verdict = Literal["approved", "rejected"]
State = Literal["open", "approved", "rejected"]


@dataclass(frozen=True)
class Entry:
    """A recommendation as it is entered: what was to be done for which rows, and what that promised."""

    key: str
    """The run's own; the same run is entered once."""
    scenario: str
    title: str
    action: str
    """What is recommended, in words."""
    unit: str
    """The objective's, for one row."""
    policy: str
    """A key of `evidence.NAMES`."""
    rows: int
    total: Estimate
    """What was promised for all rows together."""
    expected: float
    """What models alone expected for them together; the promise is that, corrected."""
    folder: str
    """Where the run was kept."""


@dataclass(frozen=True)
class Signature:
    """Somebody's word on a recommendation."""

    verdict: Verdict
    by: str
    reason: str
    at: str
    """UTC, ISO 8601."""


@dataclass(frozen=True)
class Logged:
    """A recommendation in the log, and all that happened to it since."""

    entry: Entry
    entered: str
    """UTC, ISO 8601."""
    signatures: tuple[Signature, ...]
    """In the order in which they were given; the last one counts."""
    exported: int
    """Times that its actions left the house."""
    outcomes: int
    """Rows of which it is known what came of them."""

    @property
    def state(self) -> State:
        """`open` until somebody signs it."""
        return self.signatures[-1].verdict if self.signatures else "open"


@dataclass(frozen=True)
class Review:
    """Promise against what happened, for one row, over the rows in which the recommendation was followed."""

    rows: int
    """Rows fed back."""
    followed: int
    """Those that got the recommended setting; the others say nothing of it."""
    promised: Estimate
    happened: Estimate
    difference: Estimate
    """What happened less what was promised."""

    @property
    def kept(self) -> bool:
        """Whether the difference is within chance (95%)."""
        return self.difference.low <= 0 <= self.difference.high

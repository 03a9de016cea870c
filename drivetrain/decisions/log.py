"""The decision log: which recommendation was made, who signed it, what was done, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, RowMapping, func, insert, select

from drivetrain.decisions import ledger
from drivetrain.decisions.entries import Entry, Logged, Review, Signature, Verdict
from drivetrain.errors import Fault, RefusedError, UsageError, one_of
from drivetrain.evidence import Estimate
from drivetrain.evidence.sample import Sample

Floats = NDArray[np.float64]

PIECE = 5_000


class DecisionLog:
    """The decision log; every change is one transaction, and nothing that was written is changed or removed.

    Args:
        beside: the folder of the SQLite file, where `DRIVETRAIN_LOG` names no other database.
    """

    def __init__(self, beside: str | Path | None = None) -> None:
        """See the class."""
        self._engine = ledger.connect(beside)

    def enter(self, entry: Entry) -> Logged:
        """Put a recommendation into the log; one that is there already stays as it is."""
        with ledger.writing(self._engine) as now:
            if not _told(now, entry.key):
                values = {n: getattr(entry, n) for n in Entry.__dataclass_fields__ if n != "total"}
                promise = {"total": entry.total.value, "total_error": entry.total.error}
                now.execute(insert(ledger.DECISIONS).values(entered=_now(), **values, **promise))
        return self.find(entry.key)

    def sign(self, key: str, verdict: Verdict, by: str, reason: str) -> Logged:
        """Approve or reject a recommendation.

        Args:
            key: of its entry.
            verdict: `approved` or `rejected`.
            by: who says so.
            reason: why.

        Raises:
            UsageError: no name or no reason, another verdict, or there is no such entry.
        """
        one_of("verdict", verdict, get_args(Verdict))
        for thing, text in (("name", by), ("reason", reason)):
            if not isinstance(text, str) or not text.strip():
                raise UsageError(
                    Fault(f"the {thing}", "found none", "Whoever signs says who they are, and why", f"Give a {thing}")
                )
        with ledger.writing(self._engine) as now:
            self._require(now, key)
            told = {"verdict": verdict, "by": by.strip(), "reason": reason.strip(), "at": _now()}
            now.execute(insert(ledger.SIGNATURES).values(decision=key, **told))
        return self.find(key)

    def exported(self, key: str, file: str, sha256: str, actions: Sequence[tuple[int, str, float]]) -> Logged:
        """Note that a recommendation's actions left the house.

        Args:
            key: of its entry.
            file: where they went.
            sha256: of that file.
            actions: row number, setting in words, expected objective of each.

        Raises:
            RefusedError: it is not approved.
        """
        with ledger.writing(self._engine) as now:
            _require_approved(self._require(now, key, held=True))
            first = self._count(now, "actions", key) == 0
            for start in range(0, len(actions) if first else 0, PIECE):
                piece = actions[start : start + PIECE]
                lines = [{"decision": key, "row": r, "setting": s, "expected": e} for r, s, e in piece]
                now.execute(insert(ledger.ACTIONS), lines)
            told = {"file": file, "rows": len(actions), "sha256": sha256, "at": _now()}
            now.execute(insert(ledger.EXPORTS).values(decision=key, **told))
        return self.find(key)

    def feed(self, key: str, row: Sequence[int], followed: Sequence[bool], earned: Floats) -> Logged:
        """Note what came of rows.

        Args:
            key: of the recommendation's entry.
            row: [n] their numbers, as in the exported actions.
            followed: [n] whether they got the recommended setting.
            earned: [n] the objective as it turned out.

        Raises:
            UsageError: a row was never exported, stands there twice, or has an outcome already; the three are not of
                one length, or what was earned is no number.
        """
        if not len(row) == len(followed) == len(earned) or not np.isfinite(earned).all():
            found = f"found {len(row):,} rows, {len(followed):,} marks and {len(earned):,} amounts"
            rule = "Each row has a mark, whether it was followed, and an amount, which is a number"
            raise UsageError(Fault("outcomes", found, rule, "Give one of each for every row"))
        with ledger.writing(self._engine) as now:
            self._require_feedable(now, key, row)
            at = _now()
            for start in range(0, len(row), PIECE):
                part = zip(*(each[start : start + PIECE] for each in (row, followed, earned)), strict=True)
                lines = [{"row": int(r), "followed": int(f), "earned": float(e)} for r, f, e in part]
                now.execute(insert(ledger.OUTCOMES), [{"decision": key, "at": at} | line for line in lines])
        return self.find(key)

    def settings(self, key: str) -> dict[int, str]:
        """Row number → the setting that was exported for it."""
        with ledger.reading(self._engine) as now:
            found = now.execute(select(ledger.ACTIONS).where(ledger.ACTIONS.c.decision == key))
            return {line.row: line.setting for line in found}

    def find(self, key: str) -> Logged:
        """One entry. Raises: UsageError: there is none of this key."""
        with ledger.reading(self._engine) as now:
            return self._require(now, key)

    def all(self) -> list[Logged]:
        """Every entry, oldest first."""
        with ledger.reading(self._engine) as now:
            return _told(now)

    def review(self, key: str, whose: Mapping[int, int] | None = None) -> Review:
        """Promise against what happened.

        Args:
            key: of the recommendation's entry.
            whose: row number → the number of the person or place that it belongs to, where rows belong to any.

        Raises:
            UsageError: there are fewer than two rows, or people or places, to compare.
        """
        entry = self.find(key).entry
        with ledger.reading(self._engine) as now:
            told = ledger.OUTCOMES.c
            both = ledger.OUTCOMES.join(
                ledger.ACTIONS,
                (told.decision == ledger.ACTIONS.c.decision) & (told.row == ledger.ACTIONS.c.row),
            )
            asked = select(told.followed, told.earned, told.row, ledger.ACTIONS.c.expected)
            lines = now.execute(asked.select_from(both).where(told.decision == key)).all()
        done = np.array([(e, x) for f, e, _, x in lines if f], dtype=np.float64).reshape(-1, 2)
        cluster = None if whose is None else np.array([whose[row] for f, _, row, _ in lines if f])
        sample = Sample(len(done), cluster)
        if sample.groups < 2:
            found = f"{len(lines):,} rows have outcomes, and {len(done):,} of them got what was recommended"
            raise UsageError(Fault("the decision log", found, "A comparison needs two", "Use: drivetrain log outcomes"))
        happened = sample.estimate(done[:, 0])
        shift = (entry.total.value - entry.expected) / entry.rows
        promised = Estimate(float(done[:, 1].mean()) + shift, entry.total.error / entry.rows)
        apart = Estimate(happened.value - promised.value, float(np.hypot(happened.error, promised.error)))
        return Review(len(lines), len(done), promised, happened, apart)

    def require_approved(self, key: str) -> None:
        """Raises: RefusedError: the recommendation is not approved."""
        _require_approved(self.find(key))

    def _require_feedable(self, now: Connection, key: str, row: Sequence[int]) -> None:
        known = set(now.execute(select(ledger.ACTIONS.c.row).where(ledger.ACTIONS.c.decision == key)).scalars())
        told = set(now.execute(select(ledger.OUTCOMES.c.row).where(ledger.OUTCOMES.c.decision == key)).scalars())
        unknown, again, twice = set(row) - known, set(row) & told, len(row) - len(set(row))
        for many, found in (
            (len(unknown), "were never exported"),
            (len(again), "have an outcome already"),
            (twice, "stand there twice"),
        ):
            if many:
                rule = "Each exported row is told once what came of it"
                raise UsageError(Fault("outcomes", f"{many:,} rows {found}", rule, "Leave them out"))

    def _count(self, now: Connection, name: str, key: str) -> int:
        table = ledger.DECISIONS.metadata.tables[name]
        return int(now.execute(select(func.count()).select_from(table).where(table.c.decision == key)).scalar_one())

    def _require(self, now: Connection, key: str, *, held: bool = False) -> Logged:
        """The entry; `held`: until the transaction ends nobody signs it."""
        if held:
            now.execute(select(ledger.DECISIONS.c.key).where(ledger.DECISIONS.c.key == key).with_for_update())
        if not (found := _told(now, key)):
            cure = "Use: drivetrain log approve RUN, or reject"
            raise UsageError(Fault("the decision log", "this recommendation is not in it", cure=cure))
        return found[0]


def _told(now: Connection, key: str | None = None) -> list[Logged]:
    """Every entry, or the one of this key, oldest first: one query tells all that happened to them."""
    made, signed = ledger.DECISIONS, ledger.SIGNATURES
    exported, outcomes = (
        select(func.count()).where(table.c.decision == made.c.key).scalar_subquery().label(name)
        for name, table in (("exported", ledger.EXPORTS), ("outcomes", ledger.OUTCOMES))
    )
    asked = select(made, signed.c.verdict, signed.c.by, signed.c.reason, signed.c.at, exported, outcomes)
    asked = asked.select_from(made.outerjoin(signed)).order_by(made.c.entered, made.c.key, signed.c.number)
    lines = now.execute(asked if key is None else asked.where(made.c.key == key)).mappings().all()
    return [_logged(list(each)) for _, each in groupby(lines, lambda line: line["key"])]


def _logged(lines: list[RowMapping]) -> Logged:
    """One entry, of a line for each signature."""
    first = lines[0]
    values = {name: first[name] for name in Entry.__dataclass_fields__ if name != "total"}
    entry = Entry(**values, total=Estimate(first["total"], first["total_error"]))
    signatures = tuple(
        Signature(each["verdict"], each["by"], each["reason"], each["at"]) for each in lines if each["verdict"]
    )
    return Logged(entry, first["entered"], signatures, first["exported"], first["outcomes"])


def _require_approved(logged: Logged) -> None:
    if logged.state != "approved":
        found = "nobody has signed it" if logged.state == "open" else "it was rejected"
        cure = "Use: drivetrain log approve RUN --by NAME --reason TEXT"
        rule = "Only approved actions leave the house through the log"
        raise RefusedError(Fault("the recommendation", found, rule, cure))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

"""Levers whose options the data says: which there are, and what is known of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from drivetrain.data.columns import Remark
from drivetrain.data.roles import Role
from drivetrain.errors import DataError, Fault, FormulaError, nearest
from drivetrain.scenario import Categorical, Scenario
from drivetrain.scenario.check.formulas import formulas

MOST = 1_000_000


def found(scenario: Scenario, frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Open lever → every value that a frame holds, sorted.

    Raises:
        DataError: a lever has fewer than two values.
        FormulaError: a formula, a cost or a setting names a value that the data does not hold.
    """
    options = {name: tuple(sorted(frame[name].dropna().unique())) for name in scenario.open if name in frame}
    if faults := [_few(name, values) for name, values in options.items() if not 2 <= len(values) <= MOST]:
        raise DataError(*faults)
    if faults := list(_unheard_of(scenario.resolved(options), options)):
        raise FormulaError(*faults)
    return options


def alike(scenario: Scenario, frame: pd.DataFrame) -> dict[str, tuple[str | None, ...]]:
    """Lever whose choices are diverse by a feature → the feature's value of each of its options, as text.

    Args:
        scenario: resolved.
        frame: rows with the lever and its features under their names.
    """
    out: dict[str, tuple[str | None, ...]] = {}
    for name, lever in scenario.levers.items():
        if isinstance(lever, Categorical) and lever.diverse is not None and isinstance(lever.diverse.by, str):
            rows = frame[[name, lever.diverse.by]].dropna().drop_duplicates(name)
            known = dict(zip(rows[name], rows[lever.diverse.by].map(str), strict=True))
            out[name] = tuple(known.get(option) for option in lever.options)
    return out


def known(scenario: Scenario, frame: pd.DataFrame) -> tuple[pd.DataFrame, tuple[Remark, ...]]:
    """New rows, in which values that an open lever has never had are missing, and counted."""
    remarks = []
    for name in scenario.open:
        if name not in frame:
            continue
        new = frame[name].notna() & ~frame[name].isin(scenario.options[name])
        if new.any():
            frame = frame.assign(**{name: frame[name].where(~new, None)})
            remarks.append(Remark(f"lever '{name}'", "a value that the run has never seen, read as missing", new.sum()))
    return frame, tuple(remarks)


def strangers(scenario: Scenario, frame: pd.DataFrame, parts: Sequence[Role]) -> Iterator[Remark]:
    """Counts rows that exclude something which is no option, so that nobody takes it to be excluded.

    Args:
        scenario: resolved.
        frame: rows with what levers exclude under their names.
        parts: how to name each column.
    """
    for role in parts:
        if role.part != "excluded":
            continue
        lever = scenario.levers[scenario.excluded[role.name]]
        assert isinstance(lever, Categorical)  # noqa: S101  (only these exclude)
        counts = frame[role.name].value_counts()
        other = {text: named for text in counts.index if (named := lever.listed(text)[1])}
        if other:
            first = next(iter(other.values()))[0]
            yield Remark(role.thing, f"names what is no option, such as '{first}'", int(counts[list(other)].sum()))


def varying(scenario: Scenario, frame: pd.DataFrame, parts: Sequence[Role]) -> Iterator[Fault]:
    """Features that are not the same in all rows of an option."""
    for role in parts:
        if role.part != "feature":
            continue
        lever = scenario.features[role.name][0]
        many = frame.groupby(lever)[role.name].nunique()
        if (many > 1).any():
            option = many.index[many > 1][0]
            told = f"{many[option]} values where {lever} is '{option}' (and {int((many > 1).sum()) - 1} options more)"
            yield Fault(role.thing, f"found {told}", "What is known of an option is the same in all its rows")


def _unheard_of(scenario: Scenario, options: Mapping[str, tuple[str, ...]]) -> Iterator[Fault]:
    for path, formula in formulas(scenario):
        for name, texts in formula.compared.items():
            for text in sorted(texts - set(options[name])) if name in options else ():
                thing = ".".join(map(str, path))
                rule = "It must be a value that the data holds"
                yield Fault(thing, f"'{name}' compared with '{text}'", rule, nearest(text, options[name]))
    for name in options:
        for flaw in scenario.levers[name].flaws():
            yield Fault(".".join(map(str, ("levers", name, *flaw.path))), flaw.found, flaw.rule, flaw.cure)


def _few(name: str, values: tuple[str, ...]) -> Fault:
    rule = f"A lever has 2 to {MOST:,} options"
    return Fault(f"lever '{name}'", f"the data holds {len(values):,} values of it", rule, "Look at its column")

"""From a scenario to its table: read, convert, check, leave out and count, split."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from drivetrain.data import checks, leaks, options as listing
from drivetrain.data.adstock import carry_over
from drivetrain.data.cleaning import Cleaned, clean
from drivetrain.data.dealing import clusters_of, deal, keys_of
from drivetrain.data.framing import chances_of, framed, settings_of, weights_of
from drivetrain.data.negatives import with_drawn
from drivetrain.data.opening import absent, absent_extra, declared, empty, given
from drivetrain.data.roles import Role, roles
from drivetrain.data.sources import Source
from drivetrain.data.table import Dropped, Rows, Table, fingerprint
from drivetrain.errors import DataError, Fault
from drivetrain.scenario import Scenario


def load(scenario: Scenario) -> Table:
    """Reads the rows that a scenario learns from.

    Args:
        scenario: what is declared, and where its rows are.

    Returns:
        The usable rows, split; the others counted by reason.

    Raises:
        DataError: all that is wrong with the source and its columns; or, when these are sound, with the rows.
    """
    parts = roles(scenario)
    split, propensity = scenario.data.split, scenario.assignment.propensity
    past = [each.column or name for name, each in scenario.inputs.items() if each.adstock is not None]
    extra = [c for c in (split.column, propensity, scenario.data.cluster, scenario.data.weight, *past) if c]
    source = declared(scenario, {role.column for role in parts} | set(extra))
    file = scenario.data.cleaning
    cleaned = clean(source, None if file is None else scenario.folder / file, parts)
    source, strange = carry_over(scenario, _forgiven(scenario, cleaned, parts))
    source, parents, no = with_drawn(scenario, source)
    discarded = np.append(cleaned.drop, cleaned.drop[parents])
    named = {"data.split.column": split.column, "assignment.propensity": propensity}
    named |= {"data.cluster": scenario.data.cluster, "data.weight": scenario.data.weight}
    faults = [*strange, *absent(source, parts), *absent_extra(source, named)]
    frame, remarks, found = framed(scenario, source, parts)
    keys, found_keys = keys_of(scenario, source)
    clusters, found_clusters = clusters_of(scenario, source, keys)
    chances, found_chances = chances_of(propensity, source)
    weights, found_weights = weights_of(scenario.data.weight, source)
    scenario = scenario.resolved(options := listing.found(scenario, frame))
    settings, found_settings = settings_of(scenario, frame)
    faults += [*found, *found_keys, *found_clusters, *found_chances, *found_weights, *found_settings]
    if faults := [*faults, *empty(source, "learn from")]:
        raise DataError(*faults)
    dropped, used = _usable(scenario, frame, settings, keys, chances)
    if not used.any():
        raise DataError(*_left_out(source, dropped))
    frame, settings = frame[used].reset_index(drop=True), settings[used]
    chances, clusters, weights = (_taken(each, used) for each in (chances, clusters, weights))
    if faults := list(listing.varying(scenario, frame, parts)):
        raise DataError(*faults)
    fold, dealt = deal(scenario, frame, None if keys is None else keys[used], clusters)
    kept = ~discarded[used]  # dealt with the others all the same, so that cleaning moves no row to another fold
    frame, settings, fold = frame[kept].reset_index(drop=True), settings[kept], fold[kept]
    chances, clusters, weights = (_taken(each, kept) for each in (chances, clusters, weights))
    dropped = (*dropped, *([Dropped("the cleaning file drops it", int((~kept).sum()))] if not kept.all() else []))
    if faults := list(checks.of_rows(scenario, frame, settings, fold, weights)):
        raise DataError(*faults, *_left_out(source, dropped))
    if faults := list(leaks.twins(scenario, frame, parts)):
        raise DataError(*faults)
    remarks += checks.remarks(frame, {role.name: role.thing for role in parts if role.part == "input"})
    remarks += listing.strangers(scenario, frame, parts)
    remarks += [*leaks.consequences(scenario, frame, parts), *dealt, *cleaned.remarks, *no]
    mark = fingerprint(frame, settings, chances, *([] if weights is None else [weights]))
    place, told = np.flatnonzero(used)[kept], tuple(remarks)
    time = keys[place] if keys is not None and split.by == "time" else None
    return Table(
        frame, settings, place, told, mark, source.label, fold, dropped, chances, options, clusters, weights, time
    )


def read_rows(scenario: Scenario, rows: str | Path | pd.DataFrame) -> Rows:
    """Reads new rows to decide for: one for each row of the file, in its order.

    Args:
        scenario: what is declared.
        rows: a CSV or Parquet file, or a frame, with every input's column, and those of what levers exclude; levers
            and outcomes are read where they are there.

    Raises:
        DataError: all that is wrong with the file and its columns.
    """
    parts = [role for role in roles(scenario) if role.part != "feature"]
    wanted = {role.column for role in parts}
    source = given(scenario, rows, wanted)
    needed = [role for role in parts if role.part in {"input", "excluded"}]
    faults = list(absent(source, needed, "Add the column, blank where it is not known"))
    frame, remarks, found = framed(scenario, source, parts)
    frame, new = listing.known(scenario, frame)
    remarks += new
    settings, found_settings = settings_of(scenario, frame)
    faults += [*found, *found_settings]
    if faults := [*faults, *empty(source, "decide for")]:
        raise DataError(*faults)
    remarks += listing.strangers(scenario, frame, parts)
    remarks += checks.remarks(frame, {role.name: role.thing for role in parts if role.part == "input"})
    mark = fingerprint(frame, settings)
    return Rows(frame, settings, np.arange(len(frame)), tuple(remarks), mark, source.label)


def read_results(scenario: Scenario, rows: str | Path | pd.DataFrame) -> Rows:
    """Reads what came of rows: their numbers in a column `row` (from 1), every outcome, and levers as they were set.

    Args:
        scenario: what is declared.
        rows: a CSV or Parquet file, or a frame. Inputs are needed only where the objective's formula has them, and
            levers that are left out count as set as recommended (NaN).

    Raises:
        DataError: all that is wrong with the file and its columns.
    """
    parts = [role for role in roles(scenario) if role.part != "feature"]
    wanted = {role.column for role in parts} | {"row"}
    source = given(scenario, rows, wanted)
    asked = scenario.expand(scenario.objective.formula).names
    needed = [role for role in parts if role.part == "outcome" or (role.part == "input" and role.name in asked)]
    faults = list(absent(source, needed, "Add the column"))
    frame, remarks, found = framed(scenario, source, parts)
    settings, found_settings = settings_of(scenario, frame)
    if "row" not in source.columns:
        rule = "It says which recommendation each line is about"
        faults.append(Fault("column 'row'", f"{source.label} has no such column", rule, "Keep it from the export"))
        raise DataError(*faults, *found, *found_settings)
    number = source.column("row", "numeric", "column 'row'")
    faults += [*found, *number.faults, *found_settings]
    if faults:
        raise DataError(*faults)
    places = np.asarray(number.values, dtype=np.float64)
    if len(odd := np.flatnonzero(~(places >= 1) | (places % 1 != 0))):
        rule = "Rows are numbered from 1"
        raise DataError(Fault("column 'row'", f"line {odd[0] + 1:,} of the rows holds {places[odd[0]]:g}", rule))
    frame = frame.assign(**{name: np.nan for name in scenario.inputs if name not in frame})
    mark = fingerprint(frame, settings)
    return Rows(frame, settings, places.astype(np.int64) - 1, tuple(remarks), mark, source.label)


def _forgiven(scenario: Scenario, cleaned: Cleaned, parts: Sequence[Role]) -> Source:
    """The source with the rows emptied that are to be dropped and could not be read: their faults do not matter."""

    def unreadable(rows: NDArray[np.intp]) -> bool:
        some = replace(cleaned.source, frame=cleaned.source.frame.iloc[rows], file=None)
        frame, _, faults = framed(scenario, some, parts)
        return bool(faults) or bool(settings_of(scenario.resolved(listing.found(scenario, frame)), frame)[1])

    drop = np.flatnonzero(cleaned.drop)
    if not len(drop) or not unreadable(drop):
        return cleaned.source
    bad = np.array([row for row in drop if unreadable(np.array([row]))])
    frame = cleaned.source.frame.astype(object)
    frame.iloc[bad] = None
    return replace(cleaned.source, frame=frame)


def _taken(values: NDArray[Any] | None, mask: NDArray[np.bool_]) -> NDArray[Any] | None:
    return None if values is None else values[mask]


def _usable(
    scenario: Scenario,
    frame: pd.DataFrame,
    settings: NDArray[np.float64],
    keys: NDArray[Any] | None,
    chances: NDArray[np.float64] | None,
) -> tuple[tuple[Dropped, ...], NDArray[np.bool_]]:
    """The reasons for which rows are left out, each row under its first, and a mask of the others."""
    lacks = {f"lever '{name}' is missing": np.isnan(settings[:, at]) for at, name in enumerate(scenario.levers)}
    for name in scenario.outcomes:
        unknown = frame[name].isna().to_numpy() & checks.existing(scenario, frame, name)
        lacks[f"outcome '{name}' is missing"] = unknown
    if keys is not None:
        lacks[f"the column to split by, '{scenario.data.split.column}', is missing"] = pd.isna(keys)
    if chances is not None:
        lacks["the propensity is missing"] = np.isnan(chances)
    used, dropped = np.ones(len(frame), dtype=bool), list[Dropped]()
    for reason, lack in lacks.items():
        dropped.append(Dropped(reason, int((lack & used).sum())))
        used &= ~lack
    return tuple(reason for reason in dropped if reason.count), used


def _left_out(source: Source, dropped: Sequence[Dropped]) -> Iterator[Fault]:
    if dropped:
        whole = sum(each.count for each in dropped) == len(source.frame)
        found = f"{'all ' if whole else ''}rows were left out because {', '.join(map(str, dropped))}"
        yield Fault(source.label, found, cure="Fill in what is missing, where these rows are needed")

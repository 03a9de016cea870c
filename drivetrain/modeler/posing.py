"""From training rows to the task that a contest is held on: what an outcome is to be told from, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from drivetrain.data import Table, existing
from drivetrain.modeler import scales
from drivetrain.modeler.coded import CodedColumn, coded
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.cross_fitting import Task
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.links import Link
from drivetrain.modeler.settings import SettingColumn, SettingEncoder
from drivetrain.scenario import Categorical, Continuous, Integer, Lever, Scenario, effect_on


def pose(
    scenario: Scenario,
    table: Table,
    sizes: Sequence[int],
    encoded: EncodedRows,
    links: Mapping[str, Link],
    values: Mapping[str, np.ndarray],
    name: str,
    everything: Table,
) -> Task:
    """One outcome's examples: the rows in which it exists and all that it uses is known.

    Args:
        scenario: what is declared.
        table: the training rows, N.
        sizes: for each categorical input the number of codes.
        encoded: their inputs.
        links: for each outcome its kind and options.
        values: for each outcome what it was worth, [N].
        name: the outcome.
        everything: the training rows and others, that may hold more of what is known of options.
    """
    uses = scenario.outcomes[name].uses
    settings = np.column_stack([table.settings, *(values[use] for use in uses)])
    usable = existing(scenario, table.frame, name) & np.isfinite(np.column_stack([values[name], settings])).all(axis=1)
    settings, weight = settings[usable], None if table.weight is None else table.weight[usable]
    encoder = _setting_encoder(scenario, everything, links, name, settings)
    examples = Examples(
        encoded if usable.all() else encoded[torch.from_numpy(usable)],
        encoder.encode(torch.tensor(settings)),
        values[name][usable],
        None if weight is None else weight / weight.mean(),
    )
    model = scenario.model
    shape = Shape(
        sizes=tuple(sizes),
        numbers=encoded.numbers.shape[1],
        features=encoder.width,
        width=links[name].width,
        layers=model.layers,
        interactions=model.interactions,
        dropout=model.dropout,
        held=encoder.held,
        coded=encoder.coded,
    )
    return Task(links[name], shape, encoder, examples, table.fold[usable])


def link_of(scenario: Scenario, table: Table, name: str) -> Link:
    """An outcome's kind, with the options and the knee of its scale that training rows show."""
    declared = scenario.outcomes[name]
    if declared.kind == "rating":
        return Link(kind="rating", low=declared.min or 0.0, high=declared.max or 0.0)
    if declared.kind != "categorical":
        seen = table.frame[name][existing(scenario, table.frame, name)].to_numpy(dtype=np.float64)
        return Link(kind=declared.kind, curve=declared.scale, knee=scales.knee(declared.scale, seen))
    return Link(kind=declared.kind, options=declared.options or tuple(sorted(table.frame[name].dropna().unique())))


def _setting_encoder(
    scenario: Scenario, table: Table, links: Mapping[str, Link], outcome: str, settings: np.ndarray
) -> SettingEncoder:
    uses, nothing = scenario.outcomes[outcome].uses, scenario.space.do_nothing
    levers = [
        CodedColumn.fit(name, lever, table.frame)
        if isinstance(lever, Categorical) and coded(lever, scenario.model)
        else SettingColumn.fit(
            name,
            settings[:, i],
            options=len(lever.options) if isinstance(lever, Categorical) else 0,
            atom=None if nothing is None else _atom(lever, outcome, float(nothing[i])),
            effect=effect_on(lever, outcome),
        )
        for i, (name, lever) in enumerate(scenario.levers.items())
    ]
    earlier = [
        SettingColumn.fit(
            name,
            settings[:, i],
            options=len(links[name].options),
            atom=links[name].nothing if scenario.outcomes[name].when else None,
        )
        for i, name in enumerate(uses, start=len(levers))
    ]
    return SettingEncoder(columns=(*levers, *earlier))


def _atom(lever: Lever, outcome: str, nothing: float) -> float | None:
    """Doing nothing; None where a jump beside it would break a declared bend, which it may only at the range's ends."""
    if isinstance(lever, Continuous | Integer) and effect_on(lever, outcome).endswith(("concave", "convex")):
        return nothing if nothing in (lever.min, lever.max) else None
    return nothing

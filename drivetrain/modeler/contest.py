"""The contest: every kind of network and every baseline on the same folds; the lowest held-out loss decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from drivetrain.data import Table
from drivetrain.modeler import baselines, scores
from drivetrain.modeler.encoder import InputEncoder, SettingColumn, SettingEncoder
from drivetrain.modeler.ensemble import Member, Models, Nodes, OutcomeModel
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import Shape
from drivetrain.modeler.training import Examples, train
from drivetrain.scenario import Categorical, Scenario

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """What training leaves behind."""

    models: Models
    contest: Mapping[str, Any]
    """Outcome → its contest: entries with held-out losses, the chosen one, its calibration."""


@dataclass(frozen=True)
class _Task:
    """One outcome's examples, with everything that does not depend on who competes."""

    link: Link
    shape: Shape
    settings: SettingEncoder
    examples: Examples
    fold: np.ndarray


def fit(scenario: Scenario, table: Table, progress: Progress = lambda _: None) -> Fitted:
    """Train every network of the scenario on every fold's complement and keep, for each outcome, the best kind.

    Args:
        scenario: what to learn, and how.
        table: the data; rows of the sealed test part are left alone.
        progress: told, in words, what is being trained.

    Raises:
        RefusedError: too few rows to train on, or training diverged.
    """
    rows = table.training
    kinds = {name: declared.kind for name, declared in scenario.inputs.items()}
    inputs = InputEncoder.fit(rows.frame, kinds)
    outcomes, contest = {}, {}
    for name in scenario.outcomes:
        task = _task(scenario, rows, inputs, name)
        outcomes[name], contest[name] = _hold(scenario, name, task, progress)
    return Fitted(Models(inputs, outcomes), contest)


def _task(scenario: Scenario, table: Table, inputs: InputEncoder, name: str) -> _Task:
    declared = scenario.outcomes[name]
    links = {each: _link(scenario, table, each) for each in (name, *declared.uses)}
    seen = links[name].observed(table.frame[name])
    if declared.when:
        seen = np.where(table.frame[declared.when] == 1, seen, np.nan)
    settings = np.column_stack([table.settings, *(links[use].observed(table.frame[use]) for use in declared.uses)])
    usable = np.isfinite(seen) & np.isfinite(settings).all(axis=1)
    part, settings = table.subset(usable), settings[usable]
    encoder = _setting_encoder(scenario, [links[use] for use in declared.uses], declared.uses, settings)
    examples = Examples(inputs.encode(part.frame), encoder.encode(torch.tensor(settings)), seen[usable])
    model, width = scenario.model, links[name].width
    shape = Shape(
        tuple(inputs.sizes), inputs.numbers, encoder.width, width, model.layers, model.interactions, model.dropout
    )
    return _Task(links[name], shape, encoder, examples, part.fold)


def _link(scenario: Scenario, table: Table, name: str) -> Link:
    declared = scenario.outcomes[name]
    seen = declared.options or tuple(sorted(table.frame[name].dropna().unique()))
    return Link(kind=declared.kind, options=seen if declared.kind == "categorical" else ())


def _setting_encoder(
    scenario: Scenario, links: list[Link], uses: tuple[str, ...], settings: np.ndarray
) -> SettingEncoder:
    nothing = scenario.space.do_nothing
    levers = [
        SettingColumn.fit(
            name,
            settings[:, i],
            options=len(lever.options) if isinstance(lever, Categorical) else 0,
            atom=None if nothing is None else float(nothing[i]),
        )
        for i, (name, lever) in enumerate(scenario.levers.items())
    ]
    earlier = [
        SettingColumn.fit(name, settings[:, i], options=len(link.options))
        for i, (name, link) in enumerate(zip(uses, links, strict=True), start=len(levers))
    ]
    return SettingEncoder(columns=(*levers, *earlier))


def _hold(scenario: Scenario, name: str, task: _Task, progress: Progress) -> tuple[OutcomeModel, dict[str, Any]]:
    observed = task.examples.observed
    models, predicted = {}, {}
    for kind in scenario.model.kinds:
        models[kind] = _cross_fit(scenario, name, kind, task, progress)
        predicted[kind] = _out_of_fold(models[kind], task)
    for baseline in baselines.NAMES:
        progress(f"{name}: {baseline} baseline")
        predicted[baseline] = _baseline(baseline, task, scenario.seed)
    entries = [scores.entry(who, task.link, observed, guess, task.fold) for who, guess in predicted.items()]
    chosen = min((line for line in entries if line["name"] in models), key=lambda line: line["loss"])["name"]
    spread = float(np.std(observed - predicted[chosen])) if task.link.kind in {"numeric", "count"} else 0.0
    model = OutcomeModel(
        name, chosen, task.shape, task.settings, models[chosen], Nodes.fit(task.link, observed, spread)
    )
    return model, {
        "chosen": chosen,
        "loss_name": scores.LOSS_NAMES[task.link.kind],
        "rows": len(observed),
        "entries": entries,
        "calibration": scores.calibration(task.link, observed, predicted[chosen]),
    }


def _cross_fit(scenario: Scenario, name: str, kind: str, task: _Task, progress: Progress) -> tuple[Member, ...]:
    members = []
    folds, repeats = scenario.data.split.folds, scenario.model.repeats
    for fold in range(folds):
        progress(f"{name}: {kind} network, fold {fold + 1} of {folds}")
        seen = task.examples.take(np.flatnonzero(task.fold != fold))
        link = task.link.fitted(seen.observed)
        for repeat in range(repeats):
            seed = int(np.random.SeedSequence([scenario.seed, fold, repeat]).generate_state(1)[0])
            members.append(Member(train(kind, seen, link, task.shape, scenario.model, seed), link, fold))
    return tuple(members)


def _out_of_fold(members: tuple[Member, ...], task: _Task) -> np.ndarray:
    """The mean prediction of the members that have not seen the row: [N], or [N, C] of a categorical outcome."""
    out = np.zeros((len(task.fold), task.link.width)) if task.link.kind == "categorical" else np.zeros(len(task.fold))
    for fold in np.unique(task.fold):
        held = np.flatnonzero(task.fold == fold)
        rows = task.examples.take(held)
        judges = [member for member in members if member.fold == fold]
        each = [m.link.mean(m.network.paired(m.network.context(rows.rows), rows.features)) for m in judges]
        out[held] = torch.stack(each).mean(0).numpy()
    return out


def _baseline(name: str, task: _Task, seed: int) -> np.ndarray:
    parts = {}
    for fold in np.unique(task.fold):
        seen, held = np.flatnonzero(task.fold != fold), np.flatnonzero(task.fold == fold)
        parts[fold] = held, baselines.predict(name, task.link, task.examples.take(seen), task.examples.take(held), seed)
    first = next(iter(parts.values()))[1]
    out = np.zeros((len(task.fold), *first.shape[1:]))
    for held, predicted in parts.values():
        out[held] = predicted
    return out

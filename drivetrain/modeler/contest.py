"""The contest: every kind of network and every baseline on the same folds; the lowest held-out loss decides."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivetrain.data import Table
from drivetrain.errors import Fault, FormulaError, nearest
from drivetrain.modeler import baselines, scores, smearing, tuning
from drivetrain.modeler.blends import blend
from drivetrain.modeler.boosting import MOST_OPTIONS
from drivetrain.modeler.calibrating import calibrated
from drivetrain.modeler.coded import CodedColumn
from drivetrain.modeler.cross_fitting import Task, cross_fit, cross_grow, out_of_fold
from drivetrain.modeler.encoder import InputEncoder
from drivetrain.modeler.ensemble import Member, Models, OutcomeModel
from drivetrain.modeler.foretold import learn
from drivetrain.modeler.kinds import AND, EVERY
from drivetrain.modeler.links import worth
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.posing import link_of, pose
from drivetrain.modeler.retrieval import retrieval
from drivetrain.scenario import Model, Scenario, effect_on
from drivetrain.scenario.check.formulas import formulas

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Fitted:
    """What training leaves behind."""

    models: Models
    contest: Mapping[str, Any]
    """Outcome → its contest: entries with held-out losses, the chosen one, its calibration."""


def fit(scenario: Scenario, table: Table, progress: Progress = lambda _: None) -> Fitted:
    """Train every network of the scenario on every fold's complement and keep, for each outcome, the best kind.

    Args:
        scenario: what to learn, and how.
        table: the data; rows of the sealed test part are left alone.
        progress: told, in words, what is being trained.

    Raises:
        FormulaError: a formula compares a category with a text that the data does not hold.
        RefusedError: too few rows to train on, or training diverged.
    """
    scenario, rows = scenario.resolved(table.options), table.training
    inputs, encoded = InputEncoder.fit_encode(rows.frame, {name: each.kind for name, each in scenario.inputs.items()})
    read = np.column_stack([encoded.codes.numpy(), encoded.numbers.numpy()]).astype(np.float32)
    foretold, unseen = learn(scenario, rows, read)
    if foretold:  # by trees that have not seen the row
        inputs, encoded = inputs.model_copy(update={"foretold": foretold}), encoded.beside(unseen)
    links = {name: link_of(scenario, rows, name) for name in scenario.outcomes}
    known = {**inputs.vocabularies, **scenario.options, **{name: link.options for name, link in links.items()}}
    if faults := list(_unheard_of(scenario, known)):
        raise FormulaError(*faults)
    values = worth(scenario, links, rows.frame)
    outcomes, contest = {}, {}
    for name in scenario.outcomes:
        task = pose(scenario, rows, inputs.sizes, encoded, links, values, name, table)
        outcomes[name], contest[name] = _hold(scenario, name, task, progress)
    return Fitted(Models(inputs, outcomes), contest)


def _unheard_of(scenario: Scenario, known: Mapping[str, Sequence[str]]) -> Iterator[Fault]:
    """Texts in formulas that no row holds: a slip of the pen, which would make the comparison never true."""
    for path, formula in formulas(scenario):
        for name, texts in sorted(formula.compared.items()):
            for text in sorted(texts - set(known[name])):
                rule = f"It must be a value of '{name}' in the training rows"
                found = f"found '{name}' compared with the unknown text '{text}'"
                yield Fault(".".join(map(str, path)), found, rule, nearest(text, known[name]))


def _competing(scenario: Scenario, name: str, task: Task, progress: Progress) -> tuple[dict[str, str], dict[str, str]]:
    """Which effects are declared, and which kinds of model cannot hold them, or so many options, and why."""
    effects = {lever: effect_on(each, name) for lever, each in scenario.levers.items() if effect_on(each, name)}
    held = {column.name: column.effect for column in task.settings.columns if column.effect}
    without = {}
    for kind in map(str, scenario.model.kinds):
        if lost := [lever for lever, effect in held.items() if not EVERY[kind].can_hold(effect)]:
            without[kind] = "cannot hold the declared effect of " + ", ".join(lost)
        elif many := [c.name for c in task.settings.columns if isinstance(c, CodedColumn) and not EVERY[kind].many]:
            without[kind] = "has no factors for each option of " + ", ".join(many)
        elif many := [c.name for c in task.settings.columns if kind == "boosting" and c.options > MOST_OPTIONS]:
            without[kind] = "cannot tell so many options apart as there are of " + ", ".join(many)
    for kind, reason in without.items():
        progress(f"{name}: {kind} does not compete, for it {reason}")
    return effects, without


def _hold(scenario: Scenario, name: str, task: Task, progress: Progress) -> tuple[OutcomeModel, dict[str, Any]]:
    observed, link = task.examples.observed, task.link
    effects, without = _competing(scenario, name, task, progress)
    kinds = [str(kind) for kind in scenario.model.kinds if kind not in without]

    def say(words: str) -> None:
        progress(f"{name}: {words}")

    size, rounds, told = _sizes(scenario, kinds, task, say)
    task = task.sized(size)
    trained = dict(_trained(scenario, kinds, task, size, rounds, say))
    if size.patience:
        networks = {kind: members for kind, members in trained.items() if kind != "boosting"}
        told["passes"] = {kind: [member.network.passes for member in members] for kind, members in networks.items()}
    models, told["calibrated"] = dict[str, tuple[Member, ...]](), dict[str, Any]()
    for kind, members in trained.items():
        models[kind], told["calibrated"][kind] = _finished(members, task)
    predicted = {kind: out_of_fold(members, task) for kind, members in models.items()}
    if blended := _blended(trained, predicted, task):
        who, members, told["blend"] = blended
        models[who], told["calibrated"][who] = _finished(members, task)
        predicted[who] = out_of_fold(models[who], task)
    for baseline in _baselines(kinds, task):
        say(f"{baseline} baseline")
        predicted[baseline] = _baseline(baseline, task, scenario.seed)
    entries = [_entry(who, guess, task) for who, guess in predicted.items()]
    chosen = min((line for line in entries if line["name"] in models), key=lambda line: line["loss"])["name"]
    if scenario.implicit == name:
        say("finding options that were held out")
        told["retrieval"] = retrieval(models[chosen], task, scenario.seed)
    nodes = Nodes.fit(link, observed, _spread(task, models[chosen], predicted[chosen]))
    return OutcomeModel(name, chosen, task.shape, task.settings, models[chosen], nodes), {
        "chosen": chosen,
        "loss_name": scores.LOSS_NAMES[link.kind],
        "rows": len(observed),
        "effects": effects,
        "without": without,
        **told,
        "entries": entries,
        "calibration": scores.calibration(link, observed, predicted[chosen], task.examples.weight),
    }


def _sizes(
    scenario: Scenario, kinds: Sequence[str], task: Task, say: Progress
) -> tuple[Model, dict[int, int], dict[str, Any]]:
    """The settings of all models, for each fold the rounds of boosting, and for the record all that was tried."""
    model, rounds, told = scenario.model, dict[int, int](), dict[str, Any]()
    if networks := [kind for kind in kinds if kind != "boosting"]:
        model, tried = tuning.settle(model, networks[0], task, scenario.seed, say)
        told |= {"size": tuning.told(model), "sizes_tried": tried}
    if "boosting" in kinds:
        bush, rounds, tried = tuning.settle_trees(model, task, scenario.seed, say)
        model = model.model_copy(update={"boosting": bush})
        told |= {"trees": {**tuning.told_of_trees(bush), "rounds": list(rounds.values())}, "trees_tried": tried}
    return model, rounds, told


def _trained(
    scenario: Scenario, kinds: Sequence[str], task: Task, size: Model, rounds: Mapping[int, int], say: Progress
) -> Iterator[tuple[str, tuple[Member, ...]]]:
    """Members of each kind."""
    folds = np.repeat(np.arange(scenario.data.split.folds), size.repeats)
    for kind in kinds:
        say(f"{len(folds)} {kind} models, {size.repeats} for each of {folds[-1] + 1} folds")
        if kind == "boosting":
            members = cross_grow(task, size.boosting, rounds, folds, scenario.seed)
        else:
            members = cross_fit(kind, task, size, folds, scenario.seed)
        yield kind, members


def _finished(members: tuple[Member, ...], task: Task) -> tuple[tuple[Member, ...], dict[str, Any] | None]:
    """Members whose means are right on average, and, where probabilities were calibrated, how."""
    if task.link.curve != "linear":
        members = smearing.smeared(members, smearing.errors(members, task.examples, task.fold))
    return calibrated(members, task)


def _blended(
    models: Mapping[str, tuple[Member, ...]], predicted: Mapping[str, np.ndarray], task: Task
) -> tuple[str, tuple[Member, ...], dict[str, Any]] | None:
    """The best network averaged with boosting: its name, its members, and how much of them is trees."""
    lines = [_entry(who, guess, task) for who, guess in predicted.items() if who != "boosting"]
    if "boosting" not in models or not lines:
        return None
    best = str(min(lines, key=lambda line: line["loss"])["name"])
    members, share = blend(models[best], models["boosting"], task)
    told = {"of": [best, "boosting"], "share_of_boosting": share}
    return (best + AND + "boosting", members, told) if 0 < share < 1 else None


def _entry(who: str, predicted: np.ndarray, task: Task) -> dict[str, Any]:
    return scores.entry(who, task.link, task.examples.observed, predicted, task.fold, task.examples.weight)


def _baselines(kinds: Sequence[str], task: Task) -> list[str]:
    """Boosting is one where it is no contestant."""
    names = baselines.NAMES_OF_MANY if task.shape.coded else baselines.NAMES
    return [name for name in names if name not in kinds]


def _spread(task: Task, members: tuple[Member, ...], predicted: np.ndarray) -> float:
    """An outcome's standard deviation around its prediction, out of fold, on its scale."""
    if task.link.curve != "linear":
        return smearing.spread(smearing.errors(members, task.examples, task.fold))
    if task.link.kind not in {"numeric", "rating"}:
        return 0.0
    squares = (task.examples.observed - predicted) ** 2
    return float(np.sqrt(np.average(squares, weights=task.examples.weight)))


def _baseline(name: str, task: Task, seed: int) -> np.ndarray:
    parts = {}
    for fold in np.unique(task.fold):
        seen, held = np.flatnonzero(task.fold != fold), np.flatnonzero(task.fold == fold)
        known, asked = task.examples.take(seen), task.examples.take(held)
        parts[fold] = (
            held,
            baselines.predict(name, task.link, known, asked, seed, tuple(p for p, _ in task.shape.coded)),
        )
    first = next(iter(parts.values()))[1]
    out = np.zeros((len(task.fold), *first.shape[1:]))
    for held, predicted in parts.values():
        out[held] = predicted
    return out

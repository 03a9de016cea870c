"""What may come of one row, not only of rows on average: errors that models made elsewhere, carried along the chain.

CV+ (Barber, Candès, Ramdas & Tibshirani 2021, "Predictive inference with the jackknife+", Ann. Statist. 49:486): each
row of the data has an error, made by models that had not seen it; what these same models say of a new row, with this
error on top, is one thing that may happen there. An outcome that uses earlier ones is asked with what happened to these
in the same draw, and one row's errors of all outcomes stay together: what goes along in the data goes along here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.data import Table
from drivetrain.modeler import Link, OutcomeModel, held_out
from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.simulator import Simulator

Floats = NDArray[np.float64]
DRAWS = 400
FEWEST_DRAWS = 99
PAIRS = 4_000_000
"""Of a row and a draw: beyond, there are fewer draws, down to the fewest."""
PAIRS_AT_ONCE = 200_000
ROUNDING = 1e-9
LEAST_MEAN = 0.1
"""Counts of a smaller mean are taken to spread as those of this one."""


@dataclass(frozen=True)
class Errors:
    """S draws of what rows of the data had as errors, all outcomes of a row together."""

    fold: NDArray[np.int64]
    """[S] the fold of the row, whose members have not seen it."""
    of: Mapping[str, Floats]
    """Outcome → [S]; numeric ones on their scale, counts in standard deviations of Poisson's distribution, binary and
    categorical ones as the place, from 0 to 1, between the probabilities."""

    @classmethod
    def drawn(cls, simulator: Simulator, table: Table, many: int, seed: int) -> Errors:
        """From the rows that models were trained on, each judged by members that have not seen it.

        Args:
            simulator: all members.
            table: the run's.
            many: at most so many draws.
            seed: of the draw.
        """
        rows, draw = table.training, np.random.default_rng(seed)
        whole = {}
        for name, found in held_out(simulator.scenario, simulator.models, rows).items():
            errors = np.full(len(rows), np.nan)
            errors[found.at] = _errors(found.link, found.observed, found.predicted, draw)
            whole[name] = errors
        chance = None if rows.weight is None else rows.weight / rows.weight.sum()
        some = len(rows) if chance is None else int((chance > 0).sum())
        at = draw.choice(len(rows), min(many, some), replace=False, p=chance)
        return cls(rows.fold[at], {name: _filled(errors, rows.fold, at, draw) for name, errors in whole.items()})


@dataclass(frozen=True)
class Foresight:
    """What may happen to rows under settings, draw by draw."""

    simulator: Simulator
    errors: Errors

    def draws(self, crowd: Crowd, settings: Floats) -> Iterator[tuple[slice, dict[str, Floats]]]:
        """Over runs of rows: `objective`, then each outcome as the data would hold it, [n, S].

        Args:
            crowd: N rows.
            settings: [N, L] what each gets.
        """
        many = len(self.errors.fold)
        for start in range(0, len(crowd), step := max(1, PAIRS_AT_ONCE // many)):
            part = slice(start, min(start + step, len(crowd)))
            yield part, self._run(crowd.take(part), settings[part])

    def _run(self, crowd: Crowd, settings: Floats) -> dict[str, Floats]:
        chain, scenario = self.simulator.chain, self.simulator.scenario
        happened: dict[str, Floats] = {}
        for name, declared in scenario.outcomes.items():
            model = self.simulator.models.outcomes[name]
            earlier = [happened[use] for use in declared.uses]
            value = np.empty((len(crowd), len(self.errors.fold)))
            for fold in np.unique(self.errors.fold):
                draws = np.flatnonzero(self.errors.fold == fold)
                mean = self._mean(model, int(fold), crowd, settings, [each[:, draws] for each in earlier])
                value[:, draws] = _happening(model.link, mean, self.errors.of[name][draws])
            exists = happened[declared.when] == 1 if declared.when else True
            happened[name] = np.where(exists, value, model.link.nothing)
        values = {name: value.double() for name, value in crowd.values.items()}
        values |= {name: torch.tensor(settings[:, [i]]) for i, name in enumerate(scenario.levers)}
        values |= {name: torch.from_numpy(value) for name, value in happened.items()}
        objective = chain.run(chain.objective, values)
        return {"objective": objective.expand(len(crowd), len(self.errors.fold)).numpy(), **happened}

    def _mean(self, model: OutcomeModel, fold: int, crowd: Crowd, settings: Floats, earlier: list[Floats]) -> Floats:
        """[n, s or 1] what a fold's members expect on average; [n, s or 1, C] of a categorical outcome."""
        own = [place for place, member in enumerate(model.members) if member.fold == fold]
        judges, many = model.without(fold), earlier[0].shape[1] if earlier else 1
        which = torch.arange(len(crowd)).repeat_interleave(many)
        contexts = [crowd.contexts[model.outcome][place] for place in own]
        asked = np.column_stack([np.repeat(settings, many, axis=0), *(each.ravel() for each in earlier)])
        taken = contexts if many == 1 else [context[which] for context in contexts]
        mean: Tensor = judges.paired(taken, torch.tensor(asked)).double().mean(0)
        return mean.reshape(len(crowd), many, *mean.shape[1:]).numpy()


def span(draws: Floats, share: float, *, narrow: bool = False) -> tuple[Floats, Floats]:
    """Low and high ends [n] of what happens in this share of draws [n, S], with room for there being so few.

    Args:
        draws: of each row.
        share: above 0 and below 1.
        narrow: whether to take the shortest such span, and not that which leaves as much below as above: for counts
            and ratings, of which much may lie at the end of their range.
    """
    ordered, many = np.sort(draws, axis=1), draws.shape[1]
    if narrow:
        inside = min(many, int(np.ceil(share * (many + 1) - ROUNDING)))
        first = np.argmin(ordered[:, inside - 1 :] - ordered[:, : many - inside + 1], axis=1)
        rows = np.arange(len(draws))
        return ordered[rows, first], ordered[rows, first + inside - 1]
    below = max(1, int(np.floor((1 - share) / 2 * (many + 1) + ROUNDING)))
    return ordered[:, below - 1], ordered[:, many - below]


def _errors(link: Link, observed: Floats, predicted: Floats, draw: np.random.Generator) -> Floats:
    """[n] what was observed, as the error of what was predicted."""
    if link.kind in {"binary", "categorical"}:
        ends = _ends(predicted, link)
        codes = observed.astype(np.int64)
        low, high = (np.take_along_axis(ends, codes[:, None] + step, 1)[:, 0] for step in (0, 1))
        return np.asarray(low + (high - low) * draw.random(len(observed)))
    if link.kind == "count":
        return np.asarray((observed - predicted) / np.sqrt(np.maximum(predicted, LEAST_MEAN)))
    return np.asarray(link.there(observed) - link.there(predicted))


def _happening(link: Link, mean: Floats, errors: Floats) -> Floats:
    """[n, s] what happens where [n, s or 1] is expected and the errors are [s]."""
    if link.kind in {"binary", "categorical"}:
        inner = _ends(mean, link)[..., 1:-1]
        return np.asarray((errors[:, None] > inner).sum(-1).astype(np.float64))
    if link.kind == "count":
        return np.maximum(0.0, np.rint(mean + errors * np.sqrt(np.maximum(mean, LEAST_MEAN))))
    happening = link.back(link.there(mean) + errors)
    return np.asarray(np.clip(happening, link.low, link.high) if link.kind == "rating" else happening)


def _ends(predicted: Floats, link: Link) -> Floats:
    """[..., C + 1] from 0 to 1 the ends of each option's probability; of a binary outcome no comes first."""
    shares = predicted if link.kind == "categorical" else np.stack([1 - predicted, predicted], -1)
    ends = np.concatenate([np.zeros((*shares.shape[:-1], 1)), np.cumsum(shares, -1)], -1)
    return np.asarray(ends / ends[..., -1:])


def _filled(errors: Floats, fold: NDArray[np.int64], at: NDArray[np.int64], draw: np.random.Generator) -> Floats:
    """[S] the errors of rows `at`; of a row where the outcome does not exist another's of its fold."""
    out = errors[at]
    for place in np.flatnonzero(np.isnan(out)):
        known = np.isfinite(errors)
        donors = np.flatnonzero(known & (fold == fold[at[place]]))
        out[place] = errors[draw.choice(donors if len(donors) else np.flatnonzero(known))]
    return out

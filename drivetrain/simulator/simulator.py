"""What would happen to these rows under those settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.formula import Formula
from drivetrain.modeler import Models, OutcomeModel, worth
from drivetrain.scenario import Categorical, LeverSpace, Scenario, labelled
from drivetrain.simulator.chain import Ask, Chain
from drivetrain.simulator.crowd import Crowd, listed
from drivetrain.simulator.outlook import Expected, Outlook
from drivetrain.simulator.relaxation import Relaxed, Unbounded
from drivetrain.simulator.support import Support

if TYPE_CHECKING:
    from drivetrain.simulator.kin import Kin

Floats = NDArray[np.float64]
CELLS_AT_ONCE = 8_000_000
CELLS_IN_CACHE = 524_288
"""So many float32 numbers stay near the core between one operation and the next."""
ROWS_AT_ONCE = 131_072
READY_AT_ONCE = 8_192


@dataclass(frozen=True)
class Simulator:
    """Asks the models; knows formulas, chains and support."""

    scenario: Scenario
    models: Models
    support: Support
    kin: Kin | None = field(default=None, repr=False)
    """The rows that support is asked of row by row; None where rows at large are asked."""

    def __post_init__(self) -> None:
        """Raises: RefusedError: the chain has more branches than can be enumerated."""
        self.chain.check()

    def without(self, fold: int) -> Simulator:
        """The simulator whose members have never seen rows of this fold."""
        return replace(self, models=self.models.without(fold))

    @property
    def options(self) -> dict[str, tuple[str, ...]]:
        """Name → options in code order, for formulas."""
        return self.chain.options

    def crowd(self, frame: pd.DataFrame) -> Crowd:
        """Read rows with the scenario's inputs as columns; do it once, and ask about many settings."""
        rows = self.models.inputs.encode(frame)
        values = {
            name: torch.tensor(self._input(frame, name)[:, None], dtype=torch.float32) for name in self.scenario.inputs
        }
        contexts = {name: model.context(rows) for name, model in self.models.outcomes.items()}
        asked = self.scenario.remembered or self.scenario.decide.keep_within is not None
        current = self._current(frame) if asked else None
        if current is not None:
            told = torch.tensor(current, dtype=torch.float32)
            values |= {name: told[:, [i]] for i, name in enumerate(self.scenario.remembered)}
        for name, lever in self.scenario.excluded.items():
            declared = self.scenario.levers[lever]
            assert isinstance(declared, Categorical)  # noqa: S101  (only these exclude)
            values[name] = listed(declared, frame[name])
        return Crowd(values, contexts, rows.remarks, len(frame), labelled(self.scenario, frame), current)

    def grid(self, crowd: Crowd, settings: Floats | Tensor) -> Outlook:
        """Every row under each of G settings [G, L]: tensors [M, N, G]. Use `chunks` where that is too large.

        Settings that are a tensor which asks for gradients get them, as far as models have any: see `smooth`.
        """
        at = torch.as_tensor(settings, dtype=torch.float64)

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            return model.grid(crowd.contexts[model.outcome], _beside(at, earlier))

        return self._walk(ask, crowd, at.T.unsqueeze(1))

    def bounded(self, crowd: Crowd, boxes: Relaxed) -> tuple[Relaxed, dict[str, Relaxed]]:
        """Between what the objective, and each constraint's formula, lie for every setting of G boxes: [M, N, G].

        Args:
            crowd: N rows.
            boxes: the settings, [G, L].

        Raises:
            Unbounded: models or formulas hold a step for which no bound is known.
        """
        at: Any = boxes  # takes part in torch's functions as a tensor does

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            return model.grid(crowd.contexts[model.outcome], _beside(at, earlier))

        try:
            told = self._walk(ask, crowd, at.T.unsqueeze(1))
        except (AttributeError, TypeError, RuntimeError) as error:  # what is not a tensor meets code that wants one
            raise Unbounded(str(error)) from error
        objective: Any = told.objective
        bounded: Any = told.bounded
        return objective, bounded

    def smooth(self, crowd: Crowd) -> bool:
        """Whether every outcome's prediction has a gradient in the settings; trees, for one, have none."""
        at = torch.tensor(self.support.seen[:1], dtype=torch.float64, requires_grad=True)
        known: list[bool] = []

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            told = model.grid(one.contexts[model.outcome], _beside(at, earlier))
            known.append(told.requires_grad)
            return told

        one = crowd.take(slice(0, 1))
        try:
            self._walk(ask, one, at.T.unsqueeze(1))
        except RuntimeError:  # torch refuses to take a tensor that asks for gradients out of its graph
            return False
        return all(known)

    def paired(self, crowd: Crowd, settings: Floats) -> Outlook:
        """Every row under its own setting [N, L]: tensors [M, N, 1]."""
        return self.carried(crowd, settings, settings[:, None])

    def carried(self, crowd: Crowd, settings: Floats, told: Floats) -> Outlook:
        """Outcomes as of one setting, formulas as of others: what rows that got one setting say of those near it.

        Args:
            crowd: N rows.
            settings: [N, L] what models are asked about.
            told: what formulas see: [N or 1, G, L].

        Returns:
            Tensors [M, N, G].
        """
        at = torch.tensor(settings, dtype=torch.float64)

        def ask(model: OutcomeModel, earlier: Sequence[float]) -> Tensor:
            return model.paired(crowd.contexts[model.outcome], _beside(at, earlier)).unsqueeze(2)

        return self._walk(ask, crowd, torch.tensor(told, dtype=torch.float64).movedim(2, 0))

    def chunks(self, crowd: Crowd, settings: Floats) -> Iterator[tuple[slice, Outlook]]:
        """`grid` over runs of rows, so that memory stays flat."""
        members = max(1, len(self.folds))
        step = max(1, CELLS_AT_ONCE // (members * max(1, len(settings))))
        for start in range(0, len(crowd), step):
            part = slice(start, min(start + step, len(crowd)))
            yield part, self.grid(crowd.take(part), settings)

    def inputs(self, frame: pd.DataFrame, names: Iterable[str]) -> dict[str, Tensor]:
        """Inputs as formulas see them: float64 [N], categories as codes."""
        return {name: torch.tensor(self._input(frame, name)) for name in names}

    def crowds(self, frame: pd.DataFrame) -> Iterator[tuple[slice, Crowd]]:
        """`crowd` over runs of rows, so that memory stays flat however many there are."""
        for start in range(0, len(frame), ROWS_AT_ONCE):
            part = slice(start, min(start + ROWS_AT_ONCE, len(frame)))
            yield part, self.crowd(frame.iloc[part])

    def expected(self, crowd: Crowd, settings: Floats) -> Iterator[tuple[slice, Expected]]:
        """The members' mean of every row under each of G settings [G, L], over runs of rows.

        Where formulas are affine in the outcomes' means, members are averaged before any formula is reckoned, and runs
        are so short that nothing leaves the cache between the matrix product and the formula.
        """
        if not self.chain.affine:
            for part, outlook in self.chunks(crowd, settings):
                bounded = {name: outlook.mean(value) for name, value in outlook.bounded.items()}
                yield part, Expected(outlook.mean(), bounded)
            return
        at = torch.tensor(settings, dtype=torch.float64)
        prepared = {name: model.prepare(at) for name, model in self.models.outcomes.items()}
        levers = dict(zip(self.scenario.levers, at.float().T, strict=True))
        for part, few in self._runs(crowd, max(1, CELLS_IN_CACHE // max(1, len(at)))):
            means = {name: model.expected(few.contexts[name], prepared[name]) for name, model in self._outcomes}
            yield part, self._reckoned({**few.values, **levers, **means}, (len(few), len(at)))

    def ready(self, crowd: Crowd) -> Crowd:
        """A run of rows that many settings are asked of: with what is too much to keep of a whole crowd."""
        contexts = {name: model.ready(crowd.contexts[name]) for name, model in self._outcomes}
        return replace(crowd, contexts=contexts)

    def _runs(self, crowd: Crowd, step: int) -> Iterator[tuple[slice, Crowd]]:
        """Runs of so many rows, made ready some thousands at a time."""
        many = step * max(1, READY_AT_ONCE // step)
        for begin in range(0, len(crowd), many):
            ready = self.ready(crowd.take(slice(begin, begin + many)))
            for start in range(0, len(ready), step):
                few = ready.take(slice(start, start + step))
                yield slice(begin + start, begin + start + len(few)), few

    def expected_paired(self, crowd: Crowd, settings: Floats) -> Expected:
        """The members' mean of every row under its own setting [N, L]: tensors [N, 1]."""
        if not self.chain.affine:
            outlook = self.paired(crowd, settings)
            return Expected(outlook.mean(), {name: outlook.mean(value) for name, value in outlook.bounded.items()})
        at = torch.tensor(settings, dtype=torch.float64)
        levers = dict(zip(self.scenario.levers, at.float().T.unsqueeze(2), strict=True))
        means = {name: model.paired(crowd.contexts[name], at).mean(0).unsqueeze(1) for name, model in self._outcomes}
        return self._reckoned({**crowd.values, **levers, **means}, (len(crowd), 1))

    def known(self, crowd: Crowd, formula: Formula) -> Floats:
        """A formula over inputs and parameters, for each row [N]: what does not hang on any setting."""
        value = self.chain.run(formula, crowd.values)
        return np.broadcast_to(value.double().numpy().reshape(-1), len(crowd)).copy()

    def observed(self, frame: pd.DataFrame, settings: Floats, formula: Formula | None = None) -> Floats:
        """What the data shows the objective (or another formula) to have been, [N]; NaN where an outcome is missing.

        Args:
            frame: rows with inputs and outcomes.
            settings: [N, L] what was done.
            formula: over levers, inputs and outcomes; the objective where left out.

        An outcome with `when` is worth 0 where that other outcome is no; all is reckoned in float64.
        """
        values = {name: torch.tensor(self._input(frame, name)) for name in self.scenario.inputs}
        values |= {name: torch.tensor(settings[:, i]) for i, name in enumerate(self.scenario.levers)}
        if self.scenario.remembered:
            current = self._current(frame)
            values |= {name: torch.tensor(current[:, i]) for i, name in enumerate(self.scenario.remembered)}
        outcomes = worth(self.scenario, self.models.links, frame)
        values |= {name: torch.tensor(seen) for name, seen in outcomes.items()}
        asked = self.scenario.valued if formula is None else self.scenario.expand(formula)
        value = self.chain.run(asked, values)
        return np.broadcast_to(value.numpy(), len(frame)).copy()

    @property
    def folds(self) -> Tensor:
        """int64 [M]; one member where nothing is learned and all is formula."""
        return self.models.folds if self.models.outcomes else torch.zeros(1, dtype=torch.int64)

    @property
    def _outcomes(self) -> Iterable[tuple[str, OutcomeModel]]:
        return self.models.outcomes.items()

    def _reckoned(self, values: Mapping[str, Tensor], shape: tuple[int, int]) -> Expected:
        """The formulas of these means."""
        objective = self.chain.run(self.chain.objective, values).broadcast_to(shape)
        bounds = self.chain.bounds.items()
        return Expected(objective, {name: self.chain.run(each, values).broadcast_to(shape) for name, each in bounds})

    @cached_property
    def chain(self) -> Chain:
        """The outcomes and formulas, and how they hang together."""
        return Chain(self.scenario, self.models)

    def _input(self, frame: pd.DataFrame, name: str) -> Floats:
        vocabulary = self.models.inputs.vocabularies.get(name)
        if vocabulary is None:
            return frame[name].to_numpy(dtype=np.float64)
        return pd.Index(vocabulary).get_indexer(pd.Index(frame[name], dtype=object)).astype(np.float64)

    def _current(self, frame: pd.DataFrame) -> Floats:
        """[N, L] each row's current setting: the lever's own, else what its column in the frame says, else NaN."""
        space, rows = self.scenario.space, len(frame)
        out = np.tile(space.current, (rows, 1))
        for i, (name, lever) in enumerate(space.levers.items()):
            if np.isnan(space.current[i]) and name in frame:
                out[:, i] = LeverSpace({name: lever}).encode(frame[[name]])[:, 0]
        return out

    def _walk(self, ask: Ask, crowd: Crowd, levers: Tensor) -> Outlook:
        """Down the chain; levers float64 [L, 1 or N, G]."""
        values = {**crowd.values, **dict(zip(self.scenario.levers, levers.float(), strict=True))}
        shape = (len(self.folds), len(crowd), levers.shape[-1])
        objective, outcomes, bounded, beside = self.chain.walk(ask, values, shape)
        return Outlook(objective, outcomes, bounded, self.folds, beside)


def _beside(settings: Tensor, earlier: Sequence[float]) -> Tensor:
    return torch.cat(
        [settings, *(torch.full((len(settings), 1), value, dtype=settings.dtype) for value in earlier)], dim=1
    )

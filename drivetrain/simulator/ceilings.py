"""What settings between two others are worth at most, so that most settings need not be asked about.

Along one lever, the others staying, a formula that is affine in the outcomes' means is Σ c · o, c being what it makes
of an outcome there. Where c is affine in the lever too, the formula at a share t of the way between two knots is no
more than the line between its values there, plus t (1 − t) (|c| B − Δc Δo), plus |c| E, with B and E from
`modeler.meshes`. Where it is not, what c leaves its own line by is added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from drivetrain.modeler.meshes import Mesh, Products, Spans, Told, means
from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.outlook import Expected
from drivetrain.simulator.simulator import CELLS_IN_CACHE, Simulator

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

TINY = 1e-30
CELLS = CELLS_IN_CACHE // 2


@dataclass(frozen=True)
class Level:
    """P of the settings, as knots."""

    knots: Ints
    """[P] places among all settings, ascending."""
    levers: Mapping[str, Tensor]
    """float32 [P, 1] each."""
    meshes: Mapping[str, Mesh]
    bent: Sequence[Tensor]
    """[P − 1, 1] by how much what the objective makes of nothing, and of each outcome, leaves the line, at most."""


@dataclass(frozen=True)
class Ceilings:
    """Settings [G, L], in runs along one lever: what members expect of them, and of those between two at most."""

    simulator: Simulator
    settings: Floats
    products: Mapping[str, Products]
    lever: str

    @classmethod
    def of(cls, simulator: Simulator, settings: Floats, lever: str) -> Ceilings | None:
        """None where models or formulas are not such that anything is known between settings."""
        chain, at = simulator.chain, torch.tensor(settings, dtype=torch.float64)
        outcomes, inputs = simulator.scenario.outcomes, {*simulator.scenario.inputs, *simulator.scenario.remembered}
        if not outcomes or not chain.affine or simulator.scenario.excluded:  # lists stand in rows, not across
            return None
        if not chain.objective.affine_in(lever) and chain.objective.names & inputs:
            return None
        products = {name: model.products(at) for name, model in simulator.models.outcomes.items()}
        known = {name: each for name, each in products.items() if each is not None}
        return cls(simulator, settings, known, lever) if len(known) == len(products) else None

    def level(self, knots: Ints) -> Level:
        """Settings at these places as knots: between two there are only settings that differ in the one lever."""
        way, inside = _between(knots, self.settings[:, self.simulator.scenario.space.names.index(self.lever)])
        spans = Spans(torch.from_numpy(knots), torch.from_numpy(inside), torch.from_numpy(way).float())
        models = self.simulator.models.outcomes
        meshes = {name: Mesh.of(models[name].each_link, each, spans) for name, each in self.products.items()}
        levers = self._levers(slice(None))
        made = [] if self.simulator.chain.objective.affine_in(self.lever) else self._made(levers)
        bent = [spans.residual(each.broadcast_to(len(self.settings), 1)) for each in made]
        return Level(knots, {name: value[knots] for name, value in levers.items()}, meshes, bent)

    def bare(self, crowd: Crowd) -> Crowd:
        """The same rows, with nothing that is not asked for here: taking some of them costs less."""
        chain = self.simulator.chain
        names = {name for formula in (chain.objective, *chain.bounds.values()) for name in formula.names}
        values = {name: value for name, value in crowd.values.items() if name in names}
        return Crowd(values, crowd.contexts, {}, len(crowd))

    def told(self, level: Level, crowd: Crowd, part: slice | None = None) -> Iterator[tuple[slice, Expected, Tensor]]:
        """Over runs of rows: what members expect at knots [n, P], and a ceiling [P − 1, n] of the signed objective
        between each and the next.

        Args:
            level: the knots.
            crowd: N rows.
            part: of the knots; all of them where left out.
        """
        some = slice(0, len(level.knots)) if part is None else part
        levers = {name: value[some] for name, value in level.levers.items()}
        for run, few in self._runs(crowd, some.stop - some.start):
            told = {name: mesh.told(few.contexts[name], some) for name, mesh in level.meshes.items()}
            values = {name: value.T for name, value in few.values.items()} | levers
            expected = self._reckoned({**values, **{name: each.mean for name, each in told.items()}}, len(few))
            worth = self.simulator.scenario.objective.sign * expected.objective.T
            bent = [each[some.start : some.stop - 1] for each in level.bent]
            yield run, expected, _ceiling(worth, self._made(values), list(told.values()), bent)

    def expected(self, crowd: Crowd, part: slice) -> Iterator[tuple[slice, Expected]]:
        """Over runs of rows: what members expect under a run of P of the settings, [n, P]."""
        levers, models = self._levers(part), self.simulator.models.outcomes
        for run, few in self._runs(crowd, part.stop - part.start):
            values = {name: value.T for name, value in few.values.items()} | levers
            for name, each in self.products.items():
                values[name] = means(models[name].each_link, each, few.contexts[name], part)
            yield run, self._reckoned(values, len(few))

    def _runs(self, crowd: Crowd, settings: int) -> Iterator[tuple[slice, Crowd]]:
        step = max(1, CELLS // settings)
        for start in range(0, len(crowd), step):
            run = slice(start, min(start + step, len(crowd)))
            yield run, crowd.take(run) if len(crowd) > step else crowd

    def _levers(self, part: slice) -> dict[str, Tensor]:
        at = torch.tensor(self.settings[part], dtype=torch.float32)
        return {name: at[:, [i]] for i, name in enumerate(self.simulator.scenario.levers)}

    def _made(self, values: Mapping[str, Tensor]) -> list[Tensor]:
        """What the objective, better when higher, makes of nothing, and of one more of each outcome."""
        nothing = {name: torch.zeros(1, 1) for name in self.products}
        base = self._signed({**values, **nothing})
        each = [self._signed({**values, **nothing, name: torch.ones(1, 1)}) - base for name in self.products]
        return [base, *each]

    def _signed(self, values: Mapping[str, Tensor]) -> Tensor:
        chain = self.simulator.chain
        return chain.run(chain.objective, values) * self.simulator.scenario.objective.sign

    def _reckoned(self, values: Mapping[str, Tensor], rows: int) -> Expected:
        """Settings down, rows across inside: as others know it, [n, P]."""
        chain, shape = self.simulator.chain, (len(values[self.lever]), rows)
        bounded = {name: chain.run(each, values).broadcast_to(shape).T for name, each in chain.bounds.items()}
        return Expected(chain.run(chain.objective, values).broadcast_to(shape).T, bounded)


def _between(knots: Ints, values: Floats) -> tuple[Floats, Ints]:
    """Which places [P − 1, I] lie between knots, and at what share of the way."""
    most = max(1, int(np.diff(knots).max(initial=1)) - 1)
    inside = np.minimum(knots[:-1, None] + 1 + np.arange(most), knots[1:, None])
    apart = values[knots[1:]] - values[knots[:-1]]
    way = (values[inside] - values[knots[:-1], None]) / np.where(apart == 0, 1, apart)[:, None]
    return np.where(inside == knots[1:, None], 1.0, way), inside


def _ceiling(worth: Tensor, made: Sequence[Tensor], told: Sequence[Told], bent: Sequence[Tensor]) -> Tensor:
    """[P − 1, n] how much the objective is between knots at most, from its values [P, n] there."""
    rise, beyond = torch.zeros_like(worth[1:]), torch.zeros_like(worth[1:])
    for place, (c, outcome) in enumerate(zip(made[1:], told, strict=True), 1):
        at = c.expand(len(worth), -1)
        size = torch.maximum(at[:-1].abs(), at[1:].abs())
        rise.addcmul_(outcome.bow, size).addcmul_(outcome.mean[1:] - outcome.mean[:-1], at[:-1] - at[1:])
        beyond.addcmul_(outcome.off, size)
        if bent:
            farthest = torch.maximum(outcome.mean[:-1].abs(), outcome.mean[1:].abs()) + outcome.bow / 4 + outcome.off
            beyond.addcmul_(farthest, bent[place])
    apart = (worth[1:] - worth[:-1]).abs_()
    over = (rise - apart).clamp_(min=0).square_().div_(rise.mul_(4).clamp_(min=TINY))
    top = torch.maximum(worth[:-1], worth[1:]).add_(over).add_(beyond)
    return top.add_(bent[0]) if bent else top

"""Stand-in models whose probabilities are known, so that every expectation can be written out by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from drivetrain import scenario as language
from drivetrain.modeler import EncodedRows, InputEncoder, Link, Models, OutcomeModel
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.encoder import CategoricalColumn, NumericColumn
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingEncoder
from drivetrain.scenario import Scenario
from drivetrain.simulator import Simulator, Support

Mean = Callable[..., Tensor]
"""(member's place, standardised x [N, 1], settings' columns [1 or N, G]...) → mean [N, G], or a tuple for options."""


@dataclass(frozen=True)
class Known(OutcomeModel):
    """Answers from a function in place of networks."""

    mean: Mean | None = None

    def context(self, rows: EncodedRows) -> list[Any]:
        return [rows.numbers[:, :1] for _ in self.members]

    def ready(self, context: Sequence[Any]) -> list[Any]:
        return list(context)

    def grid(self, context: Sequence[Any], settings: Tensor) -> Tensor:
        return self.each(context, [column[None, :] for column in settings.T])

    def prepare(self, settings: Tensor) -> Any:
        return settings

    def expected(self, context: Sequence[Any], prepared: Any) -> Tensor:
        return self.grid(context, prepared).mean(0)

    def paired(self, context: Sequence[Any], settings: Tensor) -> Tensor:
        return self.each(context, [column[:, None] for column in settings.T]).squeeze(2)

    def each(self, context: Sequence[Any], columns: list[Tensor]) -> Tensor:
        assert self.mean is not None
        told = []
        for member, x in zip(self.members, context, strict=True):
            found = self.mean(member.fold, x, *columns)
            parts = torch.broadcast_tensors(*(found if isinstance(found, tuple) else (found,)), x * columns[0])[:-1]
            told.append(torch.stack(parts, -1) if self.link.options else parts[0])
        return torch.stack(told).float()


def known(name: str, link: Link, mean: Mean, nodes: Nodes | None = None, folds: int = 2) -> Known:
    members = tuple(Member(None, link, fold) for fold in range(folds))  # type: ignore[arg-type]
    nodes = nodes or Nodes.fit(link, np.arange(4.0), 0.0)
    return Known(name, "known", Shape((), 0, 1, 1, (1,), 1, 0), SettingEncoder(columns=()), members, nodes, mean)


INPUTS = InputEncoder(
    columns=(
        NumericColumn(name="x", centre=0, scale=1, low=-1e9, high=1e9),
        CategoricalColumn(name="region", vocabulary=("east", "north")),
    )
)


@pytest.fixture
def simulate(tmp_path: Path) -> Callable[..., Simulator]:
    """A simulator of a scenario with a price and a channel: `simulate(objective, outcomes, models, **changes)`."""

    def build(objective: str, outcomes: dict[str, Any], models: Sequence[Known], **changes: Any) -> Simulator:
        declared = {
            "version": 1,
            "name": "shop",
            "title": "What price?",
            "objective": {"maximise": objective},
            "parameters": {"worth": 7.3},
            "levers": {
                "price": {"kind": "continuous", "min": 0, "max": 10, **changes.pop("price", {})},
                "channel": {"kind": "categorical", "options": ["mail", "sms"], **changes.pop("channel", {})},
            },
            "inputs": {"x": {"kind": "numeric"}, "region": {"kind": "categorical"}},
            "outcomes": outcomes,
            "data": {"csv": "shop.csv"},
            **changes,
        }
        path = tmp_path / "shop.yaml"
        path.write_text(json.dumps(declared), encoding="utf-8")
        scenario: Scenario = language.load(path)
        seen = np.column_stack([np.linspace(0, 10, 200), np.arange(200) % 2])
        return Simulator(
            scenario, Models(INPUTS, {model.outcome: model for model in models}), Support.fit(scenario.space, seen)
        )

    return build

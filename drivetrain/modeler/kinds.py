"""Every kind of model that a scenario may name, and blends of two of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from drivetrain.modeler.contract import Context, Network, Prepared, Shape
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.factors import Dot, Neural
from drivetrain.modeler.networks import KINDS
from drivetrain.modeler.trees import Trees

EVERY: dict[str, type[Network]] = {**KINDS, "dot": Dot, "neural": Neural, "boosting": Trees}
AND = " + "
"""Between the names of two that are blended."""


def build(kind: str, shape: Shape, start: Tensor) -> Network:
    """A model without anything learned.

    Args:
        kind: a name in `EVERY`, or two with `AND` between them.
        shape: sizes.
        start: [C] the linear predictor that training begins from.
    """
    if AND in kind:
        return Blend([build(each, shape, start) for each in kind.split(AND)], torch.ones(kind.count(AND) + 1))
    return EVERY[kind](shape, start)


@dataclass(frozen=True)
class Contexts:
    """What each of several models keeps of the same rows."""

    each: Sequence[Context]

    def __len__(self) -> int:
        """The number of rows N."""
        return len(self.each[0])

    def __getitem__(self, part: Any) -> Contexts:
        """Some of the rows."""
        return Contexts([context[part] for context in self.each])


class Blend(Network):
    """Linear predictor = Σ of the models' linear predictors, each times its share."""

    def __init__(self, models: Sequence[Network], shares: Tensor) -> None:
        """Args: models: of one shape; shares: one for each, none below 0."""
        nn.Module.__init__(self)
        self.models = nn.ModuleList(models)
        self.register_buffer("shares", shares)

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """Each row under its own setting: [N, C]."""
        return self._sum([model(codes, numbers, features) for model in self.models])

    def context(self, rows: EncodedRows) -> Contexts:
        """The models' contexts."""
        return Contexts([model.context(rows) for model in self._each])

    def ready(self, context: Contexts) -> Contexts:
        """The models' contexts of a run of rows."""
        return Contexts([model.ready(own) for model, own in zip(self._each, context.each, strict=True)])

    def prepare(self, features: Tensor) -> list[Prepared]:
        """What each model keeps of settings."""
        return [model.prepare(features) for model in self._each]

    def against(self, context: Context, prepared: Prepared) -> Tensor:
        """[N, G, C]."""
        asked = zip(self._each, context.each, prepared, strict=True)
        return self._sum([model.against(own, at) for model, own, at in asked])

    def grid(self, context: Context, features: Tensor) -> Tensor:
        """[N, G, C]."""
        return self.against(context, self.prepare(features))

    def paired(self, context: Context, features: Tensor) -> Tensor:
        """[N, C]."""
        return self._sum([m.paired(own, features) for m, own in zip(self._each, context.each, strict=True)])

    @property
    def _each(self) -> list[Network]:
        return list(self.models)  # type: ignore[arg-type]

    def _sum(self, parts: Sequence[Tensor]) -> Tensor:
        out: Tensor = torch.tensordot(self.shares, torch.stack(list(parts)), 1)
        return out

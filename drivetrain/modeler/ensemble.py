"""An outcome's fitted members, and the shape in which the simulator asks them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce

import torch
from torch import Tensor

from drivetrain.modeler.contract import Context, Network, Prepared, Shape
from drivetrain.modeler.encoder import EncodedRows, InputEncoder
from drivetrain.modeler.links import Link
from drivetrain.modeler.meshes import Products
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingEncoder


@dataclass(frozen=True)
class Member:
    """One network, and the fold that it has never seen."""

    network: Network
    link: Link
    fold: int


@dataclass(frozen=True)
class OutcomeModel:
    """M members that predict one outcome from inputs, levers and earlier outcomes."""

    outcome: str
    kind: str
    """The network's kind: `two_tower`, `joint` or `common`."""
    shape: Shape
    settings: SettingEncoder
    """Levers in the scenario's order, then the earlier outcomes that this one uses."""
    members: tuple[Member, ...]
    nodes: Nodes

    @property
    def link(self) -> Link:
        """Kind and options of the outcome."""
        return self.nodes.link

    def without(self, fold: int) -> OutcomeModel:
        """Only the members that have never seen rows of this fold: its honest judges."""
        return replace(self, members=tuple(member for member in self.members if member.fold == fold))

    def context(self, rows: EncodedRows) -> list[Context]:
        """For each member what does not depend on the setting; computed once per row."""
        with torch.no_grad():
            return [member.network.context(rows) for member in self.members]

    def ready(self, context: Sequence[Context]) -> list[Context]:
        """The same of a run of rows that many settings are asked of: with what is too much to keep of a whole crowd."""
        with torch.no_grad():
            return [member.network.ready(rows) for member, rows in zip(self.members, context, strict=True)]

    def grid(self, context: Sequence[Context], settings: Tensor) -> Tensor:
        """Expected outcome [M, N, G] under each of G settings [G, L + E] (categorical: probabilities [M, N, G, C])."""
        features = self.settings.encode(settings)
        return self._ask(lambda member, rows: member.network.grid(rows, features), context, features)

    def prepare(self, settings: Tensor) -> list[Prepared]:
        """For each member what of settings [G, L + E] does not depend on the row."""
        with torch.no_grad():
            features = self.settings.encode(settings)
            return [member.network.prepare(features) for member in self.members]

    def expected(self, context: Sequence[Context], prepared: Sequence[Prepared]) -> Tensor:
        """The mean over members of `grid`, [N, G] (categorical: [N, G, C]), without keeping what each says."""
        with torch.no_grad():
            asked = zip(self.members, context, prepared, strict=True)
            each = (member.link.mean(member.network.against(rows, at)) for member, rows, at in asked)
            return reduce(Tensor.add_, each).div_(len(self.members))

    def products(self, settings: Tensor) -> Products | None:
        """For each member Φ [G, K] of settings [G, L + E], of which linear predictors are context · Φ; None where some
        are not, or the outcome has several.
        """
        with torch.no_grad():
            features = self.settings.encode(settings)
            each = [member.network.product(features) for member in self.members]
        plain = [phi[:, 0].contiguous() for phi in each if phi is not None and phi.shape[1] == 1]
        return plain if len(plain) == len(each) else None

    @property
    def each_link(self) -> list[Link]:
        """The members' own links."""
        return [member.link for member in self.members]

    def paired(self, context: Sequence[Context], settings: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Expected outcome [M, N] of each row under its own setting [N, L + E] (categorical: [M, N, C]).

        Args:
            context: of the rows, by member.
            settings: of each row, with earlier outcomes.
            dtype: float64 where the loss is asked for: to float32 what is nearly certain is certain.
        """
        features = self.settings.encode(settings)
        return self._ask(lambda member, rows: member.network.paired(rows, features).to(dtype), context, features)

    def _ask(self, how: Callable[[Member, Context], Tensor], context: Sequence[Context], features: Tensor) -> Tensor:
        with torch.set_grad_enabled(features.requires_grad):  # of the settings, where these ask for it
            pairs = zip(self.members, context, strict=True)
            return torch.stack([member.link.mean(how(member, rows)) for member, rows in pairs])


@dataclass(frozen=True)
class Models:
    """Everything that was learned: one encoder of inputs and a model for each outcome, in the order of the chain."""

    inputs: InputEncoder
    outcomes: dict[str, OutcomeModel]

    @property
    def links(self) -> dict[str, Link]:
        """Outcome → its kind and options."""
        return {name: model.link for name, model in self.outcomes.items()}

    @property
    def folds(self) -> Tensor:
        """int64 [M]: the fold that each member has not seen; the same for every outcome."""
        return torch.tensor([member.fold for member in next(iter(self.outcomes.values())).members])

    def without(self, fold: int) -> Models:
        """Only the members that have never seen rows of this fold."""
        return replace(self, outcomes={name: model.without(fold) for name, model in self.outcomes.items()})

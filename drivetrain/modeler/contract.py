"""What an ensemble asks of a network, and what a network must know of its data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor, nn

from drivetrain.modeler.encoder import EncodedRows

Context = Any
"""What a network keeps of rows between calls; only the network that made it can read it."""

Prepared = Any
"""The same of settings."""


@dataclass(frozen=True)
class Shape:
    """What a network must know of its data and its size."""

    sizes: tuple[int, ...]
    """Codes of each categorical input."""
    numbers: int
    """Width of the numeric block."""
    features: int
    """Width of the encoded settings."""
    width: int
    """C, linear predictors of the outcome."""
    layers: tuple[int, ...]
    """Hidden layers of the deep part."""
    interactions: int
    """Columns of context · setting beside the main effects."""
    dropout: float
    held: tuple[tuple[int, int], ...] = ()
    """Where the features of each lever begin and end whose effect has a declared shape."""
    coded: tuple[tuple[int, int], ...] = ()
    """Levers with many options: the place of their code among the features, and how many options there are."""


class Network(nn.Module, ABC):
    """What an ensemble asks of a network; `context` is computed once per row, settings once per candidate."""

    many: ClassVar[bool] = False
    """Whether it takes levers with many options."""
    passes: int = 0
    """After how many passes over its rows its weights are those kept, where training stopped early."""

    @abstractmethod
    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor that training begins from."""
        super().__init__()

    @classmethod
    def can_hold(cls, effect: str) -> bool:  # noqa: ARG003
        """Whether it can hold a declared effect."""
        return False

    def looked_up(self, codes: Tensor, features: Tensor) -> Iterator[tuple[str, Tensor]]:  # noqa: ARG002
        """Each table with a row of factors for every value, by its weight's name, and the codes [...]."""
        yield from ()

    def biases(self, table: str) -> int:  # noqa: ARG002
        """How many columns of such a table, the last ones, are biases."""
        return 0

    @abstractmethod
    def context(self, rows: EncodedRows) -> Context:
        """What of the rows does not depend on the setting."""

    def ready(self, context: Context) -> Context:
        """The same of a run of rows, with what is too much to keep of a whole crowd."""
        return context

    def prepare(self, features: Tensor) -> Prepared:
        """What of G settings, features [G, F], does not depend on the row: computed once, however many rows come."""
        return features

    def against(self, context: Context, prepared: Prepared) -> Tensor:
        """`grid` with settings as `prepare` left them."""
        return self.grid(context, prepared)

    def product(self, features: Tensor) -> Tensor | None:  # noqa: ARG002
        """Φ [G, C, K] of G settings, where linear predictors are context [N, K] · Φ; None where they are not."""
        return None

    @abstractmethod
    def grid(self, context: Context, features: Tensor) -> Tensor:
        """Linear predictors [N, G, C] of N rows under each of G settings, features [G, F]."""

    @abstractmethod
    def paired(self, context: Context, features: Tensor) -> Tensor:
        """Linear predictors [N, C] of N rows, each under its own setting, features [N, F]."""

"""How models are learned: which compete, and how large they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from drivetrain.scenario.declaration import Declaration, Flaw, Many, repeated


class Boosting(Declaration):
    """How boosted trees are grown; how many there are, held-out rows tell."""

    by: Literal["scikit_learn", "lightgbm"] = "scikit_learn"
    """Who grows them; LightGBM is an extra."""
    leaves: Annotated[int, Field(ge=2, le=1024)] = 8
    """Most leaves of a tree; chosen on held-out rows where left out."""
    least: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Fewest rows in a leaf; chosen on held-out rows where left out."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    """How much of what a tree finds is added; 0.1 for large tables where left out."""
    columns: Annotated[float, Field(gt=0, le=1)] = 0.7
    """Share of the columns that each split looks at."""


class Search(Declaration):
    """A search for sizes beyond the few that are tried anyway, by Optuna, which is an extra."""

    minutes: Annotated[float, Field(gt=0, le=1440)] = 2.0
    """After so long no further size is tried, for each outcome."""
    trials: Annotated[int, Field(ge=1, le=100_000)] = 100
    """Most sizes that are tried."""


class Model(Declaration):
    """How models are built and trained; sizes that are left out are chosen on held-out rows."""

    kinds: Annotated[
        Many[Literal["two_tower", "joint", "common", "boosting", "dot", "neural"]], Field(min_length=1)
    ] = (
        "two_tower",
        "joint",
        "common",
        "boosting",
    )
    """Which models compete; validation picks. `boosting` is trees, and may win alone or averaged with the best network.
    `dot` (factors · factors, as in collaborative filtering) and `neural` give every option of a lever factors of its
    own, however many there are."""
    search: Search | None = None
    """Whether to search for the networks' sizes longer, and how long."""
    boosting: Boosting = Boosting()
    """How the trees of `boosting` are grown."""
    layers: Annotated[Many[Annotated[int, Field(ge=1, le=4096)]], Field(max_length=10)] = (32,)
    """Widths of the hidden layers; chosen on held-out rows where left out."""
    interactions: Annotated[int, Field(ge=1, le=512)] = 4
    """Width of context · setting in the two-tower network."""
    epochs: Annotated[int, Field(ge=1, le=1000)] = 10
    """Passes over the training rows; chosen on held-out rows where left out."""
    patience: Annotated[int, Field(ge=1, le=1000)] | None = None
    """Early stopping: training ends after so many epochs without gain, and the weights of the best are kept. Rows of
    another fold tell, which the network then does not learn from. Where left out every epoch is trained, and how many
    there are is chosen as a whole."""
    batch: Annotated[int, Field(ge=2, le=65_536)] = 64
    """Rows in one training step; 512 for large tables where left out."""
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.01
    """The highest learning rate of the one-cycle policy; where it and the size are left out, fastai's finder proposes
    one, and held-out rows choose between that and 0.01."""
    repeats: Annotated[int, Field(ge=1, le=20)] = 3
    """Networks trained for each fold."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    """Share of hidden units left out in each training step; chosen on held-out rows where left out."""
    weight_decay: Annotated[float, Field(ge=0, le=10)] = 0.3
    """Pull of the weights towards zero; chosen on held-out rows where left out."""

    def flaws(self) -> Iterator[Flaw]:
        """Each kind once."""
        yield from repeated("kinds", self.kinds)

"""Handing a model over to fastai: one outcome's ensemble as a `Learner`, in fastai's own `export.pkl`.

Written, never read: loading such a file runs whatever code is in it. Our own folders hold no pickle. To use it, where
Drivetrain is installed: `learn = load_learner(file)`, then `learn.get_preds(dl=learn.dls.test_dl(frame))`, where a
frame has the scenario's inputs, levers and earlier outcomes under their names, as `run.table.frame` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from torch import Tensor, nn

from drivetrain.modeler.encoder import EncodedRows, InputEncoder
from drivetrain.modeler.ensemble import Models, OutcomeModel
from drivetrain.modeler.links import Link
from drivetrain.scenario import LeverSpace, Scenario

SIZE = 1024


class Ensemble(nn.Module):
    """All members of one outcome as one module: what they expect on average, in the outcome's unit."""

    def __init__(self, model: OutcomeModel) -> None:
        """Args: model: the outcome's."""
        super().__init__()
        self.model = model
        self.members = nn.ModuleList([member.network for member in model.members])

    def forward(self, codes: Tensor, numbers: Tensor, settings: Tensor) -> Tensor:
        """Inputs as the encoder gives them and settings [N, L + E] → [N], or [N, C] probabilities."""
        context = self.model.context(EncodedRows(codes, numbers, {}))
        return self.model.paired(context, settings).mean(0)


class Reader:
    """From a frame to what the ensemble asks for; refuses what scenarios refuse, and codes nothing in silence."""

    def __init__(self, inputs: InputEncoder, space: LeverSpace, earlier: dict[str, Link]) -> None:
        """Args: inputs: reads the inputs; space: the levers; earlier: the earlier outcomes that the model sees."""
        self.inputs, self.space, self.earlier = inputs, space, earlier

    def read(self, frame: pd.DataFrame) -> tuple[Tensor, Tensor, Tensor]:
        """Codes, numbers and settings of each row."""
        rows = self.inputs.encode(frame)
        before = [link.observed(frame[name]) for name, link in self.earlier.items()]
        settings = np.column_stack([self.space.encode(frame[list(self.space.names)]), *before])
        return rows.codes, rows.numbers, torch.tensor(settings)


class Items:
    """The rows of a loader, as fastai wants to empty them."""

    def __init__(self, frame: pd.DataFrame | None = None) -> None:
        """Args: frame: rows; none where left out."""
        self.frame = pd.DataFrame() if frame is None else frame

    def new_empty(self) -> Items:
        """No rows."""
        return Items()


class Rows:
    """A loader over a frame, in order: what `learn.dls.test_dl(frame)` gives."""

    n_inp = 3

    def __init__(self, reader: Reader, dataset: Items, size: int = SIZE) -> None:
        """Args: reader: from frames to tensors; dataset: the rows; size: rows in a batch."""
        self.reader, self.dataset, self.size = reader, dataset, size
        self.device = torch.device("cpu")

    def new(self, dataset: Any = None, bs: int | None = None, **_: Any) -> Rows:
        """The same loader over other rows: a frame, or items."""
        items = self.dataset if dataset is None else dataset if isinstance(dataset, Items) else Items(dataset)
        return Rows(self.reader, items, bs or self.size)

    def to(self, *_: Any, **__: Any) -> Rows:
        """Stays on the CPU."""
        return self

    def __len__(self) -> int:
        """Batches."""
        return -(-len(self.dataset.frame) // self.size)

    def __iter__(self) -> Iterator[tuple[Tensor, ...]]:
        """Batches in the order of the rows."""
        for start in range(0, len(self.dataset.frame), self.size):
            yield self.reader.read(self.dataset.frame.iloc[start : start + self.size])


def no_loss(predicted: Tensor) -> Tensor:
    """Stands where fastai wants a loss: nothing is left to learn."""
    return predicted.sum() * 0


def all_weights(module: nn.Module) -> list[nn.Parameter]:
    """One group of parameters."""
    return list(module.parameters())


def hand_over(scenario: Scenario, models: Models, outcome: str, path: Path) -> None:
    """Write one outcome's ensemble as fastai's `export.pkl`.

    Args:
        scenario: the run's, with its levers' options known.
        models: what was learned.
        outcome: which outcome's.
        path: the file.
    """
    earlier = {name: models.links[name] for name in scenario.outcomes[outcome].uses}
    rows = Rows(Reader(models.inputs, scenario.space, earlier), Items())
    learner = Learner(
        DataLoaders(rows, rows, path=path.parent),
        Ensemble(models.outcomes[outcome]),
        loss_func=no_loss,
        splitter=all_weights,
        path=path.parent,
    )
    learner.export(path.name)

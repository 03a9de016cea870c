"""Networks in which every value of a category has factors of its own: collaborative filtering, in the same contract.

`Dot`: rows' factors · settings' factors + biases. With one categorical input and one lever this is matrix
factorisation with biases (Koren, Bell & Volinsky 2009, "Matrix Factorization Techniques for Recommender Systems"),
fastai's `EmbeddingDotBias` without its squashing; with more of either a factorisation machine (Rendle 2010).
`Neural`: fastai's `EmbeddingNN`, embeddings of both sides through one `TabularModel`.

A value's factors are what it adds to those that all share, so one that a network has never seen has those, moved by
what else is known of the row or the option.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from drivetrain.modeler.contract import Context, Network, Prepared, Shape
from drivetrain.modeler.dropping import Drop
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.networks import Joint

SPREAD = 0.05
"""Standard deviation of factors before training."""


class Side(nn.Module):
    """One side's factors: what its codes and its numbers add up to, [N, K]."""

    def __init__(self, sizes: tuple[int, ...], numbers: int, factors: int, biases: int) -> None:
        """Args: sizes: codes of each category; numbers: width of the rest; K = factors + biases, which start at 0."""
        super().__init__()
        tables = [nn.Embedding(size, factors + biases) for size in sizes]
        self.tables = nn.ModuleList(tables)
        self.line = nn.Linear(max(1, numbers), factors + biases)
        self.numbers = numbers
        with torch.no_grad():
            for table in tables:
                nn.init.normal_(table.weight, std=SPREAD)
                table.weight[:, factors:] = 0
            self.line.weight.mul_(0.3)
            self.line.weight[:, : self.numbers or 1] *= float(self.numbers > 0)
            nn.init.normal_(self.line.bias, std=SPREAD)
            self.line.bias[factors:] = 0

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """[N, C] codes and [N, D] numbers → [N, K]."""
        out: Tensor = self.line(numbers if self.numbers else torch.zeros(len(codes), 1))
        for place, table in enumerate(self.tables):
            out = out + table(codes[:, place])
        return out


class Dot(Network):
    """Linear predictor = bias + a(row) + b(setting) + Σ_k p_k(row) q_k(setting)."""

    many = True

    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor that training begins from."""
        super().__init__(shape, start)
        self.shape = shape
        inner, width = shape.interactions, shape.width
        self.coded = [place for place, _ in shape.coded]
        self.rest = [place for place in range(shape.features) if place not in self.coded]
        self.rows = Side(shape.sizes, shape.numbers, inner, width)
        self.options = Side(tuple(size for _, size in shape.coded), len(self.rest), inner * width, width)
        self.start = nn.Parameter(start.clone())
        self.drop = Drop(shape.dropout)

    def settings(self, features: Tensor) -> Tensor:
        """Settings' features [G, F] → factors and biases [G, C, K + 1]."""
        codes = features[:, self.coded].to(torch.int64)
        both = self.options(codes, features[:, self.rest])
        inner, width = self.shape.interactions, self.shape.width
        factors = both[:, : inner * width].reshape(len(both), width, inner)
        return torch.cat([factors, both[:, inner * width :].unsqueeze(-1)], dim=-1)

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """Each row under its own setting: [N, C]; training leaves products out at random."""
        rows, options = self.rows(codes, numbers), self.settings(features)
        inner = self.shape.interactions
        products = self.drop(rows[:, None, :inner] * options[..., :inner])
        out: Tensor = self.start + rows[:, inner:] + options[..., -1] + products.sum(-1)
        return out

    def context(self, rows: EncodedRows) -> Tensor:
        """Factors and biases [N, K + C]."""
        out: Tensor = self.rows(rows.codes, rows.numbers)
        return out

    def prepare(self, features: Tensor) -> Tensor:
        """Factors and biases [G, C, K + 1]."""
        return self.settings(features)

    def grid(self, context: Context, features: Tensor) -> Tensor:
        """[N, G, C]."""
        return self.against(context, self.prepare(features))

    def against(self, context: Context, prepared: Prepared) -> Tensor:
        """One matrix product: [N, G, C]."""
        inner, options = self.shape.interactions, prepared
        factors, own = context[:, :inner], context[:, inner:]
        each = [factors @ options[:, c, :inner].T + options[:, c, -1] for c in range(self.shape.width)]
        out: Tensor = torch.stack(each, dim=-1) + (own + self.start)[:, None]
        return out

    def paired(self, context: Context, features: Tensor) -> Tensor:
        """[N, C]."""
        inner, options = self.shape.interactions, self.settings(features)
        products = torch.einsum("nk,nck->nc", context[:, :inner], options[..., :inner])
        out: Tensor = self.start + context[:, inner:] + options[..., -1] + products
        return out

    def looked_up(self, codes: Tensor, features: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each table of factors, by its weight's name, and the codes [...] that a batch looks up in it."""
        for place in range(len(self.rows.tables)):
            yield f"rows.tables.{place}.weight", codes[..., place]
        for place, column in enumerate(self.coded):
            yield f"options.tables.{place}.weight", features[..., column].to(torch.int64)

    def biases(self, table: str) -> int:  # noqa: ARG002
        """One for each linear predictor."""
        return self.shape.width


class Neural(Joint):
    """Embeddings of both sides through one network."""

    many = True

    def looked_up(self, codes: Tensor, features: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Each table of embeddings, by its weight's name, and the codes [...] that a batch looks up in it."""
        each = [codes[..., place] for place in range(self.own)]
        each += [features[..., place].to(torch.int64) for place in self.coded]
        for place, seen in enumerate(each):
            yield f"deep.embeds.{place}.weight", seen
            yield f"wide.codes.{place}.weight", seen

    def biases(self, table: str) -> int:
        """The linear part is all bias."""
        return self.get_parameter(table).shape[-1] if table.startswith("wide") else 0

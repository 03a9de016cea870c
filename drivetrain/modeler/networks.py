"""The three kinds of network, all with fastai's `TabularModel` inside.

`TwoTower`: context(rows) [N, K] · settings [G, C, K], so that N rows × G settings cost one matrix product.
`Common`: the same without what rows and settings do to each other: one response, shared by all rows.
`Joint`: rows and settings through one network, the check on the first; every pair costs all layers but one.

All add a wide, linear part (Cheng et al. 2016, "Wide & Deep Learning"): with few rows it carries most of the signal
and the deep part stays near zero.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import torch
from fastai.tabular.model import TabularModel
from torch import Tensor, nn
from torch.nn import functional

from drivetrain.modeler.contract import Context, Network, Prepared, Shape
from drivetrain.modeler.dropping import Drop, cheaper
from drivetrain.modeler.effects import AT_REST, Held
from drivetrain.modeler.encoder import EncodedRows

PAIRS_AT_ONCE = 4_096
ROWS_AT_ONCE = 4_096
"""With more the layers' outputs leave the cache: half as fast."""


class Wide(nn.Module):
    """A linear model of codes and numbers."""

    def __init__(self, sizes: tuple[int, ...], numbers: int, width: int) -> None:
        """All weights start at zero: nothing is known of any row."""
        super().__init__()
        self.width = width
        self.codes = nn.ModuleList([nn.Embedding(size, width) for size in sizes])
        self.numbers = nn.Linear(numbers, width, bias=False) if numbers else None
        for weight in self.parameters():
            nn.init.zeros_(weight)

    @property
    def weight(self) -> Tensor:
        """[width, D] of the numbers."""
        return torch.zeros(self.width, 0) if self.numbers is None else self.numbers.weight

    def forward(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """[N, C] codes and [N, D] numbers → [N, width]; at least one of C and D is above 0."""
        parts: list[Tensor] = [embedding(codes[:, i]) for i, embedding in enumerate(self.codes)]
        if self.numbers is not None:
            parts.append(self.numbers(numbers))
        return torch.stack(parts).sum(0)


def _deep(shape: Shape, numbers: int, out: int) -> Any:
    """The tabular network of fastai network; inputs are standardised already, so no batch norm on them."""
    embeddings = [(size, min(16, round(1.6 * size**0.4))) for size in shape.sizes]
    deep = TabularModel(
        embeddings,
        numbers,
        out,
        list(shape.layers),
        ps=shape.dropout,
        embed_p=shape.dropout,
        bn_cont=False,
        use_bn=False,
    )
    cheaper(deep)
    with torch.no_grad():
        for weight in list(deep.parameters())[-2:]:
            weight.mul_(0.1)
    return deep


class TwoTower(Network):
    """Linear predictor = bias + a(row) + b(setting) + Σ_k h_k(row) φ_k(setting).

    A lever whose effect has a declared shape is left out of b and φ, and added as Σ_k u_k(row) s(others) g_k(lever),
    where u and s are above 0 and each g_k has that shape; others are the levers without one, and earlier outcomes.
    """

    @classmethod
    def can_hold(cls, effect: str) -> bool:  # noqa: ARG003
        """All of them."""
        return True

    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor that training begins from."""
        super().__init__(shape, start)
        self.shape = shape
        inner, width = shape.interactions, shape.width
        self.inputs = bool(shape.sizes) or shape.numbers > 0
        if self.inputs:
            self.deep = _deep(shape, shape.numbers, inner + width + (inner if shape.held else 0))
            self.wide = Wide(shape.sizes, shape.numbers, width)
        held = {place for span in shape.held for place in range(*span)}
        self.free = [place for place in range(shape.features) if place not in held]
        features = max(1, len(self.free))
        if held:
            self.held = Held(shape.held, features, width, inner + 1)
        self.main = nn.Linear(features, width)
        last = nn.Linear(16, width * (inner + 1))
        self.bend = nn.Sequential(nn.Linear(features, 16), nn.ReLU(), Drop(shape.dropout), last)
        with torch.no_grad():
            self.main.weight.zero_()
            self.main.bias.copy_(start)
            last.weight.mul_(0.1)
            last.bias.zero_()

    def tower(self, codes: Tensor, numbers: Tensor) -> Tensor:
        """Rows → H [N, K].

        They are interactions, the row's own effect for each of C, a one that meets the setting's own effect, and, where
        effects are held, the row's factors of these.
        """
        inner, width, ones = self.shape.interactions, self.shape.width, torch.ones(len(codes), 1)
        held = inner if self.shape.held else 0
        if not self.inputs:
            return torch.cat([torch.zeros(len(codes), inner + width), ones.expand(-1, 1 + held)], 1)
        deep, own = self.deep(codes, numbers), self.wide(codes, numbers)
        factors = functional.softplus(deep[:, inner + width :] + AT_REST)
        return torch.cat([deep[:, :inner], deep[:, inner : inner + width] + own, ones, factors], 1)

    def settings(self, features: Tensor) -> Tensor:
        """Settings' features [G, F] → Φ [G, C, K]."""
        width, free = self.shape.width, self._free(features)
        bend = self.bend(free).reshape(len(features), width, self.shape.interactions + 1)
        own = torch.eye(width).expand(len(features), width, width)
        main = (self.main(free) + bend[..., -1]).unsqueeze(-1)
        if not self.shape.held:
            return torch.cat([bend[..., :-1], own, main], dim=-1)
        held = self.held(features, free)
        return torch.cat([bend[..., :-1], own, main + held[..., :1], held[..., 1:]], dim=-1)

    def _free(self, features: Tensor) -> Tensor:
        """Features without those of held effects; one that is always 0 where there is no other."""
        if not self.shape.held:
            return features
        return features[:, self.free] if self.free else torch.zeros(len(features), 1)

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """Each row under its own setting: [N, C]."""
        return torch.einsum("nk,nck->nc", self.tower(codes, numbers), self.settings(features))

    def context(self, rows: EncodedRows) -> Tensor:
        """H [N, K], in runs of rows whose layers stay in the cache."""
        return torch.cat([self.tower(run.codes, run.numbers) for run in _runs(rows)])

    def product(self, features: Tensor) -> Tensor:
        """Φ [G, C, K]."""
        return self.settings(features)

    def prepare(self, features: Tensor) -> Tensor:
        """Φᵀ [K, G · C]."""
        return self.settings(features).reshape(len(features) * self.shape.width, -1).T.contiguous()

    def against(self, context: Context, prepared: Prepared) -> Tensor:
        """One matrix product: H Φᵀ, [N, G, C]."""
        linear: Tensor = context @ prepared
        return linear.reshape(len(context), prepared.shape[1] // self.shape.width, self.shape.width)

    def grid(self, context: Context, features: Tensor) -> Tensor:
        """[N, G, C]."""
        return self.against(context, self.prepare(features))

    def paired(self, context: Context, features: Tensor) -> Tensor:
        """[N, C]."""
        return torch.einsum("nk,nck->nc", context, self.settings(features))


class Common(TwoTower):
    """Linear predictor = bias + a(row) + b(setting): the strongest shrinkage towards a common response."""

    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor that training begins from."""
        super().__init__(replace(shape, interactions=0), start)


class Joint(Network):
    """Rows and settings through one network."""

    def __init__(self, shape: Shape, start: Tensor) -> None:
        """Args: shape: sizes; start: [C] the linear predictor that training begins from."""
        super().__init__(shape, start)
        self.coded = [place for place, _ in shape.coded]
        self.rest = [place for place in range(shape.features) if place not in self.coded]
        sizes = (*shape.sizes, *(size for _, size in shape.coded))
        self.own, numbers = len(shape.sizes), shape.numbers + len(self.rest)
        self.deep = _deep(replace(shape, sizes=sizes), numbers, shape.width)
        self.wide = Wide(sizes, numbers, shape.width)
        self.start = nn.Parameter(start.clone())

    def forward(self, codes: Tensor, numbers: Tensor, features: Tensor) -> Tensor:
        """Each row under its own setting: [N, C]."""
        coded = torch.cat([codes, features[:, self.coded].to(torch.int64)], 1)
        both = torch.cat([numbers, features[:, self.rest]], 1)
        linear: Tensor = self.deep(coded, both) + self.wide(coded, both) + self.start
        return linear

    def context(self, rows: EncodedRows) -> EncodedRows:
        """The rows themselves: nothing can be computed ahead."""
        return rows

    def grid(self, context: Context, features: Tensor) -> Tensor:
        """[N, G, C]: the first layer and the wide part add up what rows and settings bring, so each is asked once; the
        layers behind them are asked for every pair.
        """
        first, *later = (layer for block in self.deep.layers for layer in block)
        many, numbers = len(features), self.deep.n_cont - len(self.rest)
        coded = features[:, self.coded].to(torch.int64) if self.coded else features
        met, added = self._brought(coded, features[:, self.rest], slice(self.own, None), slice(numbers, None))
        block, parts = max(1, PAIRS_AT_ONCE // many), []
        for run in _runs(context):
            rows, wide = self._brought(run.codes, run.numbers, slice(self.own), slice(numbers))
            rows, wide = rows + first.bias, wide + self.start
            for place in range(0, max(1, len(run)), block):
                some, plain = rows[place : place + block], wide[place : place + block]
                hidden = (some[:, None] + met).reshape(-1, first.out_features)
                for layer in later:
                    hidden = layer(hidden)
                parts.append(hidden.reshape(len(some), many, hidden.shape[-1]) + plain[:, None] + added)
        return torch.cat(parts)

    def _brought(self, codes: Tensor, numbers: Tensor, tables: slice, columns: slice) -> tuple[Tensor, Tensor]:
        """What some codes [n, c] and numbers [n, D] bring to the first layer [n, H], and to the wide part [n, C]."""
        first, embeds = self.deep.layers[0][0], list(self.deep.embeds)
        inside, outside = first.weight.split([self.deep.n_emb, self.deep.n_cont], 1)
        weight = torch.cat(
            [*inside.split([table.embedding_dim for table in embeds], 1)[tables], outside[:, columns]], 1
        )
        entered = torch.cat([*(table(codes[:, i]) for i, table in enumerate(embeds[tables])), numbers], 1)
        wide = functional.linear(numbers, self.wide.weight[:, columns])
        for i, table in enumerate(list(self.wide.codes)[tables]):
            wide = wide + table(codes[:, i])
        return functional.linear(entered, weight), wide

    def paired(self, context: Context, features: Tensor) -> Tensor:
        """[N, C]."""
        out: Tensor = self(context.codes, context.numbers, features)
        return out


def _runs(rows: EncodedRows) -> Iterator[EncodedRows]:
    """Runs of rows whose layers stay in the cache; an empty one where there are none."""
    return (rows[start : start + ROWS_AT_ONCE] for start in range(0, max(1, len(rows)), ROWS_AT_ONCE))


KINDS: dict[str, type[Network]] = {"two_tower": TwoTower, "joint": Joint, "common": Common}

"""Knots along a lever, and how far an outcome may be, between two of them, from the line between its means there.

A linear predictor that is context · setting, H Φᵀ, leaves the line between two knots by at most |H| · max |Φ − line|.
The link bends it further, by no more than its second derivative allows: |f − line| ≤ t (1 − t) / 2 · max |f″| · Δ² at a
share t of the way (the error of linear interpolation: Davis 1975, "Interpolation and Approximation", 3.1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import NamedTuple

import torch
from torch import Tensor

from drivetrain.modeler.links import Link

Products = list[Tensor]
"""For each member Φ [G, K] of G settings."""


class Spans(NamedTuple):
    """What lies between each of P knots and the next one."""

    knots: Tensor
    """int64 [P] places among G settings, ascending."""
    inside: Tensor
    """int64 [P − 1, I] the places between; the last knot's, where there are fewer."""
    way: Tensor
    """float32 [P − 1, I] the share of the way from the knot to the next one."""

    def residual(self, values: Tensor) -> Tensor:
        """By how much values [G, ...] leave the line between knots, at most: [P − 1, ...]."""
        at, way = values[self.knots], self.way.reshape(*self.way.shape, *[1] * (values.ndim - 1))
        line = at[:-1, None] + way * (at[1:] - at[:-1])[:, None]
        return (values[self.inside] - line).abs().amax(1)


class Told(NamedTuple):
    """Of n rows at P knots; at a share t of the way to the next |mean − line| ≤ t (1 − t) · bow + off."""

    mean: Tensor
    """[P, n] the mean over members."""
    bow: Tensor
    """[P − 1, n]"""
    off: Tensor
    """[P − 1, n]"""


@dataclass(frozen=True)
class Mesh:
    """One outcome's members at P knots. Knots go down and rows of data across, as they are read."""

    links: Sequence[Link]
    at: Products
    """[P, K] each."""
    bent: Products
    """[P − 1, K] each: max |Φ − line|."""

    @classmethod
    def of(cls, links: Sequence[Link], products: Products, spans: Spans) -> Mesh:
        """Of all settings' products the knots', and how far those between leave the line."""
        return cls(links, [each[spans.knots] for each in products], [spans.residual(each) for each in products])

    def told(self, contexts: Sequence[Tensor], part: slice) -> Told:
        """What a run of knots brings rows with these contexts, [n, K] for each member."""
        if self.steepness is not None:
            return self._at_once(contexts, part, self.steepness)
        each = (self._told(member, context, part) for member, context in enumerate(contexts))
        sums = reduce(lambda one, other: Told(*(a.add_(b) for a, b in zip(one, other, strict=True))), each)
        return Told(*(total.div_(len(contexts)) for total in sums))

    @cached_property
    def steepness(self) -> list[tuple[float, float]] | None:
        """Of each member's link; None where some have none."""
        each = [link.steepness for link in self.links]
        known = [one for one in each if one is not None]
        return known if len(known) == len(each) else None

    @cached_property
    def _off(self) -> Tensor:
        """[P − 1, M · K] what |H| of all members is multiplied by to give `off`."""
        pairs = zip(self.bent, self.steepness or [], strict=True)
        return torch.cat([bent * (steep / len(self.bent)) for bent, (steep, _) in pairs], 1)

    def _at_once(self, contexts: Sequence[Tensor], part: slice, steepness: list[tuple[float, float]]) -> Told:
        """The same where the bounds of links do not hang on rows: one product for all members' strays."""
        many, rows, spans = part.stop - part.start, len(contexts[0]), slice(part.start, part.stop - 1)
        mean, bow = torch.zeros(many, rows), torch.zeros(many - 1, rows)
        for link, at, context, (_, bent) in zip(self.links, self.at, contexts, steepness, strict=True):
            linear = at[part] @ context.T
            apart = linear[1:] - linear[:-1]
            bow.addcmul_(apart, apart, value=bent / 2 / len(contexts))
            mean.add_(link.mean(linear.unsqueeze(-1)))
        return Told(mean.div_(len(contexts)), bow, self._off[spans] @ torch.cat(list(contexts), 1).abs_().T)

    def _told(self, member: int, context: Tensor, part: slice) -> Told:
        link, spans = self.links[member], slice(part.start, part.stop - 1)
        linear = self.at[member][part] @ context.T
        stray = self.bent[member][spans] @ context.abs().T
        bow, off = link.sag(linear[:-1], linear[1:], stray)
        return Told(link.mean(linear.unsqueeze(-1)), bow, off)


def means(links: Sequence[Link], products: Products, contexts: Sequence[Tensor], part: slice) -> Tensor:
    """[P, n] the mean over members under a run of P settings."""
    asked = zip(links, products, contexts, strict=True)
    each = (link.mean((phi[part] @ context.T).unsqueeze(-1)) for link, phi, context in asked)
    return reduce(Tensor.add_, each).div_(len(links))

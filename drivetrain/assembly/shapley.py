"""Who of several brings how much when all take part: the mean contribution over the orders in which they can come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import torch
from torch import Tensor

MOST_ORDERS = 24
"""All orders of up to four; of more so many, drawn once and for all."""

Coalition = frozenset[int]
Orders = Sequence[tuple[int, ...]]


def orders(players: Sequence[int]) -> Orders:
    """The orders that are looked at: all of them, or a sample of which each order is there with its reverse."""
    if len(players) <= 4:
        return list(permutations(players))
    draw = np.random.default_rng(0)
    half = [tuple(draw.permutation(players).tolist()) for _ in range(MOST_ORDERS // 2)]
    return [*half, *(order[::-1] for order in half)]  # antithetic: less noise from as many orders


def coalitions(asked: Orders) -> list[Coalition]:
    """Every set of players that is met on the way through these orders, each once."""
    return list(dict.fromkeys(frozenset(order[:n]) for order in asked for n in range(len(order) + 1)))


def parts(asked: Orders, worth: Mapping[Coalition, Tensor]) -> dict[int, Tensor]:
    """Each player's mean contribution (Shapley 1953); together they are what all bring.

    Args:
        asked: from `orders`.
        worth: every one of their `coalitions` → what it brings, tensors of one shape.
    """
    found: dict[int, list[Tensor]] = {player: [] for player in (asked[0] if asked else ())}
    for order in asked:
        for place, player in enumerate(order):
            found[player].append(worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])])
    return {player: torch.stack(each).mean(0) for player, each in sorted(found.items())}

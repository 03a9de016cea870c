"""Made worlds: rows by the thousand whose truth is known, for worked examples, benchmarks and closed loops.

    data: {generator: randomised_pricing, rows: 20000, seed: 1}

A world draws people, what was done to them and what came of it. A run sees only those columns, as in a file;
what any other setting would have been worth is known to the `World` alone, for whoever keeps the score.
"""

from __future__ import annotations

from drivetrain.data.generators import actions, chain, insurance, lifetime, pricing, recommender, server_farm
from drivetrain.data.generators.world import World, best

WORLDS: dict[str, World] = {
    world.name: world
    for world in (
        pricing.RANDOMISED,
        pricing.CONFOUNDED,
        actions.DISCRETE,
        actions.THREE_LEVERS,
        actions.BUDGETED,
        chain.RENEWAL,
        insurance.INSURANCE,
        recommender.RECOMMENDER,
        lifetime.LIFETIME,
        server_farm.SERVER_FARM,
    )
}
"""Every world by its name in `data: {generator: NAME}`."""

__all__ = ["WORLDS", "World", "best"]

"""The Optimizer: for each decision the setting that scores best, under the constraints, within the data's support.

It knows the simulator and never a model. `optimise` tries candidate settings, all of them for all rows at once, solves
the totals by a Lagrangian dual, and refines the numeric levers around the best candidate.
"""

from drivetrain.optimizer.bounds import holds, kept, used
from drivetrain.optimizer.candidates import candidates, seen_alone
from drivetrain.optimizer.certificate import Certificate, certify
from drivetrain.optimizer.choice import Plan, alone, decisions, optimise, shortlist
from drivetrain.optimizer.fairness import centred
from drivetrain.optimizer.fear import premiums
from drivetrain.optimizer.filling import crowded, fill, holds_together, kept_together, refereed, slots_of, used_together
from drivetrain.optimizer.frontiers import Frontier, frontier
from drivetrain.optimizer.guarding import Guard, price
from drivetrain.optimizer.holding import settle
from drivetrain.optimizer.nearby import nearby
from drivetrain.optimizer.ranking import Ranking, best_single, deciders, exclusions, ranked, ranking
from drivetrain.optimizer.referee import checked
from drivetrain.optimizer.tradeoffs import Front, Goal, front, goals

__all__ = [
    "Certificate",
    "Front",
    "Frontier",
    "Goal",
    "Guard",
    "Plan",
    "Ranking",
    "alone",
    "best_single",
    "candidates",
    "centred",
    "certify",
    "checked",
    "crowded",
    "deciders",
    "decisions",
    "exclusions",
    "fill",
    "front",
    "frontier",
    "goals",
    "holds",
    "holds_together",
    "kept",
    "kept_together",
    "nearby",
    "optimise",
    "premiums",
    "price",
    "ranked",
    "ranking",
    "refereed",
    "seen_alone",
    "settle",
    "shortlist",
    "slots_of",
    "used",
    "used_together",
]

"""The Simulator: rows and settings → expected outcomes → objective, with spread and support. Only it asks the models.

Shapes: M members, N rows, G settings. Members are carried through the chain of outcomes and through every formula, so
that their disagreement at the end is the disagreement of whole chains.
"""

from drivetrain.simulator.crowd import Crowd
from drivetrain.simulator.foresight import Errors, Foresight, span
from drivetrain.simulator.interplay import interplay
from drivetrain.simulator.kin import Kin
from drivetrain.simulator.outlook import Expected, Outlook, jackknife
from drivetrain.simulator.reach import Reach
from drivetrain.simulator.relaxation import Relaxed, Unbounded
from drivetrain.simulator.reserves import reserves
from drivetrain.simulator.risk import averse
from drivetrain.simulator.simulator import Simulator
from drivetrain.simulator.slots import looked, summed
from drivetrain.simulator.support import Support
from drivetrain.simulator.together import Asked, Tally, tally

__all__ = [
    "Asked",
    "Crowd",
    "Errors",
    "Expected",
    "Foresight",
    "Kin",
    "Outlook",
    "Reach",
    "Relaxed",
    "Simulator",
    "Support",
    "Tally",
    "Unbounded",
    "averse",
    "interplay",
    "jackknife",
    "looked",
    "reserves",
    "span",
    "summed",
    "tally",
]

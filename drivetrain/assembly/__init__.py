"""The assembly line: scenario → data → models → simulator → evidence → recommendations → a run folder.

`run` goes all the way, `train` stops after the models, `open_run` reads a folder back,
`evaluate` opens its sealed test, `compare` sets two runs side by side.
"""

from drivetrain.assembly import margins, spends
from drivetrain.assembly.allowed import breaches, rules, usage
from drivetrain.assembly.comparison import Compared, compare
from drivetrain.assembly.experiment import Experiment
from drivetrain.assembly.folder import open_run
from drivetrain.assembly.likeness import alike
from drivetrain.assembly.limitable import limitable
from drivetrain.assembly.limits import Limited, Limits, Tradeoff
from drivetrain.assembly.line import run, steady, train
from drivetrain.assembly.logbook import Logbook
from drivetrain.assembly.margins import Return, Returns, returns
from drivetrain.assembly.opening import evaluate
from drivetrain.assembly.pairs import Surface, surface
from drivetrain.assembly.partial import Dependence, dependence
from drivetrain.assembly.periods import OverTime, over_time
from drivetrain.assembly.record import promise
from drivetrain.assembly.response import Response
from drivetrain.assembly.result import Run
from drivetrain.assembly.rounds import Loop, loop
from drivetrain.assembly.sensitivity import Swing, Swings, swings
from drivetrain.assembly.spends import Spending, Spent, spending
from drivetrain.assembly.splitting import Contributions, contributions
from drivetrain.assembly.targets import Reach, efforts, reachable, reaching
from drivetrain.assembly.waterfall import Bridge, bridge
from drivetrain.assembly.what_if import WhatIf

__all__ = [
    "Bridge",
    "Compared",
    "Contributions",
    "Dependence",
    "Experiment",
    "Limited",
    "Limits",
    "Logbook",
    "Loop",
    "OverTime",
    "Reach",
    "Response",
    "Return",
    "Returns",
    "Run",
    "Spending",
    "Spent",
    "Surface",
    "Swing",
    "Swings",
    "Tradeoff",
    "WhatIf",
    "alike",
    "breaches",
    "bridge",
    "compare",
    "contributions",
    "dependence",
    "efforts",
    "evaluate",
    "limitable",
    "loop",
    "margins",
    "open_run",
    "over_time",
    "promise",
    "reachable",
    "reaching",
    "returns",
    "rules",
    "run",
    "spending",
    "spends",
    "steady",
    "surface",
    "swings",
    "train",
    "usage",
]

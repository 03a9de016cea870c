"""The assembly line: scenario → data → models → simulator → evidence → recommendations → a run folder.

`run` goes all the way, `train` stops after the models, `open_run` reads a folder back,
`evaluate` opens its sealed test, `compare` sets two runs side by side.
"""

from drivetrain.assembly.comparison import Compared, compare
from drivetrain.assembly.experiment import Experiment
from drivetrain.assembly.folder import open_run
from drivetrain.assembly.line import run, steady, train
from drivetrain.assembly.logbook import Logbook
from drivetrain.assembly.opening import evaluate
from drivetrain.assembly.record import promise
from drivetrain.assembly.response import Response
from drivetrain.assembly.result import Run
from drivetrain.assembly.rounds import Loop, loop
from drivetrain.assembly.what_if import WhatIf

__all__ = [
    "Compared",
    "Experiment",
    "Logbook",
    "Loop",
    "Response",
    "Run",
    "WhatIf",
    "compare",
    "evaluate",
    "loop",
    "open_run",
    "promise",
    "run",
    "steady",
    "train",
]

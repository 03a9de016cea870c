"""The command line: `drivetrain COMMAND`. Results go to stdout, progress and faults to stderr.

Exit codes: 0 done, 1 our own fault, 2 usage or scenario, 3 data, 4 infeasible, 5 refused by a guard, 130 interrupted.
`--help` and `check` load neither torch nor fastai: each command imports what it needs when it runs.
"""

from drivetrain.cli.commands import main

__all__ = ["main"]

"""Data: from files and packages to one table with the scenario's names, sound types and folds; nothing in silence."""

from drivetrain.data import decided, drafting
from drivetrain.data.checks import MISSING, existing
from drivetrain.data.columns import Remark
from drivetrain.data.loading import load, read_results, read_rows
from drivetrain.data.negatives import had
from drivetrain.data.options import alike
from drivetrain.data.table import Dropped, Rows, Table

__all__ = [
    "MISSING",
    "Dropped",
    "Remark",
    "Rows",
    "Table",
    "alike",
    "decided",
    "drafting",
    "existing",
    "had",
    "load",
    "read_results",
    "read_rows",
]

"""The Modeler: the one door to fastai. Rows, settings and earlier outcomes in; expected outcomes out.

`fit` trains every kind of network in K folds, holds the contest and returns `Models`: for each outcome an ensemble
whose members are also the judges of the rows that they have not seen. `write` and `read` keep them in a folder.
"""

from drivetrain.modeler.contest import Fitted, Progress, fit
from drivetrain.modeler.encoder import EncodedRows, InputEncoder
from drivetrain.modeler.ensemble import Models, OutcomeModel
from drivetrain.modeler.folder import read, write
from drivetrain.modeler.hand_over import hand_over
from drivetrain.modeler.held_out import HeldOut, held_out
from drivetrain.modeler.importance import explained
from drivetrain.modeler.links import Link, worth
from drivetrain.modeler.settings import stands_apart

__all__ = [
    "EncodedRows",
    "Fitted",
    "HeldOut",
    "InputEncoder",
    "Link",
    "Models",
    "OutcomeModel",
    "Progress",
    "explained",
    "fit",
    "hand_over",
    "held_out",
    "read",
    "stands_apart",
    "worth",
    "write",
]

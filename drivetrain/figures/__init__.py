"""Figures: the one place where they are made, for the report and the dashboard alike; plotly loads when one is drawn.

Every function takes what a run found and a `Look`, and gives a `plotly.graph_objects.Figure` with a transparent
background.
"""

from drivetrain.figures.actions import gains, settings
from drivetrain.figures.curves import response, value_curve
from drivetrain.figures.explaining import confusion, importance, interplay
from drivetrain.figures.look import DARK, LIGHT, Look
from drivetrain.figures.models import MODELS, calibration, contest, judged
from drivetrain.figures.policies import policies
from drivetrain.figures.tradeoffs import frontier, pareto
from drivetrain.figures.tree import tree

__all__ = [
    "DARK",
    "LIGHT",
    "MODELS",
    "Look",
    "calibration",
    "confusion",
    "contest",
    "frontier",
    "gains",
    "importance",
    "interplay",
    "judged",
    "pareto",
    "policies",
    "response",
    "settings",
    "tree",
    "value_curve",
]

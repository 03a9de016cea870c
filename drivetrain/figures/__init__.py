"""Figures: the one place where they are made, for the report and the dashboard alike; plotly loads when one is drawn.

Every function takes what a run found and a `Look`, and gives a `plotly.graph_objects.Figure` with a transparent
background.
"""

from drivetrain.figures.actions import gains, settings
from drivetrain.figures.bridges import bridge, swings
from drivetrain.figures.compared import beside
from drivetrain.figures.curves import dependence, response, unit_of, value_curve
from drivetrain.figures.explaining import confusion, importance, interplay
from drivetrain.figures.limits import limit, reach
from drivetrain.figures.look import DARK, LIGHT, Look
from drivetrain.figures.maps import surface
from drivetrain.figures.models import MODELS, calibration, contest, judged
from drivetrain.figures.over_time import over_time
from drivetrain.figures.overlaps import overlap
from drivetrain.figures.policies import policies
from drivetrain.figures.spending import spending
from drivetrain.figures.splitting import contributions, returns
from drivetrain.figures.tradeoffs import fairness, frontier, pareto
from drivetrain.figures.tree import tree
from drivetrain.figures.trust import balance, chances, learners
from drivetrain.figures.uplift import uplift

__all__ = [
    "DARK",
    "LIGHT",
    "MODELS",
    "Look",
    "balance",
    "beside",
    "bridge",
    "calibration",
    "chances",
    "confusion",
    "contest",
    "contributions",
    "dependence",
    "fairness",
    "frontier",
    "gains",
    "importance",
    "interplay",
    "judged",
    "learners",
    "limit",
    "over_time",
    "overlap",
    "pareto",
    "policies",
    "reach",
    "response",
    "returns",
    "settings",
    "spending",
    "surface",
    "swings",
    "tree",
    "unit_of",
    "uplift",
    "value_curve",
]

"""Bounds that hold for every setting in a box, found by running the same networks and formulas on bounds.

A `Relaxed` stands for a tensor of quantities that depend on where in its box a setting lies. Each is kept between two
planes over the box (linear relaxation in forward mode: Zhang et al. 2018, "Efficient Neural Network Robustness
Certification", there backward; for products McCormick 1976, Math. Program. 10:147), so that bounds tighten with the
square of the box's width wherever a model is smooth. It takes part in torch's own functions (`__torch_function__`), so
that what is bounded is the very code that predicts; a function without a rule here raises `Unbounded`.
"""

from drivetrain.simulator.relaxation import arithmetic, branches, curves, tables  # each brings its rules
from drivetrain.simulator.relaxation.relaxed import Relaxed, Unbounded

__all__ = ["Relaxed", "Unbounded", "arithmetic", "branches", "curves", "tables"]

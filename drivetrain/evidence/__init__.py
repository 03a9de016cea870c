"""Evidence: what a policy is really worth, judged on rows that its models have never seen.

`judge` derives every policy within each fold from models that have not seen the fold, values it there by the doubly
robust estimator with a 95% interval, and names the simplest policy that no other beats by more than a standard error.
"""

from drivetrain.evidence.curve import Point
from drivetrain.evidence.effects import Effect
from drivetrain.evidence.estimators import NAMES as ESTIMATORS
from drivetrain.evidence.fairness import Gap
from drivetrain.evidence.judgement import judge
from drivetrain.evidence.propensity import Propensity, propensity
from drivetrain.evidence.sample import Estimate, Sample
from drivetrain.evidence.sealed import Opened, SealedTest, judge_sealed
from drivetrain.evidence.slots import judge_slots
from drivetrain.evidence.tree import Condition, Tree
from drivetrain.evidence.trust import Trust
from drivetrain.evidence.uplift import Uplift
from drivetrain.evidence.value import Judge
from drivetrain.evidence.worth import KEPT, NAMES, Evidence, Judged

__all__ = [
    "ESTIMATORS",
    "KEPT",
    "NAMES",
    "Condition",
    "Effect",
    "Estimate",
    "Evidence",
    "Gap",
    "Judge",
    "Judged",
    "Opened",
    "Point",
    "Propensity",
    "Sample",
    "SealedTest",
    "Tree",
    "Trust",
    "Uplift",
    "judge",
    "judge_sealed",
    "judge_slots",
    "propensity",
]

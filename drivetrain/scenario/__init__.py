"""Scenarios: what may be declared, read from a file with every fault at its line, column and key."""

from drivetrain.scenario.codes import YES_NO, YES_NO_SAID
from drivetrain.scenario.confining import outside
from drivetrain.scenario.constraints import Constraint
from drivetrain.scenario.declarations import (
    Assignment,
    DatePart,
    Decide,
    Input,
    Parameter,
)
from drivetrain.scenario.editing import edited
from drivetrain.scenario.groups import grouped, labelled, labels
from drivetrain.scenario.levers import Categorical, Continuous, Feature, Integer, Lever, YesNo, effect_on
from drivetrain.scenario.loading import SCHEMA_PATH, build, json_schema, load, parse
from drivetrain.scenario.lowering import rule_of
from drivetrain.scenario.models import Boosting, Model, Search
from drivetrain.scenario.objective import Beside, Objective, Risk
from drivetrain.scenario.outcomes import Outcome
from drivetrain.scenario.root import Scenario
from drivetrain.scenario.sources import Data, Split
from drivetrain.scenario.space import LeverSpace, places, spoken, stepped, with_unit
from drivetrain.scenario.telling import bound, extent, in_words, remarks

__all__ = [
    "SCHEMA_PATH",
    "YES_NO",
    "YES_NO_SAID",
    "Assignment",
    "Beside",
    "Boosting",
    "Categorical",
    "Constraint",
    "Continuous",
    "Data",
    "DatePart",
    "Decide",
    "Feature",
    "Input",
    "Integer",
    "Lever",
    "LeverSpace",
    "Model",
    "Objective",
    "Outcome",
    "Parameter",
    "Risk",
    "Scenario",
    "Search",
    "Split",
    "YesNo",
    "bound",
    "build",
    "edited",
    "effect_on",
    "extent",
    "grouped",
    "in_words",
    "json_schema",
    "labelled",
    "labels",
    "load",
    "outside",
    "parse",
    "places",
    "remarks",
    "rule_of",
    "spoken",
    "stepped",
    "with_unit",
]

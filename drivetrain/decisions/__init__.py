"""Decisions: what is recommended and why, and how it leaves the house."""

from drivetrain.decisions import bounded, fairness, grounds, groups, last_test, reasons, rounding, what_ifs, words
from drivetrain.decisions.entries import Entry, Logged, Review, Signature
from drivetrain.decisions.export import replacing, write
from drivetrain.decisions.folder import MANIFEST, atomic_folder, recover, seal, verify
from drivetrain.decisions.listing import listed
from drivetrain.decisions.locking import Locks, locks, read_locks
from drivetrain.decisions.log import DecisionLog
from drivetrain.decisions.promise import Promise
from drivetrain.decisions.recommend import Recommendations, recommend
from drivetrain.decisions.table import column_of, columns_of

__all__ = [
    "MANIFEST",
    "DecisionLog",
    "Entry",
    "Locks",
    "Logged",
    "Promise",
    "Recommendations",
    "Review",
    "Signature",
    "atomic_folder",
    "bounded",
    "column_of",
    "columns_of",
    "fairness",
    "grounds",
    "groups",
    "last_test",
    "listed",
    "locks",
    "read_locks",
    "reasons",
    "recommend",
    "recover",
    "replacing",
    "rounding",
    "seal",
    "verify",
    "what_ifs",
    "words",
    "write",
]

"""Decisions: what is recommended and why, and how it leaves the house."""

from drivetrain.decisions.export import replacing, write
from drivetrain.decisions.folder import MANIFEST, atomic_folder, seal, verify
from drivetrain.decisions.listing import listed
from drivetrain.decisions.locking import Locks, locks, read_locks
from drivetrain.decisions.log import DecisionLog, Entry, Logged, Review, Signature
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
    "column_of",
    "columns_of",
    "listed",
    "locks",
    "read_locks",
    "recommend",
    "replacing",
    "seal",
    "verify",
    "write",
]

"""Decisions: what is recommended and why, and how it leaves the house."""

from drivetrain.decisions.export import write
from drivetrain.decisions.folder import atomic_folder, seal, verify
from drivetrain.decisions.listing import listed
from drivetrain.decisions.recommend import Promise, Recommendations, column_of, recommend

__all__ = ["Promise", "Recommendations", "atomic_folder", "column_of", "listed", "recommend", "seal", "verify", "write"]

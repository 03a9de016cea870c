"""Decisions: what is recommended and why, and how it leaves the house."""

from drivetrain.decisions.export import write
from drivetrain.decisions.folder import atomic_folder, seal, verify

__all__ = ["atomic_folder", "seal", "verify", "write"]

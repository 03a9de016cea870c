"""Every kind of network that a scenario may name."""

from __future__ import annotations

from drivetrain.modeler.factors import Dot, Neural
from drivetrain.modeler.networks import KINDS, Network

EVERY: dict[str, type[Network]] = {**KINDS, "dot": Dot, "neural": Neural}

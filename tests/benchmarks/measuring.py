"""What benchmarks measure with: CPU seconds, and figures beside their targets."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

Figures = dict[str, Any]
QUICK = "--quick" in sys.argv


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this thread, and what came of it."""
    start = time.process_time()
    found = work()
    return time.process_time() - start, found


def more(value: float, target: float) -> dict[str, Any]:
    """A figure that should be at least its target."""
    return {"value": value, "target": target, "met": bool(value >= target)}


def less(value: float, target: float) -> dict[str, Any]:
    """A figure that should be at most its target."""
    return {"value": value, "target": target, "met": bool(value <= target)}

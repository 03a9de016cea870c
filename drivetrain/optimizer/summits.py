"""Where to begin, and where to look closer, seen from the scores of settings already asked about."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

SUMMITS = 4
"""Of so many summits along a lever the very top is looked for."""


def trend(tried: Floats, score: Floats, free: NDArray[np.bool_]) -> Floats | None:
    """[L] the top of the bowl that follows the scores of candidates [G, L] best, among them; None where there are few.

    Ripples hide where a landscape leads; their local tops lie on a bowl (Phillips, Rosen & Walke 1995).
    """
    known = np.isfinite(score)
    many = 1 + 2 * int(free.sum())
    if known.sum() < 3 * many or many == 1:
        return None
    at, height = tried[known], score[known]
    low, width = at[:, free].min(0), np.maximum(np.ptp(at[:, free], axis=0), 1e-12)
    u = (at[:, free] - low) / width
    level = np.argsort(np.argsort(height)) / len(height)  # ranks, so that a cliff does not tilt it
    slope = np.linalg.lstsq(np.column_stack([np.ones(len(u)), u, u**2]), level, rcond=None)[0][1:].reshape(2, -1)
    ends = np.where(slope.sum(0) > 0, 1.0, 0.0)
    inside = -slope[0] / np.where(slope[1] < 0, 2 * slope[1], -1.0)
    out = at[int(height.argmax())].copy()
    out[free] = low + width * np.where(slope[1] < 0, np.clip(inside, 0, 1), ends)
    return np.asarray(out)


def tops(values: Floats, score: Floats) -> Floats:
    """Where parabolas have their tops, through the highest of ascending values that stand above both neighbours."""
    if len(values) < 3:
        return values[:0]
    a, b, c = score[:-2], score[1:-1], score[2:]
    peaks = np.flatnonzero(np.isfinite(a) & np.isfinite(c) & (b >= a) & (b >= c) & (b > np.minimum(a, c)))
    peaks = peaks[np.argsort(-b[peaks], kind="stable")[:SUMMITS]]
    left, right = (values[1:-1] - values[:-2])[peaks], (values[2:] - values[1:-1])[peaks]
    up, down = (b[peaks] - a[peaks]) / left, (b[peaks] - c[peaks]) / right
    return np.asarray(values[1:-1][peaks] + (up * right - down * left) / (2 * (up + down)))


def apart(tried: Floats, score: Floats, low: Floats, high: Floats, most: int = 64) -> Floats:
    """Candidates [S, L] to begin from, the best first, none closer to a better one than chance would have it."""
    order = [int(i) for i in np.argsort(-score, kind="stable")[: 16 * most] if np.isfinite(score[i])]
    if not order:
        order = list(range(min(len(tried), most)))
    scaled = (tried - low) / np.where(high > low, high - low, 1.0)
    near = 0.1 * np.sqrt(tried.shape[1])
    kept: list[int] = []
    for i in order:
        if all(np.linalg.norm(scaled[i] - scaled[j]) > near for j in kept):
            kept.append(i)
        if len(kept) == most:
            break
    return tried[kept]

"""Numbers as people should read them: rounded to what their intervals bear, at most three significant digits."""

from __future__ import annotations

from datetime import date, timedelta
from math import ceil, floor, isfinite, log10
from typing import Any

import numpy as np
from numpy.typing import NDArray

from drivetrain.evidence import Estimate
from drivetrain.scenario import DatePart, Lever, spoken, with_unit as with_unit

SURE = "sure to the last digit"
"""Said instead of an interval whose ends look alike."""


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits and thousands apart.

    >>> number(1632.57), number(0.23048), number(-0.0), number(12345678), number(0.99996)
    ('1,630', '0.230', '0', '12,300,000', '1.00')
    """
    places = _places(value, digits)
    return _fixed(value, min(places, _places(round(value, places), digits)) if isfinite(value) else 0)


def numbers(values: NDArray[np.float64], sign: str = "") -> list[str]:
    """`number` of many, fast.

    Args:
        values: [N].
        sign: `+` where positive ones have a sign too.

    >>> numbers(np.array([1632.57, 0.66, 0.0, np.nan])), numbers(np.array([0.5, -2.0]), "+")
    (['1,630', '0.660', '0', 'unknown'], ['+0.500', '-2.00'])
    """
    known = np.where(np.isfinite(values) & (np.abs(values) > 1e-12), values, 0.0)
    places = 2 - np.floor(np.log10(np.abs(np.where(known == 0, 100.0, known))))
    carried = 2 - np.floor(np.log10(np.abs(np.where(known == 0, 100.0, np.round(known * 10.0**places) / 10.0**places))))
    each = zip(known.tolist(), np.minimum(places, carried).astype(int).tolist(), strict=True)
    told = [f"{v:{sign},.{p}f}" if p >= 0 else f"{round(v, p):{sign},.0f}" for v, p in each]
    return [word if fine else "unknown" for word, fine in zip(told, np.isfinite(values).tolist(), strict=True)]


def short(value: float) -> str:
    """A mean of settings, or a bound: three digits without needless zeros.

    >>> short(0.095), short(1.0), short(1632.57), short(0.98123)
    ('0.095', '1', '1,630', '0.981')
    """
    return plainly(float(f"{value:.3g}"))


def interval(estimate: Estimate, sign: int = 1) -> tuple[str, str, str]:
    """Value, low and high, rounded alike: two digits of the half-width, and never more than three of the largest.

    Args:
        estimate: what to tell.
        sign: −1 to tell its opposite.

    >>> interval(Estimate(0.23048, 0.02633))
    ('0.230', '0.179', '0.282')
    """
    ends = sorted((sign * estimate.low, sign * estimate.high))
    largest = max(abs(ends[0]), abs(ends[1]))
    half = (ends[1] - ends[0]) / 2
    places = min(_places(half, 2), _places(largest, 3)) if half else _places(largest, 3)
    places = min(places, _places(round(largest, places), 3))  # 99.97 is 100, and not 100.0
    value, low, high = (_fixed(each, places) for each in (sign * estimate.value, *ends))
    return value, low, high


def span(estimate: Estimate, unit: str = "", sign: int = 1) -> str:
    """Value, unit and interval: `0.230 USD per person (95% interval 0.179 to 0.282)`."""
    value, told = with_unit(interval(estimate, sign)[0], unit), sure(estimate, sign=sign)
    return value if told == SURE else f"{value} ({told})"


def sure(estimate: Estimate, what: str = "95% interval", sign: int = 1) -> str:
    """How sure a value is, as told beside it; where the interval is narrower than its last digit, that.

    >>> sure(Estimate(0.23048, 0.02633)), sure(Estimate(47.886, 0.0))
    ('95% interval 0.179 to 0.282', 'sure to the last digit')
    """
    low, high = interval(estimate, sign)[1:]
    return SURE if low == high and isfinite(estimate.value) else f"{what} {low} to {high}"


def between(estimate: Estimate, sign: int = 1) -> str:
    """The same in a cell of a table: `0.179 to 0.282`."""
    return sure(estimate, "", sign).strip()


def setting(lever: Lever, value: float) -> str:
    """One lever's setting in natural units, as finely as settings are recommended: `0.095 USD`, `sms`, `yes`."""
    if lever.kind == "categorical":
        return lever.options[int(value)]
    if lever.kind == "yes_no":
        return "yes" if value else "no"
    return with_unit(spoken(lever, value), lever.unit)


def said(lever: Lever, value: float | str | bool) -> str:
    """The same of a value as people give it: a number, an option, yes or no."""
    if lever.kind in {"categorical", "yes_no"}:
        return str(value) if isinstance(value, str) else "yes" if value else "no"
    return setting(lever, float(value))


def known(value: Any, kind: str, of_date: DatePart | None = None) -> str:
    """What a row has, as people read it; of days since 1970, the date.

    >>> known(1234.56, "numeric"), known(38.8682, "numeric"), known(1.0, "yes_no"), known(None, "categorical")
    ('1,235', '38.87', 'yes', 'missing')
    >>> known(20_092.0, "numeric", "days")
    '2025-01-04'
    """
    if value is None or value != value:
        return "missing"
    if of_date == "days":
        return (date(1970, 1, 1) + timedelta(days=int(value))).isoformat()
    if kind in {"yes_no", "binary"}:
        return "yes" if value else "no"
    return plainly(value) if isinstance(value, int | float) else str(value)


def plainly(value: float) -> str:
    """A number of the data to four digits; whole ones as they are.

    >>> plainly(56.8247), plainly(120000.0), plainly(0.00012345)
    ('56.82', '120,000', '0.0001234')
    """
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 1000 else f"{value:.4g}"


def summed(unit: str) -> str:
    """The unit of a sum over rows, where a unit says of what each is.

    >>> summed("EUR per visitor"), summed("stars")
    ('EUR', 'stars')
    """
    return unit.split(" per ")[0]


def roughly(lever: Lever, low: float, high: float) -> tuple[str, str]:
    """The two ends of a range of settings, no finer than a hundredth of the lever's own: `0.10`, `1.38 USD`."""
    if lever.kind == "categorical" or lever.kind == "yes_no":
        return setting(lever, low), setting(lever, high)
    fineness = lever.step or (lever.max - lever.min) / 100
    places = max(0, ceil(-log10(fineness) - 1e-9))
    return _fixed(low, places) if low else "0", with_unit(_fixed(high, places), lever.unit)


def _places(value: float, digits: int) -> int:
    """Decimal places that leave so many significant digits; negative where tens and more are rounded away."""
    return digits - 1 - floor(log10(abs(value))) if value and isfinite(value) else 0


def _fixed(value: float, places: int) -> str:
    if not isfinite(value):
        return "unknown"
    rounded = round(value, places) + 0.0
    return f"{rounded or 0.0:,.{max(0, min(places, 12))}f}"

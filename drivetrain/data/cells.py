"""One value at a time: what a cell means as a number, as yes or no, as text, and what it cannot mean."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import pandas as pd

from drivetrain.scenario import YES_NO, YES_NO_SAID

Decimals = Literal[".", ","]
"""What stands before the decimals of a number."""
SWAPPED = str.maketrans(",.", ".,")
"""Turns a decimal comma into a point, and a point into a comma, which no number has."""
_SHEET_ERRORS = frozenset({"#n/a", "#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!"})
MISSING = frozenset({"", "na", "n/a", "nan", "null", "<na>"}) | _SHEET_ERRORS
"""Texts read as a missing value, in any case; `none` too, but not where text is wanted."""

FROM_TEXT = "numbers written as text read as numbers"
INFINITE = "infinite numbers read as missing"
FROM_POINT = "whole numbers written with '.0' read without it"

_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SEPARATED = re.compile(r"[+-]?[0-9]{1,3}([.,' _\u00a0\u202f\u2019][0-9]{3})+([.,][0-9]+)?")
_WITH_UNIT = re.compile(r"[^\w+-]{0,3}\s*[+-]?[0-9][0-9.,' ]*\s*([^\W\d_]{1,4}|[^\w\s]{1,3})?")
_WHOLE_WITH_POINT = re.compile(r"-?(0|[1-9][0-9]*)\.0")
_INFINITIES = frozenset({"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity"})
_YES, _NO = (frozenset(words) for words in zip(*YES_NO, strict=True))
_EXACT_BELOW = 2**53
_WHOLE_BELOW = 1e15


@dataclass(frozen=True, order=True)
class Rule:
    """What a kind of column demands of its cells, and what to do about one that breaks it."""

    text: str
    cure: str
    """With `{texts}` where the cells that break it are to be named."""


class UnfitError(Exception):
    """A value that its column's kind cannot take; `rule` says why."""

    def __init__(self, rule: Rule) -> None:
        """Args: rule: the one that is broken."""
        super().__init__(rule.text)
        self.rule = rule


_MISSING_WORDS = (
    "Correct the cells; where such a text stands for a missing value, say data: {{missing: [{texts}]}}; else declare "
    "another kind"
)
_POINT = "A number has a decimal point"
_COMMA = "A number has a decimal comma here, as data.decimal says,"
WORD: dict[Decimals, Rule] = {
    ".": Rule(f"{_POINT}, no thousands separator and no unit", _MISSING_WORDS),
    ",": Rule(f"{_COMMA} no thousands separator and no unit", _MISSING_WORDS),
}
SEPARATED: dict[Decimals, Rule] = {
    ".": Rule(f"{_POINT} and no thousands separator", "Correct the cells: 1250.00"),
    ",": Rule(f"{_COMMA} and no thousands separator", "Correct the cells: 1250,00"),
}
WITH_UNIT: dict[Decimals, Rule] = {
    ".": Rule(f"{_POINT} and no unit", "Correct the cells: the number alone; units are declared"),
    ",": Rule(f"{_COMMA} and no unit", "Correct the cells: the number alone; units are declared"),
}
OTHER_DECIMAL: dict[Decimals, Rule] = {
    ".": Rule(
        "A number has a decimal point, unless data.decimal says otherwise",
        "Where all numbers have a decimal comma, say data: {{decimal: ','}}; else correct the cells",
    ),
    ",": Rule(
        "data.decimal says that numbers have a decimal comma",
        "Write 1,5 for one and a half, and no thousands separator",
    ),
}
YES_NO_HERE = Rule(
    "These are words for yes and no, not numbers",
    "Declare the kind yes_no; of an outcome, binary",
)
NOT_A_NUMBER = Rule("A numeric column holds numbers", "Correct the column, or declare another kind")
TIME_NUMBER = Rule(
    "A date or time is not a number", "Declare an input of_date: days, or give a number such as days since a start date"
)
TOO_LARGE = Rule(
    "Numbers are stored as float64, which would change this one",
    "If it is an identifier, declare the kind categorical; else round it",
)
NOT_YES_NO = Rule(
    f"A yes/no column holds {YES_NO_SAID}",
    "Recode the column; where such a text stands for a missing value, say data: {{missing: [{texts}]}}; else declare "
    "another kind",
)
NOT_TEXT = Rule("A categorical column holds texts or numbers", "Write the values as text, or leave the column out")


def is_missing(value: object) -> bool:
    """Whether a cell is empty: None, NaN of any type, NA or NaT; a text never is."""
    if isinstance(value, Decimal):
        return value.is_nan()
    return (
        value is None
        or value is pd.NA
        or value is pd.NaT
        or (isinstance(value, (float, np.floating)) and value != value)
    )


def number(value: Any, decimal: Decimals = ".") -> tuple[float, str]:
    """(float64 with NaN for missing, what was made of it); UnfitError where it is no number or would change.

    Args:
        value: the cell.
        decimal: what stands before the decimals of a number that is text.
    """
    if isinstance(value, str):
        return _number_in_text(value.strip(), decimal)
    if not isinstance(value, (Real, Decimal, np.bool_)):
        raise UnfitError(TIME_NUMBER if _is_time(value) else NOT_A_NUMBER)
    exact = _exact(value)
    return (math.nan, INFINITE) if math.isinf(exact) else (exact, "")


def zero_or_one(value: Any) -> tuple[float, str]:
    """(1.0 for yes, 0.0 for no, NaN for missing; what was made of it); UnfitError for anything else."""
    if isinstance(value, str):
        word = value.strip().lower()
        if word in _YES or word in _NO:
            return float(word in _YES), ""
        if word in MISSING or word == "none":
            return math.nan, _read_as_missing(value)
    elif isinstance(value, (Real, Decimal, np.bool_)) and value in (0, 1):
        return float(value), ""
    raise UnfitError(NOT_YES_NO)


def text(value: Any, options: Collection[str] = ()) -> tuple[str | None, str]:
    """(text or None for missing, what was made of it); whole numbers lose their `.0`; UnfitError for times and others.

    Args:
        value: the cell.
        options: texts that are values even where they look like a missing one.
    """
    if isinstance(value, str):
        return _text_in_text(str(value), options)
    if isinstance(value, (np.bool_, Integral)):
        return str(value), ""
    if not isinstance(value, (float, np.floating, Decimal)):
        raise UnfitError(NOT_TEXT)
    if value in (math.inf, -math.inf):
        return None, INFINITE
    whole = -_WHOLE_BELOW < value < _WHOLE_BELOW and value == int(value)
    return str(int(value)) if whole else str(value), ""


def _number_in_text(word: str, decimal: Decimals) -> tuple[float, str]:
    if word.lower() in MISSING or word.lower() == "none":
        return math.nan, _read_as_missing(word)
    if word.lower() in _INFINITIES:
        return math.nan, INFINITE
    pointed = word.translate(SWAPPED)
    if not _NUMBER.fullmatch(word if decimal == "." else pointed):
        raise UnfitError(_no_number(word, pointed if decimal == "." else word, decimal))
    word = word if decimal == "." else pointed
    found = float(word)
    if math.isinf(found) or (
        abs(found) >= _EXACT_BELOW and word.lstrip("+-").isdigit() and Decimal(word) != Decimal(found)
    ):
        raise UnfitError(TOO_LARGE)
    return found, FROM_TEXT


def _no_number(word: str, swapped: str, decimal: Decimals) -> Rule:
    if word.lower() in _YES | _NO:
        return YES_NO_HERE
    if _NUMBER.fullmatch(swapped):
        return OTHER_DECIMAL[decimal]
    if _SEPARATED.fullmatch(word):
        return SEPARATED[decimal]
    return (WITH_UNIT if _WITH_UNIT.fullmatch(word) else WORD)[decimal]


def _exact(value: Any) -> float:
    """The float64 of a number, infinities included; refuses one that would change (a Decimal's digits apart)."""
    try:
        found = float(value)
    except OverflowError:
        raise UnfitError(TOO_LARGE) from None
    changed = isinstance(value, (Integral, np.longdouble)) and found != value
    if changed or (math.isinf(found) and value not in (math.inf, -math.inf)):
        raise UnfitError(TOO_LARGE)
    return found


def _text_in_text(word: str, options: Collection[str]) -> tuple[str | None, str]:
    if word in options:
        return word, ""
    if word.strip().lower() in MISSING:
        return None, _read_as_missing(word)
    return (word.removesuffix(".0"), FROM_POINT) if _WHOLE_WITH_POINT.fullmatch(word) else (word, "")


def _read_as_missing(word: str) -> str:
    return f"text '{word.strip()}' read as missing" if word.strip() else ""


def _is_time(value: object) -> bool:
    return hasattr(value, "isoformat") or isinstance(value, (np.datetime64, np.timedelta64, pd.Period))

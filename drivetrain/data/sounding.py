"""Which part a column may play, by what its name sounds like and how many values it has."""

from __future__ import annotations

import re
from dataclasses import replace

from drivetrain.data.guesses import BY_NAME, Guess, Part

FEW_STEPS = 12
"""So many whole numbers, or options, are few."""
_LEVERS = re.compile(
    "price|discount|offer|treat|incentive|coupon|bid|budget|dose|channel|campaign|message|variant|arm$|action|"
    "frequency|temperature|setting|lever|preis|rabatt|angebot|prix|remise|precio|descuento"
)
_OUTCOMES = re.compile(
    "bought|buy|convert|conversion|click|purchase|sale|revenue|profit|churn|order|respon|outcome|result|target|label|"
    "booked|bookings|sold|paid|opened|signed|subscribed|rating|visit|spent|demand|y$|quantity|yield|strength|collected|accepted|renewed|cancelled|"
    "gebucht|gekauft|umsatz|absatz|erfolg|ergebnis|storniert|achat|vendu|compra|venta"
)
BAD = re.compile("churn|cancel|cost|loss|defect|complaint|default|fraud|delay|error|kosten|storn|coût|cout|coste|costo")
"""In names of what one wants less of."""
CHANCE = "it holds the chance of each row's setting"
"""Why a column called `propensity` plays no other part."""
_KEYS = ("id", "uuid", "guid", "key", "index", "rownames", "row")


def part_of(found: Guess, rows: int) -> tuple[Part, str]:
    """The part that one column may play, and why, as a clause.

    Args:
        found: what is known of the column.
        rows: how many rows the file has.
    """
    words = set(re.split(r"[^a-z0-9]+", found.column.lower()))
    if found.distinct < 2:
        return "leave out", "it holds one value only"
    if found.of_date:
        return "input", "it is a part of its dates"
    if found.column.lower() == "propensity" and found.kind == "numeric" and 0 < found.low <= found.high <= 1:
        return "leave out", CHANCE
    if words & set(_KEYS) and found.distinct > 0.5 * rows:
        return "leave out", "it seems to name rows"
    if (
        found.kind == "numeric"
        and found.whole
        and rows > FEW_STEPS
        and found.distinct == rows == found.high - found.low + 1
    ):
        return "leave out", "it seems to number the rows"
    if found.kind == "categorical" and not found.options:
        if found.distinct > 0.5 * rows:
            return "leave out", "nearly every row has a text of its own"
        return "input", f"it holds {found.distinct:,} texts"
    if any(map(_OUTCOMES.match, words)):
        return "outcome", BY_NAME
    if any(map(_LEVERS.match, words)):
        return "lever", "its name sounds like something that can be set"
    return "input", "nothing says otherwise"


def completed(found: list[Guess]) -> list[Guess]:
    """A file of rows has an outcome, most often last, and a lever: where no name says so, something must be it."""
    if not any(each.part == "outcome" for each in found):
        for place in reversed(range(len(found))):
            each = found[place]
            bad = BAD.search(each.column.lower())
            if each.part == "input" and each.kind in {"yes_no", "numeric"} and not each.of_date and not bad:
                found[place] = replace(each, part="outcome", why="the last column that could be one")
                break
    if not any(each.part == "lever" for each in found):
        for place, each in enumerate(found):
            few = each.kind == "yes_no" or 2 <= len(each.options) <= FEW_STEPS
            if each.part == "input" and few and not each.of_date:
                found[place] = replace(each, part="lever", why="the first column with few values")
                break
    return found

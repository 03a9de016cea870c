"""A first draft of a scenario from nothing but a file of rows: which column may be what, and the file that says so.

Names and values are guessed at, never more: whoever reads the draft decides. See `drivetrain init`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from drivetrain.data.guesses import PARTS, Guess, Part, assigned, chosen, strange_cells
from drivetrain.data.guessing import guess
from drivetrain.data.sounding import BAD, CHANCE, FEW_STEPS
from drivetrain.errors import Fault, UsageError
from drivetrain.scenario import parse

__all__ = [
    "PARTS",
    "Answers",
    "Guess",
    "Part",
    "assigned",
    "chosen",
    "draft",
    "guess",
    "objective",
    "scenario_name",
    "strange_cells",
    "written",
]

SOURCES = {".parquet": "parquet", ".xlsx": "excel"}
"""Ending of a file → the key that names it; others are CSV files."""


@dataclass(frozen=True)
class Answers:
    """What a draft must be told, since no file of rows can say it."""

    title: str = ""
    objective: str = ""
    """A formula over levers, inputs and outcomes; guessed where left out."""
    minimise: bool = False
    unit: str = ""
    design: Literal["randomised", "observational"] = "observational"
    unit_of_decision: Literal["row", "once"] = "row"


_PRICE = re.compile("price|preis|prix|precio")


def objective(guesses: Sequence[Guess]) -> tuple[str, bool]:
    """A formula to begin with, and whether less of it is better: an amount; else price times whether it was bought.

    What sounds like a cost or a harm is never to be maximised; empty where nothing can be guessed.
    """
    outcomes = [each for each in guesses if each.part == "outcome" and each.kind in {"numeric", "yes_no"}]
    good = [each for each in outcomes if not BAD.search(each.column.lower())]
    numeric = next((each for each in good if each.kind == "numeric"), None)
    if numeric or not good:
        return (numeric.name, False) if numeric else (outcomes[0].name, True) if outcomes else ("", False)
    levers = (each for each in guesses if each.part == "lever" and each.kind == "numeric")
    price = next((each.name for each in levers if _PRICE.search(each.column.lower())), None)
    return (f"{price} * {good[0].name}" if price else good[0].name), False


def draft(path: str | Path, guesses: Sequence[Guess], answers: Answers, *, relative_to: str | Path = ".") -> str:
    """A scenario file's text.

    Args:
        path: the file of rows.
        guesses: what each column is.
        answers: what the file cannot say.
        relative_to: the folder in which the scenario file will stand.

    Raises:
        ScenarioError: the answers do not fit, such as an objective with an unknown name; all faults at once.
        UsageError: no column is a lever, a lever is numbers and many texts, or nothing is wanted.
    """
    whole = written(path, guesses, answers, relative_to=relative_to)
    parse(whole, "the draft")
    return whole


def written(path: str | Path, guesses: Sequence[Guess], answers: Answers, *, relative_to: str | Path = ".") -> str:
    """As `draft`, but whatever the answers: a file with faults can be mended."""
    if not any(each.part == "lever" for each in guesses):
        raise UsageError(Fault("levers", "found none", "A decision needs something that can be set", "Name a column"))
    for each in guesses:
        if each.part == "lever" and each.kind == "categorical" and each.strays:
            raise UsageError(strange_cells(each))
    file = Path(path)
    said, bad = objective(guesses)
    text, less = (answers.objective, answers.minimise) if answers.objective else (said, bad or answers.minimise)
    if not text:
        rule = "No column is an outcome that sounds like what one wants more or less of"
        raise UsageError(Fault("objective", "none can be guessed", rule, "Say --objective FORMULA, or name an outcome"))
    asked = answers.title or f"What should {' and '.join(each.name for each in guesses if each.part == 'lever')} be?"
    lines = [
        "# A draft by drivetrain init: parts, kinds and ranges were guessed. All keys: drivetrain schema.",
        "# A lever may also say its unit, cost, step, current and do_nothing; an objective, what things cost:",
        "# maximise: (price - 4) * sold.",
        "version: 1",
        f"name: {scenario_name(file.stem)}",
        f"title: {_text(asked)}",
        f"objective: {{{'minimise' if less else 'maximise'}: {_text(text)}, unit: {_text(answers.unit)}}}",
        *_section("levers", guesses, "lever", _lever),
        *_section("inputs", guesses, "input", _input),
        *_section("outcomes", guesses, "outcome", _outcome),
        f"data: {{{SOURCES.get(file.suffix.lower(), 'csv')}: {_text(_beside(file, relative_to))}{_read_as(guesses)}}}",
        f"assignment: {{{_assignment(guesses, answers)}}}",
        f"decide: {{unit: {answers.unit_of_decision}}}",
        "seed: 0",
    ]
    return "\n".join(lines) + "\n"


def scenario_name(word: str) -> str:
    """A word as a scenario may be called.

    >>> scenario_name("Sales 2026 (final)"), scenario_name("2026")
    ('sales_2026_final', 'case_2026')
    """
    plain = re.sub(r"[^a-z0-9]+", "_", word.lower()).strip("_") or "case"
    return (plain if plain[0].isalpha() else f"case_{plain}")[:64]


def _assignment(guesses: Sequence[Guess], answers: Answers) -> str:
    """How settings came about: drawn, where a column holds their chances, as `drivetrain experiment` writes them."""
    chances = next((each.column for each in guesses if each.why == CHANCE), None)
    return f"design: {answers.design}" if chances is None else f"design: randomised, propensity: {_text(chances)}"


def _section(title: str, guesses: Sequence[Guess], part: Part, line: Any) -> list[str]:
    mine = [each for each in guesses if each.part == part]
    return [f"{title}:", *(f"  {each.name}: {{{line(each)}}}" for each in mine)] if mine else []


def _column(each: Guess) -> str:
    return f"column: {_text(each.column)}, " if each.column != each.name else ""


def _lever(each: Guess) -> str:
    if each.kind == "yes_no":
        return f"{_column(each)}kind: yes_no"
    if each.kind == "categorical":
        return f"{_column(each)}kind: categorical, options: [{', '.join(map(_text, each.options))}]"
    if each.whole and each.distinct <= FEW_STEPS:
        return f"{_column(each)}kind: integer, min: {each.low:.0f}, max: {each.high:.0f}"
    return f"{_column(each)}kind: continuous, min: {each.low!r}, max: {each.high!r}"


def _input(each: Guess) -> str:
    part = f", of_date: {each.of_date}" if each.of_date else ""
    return f"{_column(each)}kind: {each.kind}{part}"


def _outcome(each: Guess) -> str:
    kind = {"yes_no": "binary", "numeric": "numeric", "categorical": "categorical"}[each.kind]
    return f"{_column(each)}kind: {kind}"


def _read_as(guesses: Sequence[Guess]) -> str:
    """How the file's cells are to be read, where that has to be said."""
    decimal = ', decimal: ","' if any(each.decimal == "," for each in guesses) else ""
    missing = ", ".join(map(_text, guesses[0].missing_as))
    return decimal + (f", missing: [{missing}]" if missing else "")


def _text(word: str) -> str:
    """A text as YAML: plain where that cannot be misread, else in quotes."""
    plain = re.fullmatch(r"[A-Za-z][\w ./()*+-]*\w|[A-Za-z]", word)
    if plain and word.lower() not in {"yes", "no", "true", "false", "null", "on", "off", "y", "n"}:
        return word
    return json.dumps(word, ensure_ascii=False)


def _beside(file: Path, folder: str | Path) -> str:
    try:
        return file.resolve().relative_to(Path(folder).resolve()).as_posix()
    except ValueError:
        return file.resolve().as_posix()

"""`drivetrain simulate`: what would happen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Annotated, Any

import typer

from drivetrain.cli import screen
from drivetrain.cli.examining import Json, RunFolder
from drivetrain.errors import Fault, UsageError

Words = list[str] | None


def simulate(
    run: RunFolder,
    *,
    settings: Annotated[
        Words,
        typer.Option(
            "--set",
            help="LEVER=VALUE, or LEVER=VALUE,VALUE,… to try several; others stay as they are. Slots: LEVER_1=OPTION.",
        ),
    ] = None,
    inputs: Annotated[
        Words, typer.Option("--input", help="INPUT=VALUE, INPUT=*0.9, INPUT=+5 or a formula: what if it were other?")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="recommended, do_nothing, single or current, in place of --set.")
    ] = None,
    against: Annotated[str | None, typer.Option(help="Such a policy, to compare with.")] = None,
    rows: Annotated[Path | None, typer.Option(help="Ask about these rows (CSV, Parquet) instead.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write a line for each row, with bounds (.csv, .parquet, .json or .xlsx).")
    ] = None,
    share: Annotated[float, typer.Option(help="Of what may happen to a row, the part between its bounds.")] = 0.9,
    json: Json = False,
) -> None:
    """What would happen under one setting for all, under a policy, or if inputs were other than they are."""
    if settings and policy:
        raise UsageError(
            Fault("--policy", "found --set beside it", "A policy sets every lever", "Leave one of them out")
        )
    from drivetrain import assembly, data, decisions
    from drivetrain.cli import telling

    opened = assembly.open_run(run)
    asked = opened.table if rows is None else data.read_rows(opened.scenario, rows)
    other = pairs("--input", inputs or [])
    several = [policy] if policy else _each(opened, pairs("--set", settings or []))
    if out is not None:
        if len(several) > 1:
            found = f"found it beside {len(several)} settings"
            raise UsageError(Fault("--out", found, "A line of it is a row under one setting", "Ask for one at a time"))
        decisions.write(opened.predict(several[0], rows=asked, inputs=other or None, share=share), out)
    answers = [
        opened.what_if(each, rows=asked, inputs=other or None, against=True if against is None else against)
        for each in several
    ]
    if json:
        screen.data({"what_ifs": [answer.as_dict() for answer in answers]})
    elif len(answers) == 1:
        telling.what_if(opened, answers[0])
    else:
        telling.what_ifs(opened, answers)


def pairs(option: str, words: list[str]) -> dict[str, str]:
    """`NAME=VALUE` → name and value. Raises: UsageError: not of this form."""
    out, faults = {}, []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            faults.append(Fault(option, f"found {word!r}", "It is NAME=VALUE", f"Write {option} {name}=VALUE"))
        out[name.strip()] = value.strip()
    if faults:
        raise UsageError(*faults)
    return out


def _each(run: Any, settings: dict[str, str]) -> list[dict[str, str]]:
    """Every combination of the values named; an option that holds a comma is one value."""
    from drivetrain.scenario.codes import COMMA

    options = run.scenario.options
    values = [[text] if text in options.get(name, ()) else text.split(",") for name, text in settings.items()]
    each = [dict(zip(settings, map(str.strip, chosen), strict=True)) for chosen in product(*values)]
    for name, text in settings.items():
        if COMMA.fullmatch(text) and getattr(run.scenario.levers.get(name), "kind", "") == "continuous":
            _two_settings(run.scenario.space, name, text)
    return each


def _two_settings(space: Any, name: str, text: str) -> None:
    """`1,5` is 1 and 5, as is said to whoever meant one and a half. Raises: UsageError: one of them is no setting."""
    pointed, both = text.replace(",", "."), text.replace(",", " and ")
    try:
        for word in text.split(","):
            space.parse({name: word})
    except UsageError as error:
        cure = (
            f"A comma separates settings to try, so that these are two, {both}; a decimal point makes it one: {pointed}"
        )
        raise UsageError(*(replace(fault, cure=cure) for fault in error.faults)) from error
    screen.note(f"{name}={text} asks about two settings, {both}. For one with a decimal, write {name}={pointed}")

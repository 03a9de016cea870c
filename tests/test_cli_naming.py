"""The reference: every public name is there and says what it is; arguments are explained where there are several."""

from __future__ import annotations

import inspect

import pytest
from typer.testing import CliRunner

import drivetrain as dt
from drivetrain.cli import naming
from drivetrain.cli.commands import app
from drivetrain.errors import UsageError


def asked(*words: str) -> str:
    done = CliRunner().invoke(app, ["reference", *words], catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_every_public_name_has_its_line() -> None:
    entries = list(naming.public())
    assert sorted(each.name for each in entries) == sorted(dt.__all__)
    assert [each.name for each in entries if not each.line] == []
    told = asked()
    assert [each.call for each in entries if each.name != each.room and f"  {each.call}\n      " not in told] == []
    assert [each.room for each in entries if f"\n{each.room}: " not in f"\n{told}"] == []
    assert "at 0x" not in told


def test_every_method_of_a_run_explains_its_arguments() -> None:
    for each in naming.members("Run", dt.Run):
        value = naming.found(each.name)
        if inspect.isfunction(value):
            names = [name for name in inspect.signature(value).parameters if name != "self"]
            assert [name for name in names if f"{name}: " not in (inspect.getdoc(value) or "")] == [], each.name


def test_one_name_is_told_with_arguments_and_errors() -> None:
    told = asked("Run.what_if")
    assert told.startswith("Run.what_if(settings=None, *, rows=None, inputs=None, against=True)\n")
    assert "Raises:\n" in told


def test_a_class_is_told_with_what_it_holds_and_can() -> None:
    told = asked("WhatIf")
    assert "rows: int" in told
    assert "beyond: float\n    The share of rows whose setting the data cannot speak for." in told
    assert "  WhatIf.as_dict()\n      Plain JSON values." in told
    assert "evidence: Evidence | None = None\n    What policies are worth; None after `train`." in asked("Run")


def test_modules_and_tables_of_names_are_told_too() -> None:
    assert "  rounding.number(value, digits=3)\n" in asked("rounding")
    assert "do_nothing: doing nothing" in asked("NAMES")
    assert '"name": "Estimate.of"' in asked("Estimate", "--json")


def test_an_unknown_name_is_told_with_the_nearest() -> None:
    for name, cure in (("copare", "compare"), ("Run.whatif", "what_if"), ("recommend", "Run.recommend")):
        with pytest.raises(UsageError, match=f"{name}: found no such public name. Did you mean '{cure}'"):
            asked(name)

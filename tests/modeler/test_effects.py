"""Declared effects: they hold for every row and setting, trained or not, inside the range seen and beyond."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, strategies as st
from torch import Tensor

from drivetrain.modeler import EncodedRows, Models, fit
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.effects import jumps
from drivetrain.modeler.networks import KINDS
from drivetrain.modeler.settings import SettingColumn, SettingEncoder

Make = Callable[..., Any]
WORDS = (
    "increasing", "decreasing", "concave", "convex",
    "increasing_concave", "increasing_convex", "decreasing_concave", "decreasing_convex",
)  # fmt: skip
HOLDING = ("two_tower", "common")
PAIRS = 10_000


def breaches(word: str, low: Tensor, middle: Tensor, high: Tensor) -> int:
    """How many of N evenly spaced triples of values [N, ...] do not have the shape."""
    slack = 1e-4 * (1 + torch.stack([low, middle, high]).abs().amax(0))
    rises, bends = high - low, low + high - 2 * middle
    bad = torch.zeros_like(low, dtype=torch.bool)
    if "increasing" in word:
        bad |= (rises < -slack) | (middle - low < -slack)
    if "decreasing" in word:
        bad |= (rises > slack) | (middle - low > slack)
    if "concave" in word:
        bad |= bends > slack
    if "convex" in word:
        bad |= bends < -slack
    return int(bad.sum())


def rows_of(many: int) -> EncodedRows:
    codes = torch.stack([torch.randint(0, size, (many,)) for size in (4, 3)], 1)
    return EncodedRows(codes, torch.randn(many, 2), {})


def encoder(word: str, other: str, atom: float | None) -> SettingEncoder:
    draw = np.random.default_rng(0)
    seen = np.r_[np.zeros(60), draw.uniform(1, 9, 500)]
    columns = (
        SettingColumn.fit("price", seen, atom=atom, effect=word),
        SettingColumn.fit("reach", draw.uniform(0, 1, 500), effect=other),
        SettingColumn.fit("channel", np.array([0.0, 1, 2]), options=3),
    )
    return SettingEncoder(columns=columns)


def wild(kind: str, settings: SettingEncoder) -> Network:
    """A network whose weights are nothing like trained ones."""
    shape = Shape((4, 3), 2, settings.width, 2, (8,), 3, 0.1, settings.held)
    torch.manual_seed(1)
    network = KINDS[kind](shape, torch.zeros(2)).eval().requires_grad_(False)
    for weight in network.parameters():
        weight += torch.randn_like(weight)
    return network


@pytest.mark.parametrize("kind", HOLDING)
@pytest.mark.parametrize("word", WORDS)
def test_they_hold_at_random_rows_and_settings_untrained(kind: str, word: str) -> None:
    settings = encoder(word, "increasing", 0.0)
    network, draw = wild(kind, settings), np.random.default_rng(2)
    context = network.context(rows_of(PAIRS))
    start = 0 if word.endswith(("concave", "convex")) else -5  # there the jump at 0 is the end of the lever's range
    one, two = np.sort(draw.uniform(start, 15, (2, PAIRS)), axis=0)
    others = np.column_stack([draw.uniform(-1, 2, PAIRS), draw.integers(0, 3, PAIRS)])

    def linear(price: np.ndarray) -> Tensor:
        return network.paired(context, settings.encode(torch.tensor(np.column_stack([price, others]))))

    assert breaches(word, linear(one), linear((one + two) / 2), linear(two)) == 0
    assert (linear(two) - linear(one)).abs().median() > 0.1, "a flat response proves nothing"
    assert breaches(word, *(linear(np.full(PAIRS, price)) for price in (0.0, 5.0, 10.0))) == 0


@pytest.mark.parametrize("kind", HOLDING)
@given(word=st.sampled_from(WORDS), rows=st.integers(0, 5), many=st.integers(1, 4))
def test_context_and_setting_stay_apart(kind: str, word: str, rows: int, many: int) -> None:
    settings = encoder(word, "concave", None)
    network = wild(kind, settings)
    asked = rows_of(rows)
    features = settings.encode(torch.rand(many, 3, dtype=torch.float64).round(decimals=1))
    context = network.context(asked)
    grid = network.grid(context, features)
    for g in range(many):
        own = features[g].expand(rows, -1)
        assert torch.allclose(network.paired(context, own), grid[:, g], atol=1e-3, rtol=1e-4)
        assert torch.allclose(network(asked.codes, asked.numbers, own), grid[:, g], atol=1e-3, rtol=1e-4)


def test_levers_without_a_shape_may_strengthen_an_effect_and_never_turn_it() -> None:
    settings = encoder("increasing", "increasing", None)
    network = wild("two_tower", settings)
    context = network.context(rows_of(200))
    asked = torch.tensor([[price, 0.5, channel] for channel in range(3) for price in (2.0, 8.0)])
    linear = network.grid(context, settings.encode(asked)).reshape(200, 3, 2, 2)
    rises = linear[:, :, 1] - linear[:, :, 0]
    assert (rises >= 0).all()
    assert (rises[:, 0] - rises[:, 1]).abs().mean() > 0.05
    assert rises[:, 0].std(0).min() > 0.05


@pytest.mark.parametrize(
    ("word", "at_low", "signs"),
    [
        ("increasing", True, (1,)), ("decreasing", False, (-1,)), ("concave", True, (1,)), ("concave", False, (-1,)),
        ("increasing_concave", True, (1,)), ("increasing_concave", False, ()), ("increasing_convex", True, ()),
        ("decreasing_convex", True, (-1,)),
    ],
)  # fmt: skip
def test_jumps_that_keep_the_shape(word: str, at_low: bool, signs: tuple[int, ...]) -> None:
    assert jumps(word, at_low=at_low) == signs


def grid(models: Models, name: str, frame: pd.DataFrame, settings: np.ndarray) -> Tensor:
    model = models.outcomes[name]
    return model.grid(model.context(models.inputs.encode(frame)), torch.tensor(settings))


def price(word: str | dict[str, str]) -> dict[str, Any]:
    return {"price": {"kind": "continuous", "min": 0, "max": 20, "do_nothing": 0, "effect": word}}


@pytest.mark.parametrize("outcome", [("bought", "binary"), ("weight", "numeric"), ("visits", "count")])
def test_they_hold_when_trained_and_cost_nothing_where_they_are_true(outcome: tuple[str, str], make: Make) -> None:
    name, kind = outcome
    free = fit(*make(outcomes={name: {"kind": kind}}, model={"kinds": ["two_tower"]}))
    scenario, table = make(outcomes={name: {"kind": kind}}, levers=price("increasing"))
    fitted = fit(scenario, table)
    losses = {entry["name"]: entry["loss"] for entry in fitted.contest[name]["entries"]}
    assert "joint" not in losses
    assert fitted.contest[name]["effects"] == {"price": "increasing"}
    assert fitted.contest[name]["without"] == {"joint": "cannot hold the declared effect of price"}
    (alone,) = (entry["loss"] for entry in free.contest[name]["entries"] if entry["name"] == "two_tower")
    assert min(losses["two_tower"], losses["common"]) < 1.05 * alone
    rows = table.frame.sample(PAIRS // 20, replace=True, random_state=0)
    settings = np.sort(np.random.default_rng(0).uniform(0, 20, 20))[:, None]  # the data ends at 10
    steps = grid(fitted.models, name, rows, settings).diff(dim=2)
    assert (steps >= -1e-4 * (1000 if kind == "numeric" else 1)).all()
    assert steps.mean() > 0


def test_a_wrong_direction_gives_a_flat_response(make: Make) -> None:
    scenario, table = make(outcomes={"weight": {"kind": "numeric"}}, levers=price("decreasing"), model={"epochs": 20})
    fitted = fit(scenario, table)
    expected = grid(fitted.models, "weight", table.frame, np.linspace(0, 10, 11)[:, None]).mean((0, 1))
    true_rise = 50 * 0.6 * 10
    assert (expected.max() - expected.min()) < 0.03 * true_rise
    assert (expected.diff() <= 1e-2).all()


def test_a_word_for_one_outcome_leaves_the_others_free(make: Make) -> None:
    outcomes = {"bought": {"kind": "binary"}, "mood": {"kind": "categorical"}}
    fitted = fit(*make(outcomes=outcomes, levers=price({"bought": "increasing_concave"}), model={"epochs": 1}))
    assert "joint" in {entry["name"] for entry in fitted.contest["mood"]["entries"]}
    assert "joint" not in {entry["name"] for entry in fitted.contest["bought"]["entries"]}
    assert fitted.models.outcomes["mood"].shape.held == ()
    bought = fitted.models.outcomes["bought"]
    assert bought.settings.columns[0].effect == "increasing_concave"
    assert bought.shape.held == ((0, bought.settings.width),)


def test_held_effects_come_back_from_their_folder(make: Make, tmp_path: Any) -> None:
    from drivetrain.modeler import read, write

    scenario, table = make(outcomes={"bought": {"kind": "binary"}}, levers=price("increasing"), model={"epochs": 1})
    models = fit(scenario, table).models
    write(models, tmp_path / "model")
    asked = np.linspace(0, 20, 7)[:, None]
    again = grid(read(tmp_path / "model"), "bought", table.frame, asked)
    assert torch.equal(again, grid(models, "bought", table.frame, asked))


def test_no_rows_and_no_inputs_are_no_obstacle() -> None:
    settings = encoder("increasing", "convex", None)
    network = KINDS["two_tower"](Shape((), 0, settings.width, 1, (4,), 2, 0.0, settings.held), torch.zeros(1)).eval()
    empty = EncodedRows(torch.zeros(3, 0, dtype=torch.int64), torch.zeros(3, 0), {})
    assert network.grid(network.context(empty), settings.encode(torch.rand(4, 3))).shape == (3, 4, 1)

"""Trees taken out of the libraries that grew them: the same predictions, and the shape of context · setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drivetrain.errors import UsageError
from drivetrain.modeler import EncodedRows, Models, OutcomeModel, fit, growers, read, write
from drivetrain.modeler.boosting import Soil, grow, halves, stops
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.encoder import InputEncoder, NumericColumn
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.kinds import Blend
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import TwoTower
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingColumn, SettingEncoder
from drivetrain.modeler.trees import Trees
from drivetrain.scenario import Boosting

Make = Callable[..., Any]
ROWS, BUSH = 600, Boosting(leaves=8, least=10, rate=0.2)
SETTINGS = SettingEncoder(
    columns=(
        SettingColumn(name="price", high=10.0, knots=(2.0, 5.0), atom=0.0),
        SettingColumn(name="way", options=3),
        SettingColumn(name="dose", high=4.0, knots=(1.0, 2.0), effect="decreasing"),
    )
)
LINKS = {
    "binary": Link(kind="binary"),
    "numeric": Link(kind="numeric"),
    "count": Link(kind="count"),
    "rating": Link(kind="rating", low=1.0, high=5.0),
    "categorical": Link(kind="categorical", options=("a", "b", "c", "d")),
    "of two": Link(kind="categorical", options=("a", "b")),
}


def settings(draw: np.random.Generator, rows: int) -> torch.Tensor:
    price = np.where(draw.random(rows) < 0.2, 0, draw.uniform(0, 10, rows))
    return torch.tensor(np.column_stack([price, draw.integers(0, 3, rows), draw.uniform(0, 4, rows)]))


def examples(link: Link, rows: int = ROWS, seed: int = 0) -> Examples:
    draw = np.random.default_rng(seed)
    codes = np.column_stack([draw.integers(1, 5, rows), draw.integers(0, 400, rows)])
    numbers, lever = draw.normal(size=(rows, 4)).astype(np.float32), settings(draw, rows)
    price, way, dose = lever.numpy().T
    signal = (price - 5) * (0.3 + 0.3 * (codes[:, 0] == 2)) - dose * (numbers[:, 0] > 0) + (way == 1) * numbers[:, 1]
    signal += 0.3 * draw.normal(size=rows)
    observed = {
        "binary": (signal > 0).astype(float),
        "numeric": 100 + 20 * signal,
        "count": draw.poisson(np.exp(signal / 3)).astype(float),
        "rating": np.clip(np.round(3 + signal), 1, 5),
        "categorical": np.digitize(signal, [-1, 0, 1] if link.width == 4 else [0]).astype(float),
    }[link.kind]
    return Examples(
        EncodedRows(torch.from_numpy(codes), torch.from_numpy(numbers), {}), SETTINGS.encode(lever), observed
    )


def shape(link: Link) -> Shape:
    return Shape((5, 400), 4, SETTINGS.width, link.width, (8,), 2, 0.0, SETTINGS.held)


def grown(link: Link, bush: Boosting = BUSH) -> tuple[Trees, Soil, Link]:
    made = examples(link)
    soil = Soil.of(made, shape(link), SETTINGS)
    half = halves(np.arange(ROWS) % 3, [0], 0)
    rows = np.sort(np.concatenate(half[0]))
    own = link.fitted(made.observed[rows])
    rounds, _ = stops(soil, half, [own], bush, 7)
    return grow(soil, [rows], [own], rounds, bush, 7)[0], soil, own


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The scikit-learn models that are fitted."""
    models: list[Any] = []
    for name in ("HistGradientBoostingClassifier", "HistGradientBoostingRegressor"):

        class Caught(getattr(growers, name)):  # type: ignore[misc]
            def fit(self, *args: Any, **more: Any) -> Any:
                models.append(self)
                return super().fit(*args, **more)

        monkeypatch.setattr(growers, name, Caught)
    return models


@pytest.mark.parametrize("kind", LINKS)
def test_trees_predict_what_scikit_learn_predicts(kind: str, caught: list[Any]) -> None:
    trees, soil, _ = grown(LINKS[kind])
    theirs = caught[-1]._raw_predict(soil.table)
    rows = soil.examples.rows
    ours = trees.paired(trees.context(rows), soil.examples.features).numpy()
    assert len(trees.roots)
    if kind in {"categorical", "of two"}:  # softmax does not see what is added to all
        ours = ours[:, 1:] - ours[:, :1]
        theirs = theirs if kind == "of two" else theirs[:, 1:] - theirs[:, :1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", ["binary", "categorical"])
def test_a_grid_is_its_pairs_and_blocks_and_slices_change_nothing(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    trees, soil, _ = grown(LINKS[kind])
    other = examples(LINKS[kind], 90, seed=5)
    asked = SETTINGS.encode(settings(np.random.default_rng(8), 40))
    context = trees.context(other.rows)
    grid = trees.grid(context, asked)
    for place in (0, 17, 39):
        pairs = trees.paired(context, asked[place : place + 1].repeat(90, 1))
        torch.testing.assert_close(grid[:, place], pairs, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(trees.grid(context[10:30], asked), grid[10:30])
    monkeypatch.setattr("drivetrain.modeler.trees.MOST_KEPT", 0)
    monkeypatch.setattr("drivetrain.modeler.trees.ROWS_AT_ONCE", 7)
    later = trees.context(other.rows)
    assert later.met is None
    torch.testing.assert_close(trees.grid(later, asked), grid)
    torch.testing.assert_close(trees.grid(later[torch.tensor([3, 1])], asked), grid[[3, 1]])
    monkeypatch.undo()
    ready = trees.ready(later[10:30])
    assert ready.met is not None
    assert trees.ready(ready) is ready
    torch.testing.assert_close(trees.grid(ready, asked), grid[10:30])
    torch.testing.assert_close(
        trees(other.rows.codes, other.rows.numbers, other.features), trees.paired(context, other.features)
    )
    del soil


def test_codes_that_were_never_seen_go_where_scikit_learn_sends_them(caught: list[Any]) -> None:
    trees, soil, _ = grown(LINKS["numeric"])
    changed = soil.table.copy()
    changed[:, 0] = 0.0
    rows = EncodedRows(torch.zeros_like(soil.examples.rows.codes), soil.examples.rows.numbers, {})
    changed[:, 1] = trees.recode[5].item()  # code 0 of the second input, as trees see it
    ours = trees.paired(trees.context(rows), soil.examples.features)[:, 0].numpy()
    np.testing.assert_allclose(ours, caught[-1]._raw_predict(changed)[:, 0], rtol=1e-6, atol=1e-6)


def test_declared_effects_hold_in_trees() -> None:
    trees, _, _ = grown(LINKS["numeric"])
    other, draw = examples(LINKS["numeric"], 100, seed=9), np.random.default_rng(3)
    for _ in range(20):
        line = settings(draw, 1).repeat(30, 1)
        line[:, 2] = torch.linspace(0, 4, 30)
        curve = trees.grid(trees.context(other.rows), SETTINGS.encode(line))[..., 0]
        assert bool((curve.diff(dim=1) <= 1e-6).all())
    assert Trees.can_hold("decreasing")
    assert not Trees.can_hold("concave")


def test_a_folder_brings_trees_and_blends_back(tmp_path: Path) -> None:
    link = LINKS["binary"]
    trees, soil, own = grown(link)
    tower = TwoTower(shape(link), torch.zeros(1)).eval().requires_grad_(False)
    mixed = Blend([tower, trees], torch.tensor([0.3, 0.7])).eval()
    inputs = InputEncoder(columns=(NumericColumn(name="x", centre=0, scale=1, low=0, high=1),))
    nodes = Nodes(link, (0.0, 1.0))
    models = {
        "boosting": OutcomeModel("boosting", "boosting", shape(link), SETTINGS, (Member(trees, own, 0),), nodes),
        "both": OutcomeModel("both", "two_tower + boosting", shape(link), SETTINGS, (Member(mixed, own, 0),), nodes),
    }
    write(Models(inputs, models), tmp_path / "model")
    again = read(tmp_path / "model").outcomes
    asked = settings(np.random.default_rng(1), 9)
    rows = soil.examples.rows
    for name, model in models.items():
        before, after = (m.grid(m.context(rows), asked) for m in (model, again[name]))
        assert torch.equal(before, after)
    parts = 0.3 * tower.grid(tower.context(rows), SETTINGS.encode(asked)) + 0.7 * trees.grid(
        trees.context(rows), SETTINGS.encode(asked)
    )
    torch.testing.assert_close(mixed.grid(mixed.context(rows), SETTINGS.encode(asked)), parts)


def test_the_rows_that_stop_the_growth_are_another_folds() -> None:
    fold = np.arange(12) % 4
    for own, (rows, told) in zip([0, 0, 1], halves(fold, [0, 0, 1], 0), strict=True):
        assert own not in {*fold[rows], *fold[told]}
        assert len(set(fold[told])) == 1
        assert sorted([*rows, *told]) == np.flatnonzero(fold != own).tolist()
    first, second = halves(fold, [0, 0], 0)
    assert set(fold[first[1]]) != set(fold[second[1]])
    rows, told = halves(np.arange(1000) % 2, [0], 0)[0]
    assert 60 < len(told) < 140


@pytest.mark.parametrize("kind", LINKS)
def test_lightgbm_is_taken_out_as_well(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("lightgbm")
    models: list[Any] = []
    plain = library.train

    def train(*args: Any, **more: Any) -> Any:
        models.append(plain(*args, **more))
        return models[-1]

    monkeypatch.setattr(library, "train", train)
    trees, soil, _ = grown(LINKS[kind], BUSH.model_copy(update={"by": "lightgbm"}))
    theirs = models[-1].predict(soil.table, raw_score=True).reshape(ROWS, -1)
    ours = trees.paired(trees.context(soil.examples.rows), soil.examples.features).numpy()
    if kind in {"categorical", "of two"}:
        ours = ours[:, 1:] - ours[:, :1]
        theirs = theirs if kind == "of two" else theirs[:, 1:] - theirs[:, :1]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-5)


def test_a_booster_that_is_not_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "lightgbm", None)
    with pytest.raises(UsageError, match=r"drivetrain\[lightgbm\]"):
        grown(LINKS["numeric"], BUSH.model_copy(update={"by": "lightgbm"}))


def test_steps_that_networks_blur_are_left_to_trees(make: Make) -> None:
    rows = 600
    draw = np.random.default_rng(4)
    from tests.modeler.conftest import frame

    table = frame(rows)
    jump = 3.0 * ((table["price"] > 4) ^ (table["age"] > 50)) + (draw.random(rows) < 0.5)
    scenario, data = make(table.assign(weight=jump), outcomes={"weight": {"kind": "numeric"}})
    told = fit(scenario, data).contest["weight"]
    losses = {line["name"]: line["loss"] for line in told["entries"]}
    assert "boosting" in told["chosen"]
    assert losses["boosting"] < 0.8 * losses["two_tower"]
    assert told["trees"]["leaves"] == 8
    assert min(told["trees"]["rounds"]) > 0
    assert "blend" not in told or 0 < told["blend"]["share_of_boosting"] < 1

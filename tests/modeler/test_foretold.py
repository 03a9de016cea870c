"""What inputs foretell of a lever: what the trees that were grown say, as plain numbers; unseen in training."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from drivetrain.modeler import InputEncoder
from drivetrain.modeler.foretold import Foretold, _grown, learn
from tests.stand_ins import as_table, declare

TEXT = """\
objective: {maximise: y}
levers:
  price: {kind: continuous, min: -9, max: 9}
  channel: {kind: categorical, options: [a, b, c]}
inputs: {x: {kind: numeric}, town: {kind: categorical}}
outcomes: {y: {kind: numeric}}
assignment: {design: DESIGN}
"""


def world(design: str = "observational", rows: int = 900):
    draw = np.random.default_rng(0)
    x, town = draw.normal(size=rows), draw.choice(["Ulm", "Bonn"], rows)
    price = np.clip(np.abs(x) * 2 - 1 + (town == "Ulm") + 0.3 * draw.normal(size=rows), -9, 9)
    channel = np.where(draw.random(rows) < 0.8, (x > 0) * 2, 1)
    frame = pd.DataFrame({"x": x, "town": town.astype(object), "y": 0.0})
    scenario = declare(TEXT.replace("DESIGN", design))
    table = as_table(scenario, frame, np.column_stack([price, channel]))
    encoder = InputEncoder.fit(frame, {"x": "numeric", "town": "categorical"})
    rows_ = encoder.encode(frame)
    return scenario, table, encoder, np.column_stack([rows_.codes.numpy(), rows_.numbers.numpy()]).astype(np.float32)


def test_plain_numbers_say_what_the_trees_say() -> None:
    scenario, table, _, x = world()
    (price, *channel), _ = learn(scenario, table, x)
    model = _grown(x, table.settings[:, 0], scenario.seed)
    low, high = (end * price.scale + price.centre for end in (price.low, price.high))  # no surer than of unseen rows
    assert price.of(x) * price.scale + price.centre == pytest.approx(model.predict(x).clip(low, high), abs=1e-5)
    assert [(each.lever, each.option) for each in channel] == [("channel", 1), ("channel", 2)]
    again = Foretold.model_validate_json(price.model_dump_json())
    assert (again.of(x) == price.of(x)).all()


def test_each_row_is_foretold_by_trees_that_have_not_seen_its_fold() -> None:
    scenario, table, _, x = world()
    (price, *_), unseen = learn(scenario, table, x)
    assert unseen.shape == (900, 3)
    assert np.corrcoef(unseen[:, 0], table.settings[:, 0])[0, 1] > 0.9
    held = table.fold == 0
    model = _grown(x[~held], table.settings[~held, 0], scenario.seed)
    assert unseen[held, 0] * price.scale + price.centre == pytest.approx(model.predict(x[held]), abs=1e-5)


def test_the_encoder_puts_it_behind_the_numbers() -> None:
    scenario, table, encoder, x = world()
    foretold, _ = learn(scenario, table, x)
    told = encoder.model_copy(update={"foretold": foretold})
    rows = told.encode(table.frame)
    assert told.numbers == rows.numbers.shape[1] == encoder.numbers + 6
    assert rows.numbers[:, : encoder.numbers].numpy() == pytest.approx(encoder.encode(table.frame).numbers.numpy())
    assert rows.numbers[:, encoder.numbers].numpy() == pytest.approx(foretold[0].of(x), abs=1e-5)
    assert (rows.numbers[:, encoder.numbers + 1 :: 2] == 0).all()
    assert told.bare == encoder
    assert InputEncoder.model_validate_json(told.model_dump_json()) == told


def test_a_draw_needs_none_and_few_rows_or_settings_that_follow_from_nothing_give_none() -> None:
    told = world()
    drawn = as_table(told[0], told[1].frame, np.random.default_rng(1).permutation(told[1].settings))
    for scenario, table, _, x in (world("randomised"), world(rows=150), (told[0], drawn, *told[2:])):
        foretold, unseen = learn(scenario, table, x)
        assert foretold == ()
        assert unseen.shape == (len(table), 0)

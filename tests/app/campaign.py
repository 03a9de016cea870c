"""A second case for the pages: levers of three kinds, one with a rule, a chain of outcomes, a budget, rows apart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

CAMPAIGN = """\
version: 1
name: spring_campaign
title: Whom should the spring campaign reach, and with what?
description: A made campaign whose customers differ in what moves them.
objective: {maximise: bought * amount * (margin - discount / 100) - cost, unit: EUR per customer}
parameters:
  margin: {value: 0.4, description: Share of the amount that is left after the goods are paid for.}
levers:
  discount: {kind: continuous, min: 0, max: 30, unit: '%', do_nothing: 0, description: Taken off the basket.}
  channel:
    kind: categorical
    options: [none, email, letter]
    do_nothing: none
    cost: {email: 0.1, letter: 1.2}
    description: How the customer is told.
  reminder: {kind: yes_no, do_nothing: no, when: channel != 'none', cost: {yes: 0.3}, description: A second message.}
inputs:
  age: {kind: numeric, unit: years}
  region: {kind: categorical}
  loyal: {kind: yes_no, description: Has a customer card.}
outcomes:
  bought: {kind: binary, description: Bought within two weeks.}
  amount: {kind: numeric, unit: EUR, when: bought, description: What was in the basket.}
data:
  csv: customers.csv
  split: {by: random, folds: 2, test: 0.1}
assignment: {design: randomised}
constraints:
  - {name: budget, total: cost, at_most: ROOM, unit: EUR}
fairness: [{by: loyal}]
model: {kinds: [two_tower], epochs: 6, batch: 32, repeats: 1, layers: [16], dropout: 0.1, weight_decay: 0.05}
seed: 3
"""


def write(folder: Path, rows: int = 1500) -> Path:
    """The scenario file and its customers."""
    draw = np.random.default_rng(3)
    age, loyal = draw.normal(45, 14, rows).clip(18, 90).round(), draw.random(rows) < 0.4
    region = draw.choice(["north", "south", "east"], rows)
    discount = draw.uniform(0, 30, rows).round(1) * (draw.random(rows) < 0.8)
    channel, reminder = draw.choice(["none", "email", "letter"], rows), draw.random(rows) < 0.5
    moved = (
        0.09 * discount * ~loyal + 0.9 * (channel == "email") * (age < 45) + 1.6 * (channel == "letter") * (age >= 45)
    )
    chance = 1 / (1 + np.exp(-(-2.0 + moved + 0.8 * loyal + 0.4 * reminder * (channel != "none"))))
    bought = draw.random(rows) < chance
    amount = np.where(bought, (25 + 0.3 * age + 10 * loyal + draw.normal(0, 6, rows)).clip(1), np.nan).round(2)
    frame = pd.DataFrame({"age": age, "region": region, "loyal": loyal, "discount": discount, "channel": channel})
    frame["reminder"], frame["bought"], frame["amount"] = reminder, bought.astype(int), amount
    frame.to_csv(folder / "customers.csv", index=False)
    path = folder / "spring_campaign.yaml"
    path.write_text(CAMPAIGN.replace("ROOM", str(round(0.35 * rows))), encoding="utf-8")
    return path

"""Seconds of training on one thread: our `train` beside a bare PyTorch loop and stock fastai, 100,000 rows.

    python -m tests.benchmarks.training [--quick]

The bare loop is the least that torch needs for the same network (fused AdamW, one-cycle schedule, batches by index).
Stock fastai is `TabularPandas` and `tabular_learner` with the same layers. Five fold members see 80,000 rows each; five
stock trainings are one on 80,000 rows, times five. Seconds are of the processor, since other work shares the machine.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastai.tabular.all import Categorify, CategoryBlock, Normalize, TabularPandas, tabular_learner
from torch.nn import functional

from drivetrain.assembly import steady
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.encoder import EncodedRows
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.kinds import EVERY
from drivetrain.modeler.links import Link
from drivetrain.modeler.training import train
from drivetrain.scenario import Model

CATEGORIES = (8, 20, 50, 120)
NUMBERS, FEATURES = 12, 8
SHAPE = Shape(CATEGORIES, NUMBERS, FEATURES, 1, (200, 100), 8, 0.05)
LINK = Link(kind="binary")
FOLDS = 5
LIMITS = {
    "one model, batch 64, over the bare loop": 1.5,
    "one model, batch 1024, over the bare loop": 1.15,
    "five stock trainings over five members, batch 64": 10.0,
    "five stock trainings over five members, batch 1024": 1.7,
}


@cache
def examples(rows: int, seed: int) -> Examples:
    """Rows whose outcome depends on interactions of inputs and settings."""
    draw = np.random.default_rng(seed)
    codes = np.stack([draw.integers(0, size, rows) for size in CATEGORIES], 1)
    numbers = draw.normal(size=(rows, NUMBERS)).astype(np.float32)
    features = draw.normal(size=(rows, FEATURES)).astype(np.float32)
    effect = np.random.default_rng(0).normal(size=max(CATEGORIES))
    linear = numbers[:, 0] * features[:, 0] + effect[codes[:, 3]] + features[:, 1] - 0.5 * np.abs(numbers[:, 1])
    outcome = (draw.random(rows) < 1 / (1 + np.exp(-linear))).astype(float)
    rows_ = EncodedRows(torch.from_numpy(codes), torch.from_numpy(numbers), {})
    return Examples(rows_, torch.from_numpy(features), outcome)


def settings(batch: int, epochs: int) -> Model:
    return Model(kinds=("joint",), batch=batch, epochs=epochs, learning_rate=0.01, weight_decay=0.1, dropout=0.05)


def ours(known: Examples, batch: int, epochs: int, members: int) -> list[Network]:
    every = np.arange(len(known))
    seen = [every[every % FOLDS != fold] for fold in range(members)] if members > 1 else [every]
    return train("joint", known, seen, [LINK] * members, SHAPE, settings(batch, epochs), 1)


def bare(known: Examples, batch: int, epochs: int) -> list[Network]:
    network = EVERY["joint"](SHAPE, torch.zeros(1)).train()
    adam = torch.optim.AdamW(network.parameters(), eps=1e-5, weight_decay=0.1, fused=True)
    steps = epochs * -(-len(known) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=steps)
    target = torch.from_numpy(known.observed).float()
    codes, numbers, features = known.rows.codes, known.rows.numbers, known.features
    for _ in range(epochs):
        for rows in torch.split(torch.randperm(len(known)), batch):
            linear = network(codes[rows], numbers[rows], features[rows])[:, 0]
            functional.binary_cross_entropy_with_logits(linear, target[rows]).backward()
            adam.step()
            schedule.step()
            adam.zero_grad()
    return [network.eval().requires_grad_(False)]


def held_out(networks: list[Network], test: Examples) -> float:
    """The members' mean log-loss, each on its own."""
    target = torch.from_numpy(test.observed).float()
    with torch.no_grad():
        linear = [n.paired(n.context(test.rows), test.features)[:, 0] for n in networks]
    return float(np.mean([functional.binary_cross_entropy_with_logits(each, target) for each in linear]))


def stock(known: Examples, test: Examples, batch: int, epochs: int) -> tuple[float, float]:
    """Seconds and held-out log-loss."""
    frames = [_frame(known), _frame(test)]
    both = pd.concat(frames, ignore_index=True)
    numbers = [name for name in both if name.startswith("x")]
    texts = [name for name in both if name.startswith("c")]
    started = time.process_time()
    parts = list(range(len(known))), list(range(len(known), len(both)))
    processed = TabularPandas(both, [Categorify, Normalize], texts, numbers, "y", CategoryBlock(), splits=parts)
    learner = tabular_learner(processed.dataloaders(bs=batch), layers=list(SHAPE.layers))
    with learner.no_bar(), learner.no_logging():
        from fastai.callback.core import Callback, CancelValidException

        class NoValidation(Callback):  # type: ignore[misc]
            def before_validate(self) -> None:
                raise CancelValidException

        learner.fit_one_cycle(epochs, 0.01, cbs=NoValidation())
        seconds = time.process_time() - started
        predicted = learner.get_preds(dl=learner.dls.valid)[0]
    return seconds, float(functional.nll_loss(predicted.log(), torch.from_numpy(test.observed).long()))


def _frame(known: Examples) -> pd.DataFrame:
    codes = pd.DataFrame(known.rows.codes.numpy(), columns=[f"c{i}" for i in range(len(CATEGORIES))])
    numbers = np.concatenate([known.rows.numbers.numpy(), known.features.numpy()], 1)
    block = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(numbers.shape[1])])
    return pd.concat([codes, block], axis=1).assign(y=known.observed.astype(int))


def timed(how: Callable[[], list[Network]], test: Examples, repeats: int) -> dict[str, float]:
    """The least seconds of some repeats, and the held-out loss."""
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        networks = how()
        seconds.append(time.process_time() - started)
    return {"seconds": min(seconds), "loss": held_out(networks, test)}


def measure(rows: int, batch: int, epochs: int, repeats: int) -> dict[str, dict[str, float]]:
    known, test = examples(rows, 1), examples(rows // 5, 2)
    some = known.take(np.arange(rows)[np.arange(rows) % FOLDS != 0])
    found = {
        "bare loop": timed(lambda: bare(known, batch, epochs), test, repeats),
        "ours, one": timed(lambda: ours(known, batch, epochs, 1), test, repeats),
        "ours, five": timed(lambda: ours(known, batch, epochs, FOLDS), test, repeats),
    }
    seconds, loss = stock(some, test, batch, epochs)
    return found | {"stock fastai, five": {"seconds": FOLDS * seconds, "loss": loss}}


def targets(found: dict[int, dict[str, dict[str, float]]]) -> dict[str, dict[str, Any]]:
    out = {}
    for batch, lines in found.items():
        seconds = {name: line["seconds"] for name, line in lines.items()}
        one, five = seconds["ours, one"] / seconds["bare loop"], seconds["stock fastai, five"] / seconds["ours, five"]
        for name, value in ((f"one model, batch {batch}, over the bare loop", one),):
            out[name] = {"value": value, "target": LIMITS[name], "met": value <= LIMITS[name]}
        name = f"five stock trainings over five members, batch {batch}"
        out[name] = {"value": five, "target": LIMITS[name], "met": five >= LIMITS[name]}
        name = f"held-out loss of five members over stock's, batch {batch}"
        worse = lines["ours, five"]["loss"] / lines["stock fastai, five"]["loss"]
        out[name] = {"value": worse, "target": 1.01, "met": worse <= 1.01}
    return out


def main() -> None:
    """Run, print the table and the closing JSON line."""
    steady()
    quick = "--quick" in sys.argv
    rows, repeats = (20_000, 1) if quick else (100_000, 2)
    found = {}
    print(f"{'batch':>6}  {'':20}{'CPU seconds':>12}{'held-out loss':>15}")
    for batch, epochs in ((64, 2), (1024, 5)):
        found[batch] = measure(rows, batch, epochs, repeats)
        for name, line in found[batch].items():
            print(f"{batch:6}  {name:20}{line['seconds']:12.2f}{line['loss']:15.4f}", flush=True)
    print(json.dumps({"figures": found, "targets": targets(found)}))


if __name__ == "__main__":
    main()

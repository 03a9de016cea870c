"""A longer search for the size of networks, by Optuna's tree-structured Parzen estimator (Bergstra et al. 2011).

An extra: pip install 'drivetrain[tune]'. It begins where the ladder ended, and what the scenario sets stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drivetrain.errors import Fault, UsageError
from drivetrain.scenario import Model

LAYERS = ("32", "64 32", "128 64", "200 100", "200 200 100")
DRAWN = ("layers", "dropout", "epochs", "weight_decay", "learning_rate", "interactions")
MOST_EPOCHS = 150
MOST_STEPS = 4_000
"""No more epochs than make so many training steps; as many as the ladder chose are always allowed."""


def search(
    model: Model,
    start: Model,
    tried: list[dict[str, Any]],
    rows: int,
    loss: Callable[[Model], float],
    seed: int,
) -> tuple[Model, list[dict[str, Any]]]:
    """The size with the lowest held-out loss of all, and all that were tried.

    Args:
        model: what the scenario says; it has a `search`.
        start: the best size so far.
        tried: those tried so far, with their losses.
        rows: N.
        loss: trains networks of this size, and gives their held-out loss.
        seed: of the search.

    Raises:
        UsageError: Optuna is not installed.
    """
    optuna, declared = _optuna(), model.search
    assert declared is not None  # noqa: S101  (the caller's condition)
    own = model.model_fields_set
    longest = max(start.epochs, min(MOST_EPOCHS, MOST_STEPS * start.batch // rows))
    known = [each["loss"] for each in tried]
    best, least, more = start, min(known, default=float("inf")), list[dict[str, Any]]()

    def trial(asked: Any) -> float:
        nonlocal best, least
        drawn = {name: value for name, value in _drawn(asked, longest).items() if name not in own}
        size = start.model_copy(update=drawn)
        found = loss(size)
        more.append({name: getattr(size, name) for name in (*DRAWN, "batch")} | {"loss": found})
        if found < least:
            best, least = size, found
        return found

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.optimize(trial, n_trials=declared.trials, timeout=declared.minutes * 60)
    return best, [*tried, *more]


def _drawn(asked: Any, longest: int) -> dict[str, Any]:
    layers = asked.suggest_categorical("layers", LAYERS)
    return {
        "layers": tuple(int(width) for width in layers.split()),
        "dropout": asked.suggest_float("dropout", 0.0, 0.7),
        "epochs": asked.suggest_int("epochs", 3, max(4, longest), log=True),
        "weight_decay": asked.suggest_float("weight_decay", 1e-3, 1.0, log=True),
        "learning_rate": asked.suggest_float("learning_rate", 1e-3, 0.05, log=True),
        "interactions": asked.suggest_int("interactions", 2, 32, log=True),
    }


def _optuna() -> Any:
    try:
        import optuna
    except ImportError as error:
        found, cure = "found a search, and optuna is not installed", "pip install 'drivetrain[tune]', or leave it out"
        raise UsageError(Fault("model.search", found, "It is an extra", cure)) from error
    return optuna

"""What-ifs on inputs: `{"competitor_price": "*0.9"}` cuts it by a tenth in every row."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from drivetrain.errors import Fault, FormulaError, UsageError, nearest
from drivetrain.formula import parse
from drivetrain.simulator import Simulator

Floats = NDArray[np.float64]

APPLIED = ("*", "/", "+")


def changed(simulator: Simulator, frame: pd.DataFrame, inputs: Mapping[str, Any]) -> pd.DataFrame:
    """Rows whose inputs are other than they are.

    Args:
        simulator: which inputs there are, and which categories have been seen.
        frame: the rows.
        inputs: input → a value for all; or `*0.9`, `/2`, `+5`, which are applied to what each row has; or a formula
            over inputs, such as `max(competitor_price - 5, 20)`. All are reckoned from the rows as they are.

    Raises:
        UsageError: an unknown input, a category that no training row had, or a formula that cannot be reckoned, or
            gives no number where a row has all that it reads.
    """
    if not isinstance(inputs, Mapping):
        rule = "It is input → a value, a change such as '*0.9', or a formula"
        raise UsageError(Fault("inputs", f"found {inputs!r}", rule, "Write {'INPUT': '*0.9'}"))
    faults, columns = [], {}
    for name, word in inputs.items():
        if name not in simulator.scenario.inputs:
            cure = nearest(name, simulator.scenario.inputs)
            faults.append(Fault(name, "found an unknown input", "Only inputs can be supposed to be different", cure))
            continue
        kind = simulator.scenario.inputs[name].kind
        try:
            columns[name] = (
                _category(simulator, name, word) if kind == "categorical" else _number(simulator, frame, name, word)
            )
        except UsageError as error:
            faults += error.faults
    if faults:
        raise UsageError(*faults)
    return frame.assign(**columns)


def described(inputs: Mapping[str, Any]) -> str:
    """The change in words: `competitor_price *0.9`."""
    return ", ".join(f"{name} {word}" for name, word in inputs.items())


def _category(simulator: Simulator, name: str, word: Any) -> str:
    known = simulator.models.inputs.vocabularies.get(name, ())
    if known and str(word) not in known:
        raise UsageError(
            Fault(name, f"found {word!r}", "It must be a category that training rows had", nearest(str(word), known))
        )
    return str(word)


def _number(simulator: Simulator, frame: pd.DataFrame, name: str, word: Any) -> Floats:
    if isinstance(word, bool | int | float | np.number):
        return _finite(name, word, np.full(len(frame), float(word)))
    words = {"yes": "1", "no": "0", "true": "1", "false": "0"}
    text = words.get(str(word).strip().lower(), str(word).strip())
    if text.startswith(APPLIED):
        text = f"{name} {text[0]} ({text[1:]})"
    try:
        formula = parse(text)
        unknown = sorted(formula.names - set(simulator.scenario.inputs))
        if unknown:
            found, cure = f"found the unknown name {unknown[0]!r}", nearest(unknown[0], simulator.scenario.inputs)
            raise UsageError(Fault(name, found, "A change of an input uses inputs", cure))
        asked = simulator.inputs(frame, formula.names)
        value = formula(asked, simulator.options)
    except FormulaError as error:
        raise UsageError(*(Fault(name, each.found, each.rule, each.cure) for each in error.faults)) from None
    told = np.broadcast_to(value.to(torch.float64).numpy(), len(frame)).copy()
    lost = np.any([each.isnan().numpy() for each in asked.values()], axis=0) if asked else np.zeros(len(frame), bool)
    return _finite(name, word, told, lost)


def _finite(name: str, word: Any, values: Floats, lost: NDArray[np.bool_] | None = None) -> Floats:
    """The same values [N]. Raises: UsageError: some are no numbers, though nothing that they are made of was lost."""
    strange = np.isinf(values) | (np.isnan(values) if lost is None else np.isnan(values) & ~lost)
    if strange.any():
        found = f"found {word!r}, which is no number in {int(strange.sum()):,} of {len(values):,} rows"
        raise UsageError(Fault(name, found, "An input is supposed to be a number", "Write another value or formula"))
    return values

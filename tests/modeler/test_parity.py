"""Parity with fastai's `TabularPandas` where it is right, and the way back from codes and numbers to the table."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, given, settings, strategies as st

from drivetrain.modeler import EncodedRows, InputEncoder

KINDS = {"town": "categorical", "age": "numeric"}
towns = st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\x00#"), min_size=1, max_size=3)
ages = st.none() | st.floats(-1e6, 1e6, allow_subnormal=False).map(lambda age: round(age, 3))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    """2 to 12 rows with an age that varies, and a town and an age that are not always there."""
    rows = draw(st.lists(st.tuples(towns, ages), min_size=2, max_size=12))
    town, age = zip(*rows, strict=True)
    return pd.DataFrame({"town": pd.Series(town, dtype="object"), "age": pd.Series(age, dtype="float64")})


def mismatches(frame: pd.DataFrame) -> list[str]:
    """What `TabularPandas` makes of a frame otherwise than the encoder, and what does not come back as it was."""
    encoder = InputEncoder.fit(frame, KINDS)
    ours = encoder.encode(frame)
    return [*_not_back(encoder, ours, frame), *(_not_theirs(ours, frame) if frame.age.std(ddof=0) > 1e-3 else [])]


def _not_back(encoder: InputEncoder, ours: EncodedRows, frame: pd.DataFrame) -> list[str]:
    words = [None, *encoder.vocabularies["town"]]
    back = [words[code] for code in ours.codes[:, 0].tolist()]
    out = [] if back == [None if pd.isna(t) else t for t in frame.town] else ["towns do not come back"]
    age = encoder.columns[1]
    ages = ours.numbers[:, 0].double().numpy() * age.scale + age.centre  # type: ignore[union-attr]
    known = frame.age.notna().to_numpy()
    close = np.isclose(
        ages[known],
        frame.age[known],
        rtol=1e-5,
        atol=1e-5 * (1 + float(np.abs(frame.age.to_numpy()[known]).max(initial=0))),
    )
    if not close.all():
        out.append("ages do not come back")
    return out if (ours.numbers[:, 1].numpy() == ~known).all() else [*out, "the flag is not what is missing"]


def _not_theirs(ours: EncodedRows, frame: pd.DataFrame) -> list[str]:
    from fastai.tabular.core import Categorify, FillMissing, Normalize, TabularPandas

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = TabularPandas(
            frame.copy(), [Categorify, FillMissing, Normalize], cat_names=["town"], cont_names=["age"]
        )
    out = [] if ours.codes[:, 0].tolist() == theirs.items["town"].tolist() else ["codes"]
    missing = frame.age.isna()
    if missing.any() and ours.numbers[:, 1].tolist() != (theirs.items["age_na"] - 1).tolist():
        out.append("missing flags")
    # both fill the median, and centre on it or on the mean, scaled by a spread of their own: one straight line
    filled = frame.age.fillna(frame.age.median()).to_numpy()
    for who, values in (("ours", ours.numbers[:, 0].double().numpy()), ("theirs", theirs.items["age"].to_numpy(float))):
        line = np.polynomial.Polynomial.fit(filled, values, 1)
        if not np.allclose(line(filled), values, atol=1e-3):
            out.append(f"{who}: numbers are not on a line")
    return out


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(frames())
def test_the_encoder_agrees_with_fastai_and_goes_both_ways(frame: pd.DataFrame) -> None:
    assert mismatches(frame) == []

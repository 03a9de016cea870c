"""Models handed over to fastai predict the same there, in another process; our own folders hold no pickle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import drivetrain as dt
from drivetrain.modeler import held_out

LOAD = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas as pd
from fastai.learner import Learner, load_learner
learn = load_learner(sys.argv[1])
assert type(learn) is Learner
frame = pd.read_parquet(sys.argv[2])
frame = frame.astype({name: object for name in frame if not pd.api.types.is_numeric_dtype(frame[name])})
with learn.no_bar(), learn.no_logging():
    predicted, _ = learn.get_preds(dl=learn.dls.test_dl(frame))
    again, _ = learn.get_preds(dl=learn.dls.test_dl(frame, bs=7))
assert (predicted - again).abs().max() < 1e-6
json.dump(predicted.tolist(), open(sys.argv[3], "w"))
"""


def elsewhere(file: Path, run: dt.Run, place: Path) -> np.ndarray:
    run.table.test.frame.to_parquet(place / "rows.parquet")
    words = [sys.executable, "-c", LOAD, file, place / "rows.parquet", place / "told.json"]
    subprocess.run([str(word) for word in words], check=True, capture_output=True)
    return np.array(json.loads((place / "told.json").read_text(encoding="utf-8")))


def test_fastai_predicts_what_we_predict(small_run: dt.Run, tmp_path: Path) -> None:
    small_run.to_fastai(tmp_path / "export.pkl")
    found = elsewhere(tmp_path / "export.pkl", small_run, tmp_path)
    test = small_run.table.test
    own = held_out(small_run.scenario, small_run.simulator.models, test)["bought"]
    assert len(own.at) == len(test) == len(found)
    np.testing.assert_allclose(found, own.predicted, atol=1e-6)
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".pkl"] == ["export.pkl"]


CHAIN = """
  liked: {kind: categorical, uses: [bought], options: [much, little]}
"""


def test_options_and_earlier_outcomes_go_along(small_scenario: Path, tmp_path: Path) -> None:
    import pandas as pd

    frame = pd.read_csv(small_scenario.parent / "visitors.csv")
    draw = np.random.default_rng(1)
    frame["liked"] = np.where(draw.random(len(frame)) < 0.3 + 0.4 * frame["bought"].fillna(0), "much", "little")
    frame.to_csv(tmp_path / "visitors.csv", index=False)
    text = small_scenario.read_text(encoding="utf-8").replace("data:\n", CHAIN[1:] + "data:\n", 1)
    (tmp_path / "two.yaml").write_text(text.replace("small_price", "two"), encoding="utf-8")
    run = dt.train(tmp_path / "two.yaml")
    with pytest.raises(dt.UsageError, match=r"found 2 outcomes and none named.*Choose one of 'bought', 'liked'"):
        run.to_fastai(tmp_path / "export.pkl")
    with pytest.raises(dt.UsageError, match=r"found 'likd'.*Did you mean 'liked'"):
        run.to_fastai(tmp_path / "export.pkl", "likd")
    assert not (tmp_path / "export.pkl").exists()
    run.to_fastai(tmp_path / "export.pkl", "liked")
    own = held_out(run.scenario, run.simulator.models, run.table.test)["liked"]
    np.testing.assert_allclose(elsewhere(tmp_path / "export.pkl", run, tmp_path), own.predicted, atol=1e-6)


def test_a_run_folder_holds_no_pickle(small_run: dt.Run) -> None:
    assert small_run.folder is not None
    kinds = {path.suffix for path in small_run.folder.rglob("*") if path.is_file()}
    assert not kinds & {".pkl", ".pickle", ".pt", ".pth", ".bin"}

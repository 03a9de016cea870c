"""The decision log as a person meets it: sign, export, tell what came of it, compare with the promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drivetrain.assembly import Run, open_run
from drivetrain.decisions import ledger
from tests.test_cli import Call, call, folder, refused  # noqa: F401  (fixtures)


@pytest.fixture(autouse=True)
def own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(ledger.ENVIRONMENT, f"sqlite:///{tmp_path / 'log.sqlite'}")


def test_from_signature_to_review(call: Call, folder: Path, small_run: Run, tmp_path: Path):  # noqa: F811
    out = tmp_path / "actions.csv"
    refused(call("log", "export", folder, "--out", out), 5, "nobody has signed it", "drivetrain log approve")
    refused(call("log", "approve", folder, "--by", " ", "--reason", "x"), 2, "the name")
    done = call("log", "approve", folder, "--by", "Ada", "--reason", "board of 3 March")
    assert done.returncode == 0
    assert "approved by Ada: board of 3 March" in done.stdout
    assert call("log", "export", folder, "--out", out).returncode == 0
    actions = pd.read_csv(out)
    rows = len(actions)
    assert f"exported once; outcomes of 0 of {rows:,} rows" in call("log", "show", folder).stdout

    told = small_run.table.frame.assign(row=small_run.table.row + 1)
    told = told[["row", "bought"]].merge(actions[["row", "price"]], on="row").head(40)
    told.loc[:9, "price"] = 5.0
    told.to_csv(tmp_path / "came.csv", index=False)
    assert f"outcomes of 40 of {rows:,} rows" in call("log", "outcomes", folder, tmp_path / "came.csv").stdout
    refused(call("log", "outcomes", folder, tmp_path / "came.csv"), 2, "already")
    told.drop(columns="row").to_csv(tmp_path / "nameless.csv", index=False)
    refused(call("log", "outcomes", folder, tmp_path / "nameless.csv"), 3, "column 'row'")

    review = json.loads(call("log", "review", folder, "--json").stdout)
    followed = told[~np.isclose(told["price"], 5)]
    assert review["followed"] == len(followed)
    earned = (followed["price"] - 4) * followed["bought"]
    assert review["happened"]["value"] == pytest.approx(earned.mean())
    assert "promised" in call("log", "review", folder).stdout
    assert "approved" in call("log", "show", folder.parent).stdout
    assert json.loads(call("log", "show", folder, "--json").stdout)["state"] == "approved"
    rejected = call("log", "reject", folder, "--by", "Grace", "--reason", "budget cut")
    assert "rejected by Grace" in rejected.stdout
    assert open_run(folder).logbook().now.state == "rejected"

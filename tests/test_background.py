"""Runs in a process of their own: told as they go, found again, cancelled, and kept whole or not at all."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from drivetrain import background
from drivetrain.errors import UsageError


def _until(done: Callable[[], bool], seconds: float = 240) -> None:
    for _ in range(int(seconds * 10)):
        if done():
            return
        time.sleep(0.1)
    pytest.fail("it took too long")


def _state(out: Path) -> str:
    job = background.look(out)
    return "none" if job is None else job.state


def test_a_run_is_told_as_it_goes_and_found_again(small_scenario: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "small"
    assert background.look(out) is None
    assert background.start(small_scenario, out).open
    with pytest.raises(UsageError, match="it is being run already"):
        background.start(small_scenario, out)
    _until(lambda: _state(out) == "done")
    job = background.look(out)
    assert job is not None
    assert "reading the data" in job.steps
    assert (out / "report.html").is_file()
    assert [each.out.name for each in background.jobs(out.parent)] == ["small"]
    background.clear(out)
    assert background.jobs(out.parent) == []


def test_a_run_can_be_cancelled_and_leaves_nothing(small_scenario: Path, tmp_path: Path) -> None:
    path = small_scenario.with_name("long.yaml")
    path.write_text(small_scenario.read_text().replace("epochs: 3", "epochs: 900"), encoding="utf-8")
    out = tmp_path / "long"
    background.start(path, out)
    _until(lambda: _state(out) == "running" and len(background.look(out).steps) > 0)  # type: ignore[union-attr]
    background.cancel(out)
    _until(lambda: _state(out) == "cancelled")
    assert [each.name for each in tmp_path.iterdir()] == [".long.job"]


def test_what_cannot_be_run_says_why(small_scenario: Path, tmp_path: Path) -> None:
    path = small_scenario.with_name("lost.yaml")
    path.write_text(small_scenario.read_text().replace("visitors.csv", "lost.csv"), encoding="utf-8")
    background.start(path, tmp_path / "lost")
    _until(lambda: _state(tmp_path / "lost") == "failed")
    job = background.look(tmp_path / "lost")
    assert job is not None
    assert "lost.csv" in str(job.faults[0])


def test_a_worker_without_a_sign_of_life_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / ".gone.job"
    folder.mkdir()
    told = {"state": "running", "words": "training", "steps": [], "began": time.time()}
    (folder / "progress.json").write_text(json.dumps(told))
    assert _state(tmp_path / "gone") == "running"
    old = time.time() - 2 * background.PATIENCE
    os.utime(folder / "progress.json", (old, old))
    assert _state(tmp_path / "gone") == "lost"


def test_of_many_who_start_a_run_at_once_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked, started, refused = background.look, [], []

    def slowly(out: Path) -> background.Job | None:
        found = looked(out)
        time.sleep(0.1)  # whoever looks now sees nothing yet
        return found

    class Process:
        def __init__(self, *_: object, **__: object) -> None:
            started.append(self)

        def wait(self) -> None:
            """Nothing is run."""

    monkeypatch.setattr(background, "look", slowly)
    monkeypatch.setattr(background.subprocess, "Popen", Process)

    def start() -> None:
        try:
            background.start("a.yaml", tmp_path / "run")
        except UsageError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=start) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (len(started), len(refused)) == (1, 5)
    assert all("it is being run already" in told for told in refused)

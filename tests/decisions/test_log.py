"""The decision log: nothing signed twice over, nothing lost; promise against what happened."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from drivetrain.decisions import DecisionLog, Entry, ledger
from drivetrain.errors import DataError, RefusedError, UsageError
from drivetrain.evidence import Estimate

ENTRY = Entry("k" * 32, "made", "A made problem", "Set a to 1", "EUR", "single", 100, Estimate(200.0, 20.0), 180.0, "")


@pytest.fixture(params=["sqlite", "postgres"])
def log(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DecisionLog:
    monkeypatch.delenv(ledger.ENVIRONMENT, raising=False)
    if request.param == "postgres":
        monkeypatch.setenv(ledger.ENVIRONMENT, request.getfixturevalue("postgres"))
    return DecisionLog(tmp_path)


def test_a_whole_life(log: DecisionLog):
    assert log.enter(ENTRY).state == "open"
    assert log.enter(ENTRY).entry == ENTRY
    with pytest.raises(RefusedError, match="nobody has signed"):
        log.exported(ENTRY.key, "a.csv", "0" * 64, [])
    assert log.sign(ENTRY.key, "rejected", "Ada", "too dear").state == "rejected"
    with pytest.raises(RefusedError, match="rejected"):
        log.require_approved(ENTRY.key)
    signed = log.sign(ENTRY.key, "approved", " Grace ", "tested in March")
    assert [(each.verdict, each.by) for each in signed.signatures] == [("rejected", "Ada"), ("approved", "Grace")]
    actions = [(row, "a 1", 1.8) for row in range(1, 101)]
    assert log.exported(ENTRY.key, "a.csv", "0" * 64, actions).exported == 1
    assert log.exported(ENTRY.key, "b.csv", "0" * 64, actions).exported == 2
    earned = np.where(np.arange(50) % 2, 1.0, 2.0)
    followed = [row <= 40 for row in range(1, 51)]
    assert log.feed(ENTRY.key, range(1, 51), followed, earned).outcomes == 50
    told = log.review(ENTRY.key)
    assert (told.rows, told.followed) == (50, 40)
    assert told.promised.value == pytest.approx(2.0)  # 1.8 expected for each, and 0.2 of correction
    assert told.promised.error == pytest.approx(0.2)
    assert told.happened.value == pytest.approx(1.5)
    assert told.difference.value == pytest.approx(-0.5)
    assert told.difference.error == pytest.approx(np.hypot(0.2, earned[:40].std(ddof=1) / np.sqrt(40)))
    assert not told.kept
    for rows, why in (([3], "already"), ([101], "never exported"), ([60, 60], "twice")):
        with pytest.raises(UsageError, match=why):
            log.feed(ENTRY.key, rows, [True] * len(rows), np.ones(len(rows)))
    assert log.find(ENTRY.key).outcomes == 50


def test_rows_of_one_person_are_no_independent_witnesses_of_what_happened(tmp_path: Path):
    log, rows = DecisionLog(tmp_path), range(1, 101)
    log.enter(ENTRY)
    log.sign(ENTRY.key, "approved", "Grace", "tested")
    log.exported(ENTRY.key, "a.csv", "0" * 64, [(row, "a 1", 1.8) for row in rows])
    person = np.arange(100) // 10
    earned = np.random.default_rng(0).normal(2, 1, 10)[person]
    log.feed(ENTRY.key, rows, [True] * 100, earned)
    alone = log.review(ENTRY.key)
    told = log.review(ENTRY.key, dict(zip(rows, person.tolist(), strict=True)))
    assert alone.happened.error == pytest.approx(earned.std(ddof=1) / 10)
    assert told.happened.value == alone.happened.value
    reach = stats.t.ppf(0.975, 9) * earned[::10].std(ddof=1) / np.sqrt(10)
    assert told.happened.high - told.happened.value == pytest.approx(reach)


def test_who_signs_says_who_and_why(log: DecisionLog):
    log.enter(Entry(**{**ENTRY.__dict__, "key": "other"}))
    for by, reason in (("", "because"), ("Ada", "  ")):
        with pytest.raises(UsageError, match="found none"):
            log.sign("other", "approved", by, reason)
    with pytest.raises(UsageError, match="not in it"):
        log.sign("nobody", "approved", "Ada", "because")
    with pytest.raises(UsageError, match="needs two"):
        log.review("other")


def test_a_password_is_never_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(ledger.ENVIRONMENT, "postgresql+psycopg://ada:sesame@127.0.0.1:1/none?connect_timeout=2")
    with pytest.raises(DataError, match="cannot be opened") as told:
        DecisionLog()
    assert "sesame" not in str(told.value)
    monkeypatch.setenv(ledger.ENVIRONMENT, "sesame")
    with pytest.raises(UsageError, match="no URL") as told:
        DecisionLog()
    assert "sesame" not in str(told.value)
    monkeypatch.delenv(ledger.ENVIRONMENT)
    with pytest.raises(UsageError, match="no place"):
        DecisionLog()


def test_what_was_told_to_be_written_survives_a_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A writer is killed in mid-work; every signature that it reported is there, and the file is sound."""
    monkeypatch.delenv(ledger.ENVIRONMENT, raising=False)
    DecisionLog(tmp_path).enter(ENTRY)
    code = f"""
from drivetrain.decisions import DecisionLog
log, i = DecisionLog({str(tmp_path)!r}), 0
while True:
    log.sign({ENTRY.key!r}, "approved", "Ada", str(i)); print(i, flush=True); i += 1
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(20)]
        writer.kill()
        told += [int(line) for line in writer.stdout.read().split()]
    signed = [int(each.reason) for each in DecisionLog(tmp_path).find(ENTRY.key).signatures]
    assert signed[: len(told)] == told
    with sqlite3.connect(tmp_path / ledger.FILE) as checked:
        assert checked.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_rejection_at_the_last_moment_keeps_actions_in_the_house(log: DecisionLog):
    entry = replace(ENTRY, key="r" * 32)
    log.enter(entry)
    log.sign(entry.key, "approved", "Ada", "clear")
    log.require_approved(entry.key)
    log.sign(entry.key, "rejected", "the board", "not yet")
    with pytest.raises(RefusedError, match="it was rejected"):
        log.exported(entry.key, "a.csv", "0" * 64, [])
    assert log.find(entry.key).exported == 0
    assert [each.verdict for each in log.find(entry.key).signatures] == ["approved", "rejected"]


def test_readers_do_not_wait_for_a_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("DRIVETRAIN_LOG", raising=False)
    DecisionLog(tmp_path).enter(ENTRY)
    writer = sqlite3.connect(tmp_path / "decisions.sqlite", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    log = DecisionLog(tmp_path)
    assert [each.entry for each in log.all()] == [log.find(ENTRY.key).entry]
    assert time.monotonic() - began < 15  # a write would wait for 30 s
    writer.close()

"""Runs, what-ifs and promises in words, for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from drivetrain.assembly import Run, WhatIf
from drivetrain.cli import screen
from drivetrain.decisions import Promise, fairness, groups, reasons, rounding, words
from drivetrain.evidence import NAMES, Estimate, Judged
from drivetrain.scenario import remarks

MOST_NOTES = 8
"""Of what reading the data noticed; the report tells all."""


def finished(run: Run) -> None:
    """What a run recommends, what it is worth, and where everything is."""
    evidence, made = run.judged, run.recommendations
    screen.say(run.scenario.title)
    screen.say()
    if made is not None:
        screen.say(words.headline(run.scenario, evidence, made.promise))
    for line in groups.sentences(run.scenario, evidence) if evidence.recommended == "tree" else ():
        screen.say(f"  {line}")
    for line in reasons.verdict(run.scenario, evidence):
        screen.say(line)
    for line in fairness.sentences(run.scenario, evidence):
        screen.say(line)
    if made is not None and (proved := words.certified(run.scenario, made.plan.certificate)):
        screen.say(proved)
    screen.say()
    unit = run.scenario.objective.unit or "objective"
    lines = [
        [
            words.policy(run.scenario, judged.name, evidence),
            _number(judged.estimate.value),
            _known(run, judged),
            _number(judged.naive),
        ]
        for judged in sorted(evidence.policies, key=lambda judged: list(NAMES).index(judged.name))
    ]
    screen.table([f"policy ({unit})", "value", "95% interval", "naive promise"], lines)
    screen.say()
    contest(run)
    _noticed(run)
    _places(run)


def contest(run: Run) -> None:
    """Held-out losses of every model, by outcome."""
    for outcome, told in run.record["contest"].items():
        lines = [
            [
                entry["name"] + (" (chosen)" if entry["name"] == told["chosen"] else ""),
                _loss(entry["loss"]),
                f"{entry['auc']:.3f}" if "auc" in entry else "",
                f"{entry['calibration_error']:.3g}"
                if entry["calibration_error"] < 1000
                else _number(entry["calibration_error"]),
            ]
            for entry in told["entries"]
        ]
        auc = "AUC" if any("auc" in entry for entry in told["entries"]) else ""
        screen.table(
            [f"model of {outcome}, on rows it has not seen", told["loss_name"], auc, "calibration error"], lines
        )
        screen.say()
        if "retrieval" in told:
            _retrieval(told["retrieval"])


def _retrieval(told: Mapping[str, Any]) -> None:
    """How well what was held out was found among all options, where no's are drawn."""
    measures = list(told["chosen"])
    named = {"chosen": "the chosen model", "popularity": "what is most popular"}
    lines = [[named[who], *(f"{told[who][name]:.3f}" for name in measures)] for who in named]
    screen.table([f"finds held-out options among {told['options']:,}", *measures], lines)
    screen.say()


def trained(run: Run) -> None:
    """What was read and learned, and where everything is."""
    _noticed(run)
    contest(run)
    if run.folder is not None:
        screen.say(f"models  {run.folder}")


def _noticed(run: Run) -> None:
    """What reading the data left out, and what it saw that people may want to know."""
    notes = [*remarks(run.scenario), *run.table.notes]
    screen.say(f"data: {run.table.summary}")
    for note in notes[:MOST_NOTES]:
        screen.say(f"  {note}")
    if more := notes[MOST_NOTES:]:
        screen.say(f"  and {len(more)} more: drivetrain check tells them, and the report")
    screen.say()


def _places(run: Run) -> None:
    if run.folder is None:
        return
    rows = f"{len(run.recommendations):,} rows" if run.recommendations is not None else "none"
    screen.say(f"recommendations  {run.folder}/recommendations.csv  ({rows})")
    screen.say(f"report           {run.folder}/report.html")
    screen.say(f"dashboard        drivetrain dashboard {run.folder}")


def what_if(run: Run, answer: WhatIf) -> None:
    """What models expect of one what-if: of a row, of all together, and beside what it is compared with."""
    unit = _units(run)
    header = ["what models expect", "a row", "models' spread", f"{answer.rows:,} rows together", "models' spread"]
    lines = []
    for name, mean in answer.estimates.items():
        total, title = answer.totals[name], f"{name} ({unit[name]})" if unit.get(name) else name
        lines.append([title, _number(mean.value), _interval(mean), _number(total.value), _interval(total)])
    screen.say(f"what if: {answer.asked}")
    screen.table(header, lines)
    if answer.quantiles:
        parts = ", ".join(f"{level:.0%} of rows below {_number(value)}" for level, value in answer.quantiles.items())
        screen.say(f"objective, row by row: {parts}")
    if answer.gain is not None:
        better = f"better in total by {_number(answer.gain.value)} ({_interval(answer.gain)})"
        chances = f"chance of a loss {answer.chance_of_loss:.1%}, share of rows worse off {answer.worse:.1%}"
        screen.say(f"against {answer.against}: {better}; {chances}")
    _warned(answer)


def what_ifs(run: Run, answers: Sequence[WhatIf]) -> None:
    """Several what-ifs, a line each."""
    unit = _units(run)["objective"]
    header = ["what if", f"objective ({unit})" if unit else "objective", "models' spread"]
    against = answers[0].against
    if against:
        header += [f"better than {against}, in total", "models' spread", "chance of a loss"]
    lines = []
    for answer in answers:
        mean, gain = answer.estimates["objective"], answer.gain
        line = [answer.asked + ("" if answer.supported else " (!)"), _number(mean.value), _interval(mean)]
        if gain is not None:
            line += [_number(gain.value), _interval(gain), f"{answer.chance_of_loss:.1%}"]
        lines.append(line)
    screen.table(header, lines)
    if not all(answer.supported for answer in answers):
        screen.say("(!) beyond what the data has seen: this is extrapolation, and it would not be recommended")


def _units(run: Run) -> dict[str, str]:
    return {"objective": run.scenario.objective.unit} | {n: o.unit for n, o in run.scenario.outcomes.items()}


def _warned(answer: WhatIf) -> None:
    if not answer.supported:
        share = "" if answer.beyond == 1 else f"in {answer.beyond:.1%} of rows "
        screen.say(f"{share}beyond what the data has seen: this is extrapolation, and it would not be recommended")
    if answer.nearest:
        screen.say(f"nearest in the data: {answer.nearest}")
    for what, count in answer.remarks.items():
        screen.say(f"note: {what} in {count:,} row{'' if count == 1 else 's'}")


def promised(run: Run, promise: Promise, remarks: Mapping[str, int], out: Path) -> None:
    """Where new rows' recommendations are, and what they promise."""
    unit = rounding.summed(run.scenario.objective.unit)
    screen.say(f"{promise.rows:,} recommendations written to {out}, by {NAMES[run.judged.recommended]}")
    value = rounding.with_unit(_number(promise.total.value), unit)
    how = f"({_interval(promise.total)})"
    if run.judged.grade == "unsupported":
        how = "(the models' opinion; the data cannot confirm it)"
    screen.say(f"promised in total: {value} {how}, summed over {promise.rows:,} row{'' if promise.rows == 1 else 's'}")
    if promise.gain is not None and promise.against is not None:
        gain = rounding.with_unit(_number(promise.gain.value), unit)
        screen.say(f"more than {NAMES[promise.against]} by: {gain} ({_interval(promise.gain)})")
    for what, count in remarks.items():
        screen.say(f"note: {what} in {count:,} row{'' if count == 1 else 's'}")


def _known(run: Run, judged: Judged) -> str:
    """The interval; where hardly a row speaks for what is recommended there is none."""
    return "models' opinion" if run.judged.opinion(judged.name) else _interval(judged.estimate)


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _loss(value: float) -> str:
    """Four decimals tell log-losses apart; of an error in thousands of EUR, or in fractions of a gram, they do not."""
    return f"{value:.4f}" if 0.001 <= value < 100 else _number(value)


def _interval(estimate: Estimate) -> str:
    return f"{_number(estimate.low)} to {_number(estimate.high)}"

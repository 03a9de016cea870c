"""What the decision rests on: evidence, fairness, the sealed test, rows, models, and how to get the same again."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from drivetrain import figures
from drivetrain.assembly import Run, over_time
from drivetrain.decisions import fairness, grounds as behind, last_test, words
from drivetrain.decisions.rounding import span
from drivetrain.report.page import bullets, drawing, folded, heading, paragraph, table


def trust(run: Run) -> str:
    """The evidence's grade, what is assumed, and what acting at all does."""
    grade, meaning = words.grounds(run.judged)
    lines = []
    for each in run.judged.effects:
        unit = run.scenario.outcomes[each.outcome].unit
        share = f"{each.acting:.0%} of rows got something other than doing nothing"
        lines.append(f"Acting at all changes {each.outcome} by {span(each.estimate, unit)}; {share}.")
    lines += behind.sentences(run.scenario, run.judged)
    drawn = table(behind.HEADER, told) if (told := behind.lines(run.judged)) else ""
    shown = "".join(drawing(each, name, caption) for name, each, caption in _grounds(run) if each is not None)
    return heading(f"Evidence: {grade.lower()}") + paragraph(meaning) + bullets(lines) + drawn + shown


def _grounds(run: Run) -> Iterator[tuple[str, Any, str]]:
    """Both learners' curves, overlap and balance: the name, the figure where there is one, and what it shows."""
    for place, name in enumerate(run.scenario.levers):
        told = f"What {name} does by outcome models, and by a learner that looks at what inputs do not foretell of it."
        yield f"learners-{place}", figures.learners(run.scenario, run.judged, name), told
    told = "Rows on the left were unlikely to get what is recommended: little is known of them under it."
    yield "overlap", figures.chances(run.judged), told
    told = "Rows that speak for the recommended policy, against all rows; weighed, they should be alike (below 0.1)."
    yield "balance", figures.balance(run.judged), told


def fair(run: Run) -> str:
    """Differences between groups of people, and what closing one costs; nothing where no fairness is declared."""
    lines = fairness.lines(run.scenario, run.judged)
    if not lines:
        return ""
    told = (
        bullets(fairness.sentences(run.scenario, run.judged))
        + table(fairness.HEADER, lines)
        + paragraph(fairness.NOTE, "quiet")
    )
    caption = "The best settings whose groups are no further apart than that, by what models expect."
    drawn = "".join(drawing(each, f"fairness-{i}", caption) for i, each in enumerate(figures.fairness(run)))
    return heading("Differences between groups") + told + drawn + bullets(fairness.prices(run.scenario, run.record))


def sealed(run: Run) -> str:
    """What the sealed test said, once it was opened."""
    told = last_test.sentences(run.scenario, run.record)
    if not told:
        return ""
    drawn = table(last_test.HEADER, last_test.lines(run.scenario, run.record))
    return heading("The sealed test") + drawn + bullets(told)


def data_used(run: Run) -> str:
    """Rows used, left out and sealed, and what was odd."""
    told = run.record["data"] if "data" in run.record else _data(run)
    lines = [f"{told['rows']:,} rows of {told['source']} were used."]
    if told["sealed"]:
        opened = run.record.get("test_openings", 0)
        often = "never opened" if not opened else f"opened {opened} time{'' if opened == 1 else 's'}"
        lines.append(
            f"{told['sealed']:,} of them are sealed for a last test, {often}: nothing here was learned from them."
        )
    lines += [f"Left out: {each['count']:,} rows, because {each['reason']}." for each in told["dropped"]]
    lines += [f"Noted: {each['thing']}: {each['found']} ({each['count']:,})." for each in told["flags"]]
    return heading("Data") + bullets(lines)


def models(run: Run) -> str:
    """The contest of models and the chosen one's calibration, outcome by outcome."""
    parts = [heading("Models")] if run.record["contest"] else []
    for place, (outcome, told) in enumerate(run.record["contest"].items()):
        entries = sorted(told["entries"], key=lambda entry: entry["loss"])
        extra = next((key for key in ("auc", "rmse") if any(key in entry for entry in entries)), None)
        header = ["model", told["loss_name"], *([extra.upper()] if extra else [])]
        lines = [_entry(entry, extra) for entry in entries]
        chosen = next(i for i, entry in enumerate(entries) if entry["name"] == told["chosen"])
        parts.append(f"<h3>{escape(outcome)}</h3>")
        parts += _through_time(run, outcome, place)
        caption = figures.judged(told)
        parts += [drawing(figures.contest(outcome, told), f"contest-{place}", caption), table(header, lines, chosen)]
        if told.get("calibration"):
            declared = run.scenario.outcomes[outcome]
            unit = "share" if declared.kind == "binary" else declared.unit
            note = "Points on the line mean that predictions can be taken at their word."
            parts.append(drawing(figures.calibration(outcome, told, unit), f"calibration-{place}", note))
        parts += _explained(run, outcome, place)
    if pairs := run.explain()["interplay"]:
        note = "Where this is near 0, each lever can be set without a look at the other; by what models expect."
        drawn = figures.interplay(pairs, run.scenario.objective.unit)
        parts += ["<h3>Levers that act on each other</h3>", drawing(drawn, "interplay", note)]
    return "".join(parts)


def _through_time(run: Run, outcome: str, place: int) -> Iterator[str]:
    """Observed and predicted, period by period, where the scenario says when rows were."""
    known = outcome in run.simulator.models.outcomes
    if known and (told := over_time(run, outcome)) is not None:
        yield drawing(figures.over_time(run, told), f"time-{place}", told.note)


def _explained(run: Run, outcome: str, place: int) -> Iterator[str]:
    """What the models of an outcome rely on, and what they take for what."""
    if (told := run.explain()["outcomes"].get(outcome)) is None:
        return
    note = f"How much worse predictions of {told['rows']:,} held-out rows get once a column is shuffled among them."
    yield drawing(figures.importance(outcome, told), f"importance-{place}", note)
    if "confusion" in told:
        note = "Each line is what was observed, each column what models that had not seen the row held most probable."
        yield drawing(figures.confusion(outcome, told["confusion"]), f"confusion-{place}", note)


def again(run: Run) -> str:
    """All that is needed to get the same again."""
    record = run.record
    if "versions" not in record:
        return ""
    lines = [
        ["made", f"{record['made']}, in {record['seconds']} s"],
        ["seed", str(record["seed"])],
        ["data", f"{record['data']['source']}, sha256 {record['data']['fingerprint']}"],
        ["scenario", f"{record['scenario']}, sha256 {record['scenario_sha256']}"],
        ["versions", ", ".join(f"{name} {version}" for name, version in record["versions"].items())],
        *([["settings chosen", record["method"]]] if record.get("method") else []),
        *([["certificate", words.certificate(record["gap"])]] if record.get("gap") is not None else []),
    ]
    body = "".join(f"<li><b>{name}</b>: <code>{escape(text)}</code></li>" for name, text in lines)
    scenario = folded("The scenario file", run.scenario.text) if run.scenario.text else ""
    return f"{heading('To get the same again')}<ul>{body}</ul>{scenario}"


def _data(run: Run) -> dict[str, Any]:
    table_ = run.table
    return {
        "rows": len(table_),
        "source": table_.source,
        "sealed": len(table_.test),
        "dropped": [{"reason": each.reason, "count": each.count} for each in table_.dropped],
        "flags": [{"thing": each.thing, "found": each.found, "count": each.count} for each in table_.flags],
    }


def _entry(entry: dict[str, Any], extra: str | None) -> list[str]:
    name = figures.MODELS.get(entry["name"], entry["name"])
    line = [name, f"{entry['loss']:.4f}"]
    return [*line, f"{entry[extra]:.3f}" if extra in entry else "–"] if extra else line

"""The report's sections, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

import numpy as np

from drivetrain import figures
from drivetrain.assembly import Run, bridge, margins, over_time, returns, swings, usage
from drivetrain.decisions import bounded, fairness, groups, last_test, reasons, words
from drivetrain.decisions import grounds as behind
from drivetrain.decisions.rounding import interval, number, setting, span
from drivetrain.evidence import NAMES
from drivetrain.report.page import bullets, drawing, folded, heading, paragraph, table


def sections(run: Run) -> Iterator[str]:
    """Every section as HTML; a run only trained has no decision to tell."""
    yield question(run)
    if run.evidence is None:
        yield paragraph("This run was only trained: there are models, and no decision yet.")
    else:
        yield from (
            answer(run),
            values(run),
            groups_found(run),
            why(run),
            levers(run),
            spread(run),
            trust(run),
            fair(run),
            sealed(run),
            limits(run),
        )
    yield from (data_used(run), models(run), again(run))


def question(run: Run) -> str:
    """What was asked."""
    scenario = run.scenario
    direction = "as high as possible" if scenario.objective.sign > 0 else "as low as possible"
    unit = f" ({scenario.objective.unit})" if scenario.objective.unit else ""
    asked = f"<p>Make <code>{escape(scenario.objective.text)}</code>{escape(unit)} {direction} by setting "
    asked += f"<b>{escape(', '.join(scenario.levers))}</b>.</p>"
    about = (paragraph(each.strip(), "quiet") for each in (scenario.description, scenario.lesson))
    return f"<h1>{escape(scenario.title)}</h1>{''.join(about)}{asked}"


def answer(run: Run) -> str:
    """The recommendation in a sentence, what to do about it, and how sure that is."""
    scenario, evidence = run.scenario, run.judged
    what = words.stance(scenario, evidence)
    promise = run.recommendations.promise if run.recommendations is not None else None
    proved = "" if run.recommendations is None else words.certified(scenario, run.recommendations.plan.certificate)
    price = words.guarded(scenario, run.guard)
    told = bullets([*reasons.sentences(scenario, evidence), *filter(None, [proved, price])])
    return (
        f'<div class="answer"><span class="stance {what.word}">{escape(what.title)}</span>'
        f"{paragraph(words.headline(scenario, evidence, promise), 'large')}"
        f"{paragraph(what.reason, 'quiet')}</div>{told}"
    )


def values(run: Run) -> str:
    """Every policy's honest value beside its naive promise."""
    scenario, evidence = run.scenario, run.judged
    known = [evidence.policy(name) for name in NAMES if name in {each.name for each in evidence.policies}]
    lines = []
    for each in known:
        value, low, high = interval(each.estimate)
        gain = "–" if each.name == evidence.recommended else interval(evidence.gains[each.name], -1)[0]
        naive = "–" if each.name == "current" else number(each.naive)
        name = words.policy(scenario, each.name, evidence).capitalize() + (
            "" if each.eligible else " (may not be recommended)"
        )
        between = "models' opinion" if evidence.opinion(each.name) else f"{low} to {high}"
        lines.append([name, value, between, gain, naive, number(each.effective)])
    header = ["policy", "honest value", "95 % interval", "against recommended", "models' promise", "rows that speak"]
    chosen = next(place for place, each in enumerate(known) if each.name == evidence.recommended)
    caption = (
        f"What each policy is worth, for {words.one(scenario)}{_in(scenario.objective.unit)}. The honest value is "
        "doubly robust: models that have not seen a row say what to expect, and what was observed corrects them. The "
        "models' own promise is for comparison: whoever picks the best of many predictions also picks the luckiest "
        "error."
    )
    return (
        heading("What the policies are worth")
        + drawing(figures.policies(scenario, evidence), "policies", caption)
        + table(header, lines, chosen)
        + paragraph(words.inflation(scenario, evidence))
    )


def groups_found(run: Run) -> str:
    """The groups of a tree, where more than one is worth its trouble or nearly so."""
    scenario, evidence = run.scenario, run.judged
    drawn = figures.tree(scenario, evidence)
    if drawn is None:
        return ""
    lines = [[each.who, each.gets, f"{each.share:.0%}"] for each in groups.groups(scenario, evidence)]
    kept = "This is what is recommended." if evidence.recommended == "tree" else "It is not what is recommended."
    caption = (
        f"Questions that tell rows apart, and what each group would get. {kept} The tree was grown on doubly robust "
        "scores and judged on rows that it had not seen."
    )
    return heading("Groups that differ") + drawing(drawn, "tree", caption) + table(["group", "gets", "rows"], lines)


def why(run: Run) -> str:
    """The way from today to the recommendation, and what the gain hangs on."""
    told, moved = bridge(run), swings(run)
    if told is None:
        return ""
    way = figures.bridge(run, told)
    caption = (
        f"What models expect each lever to bring, over {told.rows:,} rows (its mean over the orders in which levers "
        "can be moved), and by how much rows that the models had not seen put them right."
    )
    header = ["mean over rows", "today", "recommended", "in"]
    lines = [[move.name, number(move.before), number(move.after), move.unit] for move in told.moves]
    parts = [heading("Why"), table(header, lines), drawing(way, "bridge", caption)]
    if (gained := returns(run)) is not None:
        drawn = figures.returns(run, gained)
        header = margins.header(words.policy(run.scenario, gained.against))
        parts += [table(header, margins.lines(gained)), paragraph(margins.note(run.scenario), "quiet")]
        parts += [] if drawn is None else [drawing(drawn, "returns", "The next unit of each lever, before and after.")]
    if moved is not None and moved.each:
        caption = "How far the gain moves as each thing is moved on its own, down and up, the settings kept."
        parts.append(drawing(figures.swings(run, moved), "swings", caption))
        header = ["what is moved", "from, to", "gain there"]
        lines = [[each.name, each.what, f"{number(each.low)} to {number(each.high)}"] for each in moved.each]
        parts.append(table(header, lines))
    return "".join(parts)


def levers(run: Run) -> str:
    """The value along each lever, and what models expect of each outcome."""
    parts = [heading("How the value depends on what is set")]
    for place, (name, lever) in enumerate(run.scenario.levers.items()):
        parts.append(f"<h3>{escape(name)}</h3>{paragraph(lever.description)}")
        told = words.top(run.scenario, run.judged, name)
        parts.append(drawing(figures.value_curve(run, name), f"value-{place}", told))
        curve = run.respond(name)
        for other, of in enumerate(key for key in curve.estimates if key != "objective"):
            caption = f"What models expect of {of} when everyone gets one setting of {name}; not judged by evidence."
            parts.append(drawing(figures.response(run, curve, of), f"response-{place}-{other}", caption))
    return "".join(parts)


def spread(run: Run) -> str:
    """Who gets what, where not all get the same."""
    if run.recommendations is None:
        return ""
    parts = [heading("Who gets what")]
    frame = run.recommendations.frame
    for place, name in enumerate(run.scenario.levers):
        plan = run.recommendations.plan
        settings = plan.settings[:, place] if plan.slots is None else plan.slots.ravel()
        if len(np.unique(settings)) > 1:
            caption = f"How many rows get which {name}."
            parts.append(drawing(figures.settings(run, name), f"settings-{place}", caption))
        else:
            parts.append(paragraph(f"Every row gets {name} {setting(run.scenario.levers[name], settings[0])}."))
    gains = figures.gains(run)
    if gains is not None:
        caption = "How much each row is expected to gain, by the models; the list of actions holds each row's interval."
        parts.append(drawing(gains, "gains", caption))
    caption = (
        "What the recommended settings bring as more rows get them, by rows that the models had not seen: those in "
        "front are the ones of which models expected most."
    )
    for name, budget in (("uplift", False), ("uplift-budget", True)):
        if (drawn := figures.uplift(run.scenario, run.judged, budget=budget)) is not None:
            parts.append(drawing(drawn, name, caption))
    off = int((~frame["supported"].astype(bool)).sum())
    parts.append(paragraph(f"{off:,} rows get a setting beyond what the data has seen." if off else ""))
    return "".join(parts)


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


def limits(run: Run) -> str:
    """The constraints, and what loosening one would be worth."""
    prices = run.record.get("shadow_prices") or {}
    lines = bounded.lines(run.scenario, prices, usage(run))
    if not lines:
        return ""
    return heading("Constraints") + table(bounded.HEADER, lines) + paragraph(bounded.NOTE if prices else "", "quiet")


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
    note = f"How much worse {told['rows']:,} held-out rows are predicted when one column's values are dealt anew."
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


def _in(unit: str) -> str:
    return f", in {unit}" if unit else ""

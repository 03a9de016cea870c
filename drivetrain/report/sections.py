"""The report's sections, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from drivetrain import figures
from drivetrain.assembly import Run, usage
from drivetrain.decisions import bounded, groups, reasons, words
from drivetrain.decisions.rounding import between, interval, number
from drivetrain.evidence import NAMES
from drivetrain.report.effects import inputs, levers, spread, takes, why
from drivetrain.report.page import bullets, drawing, heading, paragraph, table
from drivetrain.report.rests import again, data_used, fair, models, sealed, trust


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
            inputs(run),
            spread(run),
            takes(run),
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
    action, worth = words.advice(scenario, evidence, promise)
    return (
        f'<div class="answer"><span class="stance {what.word}">{escape(what.title)}</span>'
        f"{paragraph(action, 'large')}{paragraph(worth)}"
        f"{paragraph(what.reason, 'quiet')}</div>{told}"
    )


def values(run: Run) -> str:
    """Every policy's honest value beside its naive promise."""
    scenario, evidence = run.scenario, run.judged
    known = [evidence.policy(name) for name in NAMES if name in {each.name for each in evidence.policies}]
    lines = []
    for each in known:
        value = interval(each.estimate)[0]
        gain = "–" if each.name == evidence.recommended else interval(evidence.gains[each.name], -1)[0]
        naive = "–" if each.name == "current" else number(each.naive)
        name = words.policy(scenario, each.name, evidence).capitalize() + (
            "" if each.eligible else " (may not be recommended)"
        )
        told = "models' opinion" if evidence.opinion(each.name) else between(each.estimate)
        shrunk = "–" if each.shrunk is None else number(each.shrunk)
        lines.append([name, value, told, gain, naive, shrunk, number(each.effective)])
    header = ["policy", "honest value", "95% interval", "against recommended", "models' promise", "promise, shrunk"]
    header.append("rows that speak")
    chosen = next(place for place, each in enumerate(known) if each.name == evidence.recommended)
    caption = (
        f"What each policy is worth, for {words.one(scenario)}{_in(scenario.objective.unit)}. The honest value is "
        "doubly robust: models that have not seen a row say what to expect, and what was observed corrects them. The "
        "models' own promise is for comparison: whoever picks the best of many predictions also picks the luckiest "
        "error. Shrunk, it is corrected by observed rows only as far as these stand out of noise, as in the choice "
        "among policies."
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
        f"Questions that tell rows apart, and what each group would get. {kept} The questions come from honest "
        "values (doubly robust scores), and were judged on rows that they were not made from."
    )
    return heading("Groups that differ") + drawing(drawn, "tree", caption) + table(["group", "gets", "rows"], lines)


def limits(run: Run) -> str:
    """The constraints, and what loosening one would be worth."""
    prices = run.record.get("shadow_prices") or {}
    lines = bounded.lines(run.scenario, prices, usage(run))
    if not lines:
        return ""
    return heading("Constraints") + table(bounded.HEADER, lines) + paragraph(bounded.NOTE if prices else "", "quiet")


def _in(unit: str) -> str:
    return f", in {unit}" if unit else ""

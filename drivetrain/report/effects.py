"""What is done and why: the way from today, what is spent, what levers and inputs do, who gets what, what it takes."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import numpy as np

from drivetrain import figures
from drivetrain.assembly import (
    Run,
    bridge,
    dependence,
    efforts,
    margins,
    reaching,
    returns,
    spending,
    spends,
    swings,
)
from drivetrain.decisions import words
from drivetrain.decisions.rounding import number, setting
from drivetrain.errors import InfeasibleError, RefusedError
from drivetrain.report.page import drawing, heading, paragraph, table

MOST_CELLS = 10_000_000
"""Rows times options that models are asked about for a curve; where options are thousands, fewer rows do."""
MOST_INPUTS = 4
"""Inputs whose curves are shown: those that models rely on most."""


def why(run: Run) -> str:
    """The way from today to the recommendation, and what the gain hangs on."""
    told, moved = bridge(run), swings(run)
    if told is None:
        return ""
    way = figures.bridge(run, told)
    steps = "lever to bring, {} (its mean over the orders in which levers can be moved)"
    if run.scenario.slots > 1:
        steps = "option to add by itself, {}"
    caption = (
        f"What models expect each {steps.format(f'over {told.rows:,} rows')}, and by how much rows that the models "
    )
    caption += "had not seen put them right."
    header = ["mean over rows", words.policy(run.scenario, told.against), "recommended"]
    lines = [[each.what, each.said(each.before), each.said(each.after)] for each in told.moves]
    parts = [heading("Why"), table(header, lines), drawing(way, "bridge", caption)]
    parts += _spent(run)
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


def _spent(run: Run) -> Iterator[str]:
    """Share of spend beside share of effect, of levers that cost something."""
    if (told := spending(run)) is not None:
        if len(told.each) > 1:
            yield drawing(figures.spending(told), "spending", "What is spent on each lever beside what it brings.")
        yield table(spends.HEADER, spends.lines(run.scenario, told)) + paragraph(spends.note(run.scenario), "quiet")


def levers(run: Run) -> str:
    """The value along each lever, and what models expect of each outcome."""
    parts = [heading("How the value depends on what is set")]
    for place, (name, lever) in enumerate(run.scenario.levers.items()):
        parts.append(f"<h3>{escape(name)}</h3>{paragraph(lever.description)}")
        told = words.top(run.scenario, run.judged, name)
        honest = figures.value_curve(run, name)
        parts.append(paragraph(words.UNSEEN_ALONE) if honest is None else drawing(honest, f"value-{place}", told))
        asked = run.table.evenly(max(MOST_CELLS // max(1, len(getattr(lever, "options", ()))), 1))
        curve = run.respond(name, asked)
        some = f" By {len(asked):,} rows, evenly taken." if len(asked) < len(run.table) else ""
        for other, of in enumerate(key for key in curve.estimates if key != "objective"):
            caption = f"What models expect of {of} when everyone gets one setting of {name}; not judged by evidence."
            caption += some
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


def inputs(run: Run) -> str:
    """What the models make of the inputs that they rely on most."""
    wanted = _relied(run)
    if not wanted:
        return ""
    parts = [heading("What the models make of what is known")]
    for place, name in enumerate(wanted):
        told = dependence(run, name)
        about = run.scenario.inputs[name].description
        caption = (
            f"What models expect as {name} moves and all else stays, everyone getting the best single setting; thin: "
            f"{len(told.each['objective'])} single rows. Nobody sets this: it is what was learned."
        )
        drawn = figures.dependence(run, told, "objective", each=True)
        parts += [f"<h3>{escape(name)}</h3>{paragraph(about)}", drawing(drawn, f"input-{place}", caption)]
    return "".join(parts)


def _relied(run: Run) -> list[str]:
    """Inputs, those first without which held-out rows are predicted worst, as a share of the outcome's own loss."""
    size: dict[str, float] = {}
    for told in run.explain()["outcomes"].values():
        whole = max((abs(each["loss"]) for each in told["by"]), default=0.0) or 1.0
        for each in told["by"]:
            if each["is"] == "input" and each["loss"] > 0:
                size[each["name"]] = max(size.get(each["name"], 0.0), each["loss"] / whole)
    known = [name for name in sorted(size, key=lambda name: -size[name]) if name in run.scenario.inputs]
    return known[:MOST_INPUTS]


def takes(run: Run) -> str:
    """The least effort for every target of the objective, where something is spent or moved."""
    if not efforts(run.scenario):
        return ""
    try:
        told = reaching(run)
        curve = told.curve()
    except (InfeasibleError, RefusedError):
        return ""
    if len(curve.points) < 2 or np.ptp([point.bound or 0.0 for point in curve.points]) == 0:
        return ""
    caption = (
        f"The least {told.effort} of one row with which the objective gets there, as models expect of {curve.rows:,} "
        "rows, under the scenario's other limits."
    )
    return heading("What it takes to get there") + drawing(figures.reach(told, curve), "reach", caption)

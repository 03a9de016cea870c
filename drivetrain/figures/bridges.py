"""Why: the way from today to what is recommended, and what the gain is sensitive to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from drivetrain.assembly import Bridge, Run, Swings
from drivetrain.assembly.waterfall import Step
from drivetrain.decisions.rounding import number
from drivetrain.decisions.words import policy
from drivetrain.figures.look import LIGHT, ROOM, Look, figure, folded, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def bridge(run: Run, told: Bridge, look: Look = LIGHT, *, by: str = "levers") -> Figure:
    """A waterfall from the policy of comparison to the recommended one.

    Args:
        run: where it came from.
        told: the way, from `assembly.bridge`.
        look: the theme.
        by: `levers` or `stages`.
    """
    steps: Sequence[Step] = told.levers if by == "levers" else told.stages
    unit, sign = run.scenario.objective.unit, run.scenario.objective.sign
    names = [policy(run.scenario, told.against), *(step.name for step in steps)]
    changes = [told.start, *(step.change.value for step in steps)]
    measures = ["absolute", *["relative"] * len(steps)]
    if told.correction is not None:
        names += ["with what models expect", "corrected by what was observed"]
        changes += [0.0, told.correction.value]
        measures += ["total", "relative"]
    names.append("recommended")
    changes.append(0.0)
    measures.append("total")
    out = figure(look, x=with_unit("value of one row", plain(unit)), height=120 + 46 * len(names))
    better, worse = (look.good, look.model) if sign > 0 else (look.model, look.good)
    running, ends = 0.0, []
    for measure, change in zip(measures, changes, strict=True):
        running = change if measure == "absolute" else running + change
        ends.append(running)
    said = [
        number(end) if measure in {"absolute", "total"} else f"{'+' if change > 0 else ''}{number(change)}"
        for measure, change, end in zip(measures, changes, ends, strict=True)
    ]
    out.add_waterfall(
        orientation="h",
        y=[folded(name) for name in names],
        x=changes,
        measure=measures,
        text=said,
        textposition="outside",
        cliponaxis=False,
        connector={"line": {"color": look.rule, "width": 1}},
        increasing={"marker": {"color": better}},
        decreasing={"marker": {"color": worse}},
        totals={"marker": {"color": look.strong}},
        hovertemplate="%{y}: %{text}<extra></extra>",
        showlegend=False,
    )
    reach = max(*ends, 0.0) - min(*ends, 0.0) or 1.0
    out.update_xaxes(range=[min(*ends, 0.0) - 0.12 * reach, max(*ends, 0.0) + 0.24 * reach])
    out.update_layout(margin={"r": ROOM})
    out.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": look.ink})
    out.add_vline(x=0, line={"color": look.rule, "width": 1})
    return out


def swings(run: Run, told: Swings, look: Look = LIGHT) -> Figure:
    """A tornado: how far the gain moves as each thing is moved on its own; the widest on top.

    Args:
        run: where it came from.
        told: from `assembly.swings`.
        look: the theme.
    """
    unit, shown = run.scenario.objective.unit, told.each[:12]
    names = [folded(each.name) for each in shown]
    title = with_unit(f"gain over {policy(run.scenario, told.against)}", plain(unit))
    out = figure(look, x=title, height=130 + 44 * len(names))
    for label, key, colour in (("moved down", "low", look.model), ("moved up", "high", look.strong)):
        out.add_bar(
            orientation="h",
            y=names,
            x=[getattr(each, key) - told.base for each in shown],
            base=told.base,
            name=label,
            marker={"color": colour, "line": {"width": 0}, "pattern": {"shape": "/" if key == "low" else ""}},
            customdata=[[plain(each.what), getattr(each, key)] for each in shown],
            hovertemplate="%{y} (%{customdata[0]}): gain %{customdata[1]:.3g}<extra>" + label + "</extra>",
        )
    out.add_vline(x=told.base, line={"color": look.ink, "width": 1})
    out.add_vline(x=0, line={"color": look.other, "width": 1, "dash": "dot"})
    out.update_layout(barmode="overlay", bargap=0.35)
    out.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": look.ink})
    return out

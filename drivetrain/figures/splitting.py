"""Why one row's prediction is what it is; and what one more unit of each lever brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.assembly import Contributions, Returns, Run
from drivetrain.decisions.rounding import number
from drivetrain.decisions.words import policy
from drivetrain.figures.curves import unit_of
from drivetrain.figures.look import LIGHT, ROOM, Look, figure, folded, plain, upright, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 12
"""Inputs that a figure has room for; what the others add is one bar."""


def contributions(run: Run, told: Contributions, of: str = "objective", look: Look = LIGHT) -> Figure:
    """A waterfall from what is expected of everyone to what is expected of one row, input by input.

    Args:
        run: where it came from.
        told: from `assembly.contributions`.
        of: `objective` or an outcome.
        look: the theme.
    """
    parts = told.parts[of]
    names = [f"{each.input}: {each.value}" for each in parts[:MOST]]
    changes = [each.change.value for each in parts[:MOST]]
    if rest := parts[MOST:]:
        names.append(f"{len(rest)} more inputs")
        changes.append(sum(each.change.value for each in rest))
    start, end = told.start[of], told.end[of]
    bars, ends = [folded(name, 30) for name in names], ["everyone", f"row {told.row}"]
    out = figure(look, x=with_unit(f"expected {plain(of)}", plain(unit_of(run, of))), height=190 + 40 * len(names))
    out.add_waterfall(
        orientation="h",
        y=bars,
        x=changes,
        base=start,
        text=[f"{'+' if each > 0 else ''}{number(each)}" for each in changes],
        textposition="outside",
        cliponaxis=False,
        connector={"line": {"color": look.rule, "width": 1}},
        increasing={"marker": {"color": look.good}},
        decreasing={"marker": {"color": look.model}},
        hovertemplate="%{y}: %{text}<extra></extra>",
        showlegend=False,
    )
    out.add_scatter(  # no bars: they would begin where the axis does, which need not be 0
        x=[start, end],
        y=ends,
        mode="markers+text",
        marker={"size": 14, "color": [look.other, look.strong]},
        text=[f" {number(each)}" for each in (start, end)],
        textposition="middle right",
        cliponaxis=False,
        hovertemplate="%{y}: %{x:.3g}<extra></extra>",
        showlegend=False,
    )
    met = [start + sum(changes[:many]) for many in range(len(changes) + 1)]
    reach = (max(met) - min(met)) or abs(start) or 1.0
    out.update_xaxes(range=[min(met) - 0.55 * reach, max(met) + 0.3 * reach])
    out.update_layout(margin={"r": ROOM})
    order = [ends[0], *bars, ends[1]]
    out.update_yaxes(categoryorder="array", categoryarray=order, range=[len(order) - 0.4, -0.6])
    return out.update_yaxes(showgrid=False, tickfont={"color": look.ink})


def returns(run: Run, told: Returns, look: Look = LIGHT) -> Figure | None:
    """What one more unit of each lever would bring, before and as recommended; levers of the commonest unit only.

    Args:
        run: where it came from.
        told: from `assembly.returns`.
        look: the theme.

    Returns:
        None where no two levers have a unit in common, so that there is nothing to compare.
    """
    units = [each.unit for each in told.each]
    unit = max(units, key=units.count)
    if units.count(unit) < 2:
        return None
    shown = [each for each in told.each if each.unit == unit]
    names = [folded(each.lever) for each in shown]
    more = f"what one more {unit or 'unit'} of it would bring"
    out = figure(look, x=with_unit(plain(more), plain(run.scenario.objective.unit)), height=130 + 44 * len(names))
    for name, first, last in zip(names, (e.at_first for e in shown), (e.at_last for e in shown), strict=True):
        line = {"color": look.rule, "width": 4}
        out.add_scatter(
            x=[first.value, last.value], y=[name, name], mode="lines", line=line, hoverinfo="skip", showlegend=False
        )
    hollow = {"size": 12, "color": look.paper, "line": {"color": look.other, "width": 2}}
    sides = (
        (policy(run.scenario, told.against), [each.at_first for each in shown], hollow),
        ("as recommended", [each.at_last for each in shown], {"size": 13, "color": look.strong}),
    )
    for label, each, marker in sides:
        out.add_scatter(
            x=[one.value for one in each],
            y=names,
            error_x={
                "array": [one.high - one.value for one in each],
                "color": look.faint(look.quiet, 0.5),
                "thickness": 2,
                "width": 0,
            },
            mode="markers",
            marker=marker,
            name=plain(label),
            hovertemplate="%{y}: %{x:.3g}<extra>" + plain(label) + "</extra>",
        )
    upright(out, 0, {"color": look.other, "width": 1, "dash": "dot"})
    return out.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": look.ink})

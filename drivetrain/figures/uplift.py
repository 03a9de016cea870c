"""Whom to act on first, drawn: what the recommended policy brings as more rows get it, or more of a budget is used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.evidence import Evidence
from drivetrain.figures.look import LIGHT, Look, band, figure, plain, with_unit
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def uplift(scenario: Scenario, evidence: Evidence, look: Look = LIGHT, *, budget: bool = False) -> Figure | None:
    """The Qini curve with its 95% interval, and the line of rows taken at random.

    Args:
        scenario: names and units.
        evidence: the curve.
        look: the theme.
        budget: across is what is used of the budget; else the share of rows.

    Returns:
        None where there is no curve, or no budget is declared.
    """
    told = evidence.uplift
    if told is None or (budget and told.budget is None):
        return None
    unit = plain(scenario.objective.unit)
    xs = [each.spent or 0.0 if budget else each.share for each in told.points]
    across = "share of rows that get what is recommended, those first that gain most"
    if budget:
        declared = next(each for each in scenario.constraints if each.name == told.budget)
        across = with_unit(f"used of {plain(declared.name)}, for one row", plain(declared.unit))
    out = figure(look, x=across, y=with_unit("gain for one row", unit), height=360)
    value, low, high = ([getattr(each.gain, end) for each in told.points] for end in ("value", "low", "high"))
    name = "best rows first, 95% interval"
    out.add_scatter(**band(look, look.strong, xs, low, high, name), showlegend=False)
    out.add_scatter(
        x=xs,
        y=value,
        customdata=[each.share for each in told.points],
        mode="lines",
        line={"color": look.strong, "width": 3},
        name=name,
        legendgroup=name,
        hovertemplate="%{customdata:.0%} of rows: %{y:.3g}<extra></extra>",
    )
    out.add_scatter(
        x=[xs[0], xs[-1]],
        y=[value[0], value[-1]],
        mode="lines",
        line={"color": look.other, "width": 2, "dash": "dot"},
        name="rows at random",
        hoverinfo="skip",
    )
    return out if budget else out.update_xaxes(tickformat=".0%")

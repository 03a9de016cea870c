"""Policies side by side: the honest value of each with its interval, and the models' own promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.decisions.rounding import number, span
from drivetrain.decisions.words import one, policy
from drivetrain.evidence import NAMES, Evidence, Judged
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def policies(scenario: Scenario, evidence: Evidence, look: Look = LIGHT) -> Figure:
    """The value of every policy for one row, with its 95% interval; the recommended one marked.

    Args:
        scenario: names and units.
        evidence: the policies.
        look: the theme.
    """
    ordered = [evidence.policy(name) for name in NAMES if name in {each.name for each in evidence.policies}]
    unit = plain(scenario.objective.unit)
    out = figure(look, x=with_unit(f"value of {one(scenario)}", unit), height=110 + 56 * len(ordered))
    names = [_label(scenario, evidence, each) for each in ordered]
    for label, each in zip(names, ordered, strict=True):
        chosen = each.name == evidence.recommended
        colour, reach = look.strong if chosen else look.other, each.estimate.high - each.estimate.value
        opinion = evidence.opinion(each.name)
        out.add_scatter(
            x=[each.estimate.value],
            y=[label],
            error_x={
                "array": [0.0 if opinion else reach],
                "color": colour,
                "thickness": 5 if chosen else 3,
                "width": 0,
            },
            mode="markers+text",
            marker={"size": 15 if chosen else 12, "color": colour},
            text=[number(each.estimate.value)],
            textposition="top center",
            textfont={"color": colour, "size": 14},
            hovertemplate=f"{'models expect it' if opinion else span(each.estimate, unit)}<extra></extra>",
            showlegend=False,
        )
    promised = [(label, each.naive) for label, each in zip(names, ordered, strict=True) if each.name != "current"]
    out.add_scatter(
        x=[naive for _, naive in promised],
        y=[label for label, _ in promised],
        mode="markers",
        marker={"symbol": "diamond", "size": 10, "color": look.paper, "line": {"color": look.model, "width": 2}},
        name="what the models promise",
        hovertemplate="promised %{x:.3g}<extra></extra>",
    )
    out.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=False)
    out.update_yaxes(range=[-0.6, len(names) - 0.3], tickfont={"color": look.ink, "size": 14})
    return out


def _label(scenario: Scenario, evidence: Evidence, judged: Judged) -> str:
    name = plain(policy(scenario, judged.name, evidence))
    broken = name.replace(" as it was", "<br>as it was").replace("setting for", "setting<br>for")
    return f"<b>{broken}</b><br>recommended" if judged.name == evidence.recommended else broken

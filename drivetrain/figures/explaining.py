"""What models rely on, what they take for what, and which levers act on each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from drivetrain.evidence import Estimate
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST = 20
"""Names that a figure has room for."""


def importance(outcome: str, told: Mapping[str, Any], look: Look = LIGHT) -> Figure:
    """How much worse held-out rows are predicted without what an input or a lever tells, with 95% intervals.

    Args:
        outcome: whose models they are.
        told: the outcome's entry in the record's `explanation`.
        look: the theme.
    """
    ranked = sorted(told["by"], key=lambda each: each["loss"])[-MOST:]
    reach = [Estimate(each["loss"], each["error"]) for each in ranked]
    names = [f"{plain(each['name'])} ({each['is']})" for each in ranked]
    out = figure(look, x=f"rise of the {told['loss_name']} of {plain(outcome)}", height=100 + 34 * len(ranked))
    out.add_scatter(
        x=[each.value for each in reach],
        y=names,
        error_x={"array": [each.high - each.value for each in reach], "color": look.strong, "thickness": 2, "width": 0},
        mode="markers",
        marker={"size": 11, "color": [look.strong if each["is"] == "lever" else look.other for each in ranked]},
        hovertemplate="%{y}: %{x:.4g}<extra></extra>",
        showlegend=False,
    )
    out.add_vline(x=0, line={"color": look.other, "dash": "dot"})
    return out.update_yaxes(categoryorder="array", categoryarray=names, showgrid=False)


def confusion(outcome: str, told: Mapping[str, Any], look: Look = LIGHT) -> Figure:
    """How often each observed class was held most probable: shares of each line, and counts.

    Args:
        outcome: whose models they are.
        told: the `confusion` of the outcome's entry in the record's `explanation`.
        look: the theme.
    """
    names = [plain(name) for name in told["options"]]
    shares = [[count / max(1, sum(line)) for count in line] for line in told["rows"]]
    out = figure(look, x=f"{plain(outcome)}, held most probable", y="observed", height=140 + 44 * len(names))
    out.add_heatmap(
        x=names,
        y=names,
        z=shares,
        zmin=0,
        zmax=1,
        text=[[f"{count:,}" for count in line] for line in told["rows"]],
        texttemplate="%{text}",
        textfont={"color": look.ink},
        colorscale=[[0, look.faint(look.strong, 0.02)], [1, look.faint(look.strong, 0.5)]],
        showscale=False,
        hovertemplate="observed %{y}, predicted %{x}: %{text} rows, %{z:.0%} of the line<extra></extra>",
    )
    out.update_xaxes(type="category", showgrid=False)
    return out.update_yaxes(type="category", autorange="reversed", showgrid=False)


def interplay(told: Sequence[Mapping[str, Any]], unit: str = "", look: Look = LIGHT) -> Figure:
    """For pairs of levers how much of the objective hangs on both together, beyond what each does alone.

    Args:
        told: the record's `interplay`.
        unit: the objective's.
        look: the theme.
    """
    ranked = list(reversed(told[:MOST]))
    names = [" × ".join(map(plain, each["levers"])) for each in ranked]
    out = figure(look, x=with_unit("what both do beyond their sum", plain(unit)), height=100 + 34 * len(ranked))
    out.add_bar(
        x=[each["size"] for each in ranked],
        y=names,
        orientation="h",
        marker={"color": look.strong},
        customdata=[each["share"] for each in ranked],
        hovertemplate="%{y}: %{x:.4g}, %{customdata:.0%} of their joint effect<extra></extra>",
    )
    return out.update_yaxes(categoryorder="array", categoryarray=names, showgrid=False)

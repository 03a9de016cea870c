"""Runs, and what-ifs, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from drivetrain.decisions.rounding import number, span
from drivetrain.evidence import Estimate
from drivetrain.figures.look import LIGHT, Look, figure, folded, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def beside(lines: Sequence[tuple[str, Estimate, bool]], what: str, unit: str, look: Look = LIGHT) -> Figure:
    """Values with their intervals, one under the other.

    Args:
        lines: name, value, and whether it stands out.
        what: what the axis shows.
        unit: its unit.
        look: the theme.
    """
    out = figure(look, x=with_unit(what, plain(unit)), height=110 + 48 * len(lines))
    for name, estimate, strong in lines:
        colour = look.strong if strong else look.other
        out.add_scatter(
            x=[estimate.value],
            y=[folded(name, 30)],
            error_x={"array": [estimate.high - estimate.value], "color": colour, "thickness": 4, "width": 0},
            mode="markers+text",
            marker={"size": 13, "color": colour},
            text=[number(estimate.value)],
            textposition="top center",
            textfont={"color": colour, "size": 14},
            hovertemplate=f"{plain(span(estimate, unit))}<extra></extra>",
            showlegend=False,
        )
    names = [folded(name, 30) for name, _, _ in lines]
    out.update_yaxes(categoryorder="array", categoryarray=names[::-1], showgrid=False, tickfont={"color": look.ink})
    out.update_yaxes(range=[-0.6, len(names) - 0.3])
    return out

"""What is spent on each lever beside what it brings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.assembly import Spending
from drivetrain.decisions.rounding import number
from drivetrain.figures.look import LIGHT, Look, figure, folded

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def spending(told: Spending, look: Look = LIGHT) -> Figure:
    """Each lever's share of spend beside its share of effect, and its ROI.

    Args:
        told: from `assembly.spending`.
        look: the theme.
    """
    names = [folded(each.lever) for each in told.each]
    out = figure(look, x="share of the whole", height=120 + 60 * len(names))
    shares = (
        ("share of spend", [each.spend_share for each in told.each], {"color": look.faint(look.other, 0.7)}),
        ("share of effect", [each.effect_share for each in told.each], {"color": look.strong}),
    )
    for label, values, marker in shares:
        said = [f"{value:.0%}" for value in values]
        if label == "share of effect":
            known = [each.roi for each in told.each]
            said = [
                word if roi is None else f"{word}, ROI {number(roi.value)}"
                for word, roi in zip(said, known, strict=True)
            ]
        out.add_bar(
            orientation="h",
            y=names,
            x=values,
            name=label,
            marker={**marker, "line": {"width": 0}},
            text=said,
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.1%}<extra>" + label + "</extra>",
        )
    ends = [0.0, *(value for _, values, _ in shares for value in values)]
    out.update_layout(barmode="group", bargap=0.35, bargroupgap=0.1)
    out.update_xaxes(tickformat=".0%", range=[min(ends) * 1.2, max(ends) * 1.25])
    return out.update_yaxes(autorange="reversed", showgrid=False, tickfont={"color": look.ink})

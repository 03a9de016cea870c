"""Trade-offs: what a limit costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.assembly import Limited, Reach, Run, Tradeoff
from drivetrain.assembly.limitable import FILLED
from drivetrain.figures.look import LIGHT, Look, band, figure, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def reach(told: Reach, curve: Tradeoff, look: Look = LIGHT, at: Limited | None = None) -> Figure:
    """The least effort for one row against a target, with the models' spread.

    Args:
        told: from `assembly.reaching`.
        curve: its `curve()`.
        look: the theme.
        at: a target, to be marked.
    """
    side = "at most" if told.upper else "at least"
    each = "" if told.unit.startswith("share") or " per " in told.unit else " for one row"
    across = with_unit(f"{plain(told.of)}, {side}", plain(curve.constraint.unit))
    out = figure(look, x=across, y=with_unit(f"least {plain(told.effort)}{each}", plain(told.unit)), height=380)
    x = [point.bound or 0.0 for point in curve.points]
    name = "least that reaches it, models' spread"
    low, high = ([getattr(point.value, end) for point in curve.points] for end in ("low", "high"))
    out.add_scatter(**band(look, look.strong, x, low, high, name), showlegend=False)
    out.add_scatter(
        x=x,
        y=[point.value.value for point in curve.points],
        mode="lines+markers",
        line={"color": look.strong, "width": 3},
        marker={"size": 8},
        name=name,
        legendgroup=name,
        hovertemplate="%{x:.4g} takes %{y:.4g}<extra></extra>",
    )
    _marked(out, at, "your target", look)
    return out


def limit(run: Run, told: Tradeoff, look: Look = LIGHT, at: Limited | None = None) -> Figure:
    """The objective for one row against a bound, with the models' spread; the end without the bound marked.

    Args:
        run: where it came from.
        told: from `assembly.Limits.tradeoff`.
        look: the theme.
        at: one more bound, to be marked.
    """
    each = told.constraint
    what = each.formula.text if each.name != FILLED else FILLED.replace("_", " ")
    words = f"{each.over} of {what}, {'at most' if told.upper else 'at least'}"
    out = figure(
        look,
        x=with_unit(plain(words), plain(each.unit)),
        y=with_unit("expected value for one row", plain(run.scenario.objective.unit)),
        height=380,
    )
    x = [point.bound or 0.0 for point in told.points]
    name = "best settings under the limit, models' spread"
    low, high = ([getattr(point.value, end) for point in told.points] for end in ("low", "high"))
    out.add_scatter(**band(look, look.strong, x, low, high, name), showlegend=False)
    out.add_scatter(
        x=x,
        y=[point.value.value for point in told.points],
        mode="lines+markers",
        line={"color": look.strong, "width": 3},
        marker={"size": 8},
        name=name,
        legendgroup=name,
        hovertemplate="limit %{x:.4g}: %{y:.3g}<extra></extra>",
    )
    out.add_scatter(
        x=[told.free.used],
        y=[told.free.value.value],
        mode="markers",
        marker={"symbol": "diamond", "size": 13, "color": look.paper, "line": {"color": look.other, "width": 3}},
        name="without the limit",
        hovertemplate="without the limit: %{y:.3g}<extra></extra>",
    )
    _marked(out, at, "your limit", look)
    return out


def _marked(out: Figure, at: Limited | None, name: str, look: Look) -> None:
    if at is not None:
        out.add_scatter(
            x=[at.bound],
            y=[at.value.value],
            mode="markers",
            marker={"symbol": "circle", "size": 15, "color": look.model},
            name=name,
            hovertemplate=name + " %{x:.4g}: %{y:.3g}<extra></extra>",
        )

"""What is given up for what: the front between two objectives, and the objective against a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivetrain.assembly import Run
from drivetrain.figures.look import LIGHT, Look, figure, plain, upright, with_unit
from drivetrain.optimizer import Front, Frontier, Goal

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def pareto(found: Front, look: Look = LIGHT, across: int = 1, upright: int = 0) -> Figure:
    """The front, seen from two of its objectives; what the others come to stands beside each point.

    Args:
        found: from `Run.pareto`.
        look: the theme.
        across: the place of the objective across.
        upright: the place of the upright one.
    """
    x, y = found.goals[across], found.goals[upright]
    out = figure(look, x=_axis(x), y=_axis(y), height=400)
    names = "<br>".join(f"{plain(goal.name)} %{{customdata[{k}]:.4g}}" for k, goal in enumerate(found.goals))
    order = found.values[:, across].argsort()
    out.add_scatter(
        x=found.values[order, across],
        y=found.values[order, upright],
        customdata=found.values[order],
        mode="lines+markers" if len(found.goals) == 2 else "markers",
        line={"color": look.faint(look.strong, 0.5), "width": 1.5},
        marker={"color": look.strong, "size": 9},
        name="as the models expect",
        hovertemplate=names + "<extra></extra>",
    )
    return out


def frontier(run: Run, found: Frontier, look: Look = LIGHT) -> Figure:
    """The objective's best value at each bound, the scenario's own bound marked.

    Args:
        run: where it came from.
        found: from `Run.frontier`.
        look: the theme.
    """
    declared = next(each for each in run.scenario.constraints if each.name == found.constraint)
    title = f"{plain(found.constraint)}, {found.side.replace('_', ' ')}"
    y = with_unit("objective", plain(run.scenario.objective.unit))
    out = figure(look, x=with_unit(title, plain(declared.unit)), y=y, height=400)
    out.add_scatter(
        x=found.bounds,
        y=found.values,
        customdata=found.prices,
        mode="lines+markers",
        line={"color": look.strong, "width": 2.5},
        marker={"color": look.strong, "size": 6},
        name="best value, as the models expect",
        hovertemplate="bound %{x:.4g}: %{y:.4g}<br>one more unit is worth %{customdata:.3g}<extra></extra>",
    )
    upright(out, found.declared, {"color": look.other, "width": 2, "dash": "dot"})
    out.add_annotation(
        x=found.declared, y=0, yref="paper", yanchor="bottom", xanchor="left", xshift=6, showarrow=False,
        text="as declared", font={"color": look.other, "size": 13},
    )  # fmt: skip
    return out


def fairness(run: Run, look: Look = LIGHT) -> list[Figure]:
    """For each bounded gap between groups: the objective as models expect it against how far apart groups may be.

    Args:
        run: whose record tells the prices of gaps.
        look: the theme.
    """
    told: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for each in (run.record.get("fairness") or {}).get("prices", []):
        told.setdefault((each["of"], each["by"]), []).append((each["gap"], each["objective"]))
    declared = {(str(each.of), each.by): each.at_most for each in run.scenario.bounded_fairness}
    return [_fair(run, *key, sorted(pairs), declared.get(key), look) for key, pairs in told.items() if len(pairs) > 1]


def _fair(run: Run, of: str, by: str, pairs: list[tuple[float, float]], declared: float | None, look: Look) -> Figure:
    x = f"gap in {plain(of)} between groups by {plain(by)}, at most"
    out = figure(look, x=x, y=with_unit("expected value for one row", plain(run.scenario.objective.unit)), height=340)
    out.add_scatter(
        x=[gap for gap, _ in pairs],
        y=[value for _, value in pairs],
        mode="lines+markers",
        line={"color": look.strong, "width": 3},
        marker={"size": 9, "color": look.strong},
        name="best settings with such a gap",
        hovertemplate="gap %{x:.3g}: %{y:.4g}<extra></extra>",
        showlegend=False,
    )
    if declared is not None:
        upright(out, declared, {"color": look.other, "width": 2, "dash": "dot"})
        out.add_annotation(
            x=declared, y=0, yref="paper", yanchor="bottom", xanchor="left", xshift=6, showarrow=False,
            text="as declared", font={"color": look.other, "size": 13},
        )  # fmt: skip
    return out


def _axis(goal: Goal) -> str:
    more = "more is better" if goal.sign > 0 else "less is better"
    return f"{with_unit(plain(goal.name), plain(goal.unit))}: {more}"

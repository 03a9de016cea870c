"""What the evidence rests on, drawn: both learners' curves, overlap, and the balance of inputs."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from drivetrain.evidence import Evidence
from drivetrain.evidence.overlap import STEPS
from drivetrain.figures.look import LIGHT, Look, band, figure, plain, with_unit
from drivetrain.figures.options import Options
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_INPUTS = 20


def learners(scenario: Scenario, evidence: Evidence, lever: str, look: Look = LIGHT) -> Figure | None:
    """The objective along a lever by outcome models, and by the orthogonal learner with its 95% interval.

    Args:
        scenario: names and units.
        evidence: the curves.
        lever: the lever.
        look: the theme.

    Returns:
        None where there are no two points to compare.
    """
    points = [] if evidence.trust is None else [each for each in evidence.trust.curves if each.lever == lever]
    if len(points) < 2:
        return None
    declared = scenario.levers[lever]
    titles = with_unit(plain(lever), plain(declared.unit)), plain(scenario.objective.unit)
    name = "orthogonal learner, 95% interval"
    if declared.kind in {"categorical", "yes_no"}:
        board = Options.of(declared, {each.setting: each.modelled for each in points}, titles, look)
        board.intervals({each.setting: each.orthogonal for each in points}, name)
        board.diamonds({each.setting: each.modelled for each in points}, "outcome models")
        return board.out
    out = figure(look, x=titles[0], y=titles[1], height=360)
    low, high = ([getattr(each.orthogonal, end) for each in points] for end in ("low", "high"))
    value, modelled = [each.orthogonal.value for each in points], [each.modelled for each in points]
    models = {"name": "outcome models", "hovertemplate": "outcome models: %{y:.3g}<extra></extra>"}
    hover = "orthogonal: %{y:.3g}<extra></extra>"
    xs = [each.setting for each in points]
    out.add_scatter(**band(look, look.strong, xs, low, high, name), showlegend=False)
    line = {"color": look.strong, "width": 3}
    out.add_scatter(x=xs, y=value, mode="lines", line=line, name=name, legendgroup=name, hovertemplate=hover)
    dashed = {"color": look.model, "width": 2, "dash": "dash"}
    return out.add_scatter(x=xs, y=modelled, mode="lines", line=dashed, **models)


def chances(evidence: Evidence, look: Look = LIGHT) -> Figure | None:
    """How likely rows were to get what is recommended, as a share of how likely all rows together were.

    Args:
        evidence: the overlap.
        look: the theme.

    Returns:
        None where only the chance of each row's own setting is known.
    """
    if evidence.trust is None or not evidence.trust.overlap.histogram:
        return None
    counts = evidence.trust.overlap.histogram
    ends = [f"{a:g} to {b:g}" for a, b in pairwise(STEPS)] + [f"above {STEPS[-1]:g}"]
    out = figure(look, x="chance of the recommended setting, against that of all rows together", y="rows", height=300)
    colours = [look.model if start < 0.1 else look.strong for start in STEPS]
    bar = "%{x}: %{y:,} rows<extra></extra>"
    out.add_bar(x=ends, y=counts, marker={"color": colours}, hovertemplate=bar, showlegend=False)
    return out.update_xaxes(categoryorder="array", categoryarray=ends)


def balance(evidence: Evidence, look: Look = LIGHT) -> Figure | None:
    """How unlike all rows those are that speak for the recommended policy, input by input, before and after weighing.

    Args:
        evidence: the balance.
        look: the theme.

    Returns:
        None where there are no inputs.
    """
    if evidence.trust is None or not evidence.trust.overlap.balance:
        return None
    shown = sorted(evidence.trust.overlap.balance, key=lambda each: each.before)[-MOST_INPUTS:]
    names = [plain(each.input) for each in shown]
    out = figure(look, x="standard deviations from all rows", height=110 + 26 * len(shown))
    hollow = {"size": 10, "color": look.paper, "line": {"color": look.other, "width": 2}}
    told = "%{y}: %{x:.2f}<extra></extra>"
    out.add_scatter(
        x=[each.before for each in shown],
        y=names,
        mode="markers",
        marker=hollow,
        name="as they are",
        hovertemplate=told,
    )
    out.add_scatter(
        x=[each.after for each in shown],
        y=names,
        mode="markers",
        marker={"size": 11, "color": look.strong},
        name="as weighed",
        hovertemplate=told,
    )
    out.add_vline(x=0.1, line={"color": look.quiet, "width": 1, "dash": "dot"})
    return out.update_xaxes(rangemode="tozero")

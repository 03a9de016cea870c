"""The tree of groups as a figure: questions from left to right, and what each group gets."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

from drivetrain.decisions.groups import groups, question
from drivetrain.evidence import Evidence, Tree
from drivetrain.figures.look import LIGHT, Look, figure
from drivetrain.scenario import Scenario

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

ROW = 84
QUESTION, GROUP = 16, 26
"""Signs on a line of either box."""


def tree(scenario: Scenario, evidence: Evidence, look: Look = LIGHT) -> Figure | None:
    """The questions that lead to each group, with its setting and its share of rows; None where there is no tree.

    Args:
        scenario: names and units.
        evidence: the tree.
        look: the theme.
    """
    if (grown := evidence.tree) is None:
        return None
    places = _places(grown)
    out = figure(look, height=90 + ROW * len(grown.leaves))
    out.update_xaxes(visible=False, range=[-0.5, max(x for x, _ in places.values()) + 0.6])
    out.update_yaxes(visible=False, range=[-0.7, len(grown.leaves) - 0.3])
    for place, node in enumerate(grown.nodes):
        for child, answer in ((node.yes, "yes"), (node.no, "no")) if node.input else ():
            _line(out, places[place], places[child], answer, look)
    told = dict(zip(grown.leaves, groups(scenario, evidence), strict=True))
    for place, (x, y) in places.items():
        leaf = place in told
        words = f"{told[place].gets}, {told[place].share:.0%} of rows" if leaf else question(scenario, grown, place)
        out.add_annotation(
            x=x,
            y=y,
            text="<br>".join(wrap(words, GROUP if leaf else QUESTION)),
            showarrow=False,
            bgcolor=look.strong if leaf else look.paper,
            bordercolor=look.strong if leaf else look.other,
            borderpad=6,
            font={"color": look.paper if leaf else look.ink, "size": 13},
        )
    return out


def _line(out: Figure, start: tuple[float, float], end: tuple[float, float], answer: str, look: Look) -> None:
    (x0, y0), (x1, y1) = start, end
    out.add_scatter(
        x=[x0, (x0 + x1) / 2, x1],
        y=[y0, (y0 + y1) / 2, y1],
        mode="lines+text",
        line={"color": look.other, "width": 2},
        text=["", answer, ""],
        textposition="top center",
        hoverinfo="skip",
        showlegend=False,
    )


def _places(grown: Tree) -> dict[int, tuple[float, float]]:
    """Node → its place: questions one step to the right of those before, groups under one another."""
    out: dict[int, tuple[float, float]] = {}
    height = iter(range(len(grown.leaves) - 1, -1, -1))

    def walk(place: int, depth: int) -> float:
        node = grown.nodes[place]
        y = (walk(node.yes, depth + 1) + walk(node.no, depth + 1)) / 2 if node.input else float(next(height))
        out[place] = (float(depth), y)
        return y

    walk(0, 0)
    return out

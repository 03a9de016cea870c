"""How figures look: colours that the colour-blind can tell apart, on light and on dark, with nothing for show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FONT = "'Source Sans', 'Source Sans 3', system-ui, -apple-system, 'Segoe UI', sans-serif"


ACROSS, UPRIGHT = 44, 46
"""Signs that an axis title has room for on one line, on a screen as narrow as a phone's."""


ROOM = 44
"""Pixels right of a figure whose labels stand beyond its bars, on a phone too."""


@dataclass(frozen=True)
class Look:
    """The colours of one theme; backgrounds are always transparent."""

    ink: str
    """Text."""
    quiet: str
    """Axis labels and things beside the point."""
    rule: str
    """Grid lines."""
    strong: str
    """What is recommended, and the honest value."""
    other: str
    """What it is compared with."""
    model: str
    """What models alone expect."""
    good: str
    """Settings about as good as the best."""
    paper: str
    """What lies behind the figure, for the inside of hollow marks."""

    def faint(self, colour: str, share: float = 0.18) -> str:
        """A colour let through so much."""
        red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
        return f"rgba({red},{green},{blue},{share})"


LIGHT = Look("#1d2530", "#5b6675", "#e3e7ec", "#0067a8", "#6b7685", "#c75000", "#007a58", "#ffffff")
DARK = Look("#e8ecf1", "#a3adba", "#333b47", "#5ab4f0", "#98a3b1", "#f0a04b", "#35c79a", "#0e1117")


def figure(look: Look, *, x: str = "", y: str = "", height: int = 340) -> Figure:
    """An empty figure with axes named and nothing else.

    Args:
        look: the theme.
        x: what the axis across says, unit included.
        y: what the upright axis says, unit included.
        height: in pixels.
    """
    import plotly.graph_objects as go

    layout = {**_layout(look), "height": height}
    layout["xaxis"] = {**layout["xaxis"], "title": {**layout["xaxis"]["title"], "text": _titled(x, ACROSS)}}
    layout["yaxis"] = {**layout["yaxis"], "title": {**layout["yaxis"]["title"], "text": _titled(y, UPRIGHT)}}
    return go.Figure(layout=layout)


def _titled(text: str, width: int) -> str:
    """An axis title on as many lines as it takes: plotly folds none."""
    from textwrap import wrap

    return "<br>".join(wrap(text, width, break_long_words=False, break_on_hyphens=False))


def _layout(look: Look) -> dict[str, Any]:
    axis = {
        "showline": False,
        "zeroline": False,
        "gridcolor": look.rule,
        "tickfont": {"color": look.quiet, "size": 13},
        "title": {"font": {"color": look.quiet, "size": 13}, "standoff": 12},
        "automargin": True,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": "rgba(0,0,0,0)",
        "fixedrange": True,
        "separatethousands": True,
        "exponentformat": "none",
    }
    return {
        "template": "none",
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "color": look.ink, "size": 14},
        "margin": {"l": 8, "r": 16, "t": 36, "b": 8},
        "xaxis": axis,
        "yaxis": axis,
        "hoverlabel": {"font": {"family": FONT, "size": 13}},
        "hovermode": "closest",
        "dragmode": False,
        "bargap": 0.08,
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"color": look.ink, "size": 13}},
    }


def upright(out: Figure, at: float, line: dict[str, Any]) -> None:
    """A line across the whole height of a figure, behind nothing; plotly's own word for it takes ten times as long."""
    out.add_shape(type="line", x0=at, x1=at, y0=0, y1=1, xref="x", yref="y domain", line=line)


def with_unit(name: str, unit: str) -> str:
    """An axis title.

    >>> with_unit("price", "EUR"), with_unit("clicks", ""), with_unit("years", "years")
    ('price (EUR)', 'clicks', 'years')
    """
    return f"{name} ({unit})" if unit and unit != name else name


def plain(text: str) -> str:
    """Text of a scenario as a figure may hold it: plotly reads a little HTML, so its signs are put in entities."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def band(look: Look, colour: str, x: list[float], low: list[float], high: list[float], name: str) -> dict[str, Any]:
    """The trace of an interval band around a curve."""
    return {
        "x": [*x, *reversed(x)],
        "y": [*high, *reversed(low)],
        "fill": "toself",
        "fillcolor": look.faint(colour),
        "line": {"width": 0},
        "mode": "lines",
        "hoverinfo": "skip",
        "name": name,
        "legendgroup": name,
    }


def folded(text: str, width: int = 24) -> str:
    """A long label on several lines, its signs put in entities.

    >>> folded("a label of many words")
    'a label of many words'
    >>> folded("a label of so many words that it is folded", 20)
    'a label of so many<br>words that it is<br>folded'
    """
    from textwrap import wrap

    return "<br>".join(plain(line) for line in wrap(text, width)) or plain(text)

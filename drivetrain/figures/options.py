"""Values of options beside each other: a few stand upright, many lie under one another, the highest on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from drivetrain.decisions.rounding import setting
from drivetrain.evidence import Estimate
from drivetrain.figures.look import Look, figure, plain
from drivetrain.scenario import Lever

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

FEW = 6
"""So many stand upright; the names of more could not be read across."""
MOST = 24
"""So many have room under one another: of more, those with the highest values."""
WIDE = 4
"""The room across is for so many, so that two do not stand at its ends."""


@dataclass(frozen=True)
class Options:
    """A figure with a place for each option."""

    out: Figure
    look: Look
    names: Mapping[float, str]
    """Code → what it is called."""

    @classmethod
    def of(cls, lever: Lever, values: Mapping[float, float], titles: tuple[str, str], look: Look) -> Self:
        """An empty one for a lever: see `named`."""
        return cls.named({code: plain(setting(lever, code)) for code in values}, values, titles, look)

    @classmethod
    def named(
        cls, names: Mapping[float, str], values: Mapping[float, float], titles: tuple[str, str], look: Look
    ) -> Self:
        """An empty one.

        Args:
            names: code → what it is called, as figures may hold it.
            values: code → what orders them.
            titles: across, and of what is shown.
            look: the theme.
        """
        shown = sorted(values, key=lambda code: values[code])[-MOST:]
        if len(names) <= FEW:
            out = figure(look, x=titles[0], y=titles[1], height=340)
            spare = max(0.0, (WIDE - len(names)) / 2)
            out.update_xaxes(type="category", range=[-0.5 - spare, len(names) - 0.5 + spare], showgrid=False)
        else:
            told = f", the {MOST} highest of {len(names):,}" if len(names) > MOST else ""
            out = figure(look, x=f"{titles[1]}{told}", height=110 + 28 * len(shown))
            ranked = [names[code] for code in shown]
            out.update_yaxes(type="category", categoryorder="array", categoryarray=ranked)
            out.update_yaxes(range=[-0.7, len(ranked) - 0.3], tickfont={"color": look.ink})
        kept = set(shown)
        return cls(out, look, {code: name for code, name in names.items() if code in kept})

    @property
    def lying(self) -> bool:
        """Whether they lie under one another."""
        return len(self.names) > FEW

    def intervals(self, values: Mapping[float, Estimate], name: str, known: Mapping[float, bool] | None = None) -> None:
        """A mark with its interval for each; faint where the data cannot speak for it."""
        values = {code: each for code, each in values.items() if code in self.names}
        look, seen = self.look, known or dict.fromkeys(values, True)
        colours = [look.strong if seen[code] else look.faint(look.quiet, 0.6) for code in values]
        reach = {"array": [each.high - each.value for each in values.values()], "color": look.strong, "width": 0}
        self.out.add_scatter(
            **self._at([self.names[code] for code in values], [each.value for each in values.values()]),
            **{"error_x" if self.lying else "error_y": {**reach, "thickness": 3}},
            mode="markers",
            marker={"size": 13, "color": colours},
            name=name,
            showlegend=True,
            hovertemplate=self._hover(""),
        )

    def diamonds(self, values: Mapping[float, float], name: str) -> None:
        """A hollow mark for each, for what is only expected."""
        values = {code: each for code, each in values.items() if code in self.names}
        marker = {"symbol": "diamond", "size": 10, "color": self.look.paper}
        self.out.add_scatter(
            **self._at([self.names[code] for code in values], list(values.values())),
            mode="markers",
            marker={**marker, "line": {"color": self.look.model, "width": 2}},
            name=name,
            hovertemplate=self._hover(f"{name}, "),
        )

    def single(self, lines: NDArray[np.float64]) -> None:
        """A thin line for each of some rows [R, options shown], all of them one trace."""
        gap = np.full((len(lines), 1), np.nan)
        self.out.add_scatter(
            **self._at([*self.names.values(), None] * len(lines), np.hstack([lines, gap]).ravel().round(6)),
            mode="lines",
            line={"color": self.look.faint(self.look.other, 0.45), "width": 1},
            name=f"{len(lines)} single rows",
            hoverinfo="skip",
        )

    def mark(self, code: float, label: str, colour: str, line: int = 0) -> None:
        """Say what one of them is; `line` keeps labels apart that stand upright. What has no room is not marked."""
        if code not in self.names:
            return
        text = {"showarrow": False, "font": {"color": colour, "size": 13}}
        if self.lying:
            self._room_beside()
            about = {"x": 1.0, "xref": "paper", "xanchor": "right", "y": self.names[code]}
            self.out.add_annotation(**about, text=f"◂ {label}", bgcolor=self.look.paper, opacity=0.9, **text)
            return
        self._room_above()
        about = {"x": self.names[code], "y": 1.0 - 0.085 * line, "yref": "paper", "yanchor": "top"}
        self.out.add_annotation(**about, text=f"▾ {label}", **text)

    def _room_above(self) -> None:
        """So that no label lies on an interval."""
        if not self._roomy:
            low, high = self._reach("y")
            top = high + 0.3 * ((high - low) or abs(high) or 1.0)
            self._unseen(x=[next(iter(self.names.values()))], y=[top])

    def _room_beside(self) -> None:
        """The same where options lie under one another, and labels at their right."""
        if not self._roomy:
            low, high = self._reach("x")
            self._unseen(x=[high + 0.15 * ((high - low) or abs(high) or 1.0)], y=[next(iter(self.names.values()))])

    @property
    def _roomy(self) -> bool:
        return any(trace.name == "room" for trace in self.out.data)

    def _unseen(self, **at: Any) -> None:
        about = {"mode": "markers", "marker": {"opacity": 0}, "hoverinfo": "skip", "showlegend": False, "name": "room"}
        self.out.add_scatter(**at, **about)

    def _reach(self, axis: str) -> tuple[float, float]:
        """Where what is drawn along an axis begins and ends."""
        ends = []
        for trace in self.out.data:
            values, reach = np.array(trace[axis], dtype=np.float64), trace[f"error_{axis}"].array
            ends += [*(values if reach is None else np.concatenate([values - reach, values + reach]))]
        return float(np.nanmin(ends)), float(np.nanmax(ends))

    def _at(self, names: Sequence[str | None], values: Any) -> dict[str, Any]:
        return {"x": values, "y": names} if self.lying else {"x": names, "y": values}

    def _hover(self, head: str) -> str:
        name, value = ("y", "x") if self.lying else ("x", "y")
        return f"{head}%{{{name}}}: %{{{value}:.3g}}<extra></extra>"

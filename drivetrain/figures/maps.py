"""Two levers at once: what models expect, as a map that is darker where it is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from drivetrain.assembly import Run, Surface
from drivetrain.decisions.rounding import setting
from drivetrain.figures.curves import unit_of
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit
from drivetrain.scenario import Lever

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def surface(
    run: Run, answer: Surface, of: str, look: Look = LIGHT, at: Mapping[str, tuple[float, float]] | None = None
) -> Figure:
    """The objective, or an outcome, over two levers; pairs that the data has not seen are left blank.

    Args:
        run: where the answer came from.
        answer: the map, from `assembly.surface`.
        of: `objective` or an outcome.
        look: the theme.
        at: pairs of settings (across, up) to mark, by their label.
    """
    across, up = run.scenario.levers[answer.across], run.scenario.levers[answer.up]
    x, y = _axis(across, answer.columns), _axis(up, answer.rows)
    out = figure(
        look,
        x=with_unit(plain(answer.across), plain(across.unit)),
        y=with_unit(plain(answer.up), plain(up.unit)),
        height=430,
    )
    minimised = of == "objective" and run.scenario.objective.sign < 0
    title = with_unit(plain(of), plain(unit_of(run, of)))
    out.add_heatmap(
        x=x,
        y=y,
        z=np.where(answer.supported, answer.values[of], np.nan),
        colorscale=_scale(look, minimised),
        colorbar={"title": {"text": title, "side": "right", "font": {"size": 13}}, "thickness": 12, "outlinewidth": 0},
        hovertemplate=f"{plain(answer.across)} %{{x}}, {plain(answer.up)} %{{y}}: %{{z:.3g}}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
    )
    for place, (label, (first, second)) in enumerate((at or {}).items()):
        out.add_scatter(
            x=[_at(across, first)],
            y=[_at(up, second)],
            mode="markers",
            marker={
                "symbol": ("circle", "diamond", "square")[place % 3],
                "size": (22, 11, 15)[place % 3],  # where two stand in one place, both can be seen
                "color": look.paper,
                "line": {"color": look.ink, "width": 3},
            },
            name=plain(label),
            hovertemplate=plain(label) + "<extra></extra>",
            showlegend=True,
        )
    out.update_xaxes(showgrid=False).update_yaxes(showgrid=False)
    return out


def _axis(lever: Lever, values: Any) -> list[Any]:
    return [_at(lever, value) for value in values]


def _at(lever: Lever, value: float) -> Any:
    """Numbers as they are; options in words."""
    if lever.kind in {"continuous", "integer"}:
        return float(value)
    return plain(setting(lever, value))


def _scale(look: Look, reverse: bool) -> list[list[Any]]:
    """One hue from the paper to the strong colour, so that it reads without colour too."""
    ends = [look.faint(look.strong, 0.06), look.faint(look.strong, 0.5), look.strong]
    steps = zip((0.0, 0.5, 1.0), reversed(ends) if reverse else ends, strict=True)
    return [[at, colour] for at, colour in steps]

"""How well models predict: the contest on rows they have not seen, and calibration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from drivetrain.evidence import Estimate
from drivetrain.figures.look import LIGHT, Look, figure, plain, with_unit

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MODELS = {
    "two_tower": "two-tower network",
    "joint": "joint network",
    "common": "one common response",
    "constant": "a constant",
    "linear": "a linear model",
    "boosting": "gradient boosting",
    "dot": "factors and their product",
    "neural": "a network over factors",
}
"""Every model of the contest, in words."""


def judged(told: Mapping[str, Any]) -> str:
    """What the contest was held on, and who could not take part for a declared effect, in sentences.

    Args:
        told: the outcome's entry in the record's `contest`.
    """
    said = f"Judged on {told['rows']:,} rows, each by models that had not seen it."
    if effects := told.get("effects"):
        shapes = "; ".join(f"that of {lever} is {word.replace('_', ' and ')}" for lever, word in effects.items())
        said += f" Effects held as declared: {shapes}."
    if without := [MODELS.get(kind, kind) for kind in told.get("without") or {}]:
        said += f" The {', the '.join(without)} cannot hold them, and did not compete."
    return said


def contest(outcome: str, told: Mapping[str, Any], look: Look = LIGHT) -> Figure:
    """Held-out loss of every model: the mean over folds, and each fold; less is better.

    Args:
        outcome: whose models they are.
        told: the outcome's entry in the record's `contest`.
        look: the theme.
    """
    ranked = sorted(told["entries"], key=lambda entry: -entry["loss"])
    names = [_label(entry["name"], told["chosen"]) for entry in ranked]
    out = figure(look, x=f"{told['loss_name']}, less is better", height=100 + 42 * len(ranked))
    out.add_scatter(
        x=[loss for entry in ranked for loss in entry["loss_by_fold"]],
        y=[name for name, entry in zip(names, ranked, strict=True) for _ in entry["loss_by_fold"]],
        mode="markers",
        marker={"size": 9, "color": look.faint(look.other, 0.4)},
        name="each fold",
        hovertemplate="%{x:.4f}<extra></extra>",
    )
    out.add_scatter(
        x=[entry["loss"] for entry in ranked],
        y=names,
        mode="markers",
        marker={
            "size": 14,
            "color": [look.strong if entry["name"] == told["chosen"] else look.other for entry in ranked],
        },
        name="all folds",
        hovertemplate=plain(outcome) + ": %{x:.4f}<extra></extra>",
    )
    out.update_yaxes(categoryorder="array", categoryarray=names, showgrid=False, tickfont={"color": look.ink})
    return out


def calibration(outcome: str, told: Mapping[str, Any], unit: str = "", look: Look = LIGHT) -> Figure:
    """What the chosen model predicted, in groups of rows not seen, against what came of them.

    Args:
        outcome: whose model it is.
        told: the outcome's entry in the record's `contest`.
        unit: the outcome's unit; `share` of yes where it is binary.
        look: the theme.
    """
    groups = told["calibration"]
    out = figure(look, x=with_unit("predicted", plain(unit)), y=with_unit("observed", plain(unit)), height=380)
    reach = [Estimate(g["observed"], g["error"]) for g in groups]
    ends = [g["predicted"] for g in groups] + [e.low for e in reach] + [e.high for e in reach]
    line = [min(ends, default=0), max(ends, default=1)]
    out.add_scatter(
        x=line, y=line, mode="lines", line={"color": look.other, "dash": "dot"}, name="as predicted", hoverinfo="skip"
    )
    out.add_scatter(
        x=[g["predicted"] for g in groups],
        y=[g["observed"] for g in groups],
        customdata=[g["rows"] for g in groups],
        error_y={"array": [e.high - e.value for e in reach], "color": look.strong, "thickness": 2, "width": 0},
        mode="markers",
        marker={"size": 10, "color": look.strong},
        name=f"{plain(outcome)}, 95% interval",
        hovertemplate="predicted %{x:.3g}, observed %{y:.3g} (%{customdata} rows)<extra></extra>",
    )
    return out


def _label(name: str, chosen: str) -> str:
    words = " and ".join(MODELS.get(each, plain(each)) for each in name.split(" + "))
    return f"<b>{words}</b> (chosen)" if name == chosen else words

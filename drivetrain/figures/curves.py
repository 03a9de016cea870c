"""Curves along one lever: what single settings are honestly worth, and what models expect of outcomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from drivetrain.assembly import Dependence, Response, Run
from drivetrain.decisions.rounding import known, setting
from drivetrain.evidence import Estimate
from drivetrain.figures.look import LIGHT, Look, band, figure, plain, upright, with_unit
from drivetrain.figures.options import Options
from drivetrain.figures.seen import bars, counted, stacked
from drivetrain.scenario import Lever

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def value_curve(run: Run, lever: str, look: Look = LIGHT) -> Figure | None:
    """What one setting for everyone is worth along a lever: doubly robust with its band, and by models alone.

    Behind it: how often the data shows each setting, and the settings about as good as the best.

    Args:
        run: a whole run.
        lever: the lever.
        look: the theme.

    Returns:
        None where the data speaks for no setting that differs in this lever alone.
    """
    declared, evidence = run.scenario.levers[lever], run.judged
    points = [point for point in evidence.curve if point.lever == lever]
    if not points:
        return None
    titles = with_unit(plain(lever), plain(declared.unit)), plain(run.scenario.objective.unit)
    if declared.kind in {"categorical", "yes_no"}:
        board = Options.of(declared, {point.setting: point.estimate.value for point in points}, titles, look)
        board.intervals({point.setting: point.estimate for point in points}, "honest value, 95% interval")
        board.diamonds({point.setting: point.modelled for point in points}, "what the models expect")
        return board.out
    out = figure(look, x=titles[0], y=titles[1], height=400)
    apart = _apart(run, lever)
    runs = [point for point in points if point.setting != apart]
    _interval_curve(out, [p.setting for p in runs], [p.estimate for p in runs], look, "honest value, 95% interval")
    out.add_scatter(
        x=[point.setting for point in runs],
        y=[point.modelled for point in runs],
        mode="lines",
        line={"color": look.model, "width": 2, "dash": "dash"},
        name="what the models expect",
        hovertemplate="models: %{y:.3g}<extra></extra>",
    )
    _alone(out, [(p.setting, p.estimate) for p in points if p.setting == apart], declared, look)
    _seen(out, run, lever, look)
    _near(out, run, lever, look)
    if evidence.recommended == "single":
        _mark(out, declared, evidence.single[run.scenario.space.names.index(lever)], "recommended", look.strong, look)
    return out


def response(
    run: Run,
    answer: Response,
    of: str,
    look: Look = LIGHT,
    at: Mapping[str, float | Sequence[float]] | None = None,
    *,
    each: bool = False,
) -> Figure:
    """What models expect of an outcome, or of the objective, along a lever; drawn thin beyond what the data has seen.

    Args:
        run: where the answer came from.
        answer: the curve, from `Run.respond`.
        of: `objective` or an outcome.
        look: the theme.
        at: settings to mark, by their label; several options, where rows get several.
        each: whether single rows' curves lie behind their mean.
    """
    declared, estimates = run.scenario.levers[answer.lever], answer.estimates[of]
    titles = with_unit(plain(answer.lever), plain(declared.unit)), with_unit(plain(of), plain(unit_of(run, of)))
    if declared.kind in {"categorical", "yes_no"}:
        return _over_options(declared, answer, of, titles, look, at or {}, each=each)
    out = figure(look, x=titles[0], y=titles[1], height=380)
    apart = _apart(run, answer.lever)
    kept = [i for i, value in enumerate(answer.settings) if value != apart]
    xs, line = answer.settings[kept], [estimates[i] for i in kept]
    known = answer.supported[kept]
    if each:
        _single(out, xs.tolist(), answer.each[of][:, kept], look)
    out.add_scatter(
        x=xs,
        y=[estimate.value for estimate in line],
        mode="lines",
        line={"color": look.quiet, "width": 1.5, "dash": "dot"},
        name="beyond the data",
        hovertemplate="beyond the data: %{y:.3g}<extra></extra>",
        showlegend=False,  # the key of the band that it lies outside of says it
    )
    inside = [i for i, yes in enumerate(known) if yes]
    _interval_curve(out, xs[inside].tolist(), [line[i] for i in inside], look, "expected, with the models' spread")
    _alone(out, [(apart, estimates[i]) for i, v in enumerate(answer.settings) if v == apart], declared, look)
    _seen(out, run, answer.lever, look)
    _known(out, xs, known, look)
    for line_, (label, value) in enumerate((at or {}).items()):
        colour = look.strong if label == "what if" else look.other
        _mark(out, declared, float(np.ravel(value)[0]), label, colour, look, line_)
    return out


def dependence(run: Run, told: Dependence, of: str, look: Look = LIGHT, *, each: bool = False) -> Figure:
    """What models expect of an outcome, or of the objective, along an input, with the spread between members.

    Args:
        run: where it came from.
        told: from `assembly.dependence`.
        of: `objective` or an outcome.
        look: the theme.
        each: whether single rows' curves lie behind their mean.
    """
    declared, estimates = run.scenario.inputs[told.input], told.estimates[of]
    titles = with_unit(plain(told.input), plain(declared.unit)), with_unit(plain(of), plain(unit_of(run, of)))
    name = "expected, with the models' spread"
    if declared.kind != "numeric":
        codes = {float(place): known(value, declared.kind) for place, value in enumerate(told.values)}
        names = {code: plain(word) for code, word in codes.items()}
        pairs = dict(zip(codes, estimates, strict=True))
        board = Options.named(names, {code: each_.value for code, each_ in pairs.items()}, titles, look)
        board.intervals(pairs, name)
        if each:
            board.single(told.each[of])  # of so few options all are shown
        return board.out
    out = figure(look, x=titles[0], y=titles[1], height=380)
    xs = [float(value) for value in told.values]
    if each:
        _single(out, xs, told.each[of], look)
    _interval_curve(out, xs, estimates, look, name)
    stacked(out, bars(run.table.frame[told.input].to_numpy(dtype=np.float64)), look)
    return out


def _single(out: Figure, xs: Sequence[Any], lines: NDArray[np.float64], look: Look) -> None:
    """A thin line for each of some rows, all of them one trace."""
    gap = np.full((len(lines), 1), np.nan)
    out.add_scatter(
        x=[*xs, None] * len(lines),
        y=np.hstack([lines, gap]).ravel().round(6),
        mode="lines",
        line={"color": look.faint(look.other, 0.45), "width": 1},
        name=f"{len(lines)} single rows",
        hoverinfo="skip",
    )


def _over_options(
    lever: Lever,
    answer: Response,
    of: str,
    titles: tuple[str, str],
    look: Look,
    at: Mapping[str, float | Sequence[float]],
    *,
    each: bool,
) -> Figure:
    """The same for a lever with options."""
    pairs = dict(zip(answer.settings.tolist(), answer.estimates[of], strict=True))
    board = Options.of(lever, {code: estimate.value for code, estimate in pairs.items()}, titles, look)
    known = dict(zip(pairs, answer.supported.tolist(), strict=True))
    board.intervals(pairs, "expected, with the models' spread", known)
    if each:
        board.single(answer.each[of][:, [code in board.names for code in pairs]])
    for code in sorted({float(code) for codes in at.values() for code in np.ravel(codes)}):
        labels = [label for label, codes in at.items() if code in np.ravel(codes)]
        colour = look.strong if "what if" in labels else look.other
        board.mark(code, ", ".join(labels), colour, list(at).index(labels[0]))
    return board.out


def _known(out: Figure, xs: NDArray[np.float64], known: NDArray[np.bool_], look: Look) -> None:
    """The ranges in which the data has seen enough, as a band, where there are others."""
    if known.all() or not known.any():
        return
    edges = np.flatnonzero(np.diff(np.concatenate([[0], known.astype(int), [0]])))
    for first, last in zip(edges[::2], edges[1::2] - 1, strict=True):
        colour = look.faint(look.strong, 0.07)
        out.add_vrect(x0=xs[first], x1=xs[last], fillcolor=colour, line_width=0, layer="below")
    key = {"symbol": "square", "size": 12, "color": look.faint(look.strong, 0.2)}
    out.add_scatter(x=[None], y=[None], mode="markers", marker=key, name="where the data can speak")


def _interval_curve(out: Figure, x: Sequence[float], each: Sequence[Estimate], look: Look, name: str) -> None:
    xs = list(x)
    out.add_scatter(
        **band(look, look.strong, xs, [e.low for e in each], [e.high for e in each], name), showlegend=False
    )
    out.add_scatter(
        x=xs,
        y=[e.value for e in each],
        customdata=[[e.low, e.high] for e in each],
        mode="lines",
        line={"color": look.strong, "width": 3},
        name=name,
        legendgroup=name,
        hovertemplate="%{x:.3g}: %{y:.3g} (%{customdata[0]:.3g} to %{customdata[1]:.3g})<extra></extra>",
    )


def _alone(out: Figure, pairs: Sequence[tuple[float | None, Estimate]], lever: Lever, look: Look) -> None:
    """Doing nothing, where it is another thing than the smallest dose: a point of its own."""
    for value, estimate in pairs:
        if value is None:
            continue
        out.add_scatter(
            x=[value],
            y=[estimate.value],
            error_y={"array": [estimate.high - estimate.value], "color": look.other, "thickness": 3, "width": 0},
            mode="markers",
            marker={"size": 11, "color": look.other},
            name=f"doing nothing ({plain(setting(lever, value))})",
            hovertemplate="doing nothing: %{y:.3g}<extra></extra>",
        )


def _seen(out: Figure, run: Run, lever: str, look: Look) -> None:
    """How often the data shows each setting: a low histogram along the foot, on a hidden axis of its own."""
    stacked(out, counted(run.table, run.scenario.space.names.index(lever)), look)


def _near(out: Figure, run: Run, lever: str, look: Look) -> None:
    """The settings about as good as the best, where there is more than one."""
    low, high, _ = run.judged.near.get(lever, (0.0, 0.0, False))
    if high > low:
        colour = look.faint(look.good, 0.16)
        out.add_vrect(x0=low, x1=high, fillcolor=colour, line_width=0, layer="below")
        key = {"symbol": "square", "size": 12, "color": look.faint(look.good, 0.4)}
        out.add_scatter(x=[None], y=[None], mode="markers", marker=key, name="about as good as the best")


def _mark(out: Figure, lever: Lever, value: float, label: str, colour: str, look: Look, line: int = 0) -> None:
    """A setting marked by an upright line that says what it is; `line` from the top, so that labels keep apart."""
    upright(out, value, {"color": colour, "width": 2, "dash": "solid" if colour == look.strong else "dot"})
    middle = (lever.min + lever.max) / 2 if lever.kind in {"continuous", "integer"} else value
    side = "left" if value <= middle else "right"
    out.add_annotation(
        x=value,
        y=1.0,
        yshift=-22 * line,
        yref="paper",
        yanchor="top",
        xanchor=side,
        xshift=6 if side == "left" else -6,
        showarrow=False,
        text=f"{label} {plain(setting(lever, value))}",
        font={"color": colour, "size": 13},
        bgcolor=look.paper,
        borderpad=1,
    )


def _apart(run: Run, lever: str) -> float | None:
    return run.simulator.support.reach[run.scenario.space.names.index(lever)].apart


def unit_of(run: Run, of: str) -> str:
    """The unit of the objective or of an outcome."""
    if of == "objective":
        return run.scenario.objective.unit
    outcome = run.scenario.outcomes.get(of)
    if outcome is None or outcome.kind == "binary":
        return "probability"
    return outcome.unit

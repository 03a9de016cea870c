"""Compare: runs side by side, what they declare differently, how their models did; and what-ifs that were kept."""

from __future__ import annotations

from difflib import unified_diff
from itertools import combinations
from pathlib import Path

import pandas as pd
import streamlit as st
import target
import terms
import who
from drawing import LINKED, draw, empty, label, look, plain, table

import drivetrain as dt

MOST = 6


def show(chosen: Path | None) -> None:
    """The page."""
    st.title("Compare")
    known = {str(folder): folder for folder in target.runs()}
    if not known:
        empty("There is no run yet.", "Run a scenario on the Scenario page; a second one can then be set beside it.")
        target.to_scenario("Run a scenario")
        return
    first = str(chosen) if chosen is not None and str(chosen) in known else next(iter(known))
    units = {word: _declared_unit(str(folder), folder.stat().st_mtime_ns) for word, folder in known.items()}
    default = [first, *(word for word in known if word != first and units[word] == units[first])][:3]
    words = st.multiselect("Runs", list(known), default=default, max_selections=MOST, key="runs", **LINKED)
    if len(words) == 1 < len(known):
        st.caption("Choose another run to set it beside. At first those stand here whose objective has the same unit.")
    runs = {word: target.opened(known[word]) for word in words}
    runs = {word: run for word, run in runs.items() if run.evidence is not None}
    if not runs:
        empty("Nothing is chosen.", "Choose one run or more.")
    else:
        _values(runs)
        _lines(runs)
        _models(runs)
        _declared(runs)
    _kept({known[word].parent for word in known})


@st.cache_data(max_entries=512, show_spinner=False)
def _declared_unit(folder: str, _changed: int) -> str:
    """The unit of a run's objective, by its scenario alone: a run takes longer to open."""
    try:
        return dt.scenario.load(Path(folder, "scenario.yaml")).objective.unit
    except dt.DrivetrainError:
        return ""


def _values(runs: dict[str, dt.Run]) -> None:
    """The recommended policy of each, in the runs that have the same unit."""
    units: dict[str, list[str]] = {}
    for word, run in runs.items():
        units.setdefault(run.scenario.objective.unit, []).append(word)
    for place, (unit, words) in enumerate(units.items()):
        lines = [(word, runs[word].judged.chosen.estimate, True) for word in words]
        if not place:
            st.header("What each recommends is worth", help=terms.HONEST)
        if len(units) > 1:
            label(f"In {unit}" if unit else "Without a unit")
        draw(
            dt.figures.beside(lines, f"value of {dt.words.one(runs[words[0]].scenario)}", unit, look()),
            f"beside-{place}",
            "Value of each run",
        )
    if len(units) > 1:
        st.caption("Runs whose objectives have different units stand apart: their values cannot be compared.")


def _lines(runs: dict[str, dt.Run]) -> None:
    lines = []
    for word, run in runs.items():
        evidence, scenario = run.judged, run.scenario
        against = dt.words.reference(evidence)
        gain = evidence.gains.get(against) if against else None
        lines.append(
            {
                "run": word,
                "recommends": dt.words.action(scenario, evidence),
                "what to do": dt.words.stance(scenario, evidence).title,
                "value": dt.rounding.span(evidence.chosen.estimate, scenario.objective.unit),
                "gain": "–" if gain is None else dt.rounding.span(gain),
                "over": dt.words.policy(scenario, against) if against else "–",
                "evidence": dt.words.grounds(evidence)[0].lower(),
                "rows": f"{len(run.table):,}",
                "made": run.record["made"][:16].replace("T", " "),
            }
        )
    frame = pd.DataFrame(lines).set_index("run").astype(str).T
    st.table(frame.map(plain).rename(columns=plain), border="horizontal")


def _models(runs: dict[str, dt.Run]) -> None:
    """Held-out losses on the rows that two runs share."""
    if len(runs) < 2:
        return
    st.header("How their models did")
    lines, told = [], []
    for (one, first), (other, second) in combinations(runs.items(), 2):
        try:
            for each in dt.compare(first, second):
                clear = each.better.low > 0 or each.better.high < 0
                better = "within chance" if not clear else (other if each.better.value > 0 else one) + " is better"
                lines.append(
                    {
                        "outcome": each.outcome,
                        "first": one,
                        "second": other,
                        "loss": each.loss_name,
                        "first's": f"{each.first:.4f}",
                        "second's": f"{each.second:.4f}",
                        "so": better,
                        "rows both had": each.rows,
                    }
                )
        except dt.DrivetrainError as error:
            told.append(f"{one} and {other}: {error.faults[0].found}.")
    if lines:
        table(pd.DataFrame(lines), "Held-out losses of two runs on the rows that both had")
    if not lines and len(told) > 1:
        told = ["No two of these runs learned from the same data, so their models cannot be compared."]
    for line in told:
        st.caption(plain(line))


def _declared(runs: dict[str, dt.Run]) -> None:
    """What the scenarios say differently."""
    if len(runs) < 2:
        return
    st.header("What they declare differently")
    (one, first), *rest = runs.items()
    for other, second in rest:
        diff = list(
            unified_diff(
                first.scenario.text.splitlines(), second.scenario.text.splitlines(), one, other, lineterm="", n=1
            )
        )
        with st.expander(f"{plain(one)} and {plain(other)}: {'nothing' if not diff else 'the lines'}", expanded=False):
            if diff:
                st.code("\n".join(diff), language="diff")
            else:
                st.caption("Their scenario files are the same.")


def _kept(folders: set[Path]) -> None:
    """What-ifs that were kept on the Levers page."""
    st.header("What-ifs that were kept", help=terms.SPREAD)
    lines = [(folder, each) for folder in sorted(folders) for each in dt.what_ifs.kept(folder)]
    if not lines:
        empty("None was kept yet.", "Move levers on the Levers page, and keep what is worth a comparison.")
        return
    units = {each.run: _unit(folder / each.run) for folder, each in lines}
    for place, unit in enumerate(dict.fromkeys(units.values())):
        shown = [
            (f"{each.name} ({each.run})", each.estimate("objective"), each.supported)
            for _, each in lines
            if units[each.run] == unit
        ]
        draw(dt.figures.beside(shown, "models expect, for one row", unit, look()), f"kept-{place}", "Kept what-ifs")
    st.caption("Grey: beyond what the data has seen. Bars: the models' spread.")
    told = [
        {
            "name": each.name,
            "run": each.run,
            "what": each.question,
            **{of: dt.rounding.number(value) for of, (value, _) in each.estimates.items()},
            "ask again": f"levers?{each.link}",
        }
        for _, each in lines
    ]
    about = {"ask again": st.column_config.LinkColumn("ask again", display_text="open")}
    table(pd.DataFrame(told).fillna("–"), "Kept what-ifs, with links that ask them again", column_config=about)
    if who.only_looks("Removing them"):
        return
    names = [f"{each.name} ({each.run})" for _, each in lines]
    with st.popover("Remove one"):
        which = st.selectbox("Which", names, key="forget")
        if st.button("Remove it"):
            folder, each = lines[names.index(which)]
            dt.what_ifs.forget(folder, each.name, each.run)
            st.rerun()


def _unit(folder: Path) -> str:
    return target.opened(folder).scenario.objective.unit if target.whole(folder) else ""

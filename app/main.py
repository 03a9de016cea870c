"""The dashboard: opens a run or a scenario; shows what to decide and why, what levers do, the actions, what to trust.

    python -m streamlit run app/main.py -- RUN_FOLDER_OR_SCENARIO

All logic lives in `drivetrain`; these pages only ask and show.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any

import actions
import compare
import decision
import levers
import rows
import scenario
import streamlit as st
import target
import tradeoffs
import trust
import who
import why
from faults import guarded

import drivetrain as dt

PAGES = {
    "Decision": target.page(decision.show),
    "Why": target.page(why.show),
    "Levers": target.page(levers.show),
    "Trade-offs": target.page(tradeoffs.show),
    "Compare": target.free(compare.show),
    "Actions": target.page(actions.show),
    "Data": target.page(rows.show),
    "Trust": target.page(trust.show),
    "Scenario": target.free(scenario.show),
}


def main() -> None:
    """Choose what to look at, then show the page that was asked for."""
    st.set_page_config(page_title="Drivetrain", page_icon="🎯", layout="wide")
    pages = [
        st.Page(show, title=title, url_path=title.lower(), default=title == "Decision") for title, show in PAGES.items()
    ]
    current = st.navigation(pages, position="top")
    st.session_state["pages"] = dict(zip(PAGES, pages, strict=True))
    st.html("<style>" + STYLE + (DARK if st.context.theme.type == "dark" else "") + "</style>")
    if who.welcome():
        guarded(lambda: _shown(current))
        target.settle()


def _shown(current: Any) -> None:
    """The page; the first one that a server shows takes seconds, in which models' libraries are loaded."""
    with nullcontext() if "torch" in sys.modules else st.spinner("Starting: the first page takes some seconds …"):
        dt.steady()
    current.run()


# The few things that Streamlit's theme has no word for.
STYLE = """
[data-testid="stMainBlockContainer"] { max-width: 72rem; padding-top: 4.5rem; padding-bottom: 4rem; }
[data-testid="stSkillsNudge"] { display: none !important; } /* Streamlit's own offer, to those who write apps */
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
[data-testid="stSlider"] [data-testid="stSliderThumbValue"] * { white-space: nowrap !important;
  word-break: normal !important; overflow-wrap: normal !important; } /* near an end it would break */
h1 { text-wrap: balance; letter-spacing: -.015em; font-size: 2.25rem !important; }
h2 { letter-spacing: -.01em; font-size: 1.55rem !important; padding-top: .25rem !important; text-wrap: pretty; }
[data-testid="stMarkdownContainer"] :is(p, li) { text-wrap: pretty; }
[data-testid="stCaptionContainer"] { color: inherit !important; opacity: .78; }
[data-testid="stCaptionContainer"] p { max-width: 46rem; }
@media (min-width: 48rem) { [data-testid="stColumn"]:has(> div > .st-key-controls) { position: sticky; top: 4rem;
  align-self: flex-start; max-height: calc(100vh - 5rem); overflow-y: auto; } }
@media (max-width: 40rem) { h1 { font-size: 1.7rem !important; }
  [data-testid="stMainBlockContainer"] { padding-left: 1rem; padding-right: 1rem; }
  .st-key-drawn-tree { display: none; } /* the table under it says the same, and fits */
  [data-testid="stTable"] :is(th, td) { padding: .35rem .4rem; font-size: .85rem; }
  [data-testid="stTable"] tr:has(> :nth-child(6)) > :is(th, td) { min-width: 6.5rem; } }
"""

DARK = """
[data-baseweb="tag"] span, [data-testid="stMultiSelect"] span[title] { color: #0e1117 !important; }
[data-testid^="stBaseButton-primary"]:not(:disabled) p { color: #0e1117 !important; }
"""

if __name__ == "__main__":
    main()

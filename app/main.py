"""The dashboard: opens a run or a scenario; shows what to decide, what levers do, the actions, and why to trust it.

    python -m streamlit run app/main.py -- RUN_FOLDER_OR_SCENARIO

All logic lives in `drivetrain`; these pages only ask and show.
"""

from __future__ import annotations

import actions
import decision
import levers
import streamlit as st
import target
import trust
from faults import guarded

import drivetrain as dt

PAGES = {"Decision": decision.show, "Levers": levers.show, "Actions": actions.show, "Trust": trust.show}


def main() -> None:
    """Choose what to look at, then show the page that was asked for."""
    st.set_page_config(page_title="Drivetrain", page_icon="🎯", layout="wide")
    pages = [
        st.Page(target.page(show), title=title, url_path=title.lower(), default=title == "Decision")
        for title, show in PAGES.items()
    ]
    current = st.navigation(pages, position="top")
    st.html("<style>" + STYLE + "</style>")
    guarded(current.run)


# The few things that Streamlit's theme has no word for.
STYLE = """
[data-testid="stMainBlockContainer"] { max-width: 72rem; padding-top: 4.5rem; padding-bottom: 4rem; }
[data-testid="stMetricValue"] { font-variant-numeric: tabular-nums; }
h1 { text-wrap: balance; letter-spacing: -.015em; font-size: 2.25rem !important; }
h3 { letter-spacing: -.01em; }
[data-testid="stVerticalBlock"] h3 { padding-top: .25rem; }
"""

if __name__ == "__main__":
    dt.steady()
    main()

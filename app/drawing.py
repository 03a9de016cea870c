"""Figures and numbers on a page: in the theme that the reader has, named for readers who do not see them."""

from __future__ import annotations

from typing import Any

import streamlit as st

import drivetrain as dt

LINKED: dict[str, Any] = {"bind": "query-params", "persist_state": "session"}
"""What a widget is given whose value stands in the link, and is still there when a reader comes back to the page."""


def look() -> dt.figures.Look:
    """The reader's theme."""
    return dt.figures.DARK if st.context.theme.type == "dark" else dt.figures.LIGHT


def draw(figure: Any, name: str, alt: str = "") -> None:
    """Draw a figure across the page; `alt` says what it shows in a few words."""
    config = {"displayModeBar": False, "responsive": True}
    st.plotly_chart(figure, theme=None, key=f"figure-{name}", config=config, alt=alt or name.replace("-", " "))


def figure_card(place: Any, label: str, value: str, note: str = "", **about: Any) -> None:
    """One number in a frame, with what is said of it under it."""
    with place.container(border=True, height="stretch"):
        st.metric(label, value, **about)
        if note:
            st.caption(note)


def table(frame: Any, alt: str, **about: Any) -> None:
    """A small table that cannot be edited."""
    st.dataframe(frame, hide_index=True, alt=alt, **about)


def plain(text: str) -> str:
    """Text from a scenario, with the signs that markdown would read kept as they are."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|$~:" else sign for sign in text)


def in_unit(label: str, unit: str) -> str:
    """A label with its unit behind a comma."""
    return f"{label}, {unit}" if unit else label


def empty(title: str, why: str) -> None:
    """What a page or a part says when it has nothing to show: what is missing, and how to get it."""
    with st.container(border=True):
        st.markdown(f"**{plain(title)}**")
        st.caption(plain(why))

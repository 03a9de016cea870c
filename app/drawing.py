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
    with place.container(border=True, height="stretch", gap="xxsmall"):
        st.metric(label, value, **about)
        if note:
            st.caption(note)


LONG = 40
"""Lines from which on a table scrolls, so that it does not push away what follows."""


def table(frame: Any, alt: str, **about: Any) -> None:
    """A table that cannot be edited: whole, its cells folded, unless it is long."""
    if len(frame) > LONG or about:
        st.dataframe(frame, hide_index=True, alt=alt, **about)
    else:
        said = frame.astype(str).map(plain).rename(columns=lambda name: plain(str(name)))
        st.table(said, border="horizontal", hide_index=True, alt=alt)


def label(text: str) -> None:
    """What the figure or table under it shows, in a few words."""
    st.markdown(f"**{plain(text)}**")


def beside(count: int) -> Any:
    """Places for figures that are read beside each other: two across, one where there is one."""
    if count < 2:
        return [st.container()] * count
    return [place for _ in range(-(-count // 2)) for place in st.columns(2, gap="large")][:count]


def plain(text: str) -> str:
    """Text from a scenario, with the signs that markdown would read kept as they are."""
    return "".join(f"\\{sign}" if sign in "\\`*_{}[]<>#|$~:" else sign for sign in text)


def in_unit(label: str, unit: str) -> str:
    """A label with its unit behind a comma, unless it says that already."""
    return f"{label}, {unit}" if unit and unit != label else label


def empty(title: str, why: str) -> None:
    """What a page or a part says when it has nothing to show: what is missing, and how to get it."""
    with st.container(border=True):
        st.markdown(f"**{plain(title)}**")
        st.caption(plain(why))

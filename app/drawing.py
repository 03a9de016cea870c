"""Figures on a page: in the theme that the reader has, without a tool bar."""

from __future__ import annotations

from typing import Any

import streamlit as st

import drivetrain as dt


def look() -> dt.figures.Look:
    """The reader's theme."""
    return dt.figures.DARK if st.context.theme.type == "dark" else dt.figures.LIGHT


def draw(figure: Any, name: str) -> None:
    """Draw a figure across the page."""
    st.plotly_chart(figure, theme=None, key=f"figure-{name}", config={"displayModeBar": False, "responsive": True})


def figure_card(place: Any, label: str, value: str, note: str = "", **about: Any) -> None:
    """One number in a frame, with what is said of it under it."""
    with place.container(border=True):
        st.metric(label, value, **about)
        if note:
            st.caption(note)

"""Who is looking: nobody in particular, or whoever signed in with the identity provider that the host has set up.

Sign-in is OpenID Connect, and is asked for where `.streamlit/secrets.toml` has an `[auth]` section; see the README.
"""

from __future__ import annotations

import streamlit as st


def welcome() -> bool:
    """Whether the page may be shown; else a way to sign in stands there."""
    if not _asked_for():
        return True
    if st.user.is_logged_in:
        with st.sidebar:
            st.caption(f"Signed in as {name()}")
            st.button("Sign out", on_click=st.logout)
        return True
    st.title("Drivetrain")
    st.write("Sign in to see the runs of this place.")
    st.button("Sign in", on_click=st.login, type="primary")
    return False


def name() -> str:
    """The name of whoever signed in; empty where nobody must."""
    if not _asked_for() or not st.user.is_logged_in:
        return ""
    told = st.user.to_dict()
    return str(told.get("email") or told.get("name") or told.get("sub") or "")


def _asked_for() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False

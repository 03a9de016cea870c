"""Who is looking, and whether they may change anything: the one at this machine, and whoever signed in where the host
has set up an identity provider. To others the dashboard shows all, and signs, keeps, saves and starts nothing.

Sign-in is OpenID Connect, and is asked for where `.streamlit/secrets.toml` has an `[auth]` section; see the README.
"""

from __future__ import annotations

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

import streamlit as st

OPEN = "DRIVETRAIN_OPEN"
"""The environment variable by which a host lets everyone who reaches the dashboard change things: `yes`."""


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


def alone() -> bool:
    """Whether the server listens to this machine only, and was asked for by this machine's own name."""
    asked = st.context.headers
    try:
        host = urlsplit(f"//{asked.get('Host', 'localhost')}").hostname
    except ValueError:
        return False
    return _here(st.get_option("server.address")) and _here(host) and "X-Forwarded-For" not in asked


def may_change() -> bool:
    """Whether the reader may sign, keep, save and start: alone, signed in, or let by the host."""
    known = _asked_for() and bool(st.user.is_logged_in)
    return known or alone() or os.environ.get(OPEN, "").lower() in {"yes", "true", "1"}


def only_looks(what: str) -> bool:
    """Whether the reader may not change things; then it stands there what is closed, and why."""
    if closed := not may_change():
        st.caption(
            f"{what} is closed here: this dashboard can be reached from other machines, and nobody signs in. "
            "The README's section on hosting tells how to open it."
        )
    return closed


def _here(name: str | None) -> bool:
    try:
        return name == "localhost" or ip_address(name or "").is_loopback
    except ValueError:
        return False


def _asked_for() -> bool:
    try:
        return "auth" in st.secrets
    except FileNotFoundError:
        return False

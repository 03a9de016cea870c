"""Faults for people: what is wrong and what to do about it, never a traceback."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from typing import Any

import streamlit as st

import drivetrain as dt


def guarded(work: Callable[[], Any]) -> Any:
    """Do the work; where it fails, say so on the page."""
    try:
        return work()
    except dt.DrivetrainError as error:
        tell(error)
    except Exception as error:  # the last net: people get a sentence, developers the traceback on demand
        if os.environ.get("DRIVETRAIN_DEBUG"):
            traceback.print_exc()
        st.error(f"Something of our own went wrong ({type(error).__name__}). Please report it.")
    return None


def tell(error: dt.DrivetrainError) -> None:
    """Every fault of an error, a line each."""
    many = len(error.faults)
    st.error(f"**{many} things need mending**" if many > 1 else "**One thing needs mending**")
    for fault in error.faults:
        st.text(str(fault))

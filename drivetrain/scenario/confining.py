"""What a scenario reads that does not lie in its own folder: whoever may write it could have that read by the host."""

from __future__ import annotations

from drivetrain.scenario.addresses import ENVIRONMENT
from drivetrain.scenario.root import Scenario


def outside(scenario: Scenario) -> dict[str, str]:
    """Key → what it names: files that lie elsewhere, databases of servers, variables of the environment."""
    data, base = scenario.data, scenario.folder.resolve()
    named = {f"data.{key}": getattr(data, key) for key in ("csv", "parquet", "excel", "cleaning")}
    named |= {f"data.files.{name}": path for name, path in data.files.items()}
    away = {key: path for key, path in named.items() if path and not (base / path).resolve().is_relative_to(base)}
    if data.database is None:
        return away
    path = _file(data.database)
    inside = path is not None and (base / path).resolve().is_relative_to(base)
    return away if inside else {**away, "data.database": data.database}


def _file(database: str) -> str | None:
    """The path of an SQLite file; None of any other database, and of one that the environment names."""
    from sqlalchemy import make_url

    if ENVIRONMENT.match(database):
        return None
    url = make_url(database)
    return url.database if url.get_backend_name() == "sqlite" else None

"""What people decided about rows, saved as a cleaning file; what an earlier file says of other rows is kept."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from drivetrain.data import cleaning
from drivetrain.errors import DataError, Fault, UsageError, nearest


def save(path: str | Path, lines: pd.DataFrame) -> int:
    """Write a cleaning file; rows that it had already and that are told again are told anew.

    Args:
        path: the file, `.csv`.
        lines: a line for each row, with `row`, `action`, and `column`, `value`, `note` where they matter; lines without
            an action are left out.

    Returns:
        How many lines the file has now.

    Raises:
        DataError: lines that say what no cleaning file can; nothing is written then.
        UsageError: the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() != ".csv":
        raise UsageError(Fault(str(path), "found another format", "Decisions are saved as CSV", "Name it .csv"))
    new = lines.reindex(columns=list(cleaning.KEYS)).fillna("").astype(str)
    new = new[new["action"] != ""]
    told = [{str(key): str(value) for key, value in line.items()} for line in new.to_dict("records")]
    if faults := [fault for line in told for fault in _faults(line)]:
        raise DataError(*faults)
    old = pd.read_csv(target, dtype=str).reindex(columns=list(cleaning.KEYS)).fillna("") if target.exists() else new[:0]
    whole = pd.concat([old[~old["row"].isin(new["row"])], new])
    whole = whole.iloc[whole["row"].astype(int).argsort(kind="stable")]
    _write(target, whole)
    return len(whole)


def _faults(line: dict[str, str]) -> list[Fault]:
    row, action = f"row {line['row']}", line["action"]
    if action not in cleaning.ACTIONS:
        return [Fault(row, f"found the action '{action}'", "", nearest(action, cleaning.ACTIONS))]
    if action == "correct" and not line["column"]:
        return [Fault(row, "a correction without a column", "A correction is of one cell", "Choose its column")]
    if action != "correct" and line["column"]:
        return [Fault(row, f"found column '{line['column']}' of a row to {action}", "", "Say correct, or no column")]
    return []


def _write(target: Path, lines: pd.DataFrame) -> None:
    temporary = target.with_name(f".{target.name}.new")
    try:
        lines.to_csv(temporary, index=False, lineterminator="\n")
        temporary.replace(target)
    except OSError as error:
        raise UsageError(Fault(str(target), f"cannot be written: {error.strerror or error}")) from error
    finally:
        temporary.unlink(missing_ok=True)

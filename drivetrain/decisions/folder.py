"""Run folders: written whole or not at all, sealed by a manifest of every file's size and sha256."""

from __future__ import annotations

import glob
import hashlib
import json
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import TypedDict

from drivetrain.decisions.export import replacing, sync
from drivetrain.errors import DataError, Fault, UsageError, path_of

MANIFEST = "manifest.json"
GRACE = 0.3
"""Seconds left to another process between two renames."""
_FORMAT = "drivetrain run"


class _Entry(TypedDict):
    bytes: int
    sha256: str


@contextmanager
def atomic_folder(target: str | Path) -> Iterator[Path]:
    """Gives an empty folder to fill, and puts it in `target`'s place when the block ends well.

    Args:
        target: the run folder to create, or an earlier run's to replace. Folders above it are created.

    Yields:
        A temporary folder beside `target`; on an exception it is removed and `target` stays as it was.

    Raises:
        UsageError: `target` exists and is not a run folder, holds files that no run wrote, or cannot be written.
    """
    final = path_of("run folder", target).resolve()
    refuse_to_replace(final)
    temporary = final.with_name(f".{final.name}.{secrets.token_hex(6)}")
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise _unwritable(final, error) from error
    try:
        yield temporary
        _finish(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def seal(folder: str | Path) -> None:
    """Writes the manifest of a run folder as it stands now, after each file has reached the disk.

    Args:
        folder: the run folder; call again after a file in it was meant to change.
    """
    root = Path(folder)
    files: dict[str, _Entry] = {}
    for path in _files(root):
        sync(path)
        files[path.relative_to(root).as_posix()] = _entry(path)
    with replacing(root / MANIFEST) as temporary:
        temporary.write_text(json.dumps({"format": _FORMAT, "version": 1, "files": files}, indent=1) + "\n")


def verify(folder: str | Path) -> None:
    """Checks that every file of a run folder is there, whole and unchanged since the run wrote it.

    Args:
        folder: the run folder.

    Raises:
        DataError: each file that is missing, truncated or changed, or a manifest that is missing or unreadable.
    """
    root = Path(folder)
    faults = [fault for name, entry in _manifest(root).items() if (fault := _difference(root, name, entry))]
    if faults:
        raise DataError(*faults)


def _files(root: Path) -> list[Path]:
    inside = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in inside if path != root / MANIFEST)


def _entry(path: Path) -> _Entry:
    with path.open("rb") as stream:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(stream, "sha256").hexdigest()}


def _manifest(root: Path) -> dict[str, _Entry]:
    """The files that a run folder's manifest lists; DataError where it is missing or is no manifest of ours."""
    path = root / MANIFEST
    cure = "Name a folder that `drivetrain run` wrote, or run the scenario again"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        found = "the manifest is missing" if root.is_dir() else "there is no such folder"
        raise DataError(Fault(str(path if root.is_dir() else root), found, cure=cure)) from error
    except (OSError, ValueError) as error:
        raise DataError(Fault(str(path), f"the manifest cannot be read ({error})", cure=cure)) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT or not _is_listing(content.get("files")):
        raise DataError(Fault(str(path), "this is not the manifest of a run", cure=cure))
    files: dict[str, _Entry] = content["files"]
    return files


def _is_listing(files: object) -> bool:
    return isinstance(files, dict) and all(
        _is_inside(name)
        and isinstance(entry, dict)
        and isinstance(entry.get("bytes"), int)
        and isinstance(entry.get("sha256"), str)
        for name, entry in files.items()
    )


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return not path.is_absolute() and ".." not in path.parts and "\\" not in name and ":" not in name


def _difference(root: Path, name: str, expected: _Entry) -> Fault | None:
    path, cure = root / name, "Run the scenario again, or restore the folder from a copy"
    if not path.is_file():
        return Fault(str(path), "the file is missing", "A run folder holds every file its manifest lists", cure)
    found = _entry(path)
    if found["bytes"] != expected["bytes"]:
        word = "truncated" if found["bytes"] < expected["bytes"] else "longer than written"
        sizes = f"{found['bytes']:,} bytes, {expected['bytes']:,} were written"
        return Fault(str(path), f"the file is {word}: {sizes}", cure=cure)
    if found["sha256"] != expected["sha256"]:
        sums = f"sha256 {found['sha256'][:12]}…, {expected['sha256'][:12]}… was written"
        return Fault(str(path), f"the file has changed: {sums}", cure=cure)
    return None


def refuse_to_replace(target: str | Path) -> None:
    """Checks that a run may be written to a folder: it does not exist, is empty, or holds an earlier run and no more.

    Raises:
        UsageError: it may not.
    """
    target = path_of("run folder", target)
    recover(target)
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    cure = "Name a new folder, or move this one away"
    if not target.is_dir():
        raise UsageError(Fault(str(target), "this is a file, not a folder", cure=cure))
    try:
        listed = _manifest(target)
    except DataError as error:
        rule = "Only an earlier run's folder is replaced"
        raise UsageError(Fault(str(target), "the folder exists and is not a run folder", rule, cure)) from error
    held = sorted(path.relative_to(target).as_posix() for path in target.rglob("*") if not path.is_dir())
    if strangers := [name for name in held if name not in {*listed, MANIFEST}]:
        found = f"the run folder also holds {len(strangers)} files that no run wrote, first '{strangers[0]}'"
        raise UsageError(Fault(str(target), found, "Replacing it would lose them", cure))


def _finish(new: Path, target: Path) -> None:
    try:
        seal(new)
        _exchange(new, target)
    except OSError as error:
        raise _unwritable(target, error) from error


def recover(target: Path) -> None:
    """Puts a run in its place that was cut off, by a power cut say, between the two steps of `_exchange`.

    Args:
        target: the run folder; where it is missing, the newest sealed folder that waits beside it to become it is it.
    """
    if target.exists():
        return
    waiting = list(target.parent.glob(f".{glob.escape(target.name)}.{'[0-9a-f]' * 12}/{MANIFEST}"))
    if not waiting:
        return
    time.sleep(GRACE)
    with suppress(OSError):  # whoever was exchanging them just then has done so
        if not target.exists():
            max(waiting, key=lambda path: path.stat().st_mtime_ns).parent.rename(target)


def _exchange(new: Path, target: Path) -> None:
    """Puts `new` in `target`'s place; an old `target` is moved aside first, and back again if that fails."""
    aside = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    if target.exists():
        target.rename(aside)
    try:
        new.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    sync(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def _unwritable(target: Path, error: OSError) -> UsageError:
    cure = "Name a folder in a place that you may write to and that has room"
    return UsageError(Fault(str(target), f"cannot be written: {error.strerror or error}", cure=cure))

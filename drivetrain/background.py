"""Long work outside the page's process: a scenario is run by a process of its own, which says how far it is.

Beside a run folder `runs/NAME` stands `runs/.NAME.job`, with `progress.json` (written whole by the worker, at every
step and at least every few seconds), `log` (what the worker printed) and, once somebody asks for it, `cancel`. Whoever
looks needs no more than these files: a page that is loaded again finds its work again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import FileLock, Timeout

from drivetrain.decisions.export import replacing
from drivetrain.errors import DrivetrainError, Fault, UsageError

State = Literal["starting", "running", "done", "failed", "cancelled", "lost"]

BEAT = 1.0
"""Seconds between two signs of life."""
PATIENCE = 120.0
"""A worker that gave no sign for so many seconds is lost: the machine was switched off, say."""


@dataclass(frozen=True)
class Job:
    """One run in the making, or what became of it."""

    out: Path
    """The run folder that it writes."""
    state: State
    words: str
    """What is being done, or what went wrong."""
    seconds: float
    """How long it has worked."""
    steps: tuple[str, ...]
    """What was done before, in order."""
    faults: tuple[Fault, ...] = ()
    """What must be mended before it can be run, where it failed."""
    unwanted: bool = False
    """Whether it was asked to stop, and has not stopped yet."""

    @property
    def open(self) -> bool:
        """Whether it is still under way."""
        return self.state in {"starting", "running"}


def start(scenario: str | Path, out: str | Path) -> Job:
    """Run a scenario in a process of its own, and return at once.

    Args:
        scenario: its file.
        out: the run folder to write.

    Raises:
        UsageError: a run of this folder is under way, or its place cannot be written.
    """
    folder = _folder(out)
    running = UsageError(Fault(str(out), "it is being run already", "One at a time", "Wait for it, or cancel it"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock", timeout=0):  # between looking and telling that it runs nobody else starts it
            if (known := look(out)) is not None and known.open:
                raise running
            return _started(scenario, out, folder)
    except Timeout as error:
        raise running from error
    except OSError as error:
        raise UsageError(Fault(str(folder), f"cannot be written: {error.strerror or error}")) from error


def _started(scenario: str | Path, out: str | Path, folder: Path) -> Job:
    for name in ("progress.json", "cancel"):
        (folder / name).unlink(missing_ok=True)
    _write(folder, {"state": "starting", "words": "starting", "steps": [], "began": time.time()})
    with (folder / "log").open("w", encoding="utf-8") as log:
        words = ["run", str(scenario), "--out", str(out), "--tell", str(folder)]
        command = [sys.executable, "-m", "drivetrain.cli", *words]
        environment = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"} | dict(os.environ)
        process = subprocess.Popen(  # noqa: S603 - our own words
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True
        )
    threading.Thread(target=process.wait, daemon=True).start()  # no zombie stays behind
    job = look(out)
    assert job is not None  # noqa: S101 - just written
    return job


def look(out: str | Path) -> Job | None:
    """How far a run is; None where none was started here, or its end was seen and cleared.

    Args:
        out: the run folder that it writes.
    """
    folder = _folder(out)
    try:
        told = json.loads((folder / "progress.json").read_text(encoding="utf-8"))
        age = time.time() - (folder / "progress.json").stat().st_mtime
    except (OSError, ValueError):
        return None
    state: State = told["state"]
    seconds = (time.time() if state in {"starting", "running"} else told.get("ended", told["began"])) - told["began"]
    if state in {"starting", "running"} and age > PATIENCE:
        state, told["words"] = "lost", "The process that ran it is gone. Run it again."
    faults = tuple(Fault(**each) for each in told.get("faults", ()))
    unwanted = (folder / "cancel").exists()
    return Job(Path(out), state, told["words"], seconds, tuple(told["steps"]), faults, unwanted)


def cancel(out: str | Path) -> None:
    """Ask a run to stop; within seconds it does, and keeps nothing."""
    folder = _folder(out)
    if folder.is_dir():
        (folder / "cancel").touch()


def clear(out: str | Path) -> None:
    """Forget a run that has ended: its progress is not told any more."""
    if (job := look(out)) is not None and not job.open:
        (_folder(out) / "progress.json").unlink(missing_ok=True)


def jobs(folder: str | Path) -> list[Job]:
    """The runs under way, or ended and not cleared, whose folders stand in a folder."""
    found = sorted(Path(folder).glob(".*.job"))
    told = [look(place.with_name(place.name[1:].removesuffix(".job"))) for place in found]
    return [job for job in told if job is not None]


@contextmanager
def told(folder: Path | None, progress: Callable[[str], None]) -> Iterator[Callable[[str], None]]:
    """For the worker: what is done is told in a folder as well, and a wish to cancel there interrupts the work.

    Args:
        folder: the job's folder; None for work in the foreground.
        progress: told the same.

    Yields:
        What to tell instead.
    """
    if folder is None:
        yield progress
        return
    worker = _Worker(folder, time.time())
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a parent in the background leaves it ignored
    with worker.beating():

        def both(words: str) -> None:
            worker.step(words)
            progress(words)

        yield both


class _Worker:
    """The worker's side: its steps, and a thread that gives signs of life and looks for the wish to cancel."""

    def __init__(self, folder: Path, began: float) -> None:
        self.folder, self.began = folder, began
        self.steps: list[str] = []
        self.words, self.stopped, self.writing = "starting", threading.Event(), threading.Lock()

    def step(self, words: str) -> None:
        if self.words != "starting":
            self.steps.append(self.words)
        self.words = words
        self._tell("running")

    @contextmanager
    def beating(self) -> Iterator[None]:
        threading.Thread(target=self._beat, daemon=True).start()
        try:
            yield
        except KeyboardInterrupt:
            self._end("cancelled", "It was cancelled; nothing was kept.")
            raise
        except DrivetrainError as error:
            faults = [{"thing": f.thing, "found": f.found, "rule": f.rule, "cure": f.cure} for f in error.faults]
            self._end("failed", str(error), faults=faults)
            raise
        except Exception as error:
            self._end("failed", f"Something of our own went wrong ({type(error).__name__}). Please report it.")
            raise
        self._end("done", "done")

    def _end(self, state: State, words: str, **more: Any) -> None:
        self.stopped.set()
        if self.words != "starting":
            self.steps.append(self.words)
        self.words = words
        self._tell(state, ended=time.time(), **more)

    def _beat(self) -> None:
        while not self.stopped.wait(BEAT):
            if (self.folder / "cancel").exists():
                import _thread

                _thread.interrupt_main()  # as Ctrl+C would: files in the making are removed on the way out
                return
            self._tell("running")

    def _tell(self, state: State, **more: Any) -> None:
        with self.writing:
            if self.stopped.is_set() and state == "running":
                return
            _write(self.folder, {"state": state, "words": self.words, "steps": self.steps, "began": self.began, **more})


def _write(folder: Path, content: dict[str, Any]) -> None:
    with replacing(folder / "progress.json") as temporary:
        temporary.write_text(json.dumps(content), encoding="utf-8")


def _folder(out: str | Path) -> Path:
    place = Path(out)
    return place.with_name(f".{place.name}.job")

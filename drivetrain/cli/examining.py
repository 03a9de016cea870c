"""Commands on finished runs: the sealed test, the hardest rows, how two compare, and what may leave the house."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drivetrain.cli import screen
from drivetrain.errors import Fault, UsageError

RunFolder = Annotated[Path, typer.Argument(help="A run folder, as drivetrain run wrote it.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="The result as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


def evaluate(
    run: RunFolder,
    *,
    open_test: Annotated[bool, typer.Option("--open-test", help="Yes, open it: every opening is counted.")] = False,
    json: Json = False,
) -> None:
    """Open the sealed test: what the recommendation is worth on rows that nobody has seen."""
    from drivetrain import assembly, report
    from drivetrain.decisions import last_test

    def again(opened: assembly.Run, folder: Path) -> None:
        if (folder / "report.html").exists():
            report.write(opened, folder)

    told = assembly.evaluate(run, open_test=open_test, finish=again)
    if json:
        screen.data({**told.record["sealed_test"], "test_openings": told.record["test_openings"]})
        return
    screen.table(last_test.HEADER, last_test.lines(told.scenario, told.record))
    screen.say()
    for line in last_test.sentences(told.scenario, told.record):
        screen.say(line)


def neighbours(
    run: RunFolder,
    row: Annotated[int, typer.Argument(help="Its number in the source, from 1.", min=1, show_default=False)],
    *,
    rows: Annotated[Path | None, typer.Option(help="Where the row is (CSV, Parquet). [default: the run's own]")] = None,
    top: Annotated[int, typer.Option(help="How many lines.", min=1)] = 10,
    json: Json = False,
) -> None:
    """The rows of the data most like one row, and how many of them speak for what is recommended for it."""
    from drivetrain import assembly

    opened = assembly.open_run(run)
    found = opened.neighbours(row, top, rows)
    if json:
        each = found.frame.astype(object).where(found.frame.notna(), None).to_dict("records")
        told = {"setting": found.setting, "spoken": found.spoken, "among": found.among, "usual": found.usual}
        screen.data({**told, "few": found.few, "rows": each})
        return
    screen.say(str(found))
    screen.table(
        [str(name) for name in found.frame],
        [[_short(value) for value in line] for line in found.frame.itertuples(index=False)],
    )


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def surprises(
    run: RunFolder,
    *,
    top: Annotated[int, typer.Option(help="How many lines.", min=1)] = 50,
    out: Annotated[Path | None, typer.Option(help="A file to write: .csv, .parquet, .json or .xlsx.")] = None,
    json: Json = False,
) -> None:
    """The rows that models which had not seen them get most wrong, and why; as CSV, the start of a cleaning file."""
    from drivetrain import assembly, decisions

    found = assembly.open_run(run).surprises(top)
    if out is not None:
        decisions.write(found, out)
    if json:
        screen.data(found.to_dict("records"))
    elif out is not None:
        screen.say(f"{len(found):,} lines written to {out}")
        screen.say("fill in action (drop, correct, keep), and name the file in the scenario: data: {cleaning: FILE}")
    else:
        shown = ["row", "outcome", "predicted", "observed", "setting", "unusual"]
        lines = [[str(v) if not isinstance(v, float) else f"{v:.3g}" for v in line] for line in found[shown].to_numpy()]
        screen.table(shown, lines)


def compare(
    first: RunFolder,
    second: Annotated[Path, typer.Argument(help="Another run folder, of the same source.", show_default=False)],
    *,
    json: Json = False,
) -> None:
    """Compare two runs' models on the rows that both kept, such as without and with a cleaning file."""
    from dataclasses import asdict

    from drivetrain import assembly
    from drivetrain.decisions.rounding import span

    told = assembly.compare(assembly.open_run(first), assembly.open_run(second))
    if json:
        screen.data([asdict(each) | {"better": each.better.as_dict()} for each in told])
        return
    for each in told:
        screen.say(
            f"{each.outcome}: {each.loss_name} {each.first:.4f} in {first}, {each.second:.4f} in {second}, on the same "
            f"{each.rows:,} rows ({each.left_out:,} others left out)"
        )
        clear = "" if each.better.low > 0 or each.better.high < 0 else ": within chance"
        screen.say(f"  the second's loss is lower by {span(each.better)} a row{clear}")


def export(
    run: RunFolder,
    *,
    out: Annotated[
        Path | None, typer.Option(help="Recommendations: .csv, .parquet, .json or .xlsx.", show_default=False)
    ] = None,
    fastai: Annotated[
        Path | None, typer.Option(help="Models as a fastai Learner (export.pkl).", show_default=False)
    ] = None,
    outcome: Annotated[str | None, typer.Option(help="With --fastai: which outcome's.", show_default=False)] = None,
) -> None:
    """Write a run's recommendations to a file, or its models for fastai."""
    from drivetrain import assembly, decisions

    if out is None and fastai is None:
        raise UsageError(Fault("export", "found no file to write", "", "Give --out FILE, or --fastai FILE, or both"))
    opened = assembly.open_run(run)
    if out is not None:
        made = opened.recommendations
        if made is None:
            rule = "Only decisions are exported"
            raise UsageError(Fault(str(run), "it was only trained", rule, "Use: drivetrain run"))
        decisions.write(made.frame, out)
        screen.say(f"{len(made):,} recommendations written to {out}")
    if fastai is not None:
        opened.to_fastai(fastai, outcome)
        screen.say(f"fastai Learner written to {fastai}; loading such a file runs code from it: pass it to nobody who")
        screen.say("cannot trust you, and load none from anybody else. The run folder itself holds no such file.")

"""A gallery: of many runs on one page the decision, a picture, the result and the lesson, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from drivetrain.assembly import Run
from drivetrain.decisions import words
from drivetrain.decisions.export import replacing
from drivetrain.errors import Fault, UsageError
from drivetrain.report.card import card
from drivetrain.scenario import bound, extent

BEGIN, END = "<!-- the gallery begins: drivetrain gallery writes it -->", "<!-- the gallery ends -->"
PICTURES = "gallery"


def gallery(runs: Sequence[Run], page: str | Path) -> None:
    """Write the pages of runs between the two marks of a Markdown file, and their pictures beside it.

    Args:
        runs: finished ones, in the order in which they are shown.
        page: the file; one that does not exist is begun.

    Raises:
        UsageError: a run was only trained, or the file has no place for a gallery.
    """
    place = Path(page)
    around = place.read_text(encoding="utf-8") if place.exists() else f"{BEGIN}\n{END}\n"
    if around.count(BEGIN) != 1 or around.count(END) != 1:
        cure = f"Write the two lines {BEGIN} and {END} where it belongs"
        raise UsageError(Fault(str(place), "found no place for the gallery", "A page says where it belongs", cure))
    before, after = around.split(BEGIN)[0], around.split(END)[1]
    drawn = {run.scenario.name: card(run) for run in runs}
    told = "\n".join(entry(run) for run in runs)
    (place.parent / PICTURES).mkdir(parents=True, exist_ok=True)
    for name, picture in drawn.items():
        with replacing(place.parent / PICTURES / f"{name}.svg") as path:
            path.write_text(picture, encoding="utf-8")
    with replacing(place) as path:
        path.write_text(f"{before}{BEGIN}\n\n{told}\n{END}{after}", encoding="utf-8")


def entry(run: Run) -> str:
    """One run's part of the page."""
    scenario, evidence = run.scenario, run.judged
    promise = None if run.recommendations is None else run.recommendations.promise
    parts = [
        f"### [{scenario.name}]({scenario.name}.yaml)",
        f"**{plain(scenario.title)}**",
        f"![What every policy is worth]({PICTURES}/{scenario.name}.svg)",
        f"*Decision.* {'; '.join(_decided(run))}.",
        f"*Result.* {plain(words.headline(scenario, evidence, promise))} {_stance(run)}",
        f"*Evidence.* {_grounds(run)}",
    ]
    if scenario.lesson:
        parts.append(f"*Lesson.* {plain(scenario.lesson)}")
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text of a scenario on one line, so that nothing in it is taken for Markdown."""
    return "".join(f"\\{each}" if each in "\\`*_{}[]<>#|" else each for each in " ".join(text.split()))


def _decided(run: Run) -> Iterator[str]:
    """Levers with their ranges and who gets one setting; then what must hold."""
    scenario = run.scenario
    each = {"row": "for each row", "once": "once for all"}.get(scenario.decide.unit, "for each segment")
    free = {name: lever for name, lever in scenario.declared.levers.items() if not lever.frozen}
    yield ", ".join(f"`{name}` ({plain(extent(lever))})" for name, lever in free.items()) + f", {each}"
    for constraint in scenario.declared.constraints:
        yield bound(constraint, "`", plain(constraint.unit))


def _stance(run: Run) -> str:
    told = words.stance(run.scenario, run.judged)
    proved = None if run.recommendations is None else run.recommendations.plan.certificate
    return plain(" ".join(filter(None, [f"{told.title}: {told.reason}", words.certified(run.scenario, proved)])))


def _grounds(run: Run) -> str:
    told = f"{run.judged.grade.capitalize()}; {len(run.table):,} rows of {plain(run.table.source)}"
    spent = run.record.get("cpu_seconds")
    return f"{told}; from check to export {spent:.0f} s of one core." if spent is not None else f"{told}."

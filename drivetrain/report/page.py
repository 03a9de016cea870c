"""The page around the report: style and script inside, and the few pieces of HTML that sections are made of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

STYLE = """
:root { color-scheme: light; --ink: #1d2530; --quiet: #5b6675; --rule: #e3e7ec; --strong: #0067a8; --soft: #f5f7f9;
  --good: #007a58; --care: #9a5b00; }
* { box-sizing: border-box; }
body { margin: 0; background: #fff; color: var(--ink); font: 16px/1.55 'Source Sans 3', system-ui, -apple-system,
  'Segoe UI', sans-serif; -webkit-text-size-adjust: 100%; }
main { max-width: 60rem; margin: 0 auto; padding: 3rem 1.5rem 5rem; }
h1 { font-size: 2rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.3rem; margin: 3.25rem 0 .5rem; letter-spacing: -.01em; }
h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
p, ul { margin: .5rem 0; max-width: 46rem; }
ul { padding-left: 1.2rem; } li { margin: .25rem 0; }
.quiet { color: var(--quiet); }
.answer { background: var(--soft); border-left: 4px solid var(--strong); border-radius: 0 8px 8px 0;
  padding: 1.25rem 1.5rem; margin: 1.75rem 0 1rem; }
.answer .large { font-size: 1.25rem; line-height: 1.45; max-width: none; margin: .25rem 0; }
.answer .quiet { font-size: .95rem; }
.stance { font-weight: 650; font-size: .9rem; letter-spacing: .02em; }
.act { color: var(--good); } .test { color: var(--care); } .leave { color: var(--quiet); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .75rem 0; font-variant-numeric: tabular-nums;
  font-size: .95rem; }
th, td { text-align: right; padding: .45rem .75rem; border-bottom: 1px solid var(--rule); vertical-align: top; }
td + td { white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th.words, td.words { text-align: left; white-space: normal; }
th { color: var(--quiet); font-weight: 600; font-size: .85rem; }
tr.chosen td { font-weight: 650; }
code, pre { font: .85rem/1.5 ui-monospace, 'SF Mono', Menlo, Consolas, monospace; }
code { overflow-wrap: anywhere; }
pre { background: var(--soft); padding: 1rem; overflow-x: auto; border-radius: 8px; }
summary { cursor: pointer; color: var(--strong); }
figure { margin: 1rem 0; } figcaption { color: var(--quiet); font-size: .9rem; max-width: 46rem; }
@media (max-width: 40rem) { main { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.5rem; }
  .answer .large { font-size: 1.1rem; } th, td { padding: .4rem .5rem; } td:first-child { min-width: 7rem; }
  figure:has(#figure-tree) { display: none; } /* the table under it says the same, and fits */ }
@media print { main { padding: 0; } h2 { margin-top: 2rem; } h2, h3, h3 + p, h2 + p { break-after: avoid; }
  figure, tr, .answer { break-inside: avoid; } p, li { orphans: 3; widows: 3; } summary { color: var(--ink); } }
"""

NUMBER = re.compile(r"[-+]?[0-9.]|–?$")
"""How a cell that holds a number begins; or it is a dash, or empty."""
CONFIG = {"displayModeBar": False, "responsive": True, "showTips": False}


def page(title: str, parts: Iterable[str]) -> str:
    """A whole HTML page; plotly's script stands in it once."""
    from plotly.offline import get_plotlyjs

    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><script>{get_plotlyjs()}</script></head>\n"
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def heading(text: str) -> str:
    """The heading of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; nothing where there is nothing to say."""
    opened = f'<p class="{kind}">' if kind else "<p>"
    return f"{opened}{escape(text)}</p>" if text else ""


def bullets(lines: Sequence[str]) -> str:
    """A list; nothing where it is empty."""
    return "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in lines) + "</ul>" if lines else ""


def table(header: Sequence[str], lines: Sequence[Sequence[str]], chosen: int | None = None) -> str:
    """A table; the first column is text, others stand to the left where they hold words, and to the right if numbers.

    Args:
        header: the columns' names.
        lines: rows of cells.
        chosen: the row that stands out, if any.
    """
    words = [any(not NUMBER.match(line[place]) for line in lines) for place in range(len(header))]
    kinds = [' class="words"' if each else "" for each in words]
    head = "".join(f"<th{kind}>{escape(cell)}</th>" for kind, cell in zip(kinds, header, strict=True))
    body = "".join(
        ('<tr class="chosen">' if place == chosen else "<tr>")
        + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, line, strict=True))
        + "</tr>"
        for place, line in enumerate(lines)
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def drawing(figure: Figure, name: str, caption: str = "") -> str:
    """A figure with what it shows said under it; its name becomes the id of its element."""
    inner = figure.to_html(full_html=False, include_plotlyjs=False, config=CONFIG, div_id=f"figure-{name}")
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>"


def folded(summary: str, text: str) -> str:
    """A long text behind a line that opens it."""
    return f"<details><summary>{escape(summary)}</summary><pre>{escape(text)}</pre></details>"

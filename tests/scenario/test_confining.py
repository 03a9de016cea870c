"""What a scenario names outside of its own folder is found, whatever the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivetrain.scenario import outside, parse

from .test_broken import GOOD

SQL = "sql: SELECT 1 ORDER BY 1"


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ("csv: rows.csv", ""),
        ("csv: more/../rows.csv; cleaning: said.csv", ""),
        ("csv: /etc/rows.csv", "data.csv"),
        ("parquet: ../rows.parquet", "data.parquet"),
        ("excel: link/rows.xlsx", "data.excel"),
        ("csv: rows.csv; cleaning: /etc/said.csv", "data.cleaning"),
        (f"{SQL}; files: {{a: rows.csv}}", ""),
        (f"{SQL}; files: {{a: rows.csv, b: ../rows.csv}}", "data.files.b"),
        (f"{SQL}; database: 'sqlite:///shop.db'", ""),
        (f"{SQL}; database: 'sqlite+pysqlite:///more/shop.db'", ""),
        (f"{SQL}; database: 'sqlite:////etc/shop.db'", "data.database"),
        (f"{SQL}; database: 'sqlite:///../shop.db'", "data.database"),
        (f"{SQL}; database: 'postgresql+psycopg://host/shop'", "data.database"),
        (f"{SQL}; database: '${{env:HOME}}'", "data.database"),
        ("generator: randomised_pricing", ""),
    ],
)
def test_what_lies_outside(data: str, key: str, tmp_path: Path) -> None:
    folder = tmp_path / "scenarios"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    text = GOOD.replace("  csv: shop.csv\n", "".join(f"  {each}\n" for each in data.split("; ")))
    scenario = parse(text, "text", folder / "x.yaml")
    assert list(outside(scenario)) == ([key] if key else [])

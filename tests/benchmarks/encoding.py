"""Tables to tensors: seconds beside fastai's `TabularPandas`, agreement with it, and the memory of a million rows.

    python -m tests.benchmarks.encoding [--quick]

Both start from the same table in memory, with texts as Python objects, as a run holds it; and from the same Parquet
file, which pandas reads for `TabularPandas`, and the data room, which also checks every cell's type, for the encoder.
`bare copy` moves the same cells to where networks read them, and learns nothing: the floor. Seconds are of the
processor. Memory is the peak resident size of a process of its own that reads a Parquet file of 1,000,000 rows × 30
columns, checks and encodes it, and trains five fold members; how much of that importing fastai takes is shown beside
it. Agreement is counted over 10,000 random small tables (quick: 200).
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
import torch
from fastai.tabular.all import Categorify, FillMissing, Normalize, TabularPandas
from hypothesis import HealthCheck, Phase, given, settings

from drivetrain.assembly import steady
from drivetrain.data.columns import convert
from drivetrain.data.sources import from_file
from drivetrain.modeler import InputEncoder
from drivetrain.modeler.texts import Addresses
from tests.modeler.test_parity import frames, mismatches

SIZES = (5, 10, 20, 50, 100, 200, 500, 1000, 5000, 20_000)
NUMBERS = 19
GIGABYTE = 1e9

MEASURED = """
import json, resource, sys
from pathlib import Path
from drivetrain import data, scenario
from drivetrain.assembly import steady
from drivetrain.modeler import cross_fitting, posing
from drivetrain.modeler.encoder import InputEncoder
steady()
status = Path("/proc/self/status")  # getrusage would tell the parent's peak, which fork hands down
def peak():
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return int(next(line for line in status.read_text().splitlines() if line.startswith("VmHWM")).split()[1]) * 1024
import fastai.learner
begun = peak()
declared = scenario.load(sys.argv[1])
table = data.load(declared).training
loaded = peak()
kinds = {name: each.kind for name, each in declared.inputs.items()}
inputs, rows = InputEncoder.fit_encode(table.frame, kinds)
links = {"bought": posing.link_of(declared, table, "bought")}
worth = {"bought": table.frame.bought.to_numpy()}
task = posing.pose(declared, table, inputs.sizes, rows, links, worth, "bought", table)
members = cross_fitting.cross_fit("two_tower", task.sized(declared.model), declared.model, range(5), 1)
print(json.dumps({"imports": begun, "loaded": loaded, "trained": peak(), "rows": len(table), "members": len(members)}))
"""


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    """Texts of few to very many values, numbers of which some are missing, a price and a purchase."""
    draw = np.random.default_rng(seed)
    out: dict[str, Any] = {}
    for place, size in enumerate(SIZES):
        words = np.array([f"value {number}" for number in range(size)], dtype=object)
        out[f"c{place}"] = words[draw.integers(0, size, rows)]
    for place in range(NUMBERS):
        out[f"x{place}"] = np.where(draw.random(rows) < 0.05 * (place % 4 == 0), np.nan, draw.normal(size=rows))
    frame = pd.DataFrame(out).astype({f"c{place}": object for place in range(len(SIZES))})
    price = draw.uniform(1, 10, rows)
    bought = draw.random(rows) < 1 / (1 + np.exp(0.4 * (price - 5) - np.nan_to_num(frame.x1)))
    return frame.assign(price=price, bought=bought.astype(int))


def kinds(frame: pd.DataFrame) -> dict[str, str]:
    return {name: "categorical" if name[0] == "c" else "numeric" for name in frame if name[0] in "cx"}


def ours(frame: pd.DataFrame) -> None:
    InputEncoder.fit_encode(frame, kinds(frame))


def theirs(frame: pd.DataFrame) -> None:
    names = kinds(frame)
    texts = [name for name, kind in names.items() if kind == "categorical"]
    done = TabularPandas(frame, [Categorify, FillMissing, Normalize], texts, [n for n in names if n not in texts])
    torch.tensor(done.cats.to_numpy(np.int64))
    torch.tensor(done.conts.to_numpy(np.float32))


def canonical(frame: pd.DataFrame) -> pd.DataFrame:
    """The inputs as the data room hands them on."""
    values = {name: convert(frame[name], kind, name).values for name, kind in kinds(frame).items()}  # type: ignore[arg-type]
    return pd.DataFrame({name: pd.Series(each, dtype=each.dtype) for name, each in values.items()})


def ours_from(path: Path) -> None:
    ours(canonical(from_file(path, [*map("c{}".format, range(len(SIZES))), *map("x{}".format, range(NUMBERS))]).frame))


def theirs_from(path: Path) -> None:
    theirs(pd.read_parquet(path).drop(columns=["price", "bought"]))


def bare(frame: pd.DataFrame) -> None:
    """What memory alone costs: every cell is read once, and written where networks read it, row by row."""
    codes, numbers = np.empty((len(frame), len(SIZES)), np.int64), np.zeros((len(frame), 2 * NUMBERS), np.float32)
    for place in range(len(SIZES)):
        codes[:, place] = np.asarray(Addresses(frame[f"c{place}"].to_numpy(dtype=object)))
    for place in range(NUMBERS):
        numbers[:, 2 * place] = frame[f"x{place}"].to_numpy()


def seconds(hows: dict[str, Callable[[Any], None]], given_: Any, repeats: int) -> dict[str, float]:
    """The least of some repeats, in turns, so that what else the machine does meets all alike."""
    spent = dict.fromkeys(hows, np.inf)
    for _ in range(repeats):
        for name, how in hows.items():
            each = given_.copy() if isinstance(given_, pd.DataFrame) else given_
            started = time.process_time()
            how(each)
            spent[name] = min(spent[name], time.process_time() - started)
    return spent


def disagreements(examples: int) -> int:
    """How many random tables the encoder and `TabularPandas` make different tensors of."""
    found = []

    @settings(max_examples=examples, deadline=None, phases=[Phase.generate], database=None, derandomize=True,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(frames())
    def count(frame: pd.DataFrame) -> None:
        found.append(bool(mismatches(frame)))

    count()
    return sum(found)


def memory(rows: int, folder: Path) -> dict[str, Any]:
    """Peak bytes of a process from Parquet to trained members."""
    frame = table(rows)
    inputs = {name: {"kind": kind} for name, kind in kinds(frame).items()}
    declared = {
        "version": 1, "name": "shop", "title": "What price?", "objective": {"maximise": "price * bought"},
        "levers": {"price": {"kind": "continuous", "min": 1, "max": 10}}, "inputs": inputs,
        "outcomes": {"bought": {"kind": "binary"}}, "data": {"parquet": "shop.parquet", "split": {"test": 0}},
        "model": {"epochs": 1, "batch": 1024, "layers": [64, 32], "dropout": 0.1, "weight_decay": 0.1},
    }  # fmt: skip
    frame.to_parquet(folder / "shop.parquet")
    (folder / "shop.yaml").write_text(json.dumps(declared), encoding="utf-8")
    started = time.perf_counter()
    command = [sys.executable, "-c", MEASURED, str(folder / "shop.yaml")]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return {**json.loads(told.stdout.splitlines()[-1]), "seconds": time.perf_counter() - started}


def compared(frame: pd.DataFrame) -> dict[str, float]:
    """Seconds of both, from memory and from a file."""
    held = canonical(frame.astype({name: "str" for name in frame if name[0] == "c"}))
    spent = seconds({"ours": ours, "TabularPandas": theirs, "bare copy": bare}, held, 5)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop.parquet"
        frame.to_parquet(path)
        read = {"ours, from Parquet": ours_from, "TabularPandas, from Parquet": theirs_from}
        spent |= seconds(read, path, 3)
    return spent


def main() -> None:
    """Run, print the tables and the closing JSON line."""
    steady()
    quick = "--quick" in sys.argv
    frame = table(50_000 if quick else 200_000)
    spent = compared(frame)
    for name, value in spent.items():
        print(f"{name:30}{len(frame):>10,} rows x {len(kinds(frame))} inputs {value:8.3f} CPU s", flush=True)
    many = 200 if quick else 10_000
    wrong = disagreements(many)
    print(f"{wrong} of {many:,} random tables differ", flush=True)
    with TemporaryDirectory() as folder:
        used = memory(100_000 if quick else 1_000_000, Path(folder))
    print("  ".join(f"{key} {used[key] / GIGABYTE:.2f} GB" for key in ("imports", "loaded", "trained")))
    ratio = spent["TabularPandas"] / spent["ours"]
    targets = {
        "TabularPandas' seconds over ours": {"value": ratio, "target": 5.0, "met": ratio >= 5},
        "tables that differ": {"value": wrong, "target": 0, "met": wrong == 0},
        "peak GB, Parquet to trained": {
            "value": used["trained"] / GIGABYTE,
            "target": 4.0,
            "met": used["trained"] < 4e9,
        },
    }
    print(json.dumps({"figures": {"seconds": spent, "memory": used}, "targets": targets}))


if __name__ == "__main__":
    main()

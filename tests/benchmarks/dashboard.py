"""The dashboard under load: from a slider to its figure, many readers at once, and what each of them weighs.

    python -m tests.benchmarks.dashboard [--quick]

One run of 100,000 rows (quick: 10,000) is served by one process. A browser moves a slider on the Levers page and waits
for the figure to say so (p95 of 30 moves). Then 20 sessions speak Streamlit's own protocol at once, each moving the
slider ten times; an answer that holds an exception is an error. Memory is the server's, before and after the sessions.
Beside clock times stand the server's CPU seconds for one answer, and the machine's load, which clock times hang on.
The last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.request import urlopen

import numpy as np
import websockets
from playwright.sync_api import sync_playwright
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

import drivetrain as dt
from tests.app.browsing import CHROMIUM

ROOT = Path(__file__).parents[2]
SCENARIO = """\
version: 1
name: many_prices
title: What should it cost?
objective: {maximise: price * bought, unit: EUR per visitor}
levers: {price: {kind: continuous, min: LOW, max: HIGH, unit: EUR}}
inputs: INPUTS
outcomes: {bought: {kind: binary}}
data: {csv: rows.csv, split: {folds: 5, test: 0.1}}
assignment: {design: randomised}
model: {kinds: [two_tower], epochs: 2, layers: [32], dropout: 0.1, weight_decay: 0.1, batch: 512}
"""
MOVES, SESSIONS, TURNS = 30, 20, 10


def made(folder: Path, rows: int) -> Path:
    """A run of so many rows: a drawn price, and four inputs."""
    draw = np.random.default_rng(1)
    names = {f"x{i}": draw.normal(size=rows).round(3) for i in range(4)}
    price = draw.uniform(5, 15, rows).round(2)
    chance = 1 / (1 + np.exp(-(4 - 0.5 * price + 0.6 * names["x0"] - 0.4 * names["x1"])))
    import pandas as pd

    pd.DataFrame({"price": price, **names, "bought": (draw.random(rows) < chance).astype(int)}).to_csv(
        folder / "rows.csv", index=False
    )
    inputs = "{" + ", ".join(f"{name}: {{kind: numeric}}" for name in names) + "}"
    text = SCENARIO.replace("LOW", "5").replace("HIGH", "15").replace("INPUTS", inputs)
    (folder / "many.yaml").write_text(text, encoding="utf-8")
    dt.run(folder / "many.yaml", folder / "runs" / "many_prices")
    return folder / "runs" / "many_prices"


@contextmanager
def served(run: Path) -> Iterator[tuple[str, int]]:
    """The dashboard's address and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app" / "server.py"), "--server.port", str(port)]
    command += ["--server.headless", "true", "--", str(run)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    server = subprocess.Popen(command, cwd=run.parents[1], env=environment, stdout=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                with urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2):
                    break
            except OSError:
                time.sleep(0.1)
        yield f"127.0.0.1:{port}", server.pid
    finally:
        server.terminate()
        server.wait(20)


def moved(address: str) -> list[float]:
    """Seconds from each key press on the slider to the figure that says where it stands."""
    seconds = []
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.goto(f"http://{address}/levers")
        page.wait_for_selector(".js-plotly-plot", timeout=120_000)
        slider = page.get_by_role("slider").first
        slider.press("Home")
        page.wait_for_timeout(3_000)
        said = "((document.querySelector('.js-plotly-plot')?.textContent ?? '').match(/what if [0-9.]+/) ?? [''])[0]"
        for _ in range(MOVES):
            before, started = page.evaluate(said), time.perf_counter()
            slider.press("ArrowRight")
            page.wait_for_function(f"before => !['', before].includes({said})", arg=before, timeout=30_000, polling=10)
            seconds.append(time.perf_counter() - started)
            page.wait_for_timeout(150)
        browser.close()
    return seconds


async def _session(address: str, number: int) -> tuple[list[float], int]:
    """Seconds of each answer, and how many of them held an exception."""
    seconds, errors = [], 0
    about: dict[str, Any] = {"page_name": "levers"}
    async with websockets.connect(
        f"ws://{address}/_stcore/stream",
        subprotocols=[websockets.Subprotocol("streamlit")],
        max_size=None,
        ping_interval=None,
    ) as line:
        slider, fragment, page = "", "", ""
        for turn in range(TURNS + 1):
            asked = BackMsg()
            asked.rerun_script.page_name = about["page_name"] if turn == 0 else ""
            asked.rerun_script.page_script_hash = page
            if turn:
                asked.rerun_script.fragment_id = fragment
                value = asked.rerun_script.widget_states.widgets.add(id=slider)
                value.double_array_value.data.append(5 + (number * TURNS + turn) % 100 / 10)
            started = time.perf_counter()
            await line.send(asked.SerializeToString())
            while True:
                message = ForwardMsg.FromString(await asyncio.wait_for(line.recv(), 300))
                kind = message.WhichOneof("type")
                if kind == "new_session" and not turn:
                    page = message.new_session.page_script_hash
                if kind == "delta" and message.delta.new_element.WhichOneof("type") == "exception":
                    errors += 1
                element = message.delta.new_element if kind == "delta" else None
                if element is not None and element.WhichOneof("type") == "slider" and not slider:
                    slider, fragment = element.slider.id, message.delta.fragment_id
                if kind == "script_finished" and (turn or slider):
                    break
            if turn:
                seconds.append(time.perf_counter() - started)
            await asyncio.sleep(0.5)
    return seconds, errors


async def crowd(address: str, many: int) -> tuple[list[float], int]:
    """All sessions at once."""
    told = await asyncio.gather(*(_session(address, number) for number in range(many)))
    return [each for seconds, _ in told for each in seconds], sum(errors for _, errors in told)


def memory(process: int) -> float:
    """Resident megabytes."""
    line = next(x for x in Path(f"/proc/{process}/status").read_text().splitlines() if x.startswith("VmRSS"))
    return float(line.split()[1]) / 1024


def processor(process: int) -> float:
    """CPU seconds that a process has used so far."""
    user, system = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def main(*, quick: bool) -> None:
    """Measure, and print what was found."""
    rows = 10_000 if quick else 100_000
    with TemporaryDirectory() as folder:
        run = made(Path(folder), rows)
        with served(run) as (address, process):
            seconds = moved(address)
            before, spent = memory(process), processor(process)
            together, errors = asyncio.run(crowd(address, SESSIONS))
            spent = processor(process) - spent
            after = memory(process)
    p95 = float(np.percentile(seconds, 95))
    figures = {
        "rows": rows,
        "slider to figure, median s": float(np.median(seconds)),
        "slider to figure, p95 s": p95,
        "server's CPU for one answer, s": spent / (len(together) + SESSIONS),
        "load of the machine's cores": os.getloadavg()[0] / (os.cpu_count() or 1),
        "20 sessions, answer p95 s": float(np.percentile(together, 95)),
        "20 sessions, answers": len(together),
        "20 sessions, errors": errors,
        "server with one session, MB": before,
        "each further session, MB": (after - before) / SESSIONS,
    }
    for name, value in figures.items():
        print(f"{name:32} {value:,.3f}" if isinstance(value, float) else f"{name:32} {value:,}")
    targets = {
        "slider to figure, p95 s": {"value": p95, "target": 0.5, "met": p95 < 0.5},
        "20 sessions, errors": {"value": errors, "target": 0, "met": errors == 0},
    }
    print(json.dumps({"figures": figures, "targets": targets}))


if __name__ == "__main__":
    dt.steady()
    main(quick="--quick" in sys.argv)

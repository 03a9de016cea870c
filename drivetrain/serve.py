"""Decisions over HTTP: `POST /recommend` with rows, recommendations back. Needs the `serve` extra.

    curl -s localhost:8600/recommend -H 'content-type: application/json' -d '{"rows": [{"distvct": 1.2, "age": 30}]}'

It binds to this machine unless told otherwise, keeps nothing, and answers a bad request with the same faults that the
command line tells, as JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from drivetrain.assembly import Run, open_run, steady
from drivetrain.errors import DrivetrainError, Fault, UsageError

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MOST_BYTES = 20_000_000
_HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


def app(run: Run) -> Starlette:
    """The ASGI application that decides by a run."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def health(_: Request) -> Response:
        told = {"scenario": run.scenario.name, "policy": run.judged.recommended, "made": run.record["made"]}
        return JSONResponse(told, headers=_HEADERS)

    async def recommend(request: Request) -> Response:
        try:
            frame = await run_in_threadpool(_frame, await _body(request))
            answer = await run_in_threadpool(run.recommend, frame)
        except DrivetrainError as error:
            return JSONResponse({"faults": [_fault(each) for each in error.faults]}, 422, headers=_HEADERS)
        lines = json.loads(answer.frame.to_json(orient="records"))
        body = {"recommendations": lines, "promise": asdict(answer.promise), "remarks": dict(answer.remarks)}
        return JSONResponse(body, headers=_HEADERS)

    return Starlette(routes=[Route("/health", health), Route("/recommend", recommend, methods=["POST"])])


def serve(folder: str | Path, *, host: str = "127.0.0.1", port: int = 8600) -> None:
    """Open a run and answer until stopped.

    Raises:
        DataError: the folder is not a sound run.
        UsageError: the run was only trained, or the `serve` extra is not installed.
    """
    steady()
    run = open_run(folder)
    run.judged  # noqa: B018 - a run without evidence is refused now, not at the first request
    try:
        import uvicorn
    except ImportError as error:
        raise UsageError(
            Fault("drivetrain serve", "uvicorn is not installed", cure='Install it: pip install "drivetrain[serve]"')
        ) from error
    uvicorn.run(app(run), host=host, port=port, log_level="warning")


async def _body(request: Request) -> bytes:
    """What was sent, of which no more is read than is allowed."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            found = f"found more than {MOST_BYTES:,} bytes"
            raise UsageError(Fault("request", found, "No more are read", "Send parts"))
    return bytes(body)


def _frame(body: bytes) -> pd.DataFrame:
    rule, cure = 'It is {"rows": [{column: value, …}, …]}', "Send one object for each row, with the data's columns"
    try:
        rows = json.loads(body)["rows"]
        if b"\\ud" in body.lower():  # half of a pair is no text that could be written anywhere
            json.dumps(rows, ensure_ascii=False).encode()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UsageError(Fault("request", "the body is not understood", rule, cure)) from error
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise UsageError(Fault("request.rows", "it is not a list of objects", rule, cure))
    frame = pd.DataFrame(rows)
    frame.attrs["source"] = "the request"
    return frame


def _fault(fault: Fault) -> dict[str, Any]:
    return {"thing": fault.thing, "found": fault.found, "rule": fault.rule, "cure": fault.cure}

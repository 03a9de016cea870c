"""Decisions over HTTP, asked through Starlette's own client."""

from __future__ import annotations

import asyncio
import json

import pytest
from starlette.testclient import TestClient

from drivetrain import serve
from drivetrain.assembly import Run


@pytest.fixture(scope="module")
def client(small_run: Run) -> TestClient:
    return TestClient(serve.app(small_run))


def test_health_names_the_scenario(client: TestClient, small_run: Run) -> None:
    assert client.get("/health").json()["scenario"] == small_run.scenario.name


def test_recommendations_equal_those_of_python(client: TestClient, small_run: Run) -> None:
    frame = small_run.table.frame[list(small_run.scenario.inputs)].rename(columns=small_run.scenario.columns).head(7)
    answer = client.post("/recommend", content=json.dumps({"rows": json.loads(frame.to_json(orient="records"))}))
    assert answer.status_code == 200
    told = answer.json()
    expected = small_run.recommend(frame)
    assert [line["row"] for line in told["recommendations"]] == list(range(1, 8))
    assert [line["price"] for line in told["recommendations"]] == pytest.approx(expected.frame["price"].tolist())
    assert told["promise"]["total"]["value"] == pytest.approx(expected.promise.total.value)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"not json", "not understood"),
        (b"[1]", "not understood"),
        (b'{"rows": []}', "not a list of objects"),
        (b'{"rows": [{"incom": 1, "region": "north"}]}', "income"),
        (b'{"rows": [{"income": "much", "region": "north"}]}', "much"),
    ],
)
def test_a_bad_request_gets_the_same_faults_as_on_the_command_line(client: TestClient, body: bytes, found: str) -> None:
    answer = client.post("/recommend", content=body)
    assert answer.status_code == 422
    assert found in json.dumps(answer.json()["faults"])


def test_a_body_too_large_is_refused(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MOST_BYTES", 10)
    assert "bytes" in client.post("/recommend", content=b'{"rows": [{}]}').json()["faults"][0]["found"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"rows": [{"income": 1, "region": "\\ud800"}]}'])
def test_what_no_parser_takes_is_a_bad_request(client: TestClient, body: bytes) -> None:
    answer = client.post("/recommend", content=body)
    assert answer.status_code == 422
    assert "not understood" in answer.json()["faults"][0]["found"]


def test_no_more_is_read_than_is_allowed(small_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serve, "MOST_BYTES", 1000)
    read: list[int] = []

    async def receive() -> dict[str, object]:
        read.append(600)
        return {"type": "http.request", "body": b" " * 600, "more_body": len(read) < 50}

    told: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        told.append(message)

    scope = {"type": "http", "method": "POST", "path": "/recommend", "headers": [], "query_string": b""}
    asyncio.run(serve.app(small_run)(scope, receive, send))  # type: ignore[arg-type]
    assert told[0]["status"] == 422
    assert len(read) == 2


def test_faults_name_the_request(client: TestClient) -> None:
    faults = client.post("/recommend", content=b'{"rows": [{"incom": 1, "region": "north"}]}').json()["faults"]
    assert any("the request" in json.dumps(fault) for fault in faults)

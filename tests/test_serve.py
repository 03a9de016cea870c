"""Decisions over HTTP, asked through Starlette's own client."""

from __future__ import annotations

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

"""Model folders: the same answers after the round trip, nothing unpickled, and every damage noticed."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from drivetrain.errors import DataError
from drivetrain.modeler import InputEncoder, Models, OutcomeModel, read, write
from drivetrain.modeler.contract import Shape
from drivetrain.modeler.encoder import CategoricalColumn, NumericColumn
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.links import Link
from drivetrain.modeler.networks import KINDS
from drivetrain.modeler.nodes import Nodes
from drivetrain.modeler.settings import SettingColumn, SettingEncoder

INPUTS = InputEncoder(
    columns=(
        CategoricalColumn(name="town", vocabulary=("Bonn", "Köln")),
        NumericColumn(name="age", centre=0.1, scale=1 / 3, low=-1e9, high=2.0, gaps=True),
    )
)
SETTINGS = SettingEncoder(columns=(SettingColumn(name="price", high=9.0, knots=(1.0, 2.1), atom=0.0),))


def model(kind: str, link: Link) -> OutcomeModel:
    shape = Shape((3,), 2, SETTINGS.width, link.width, (8, 4), 2, 0.3)
    members = []
    for fold in (0, 0, 1):
        network = KINDS[kind](shape, torch.randn(link.width)).eval().requires_grad_(False)
        members.append(Member(network, link.fitted(np.random.default_rng(fold).normal(3, 2, 50)), fold))
    return OutcomeModel("y", kind, shape, SETTINGS, tuple(members), Nodes(link, (0.0, 1.0, 2.0), 0.7))


@pytest.fixture
def models() -> Models:
    torch.manual_seed(0)
    category = Link(kind="categorical", options=("a", "b", "c"))
    return Models(INPUTS, {"sold": model("two_tower", Link(kind="numeric")), "mood": model("joint", category)})


@pytest.fixture
def folder(models: Models, tmp_path: Path) -> Path:
    write(models, tmp_path / "model")
    return tmp_path / "model"


def answers(models: Models) -> list[torch.Tensor]:
    import pandas as pd

    frame = pd.DataFrame({"town": ["Bonn", "Ulm", None], "age": [0.2, np.nan, 7.0]})
    rows = models.inputs.encode(frame)
    at = torch.tensor([[0.0], [1.5], [9.0]])
    return [each.grid(each.context(rows), at) for each in models.outcomes.values()]


def test_the_round_trip_keeps_every_answer(models: Models, folder: Path) -> None:
    back = read(folder)
    assert back.inputs == models.inputs
    assert list(back.outcomes) == ["sold", "mood"]
    for a, b in zip(answers(models), answers(back), strict=True):
        assert torch.allclose(a, b, rtol=0, atol=1e-6)
    assert back.folds.tolist() == [0, 0, 1]
    assert back.outcomes["sold"].nodes == models.outcomes["sold"].nodes
    assert [m.link for m in back.outcomes["sold"].members] == [m.link for m in models.outcomes["sold"].members]


def test_models_without_outcomes_come_back(tmp_path: Path) -> None:
    write(Models(INPUTS, {}), tmp_path / "model")
    assert read(tmp_path / "model") == Models(INPUTS, {})


def test_nothing_is_unpickled(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: Any, **__: Any) -> None:
        pytest.fail("something was unpickled")

    for module, name in ((pickle, "load"), (pickle, "loads"), (pickle, "Unpickler"), (torch, "load")):
        monkeypatch.setattr(module, name, never)
    assert len(read(folder).outcomes) == 2


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-5] ^= 1
    path.write_bytes(content)


def edit(path: Path, change: Callable[[Any], None]) -> None:
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped bit": (lambda f: flip(f / "sold.safetensors"), r"sold\.safetensors: found other content"),
    "truncated": (
        lambda f: (f / "mood.safetensors").write_bytes((f / "mood.safetensors").read_bytes()[:-100]),
        r"mood\.safetensors: found other content",
    ),
    "emptied": (lambda f: (f / "mood.safetensors").write_bytes(b""), r"mood\.safetensors: found other content"),
    "weights missing": (lambda f: (f / "sold.safetensors").unlink(), "no readable model .FileNotFoundError"),
    "manifest missing": (lambda f: (f / "manifest.json").unlink(), "no readable model .FileNotFoundError"),
    "manifest cut": (lambda f: (f / "manifest.json").write_text('{"format": 1, "inp'), "no readable model"),
    "manifest of bytes": (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\x00"), "no readable model"),
    "a list": (lambda f: (f / "manifest.json").write_text("[]"), "no readable model"),
    "nothing in it": (lambda f: (f / "manifest.json").write_text("{}"), "no readable model"),
    "deep": (lambda f: (f / "manifest.json").write_text("[" * 100_000), "no readable model"),
    "another format": (lambda f: edit(f / "manifest.json", lambda m: m.update(format=2)), "found a model of format 2"),
    "a changed number": (
        lambda f: edit(f / "manifest.json", lambda m: m["outcomes"]["sold"]["members"][0].update(centre=9.9)),
        r"manifest\.json: found other content",
    ),
    "swapped": (lambda f: (f / "sold.safetensors").replace(f / "mood.safetensors"), "no readable model"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_damage_is_a_message(damage: str, folder: Path) -> None:
    do, message = DAMAGES[damage]
    do(folder)
    with pytest.raises(DataError, match=message) as caught:
        read(folder)
    assert caught.value.faults[0].cure
    assert str(folder) in str(caught.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no readable model"):
        read(tmp_path / "nowhere")

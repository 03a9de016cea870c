"""Probabilities put right by rows that no member has seen, where that is worth anything."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from drivetrain.modeler import EncodedRows, Link
from drivetrain.modeler.calibrating import calibrated
from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.cross_fitting import Task, out_of_fold
from drivetrain.modeler.ensemble import Member
from drivetrain.modeler.examples import Examples
from drivetrain.modeler.settings import SettingColumn, SettingEncoder


class Sure(Network):
    """Says the truth, times a factor and plus something."""

    def __init__(self, times: float, plus: float) -> None:
        nn.Module.__init__(self)
        self.times, self.plus = times, plus

    def context(self, rows: EncodedRows) -> Tensor:
        return rows.numbers

    def grid(self, context: Any, features: Tensor) -> Tensor:
        raise NotImplementedError

    def paired(self, context: Any, features: Tensor) -> Tensor:  # noqa: ARG002
        out: Tensor = context * self.times
        out[:, 0] += self.plus
        return out


def task(link: Link, rows: int = 4000) -> Task:
    draw = np.random.default_rng(0)
    true = draw.normal(size=(rows, link.width))
    chance = 1 / (1 + np.exp(-true[:, 0]))
    shares = np.exp(true) / np.exp(true).sum(1, keepdims=True)
    options = (draw.random(rows)[:, None] > shares.cumsum(1)[:, :-1]).sum(1)
    observed = (draw.random(rows) < chance) if link.kind == "binary" else options
    settings = SettingEncoder(columns=(SettingColumn(name="a"),))
    numbers = torch.from_numpy(true).float()
    known = EncodedRows(torch.zeros((rows, 0), dtype=torch.int64), numbers, {})
    examples = Examples(known, torch.zeros(rows, 1), observed.astype(float))
    shape = Shape((), link.width, 1, link.width, (8,), 2, 0.0)
    return Task(link, shape, settings, examples, np.arange(rows) % 4)


LINKS = [Link(kind="binary"), Link(kind="categorical", options=("a", "b", "c"))]


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.kind)
def test_members_that_are_too_sure_are_put_right(link: Link) -> None:
    made = task(link)
    members = tuple(Member(Sure(3.0, 0.8), link, fold) for fold in range(4))
    better, told = calibrated(members, made)
    assert told is not None
    assert [member.link.slope for member in better] == pytest.approx([1 / 3] * 4, rel=0.15)
    exact = out_of_fold(tuple(Member(Sure(1.0, 0.0), link, fold) for fold in range(4)), made)
    assert np.abs(out_of_fold(better, made) - exact).mean() < 0.02
    # a fold's own rows have no say in its member's slope
    changed = made.examples.observed.copy()
    changed[made.fold == 0] = 0
    other, _ = calibrated(members, replace(made, examples=replace(made.examples, observed=changed)))
    assert other[0].link == better[0].link
    assert other[1].link != better[1].link


def test_members_that_are_right_stay_as_they_are() -> None:
    made = task(LINKS[0])
    members = tuple(Member(Sure(1.0, 0.0), LINKS[0], fold) for fold in range(4))
    assert calibrated(members, made) == (members, None)
    numbers = replace(made, link=Link(kind="numeric"))
    assert calibrated(members, numbers) == (members, None)

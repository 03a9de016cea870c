"""Steps of stacked networks: each member's own gradient, the same whether flattened or not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from drivetrain.modeler.contract import Network, Shape
from drivetrain.modeler.flat import flatten
from drivetrain.modeler.kinds import EVERY
from drivetrain.modeler.links import Link
from drivetrain.modeler.pulling import Pull
from drivetrain.modeler.stack import Stack

LINKS = {
    "binary": Link(kind="binary"),
    "numeric": Link(kind="numeric", centre=1.0, scale=2.0),
    "count": Link(kind="count"),
    "rating": Link(kind="rating", low=1, high=5),
    "categorical": Link(kind="categorical", options=("a", "b", "c")),
}
PLAIN = Shape((3, 5), 4, 3, 1, (8,), 2, 0.0)
SHAPES = {
    **dict.fromkeys(("two_tower", "joint", "common"), PLAIN),
    "held": Shape((3, 5), 4, 3, 1, (8,), 2, 0.0, held=((1, 3),)),
    **{kind: Shape((3, 5), 4, 3, 1, (8,), 2, 0.0, coded=((0, 6),)) for kind in ("dot", "neural")},
}


def batch(members: int, link: Link, seed: int = 0) -> tuple[Tensor, ...]:
    """Codes, numbers, features (the first of them codes too) and targets of 7 rows for each member."""
    random = torch.Generator().manual_seed(seed)
    codes = torch.stack([torch.randint(0, size, (members, 7), generator=random) for size in (3, 5)], -1)
    numbers, features = (torch.randn(members, 7, width, generator=random) for width in (4, 3))
    features[..., 0] = torch.randint(0, 6, (members, 7), generator=random)
    whole = torch.randint(0, 3 if link.kind == "categorical" else 2, (members, 7), generator=random)
    return codes, numbers, features, whole if link.kind == "categorical" else whole.float()


def made(kind: str, members: int, link: Link) -> tuple[list[Network], Stack]:
    shape = Shape(**{**vars(SHAPES[kind]), "width": link.width})
    torch.manual_seed(3)
    networks = [EVERY["two_tower" if kind == "held" else kind](shape, torch.zeros(link.width)) for _ in range(members)]
    codes, _, features, _ = batch(1, link)
    return networks, Stack(networks, link, Pull(networks, [torch.arange(7)] * members, codes[0], features[0], 0.1))


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("members", [1, 3])
def test_a_flattened_step_is_the_step(kind: str, members: int) -> None:
    link = LINKS["binary"]
    _, stack = made(kind, members, link)
    stack.flatten(*batch(members, link))
    other = batch(members, link, seed=1)  # not the batch that it was traced with
    losses = stack(*other)
    found = stack.gradients
    *want, told = stack.step(*stack.weights, *stack.pull.shares.values(), *other)
    torch.testing.assert_close(losses, told)
    torch.testing.assert_close(found, want)


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize("flat", [False, True])
def test_a_step_is_the_gradient_of_each_members_own_loss(link: Link, flat: bool) -> None:
    networks, stack = made("joint", 3, link)
    given = batch(3, link)
    if flat:
        stack.flatten(*given)
    losses = stack(*given)
    *inputs, targets = given
    for place, network in enumerate(networks):
        loss = link.loss(network(*(each[place] for each in inputs)), targets[place])
        loss.backward()
        torch.testing.assert_close(losses[place], loss)
        for name, gradient in zip(stack.names, stack.gradients, strict=True):
            torch.testing.assert_close(gradient[place], network.get_parameter(name).grad)


def test_one_network_alone_learns_what_it_would_in_a_stack() -> None:
    link = LINKS["count"]
    _, stack = made("dot", 1, link)
    given = batch(1, link)
    losses = stack(*given)
    *want, told = stack.step(*stack.weights, *stack.pull.shares.values(), *given)
    torch.testing.assert_close(losses, told)
    torch.testing.assert_close(stack.gradients, want)


def test_a_flat_function_does_not_change_its_arguments_and_draws_new_random_numbers() -> None:
    def function(values: Tensor) -> tuple[Tensor, ...]:
        doubled = values.clone().mul_(2.0)
        return doubled, functional.dropout(doubled, 0.5), functional.dropout(doubled, 0.5), torch.eye(2) @ doubled

    flat, given = flatten(function, torch.zeros(2, 50)), torch.ones(2, 50)
    doubled, once, twice, turned = flat(given)
    assert (given == 1).all()
    torch.testing.assert_close(doubled, 2 * given)
    torch.testing.assert_close(turned, doubled)
    again = flat(given)[1]
    assert not torch.equal(once, twice)
    assert not torch.equal(once, again)
    assert set(once.unique().tolist()) == {0.0, 4.0}

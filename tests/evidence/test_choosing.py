"""Which policy is chosen is cross-fitted too: what is told of it is not the luck by which it was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from drivetrain.evidence import Estimate, Judged, Sample
from drivetrain.evidence.choosing import believed, choose, credible_gain
from drivetrain.evidence.value import Judge, Scores

ROWS, FOLDS = 200, 5
FOLD = np.arange(ROWS) % FOLDS


@dataclass
class Court:
    """What `choose` asks of a judge."""

    sample = Sample(ROWS)
    table = SimpleNamespace(fold=FOLD, __len__=lambda: ROWS)
    simulator = SimpleNamespace(scenario=SimpleNamespace(objective=SimpleNamespace(sign=1)))


class Rows(SimpleNamespace):
    def __len__(self) -> int:
        return ROWS


def court() -> Judge:
    told = Court()
    told.table = Rows(fold=FOLD)
    folds = [(np.flatnonzero(fold == FOLD), None, None) for fold in range(FOLDS)]
    return cast(Judge, SimpleNamespace(sample=told.sample, table=told.table, simulator=told.simulator, folds=folds))


def judged(names: Any) -> list[Judged]:
    return [Judged(name, Estimate(0, 1), 0.0, Estimate(0, 0), 200.0, True) for name in names]


def flat(total: np.ndarray) -> Scores:
    return Scores(np.zeros(ROWS), total, np.ones(ROWS))


def test_where_folds_agree_the_scores_are_the_policys_own() -> None:
    scores = {"do_nothing": flat(np.zeros(ROWS)), "single": flat(np.ones(ROWS) + 0.01 * (FOLD - 2))}
    choice = choose(court(), judged(scores), scores)
    assert (choice.name, set(choice.by_fold), choice.error) == ("single", {"single"}, 0.0)
    assert (choice.scores.total == scores["single"].total).all()


def test_two_folds_choose_for_each_other() -> None:
    halves = court()
    rows = np.arange(ROWS)
    halves.table.fold = rows % 2  # type: ignore[misc]
    halves.folds = [(rows[rows % 2 == half], None, None) for half in range(2)]  # type: ignore[misc, list-item]
    scores = {"do_nothing": flat(np.zeros(ROWS)), "single": flat(1 + 0.01 * (FOLD - 2))}
    assert choose(halves, judged(scores), scores).by_fold == ("single", "single")


def lucky_in_one_fold(elsewhere: float) -> dict[str, Scores]:
    """`single` has 2.5 in fold 0, and so little in the others that without fold 0 it does not stand out of noise."""
    noise = np.random.default_rng(0).normal(size=ROWS)
    noise -= np.array([noise[fold == FOLD].mean() for fold in range(FOLDS)])[FOLD]
    single = 0.5 * noise + np.where(FOLD == 0, 2.5, elsewhere)
    return {"do_nothing": flat(np.zeros(ROWS)), "single": flat(single)}


def test_a_policy_that_one_fold_alone_speaks_for_is_not_credited_with_that_fold() -> None:
    scores = lucky_in_one_fold(elsewhere=0.1)
    choice = choose(court(), judged(scores), scores)
    assert choice.name == "single"
    assert choice.by_fold == ("do_nothing", "single", "single", "single", "single")
    assert choice.scores.total.mean() == pytest.approx(0.1 * 4 / 5)
    assert scores["single"].total.mean() > 0.5
    assert choice.error > 0.2


def test_what_gains_nothing_without_that_luck_does_not_replace_what_is_simpler() -> None:
    scores = lucky_in_one_fold(elsewhere=-0.01)
    assert scores["single"].total.mean() > 0.4
    assert choose(court(), judged(scores), scores).name == "do_nothing"


def test_value_and_interval_are_honest_though_the_luckiest_of_four_is_chosen() -> None:
    """Four policies worth the same, less by one standard error, or more: next to nothing of the luck is told."""
    draw, far, naive, hit = np.random.default_rng(1), [], [], []
    for trial in range(600):
        true = {"do_nothing": 0.0, "single": (0.0, 0.07, 0.2)[trial % 3], "tree": 0.0, "row": (0.0, 0.05)[trial % 2]}
        scores = {name: flat(value + draw.normal(size=ROWS)) for name, value in true.items()}
        choice = choose(court(), judged(scores), scores)
        told = Sample(ROWS).estimate(choice.scores.total)
        error = float(np.hypot(told.error, choice.error))
        far.append(told.value - true[choice.name])
        naive.append(scores[choice.name].total.mean() - true[choice.name])
        hit.append(abs(far[-1]) < 1.96 * error)
    assert -0.35 * np.mean(naive) < np.mean(far) < 0.1 * np.mean(naive)
    assert 0.92 < np.mean(hit) < 0.98


def test_models_that_have_seen_a_fold_do_not_turn_its_luck_round() -> None:
    """What a fold's models expect is what other folds' rows show; its own rows have no say in what it is told for."""
    draw, far, naive = np.random.default_rng(4), [], []
    for trial in range(400):
        true = (0.05, 0.1, 0.15)[trial % 3]
        shown = true + draw.normal(size=ROWS)
        direct = np.array([shown[fold != FOLD].mean() for fold in range(FOLDS)])[FOLD]
        scores = {"do_nothing": flat(np.zeros(ROWS)), "single": Scores(direct, shown - direct, np.ones(ROWS))}
        choice = choose(court(), judged(scores), scores)
        value = np.mean([true * (name == "single") for name in choice.by_fold])
        far.append(choice.scores.total.mean() - value)
        naive.append(scores[choice.name].total.mean() - true * (choice.name == "single"))
    assert np.mean(naive) > 0.01
    assert abs(np.mean(far)) < 0.25 * np.mean(naive)


def credible(direct: float, correction: float, noise: float) -> Estimate:
    """Of 200 rows whose correction has that mean and that standard error."""
    spread = np.random.default_rng(3).normal(size=ROWS)
    spread = (spread - spread.mean()) / spread.std(ddof=1) * noise * np.sqrt(ROWS)
    everyone = np.arange(ROWS)
    return credible_gain(np.full(ROWS, direct), correction + spread, Sample(ROWS), everyone, everyone)


def test_a_gain_is_believed_as_far_as_rows_can_tell() -> None:
    assert credible(0.3, -0.2, 0.0).value == pytest.approx(0.1)  # nothing is noise: rows alone count
    assert credible(0.3, -0.2, 0.15).value == pytest.approx(0.3 - 0.2 / 2)  # as noisy as models may be off: half
    drowned = credible(0.1, -0.06, 2.0)
    assert drowned.value == pytest.approx(0.1, abs=0.001)
    assert drowned.value > 1.9 * drowned.error  # models may be off by half
    refuted = credible(0.1, -0.3, 0.1)
    assert refuted.value < 0
    clear = credible(0.0, 1.0, 0.1)  # models saw nothing, rows do
    assert clear.value == pytest.approx(0.99)
    assert clear.value > 9 * clear.error


@pytest.mark.parametrize(("tree", "chosen"), [(0.04, "tree"), (-0.04, "single")])
def test_noise_does_not_turn_down_a_change_that_is_credibly_better_than_another(tree: float, chosen: str) -> None:
    """Rows tell a change from none, and cannot tell two changes apart: what models expect of these counts."""
    draw = np.random.default_rng(2).normal(size=(2, ROWS))
    shared, own = draw - draw.mean(1, keepdims=True)
    at = np.full(ROWS, 1.0)
    scores = {
        "do_nothing": flat(np.zeros(ROWS)),
        "single": Scores(at, 0.3 * shared, np.ones(ROWS)),
        "tree": Scores(at + tree, 0.3 * shared + own - 0.05, np.ones(ROWS)),
    }
    choice = choose(court(), judged(scores), scores)
    assert (scores["tree"].total - scores["single"].total).mean() < 0
    assert choice.name == chosen
    seen = believed(court(), judged(scores), scores)
    assert (seen["do_nothing"], seen["single"]) == pytest.approx((0, 1))

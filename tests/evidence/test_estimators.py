"""Estimators against the Open Bandit Pipeline's formulas and, where it is installed, the package itself."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from drivetrain.evidence import Sample, estimators
from drivetrain.evidence.estimators import Parts

ROWS, ACTIONS = 400, 4


@dataclass(frozen=True)
class Bandit:
    """Logged actions with known chances, a stochastic policy to value, and a crude model."""

    action: np.ndarray
    reward: np.ndarray
    chance: np.ndarray
    policy: np.ndarray
    guess: np.ndarray
    truth: float

    @property
    def parts(self) -> Parts:
        rows = np.arange(len(self.action))
        own = self.guess[rows, self.action]
        weight = self.policy[rows, self.action] / self.chance
        return Parts((self.policy * self.guess).sum(1), self.reward, own, weight)


def bandit(seed: int, rows: int = ROWS, policy: str = "soft") -> Bandit:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(rows, 3))
    beta = np.random.default_rng(0).normal(size=(3, ACTIONS))
    mean = 1 / (1 + np.exp(-(x @ beta)))
    logits = 0.6 * x @ np.random.default_rng(1).normal(size=(3, ACTIONS))
    chances = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    action = (draw.random(rows)[:, None] > chances.cumsum(1)).sum(1).clip(0, ACTIONS - 1)
    reward = (draw.random(rows) < mean[np.arange(rows), action]).astype(float)
    told = 0.6 * mean + 0.1
    wanted = np.exp(2 * told) / np.exp(2 * told).sum(1, keepdims=True)
    if policy == "best":
        wanted = (np.arange(ACTIONS) == told.argmax(1)[:, None]).astype(float)
    return Bandit(action, reward, chances[np.arange(rows), action], wanted, told, float((wanted * mean).sum(1).mean()))


@pytest.mark.parametrize("policy", ["soft", "best"])
def test_every_formula_re_derived_row_by_row(policy: str) -> None:
    made = bandit(1, policy=policy)
    sample, parts = Sample(ROWS), made.parts
    sums = dict.fromkeys(("ips", "weight", "dr", "residual", "switch"), 0.0)
    for i in range(ROWS):
        a = made.action[i]
        w = made.policy[i, a] / made.chance[i]
        direct = sum(made.policy[i, k] * made.guess[i, k] for k in range(ACTIONS))
        residual = w * (made.reward[i] - made.guess[i, a])
        sums["ips"] += w * made.reward[i] / ROWS
        sums["weight"] += w / ROWS
        sums["dr"] += (direct + residual) / ROWS
        sums["residual"] += residual / ROWS
        sums["switch"] += (direct + (residual if w <= 1.5 else 0)) / ROWS
    told = {
        name: scores.mean() for name, scores in estimators.every(parts, sample, np.zeros((ROWS, 0)), _fold()).items()
    }
    direct = parts.direct.mean()
    assert told["direct"] == pytest.approx(direct, abs=1e-12)
    assert told["ips"] == pytest.approx(sums["ips"], abs=1e-12)
    assert told["snips"] == pytest.approx(sums["ips"] / sums["weight"], abs=1e-12)
    assert told["dr"] == pytest.approx(sums["dr"], abs=1e-12)
    assert told["sndr"] == pytest.approx(direct + sums["residual"] / sums["weight"], abs=1e-12)
    assert estimators.switch(parts, 1.5).mean() == pytest.approx(sums["switch"], abs=1e-12)


def _fold(rows: int = ROWS) -> np.ndarray:
    return np.arange(rows) % 3


def test_mrdr_without_rows_that_speak_is_the_doubly_robust_one() -> None:
    parts = bandit(2).parts
    scarce = Parts(parts.direct, parts.reward, parts.expected, np.where(np.arange(ROWS) < 20, parts.weight, 0.0))
    assert estimators.mrdr(scarce, np.zeros((ROWS, 0)), _fold()) == pytest.approx(estimators.dr(scarce))


def test_mrdr_lowers_the_error_of_models_that_are_off_by_a_constant() -> None:
    parts = bandit(3, rows=4000, policy="best").parts
    off = Parts(parts.direct + 3, parts.reward, parts.expected + 3, parts.weight)
    sample = Sample(4000)
    plain, refitted = (
        sample.estimate(s) for s in (estimators.dr(off), estimators.mrdr(off, np.zeros((4000, 0)), _fold(4000)))
    )
    assert refitted.error < 0.5 * plain.error
    assert abs(refitted.value - bandit(3, rows=4000, policy="best").truth) < 4 * refitted.error


def test_switch_leaves_out_what_costs_more_than_it_tells() -> None:
    """One row of a weight of 500 whose surprise is noise: the threshold falls below it."""
    parts = bandit(4).parts
    weight = parts.weight.copy()
    weight[0] = 500.0
    wild = Parts(parts.direct, parts.reward, parts.expected, weight)
    assert estimators.threshold(wild, Sample(ROWS)) < 500
    assert estimators.threshold(parts, Sample(ROWS)) == pytest.approx(parts.weight.max())


def test_estimators_are_covered_and_disagree_no_more_than_chance() -> None:
    names = ("ips", "snips", "dr", "sndr", "switch", "mrdr")
    hits, quarrels, runs = dict.fromkeys(names, 0), 0, 200
    for seed in range(runs):
        made = bandit(seed + 10, rows=600, policy="best")
        truth = bandit(0, rows=200_000, policy="best").truth if seed == 0 else truth  # noqa: F821
        scores = estimators.every(made.parts, sample := Sample(600), np.zeros((600, 0)), _fold(600))
        for name in names:
            told = sample.estimate(scores[name])
            hits[name] += told.low <= truth <= told.high
        quarrels += any(
            w.disagrees for w in estimators.witnesses(scores, None, sample, 1) if w.name not in {"direct", "switch"}
        )
    print({name: f"{many / runs:.1%}" for name, many in hits.items()}, f"quarrels {quarrels / runs:.1%}")
    biased = hits.pop("switch") / runs  # it trades bias for variance, and its interval does not know
    assert biased >= 0.8
    assert all(0.92 <= many / runs <= 0.985 for many in hits.values())
    assert quarrels / runs <= 0.05


def test_a_model_that_promises_too_much_is_found_out() -> None:
    parts = bandit(5, rows=3000).parts
    rosy = Parts(parts.direct + 0.2, parts.reward, parts.expected + 0.2, parts.weight)
    told = estimators.witnesses(
        estimators.every(rosy, Sample(3000), np.zeros((3000, 0)), _fold(3000)), None, Sample(3000), 1
    )
    assert {each.name for each in told if each.disagrees} == {"direct"}


def test_the_open_bandit_pipeline_agrees() -> None:
    """Identical inputs, to 1e-8; obp 0.4.1 installs with --no-deps only, so it is no part of any extra."""
    ope = _pipeline()
    for policy in ("soft", "best"):
        made = bandit(7, rows=1000, policy=policy)
        given = {
            "reward": made.reward,
            "action": made.action,
            "pscore": made.chance,
            "action_dist": made.policy[:, :, None],
            "estimated_rewards_by_reg_model": made.guess[:, :, None],
            "position": np.zeros(1000, dtype=int),
        }
        sample = Sample(1000)
        scores = estimators.every(made.parts, sample, np.zeros((1000, 0)), _fold(1000))
        pairs = {
            "direct": ope.DirectMethod(),
            "ips": ope.InverseProbabilityWeighting(),
            "snips": ope.SelfNormalizedInverseProbabilityWeighting(),
            "dr": ope.DoublyRobust(),
            "sndr": ope.SelfNormalizedDoublyRobust(),
        }
        for name, peer in pairs.items():
            assert scores[name].mean() == pytest.approx(peer.estimate_policy_value(**given), abs=1e-8), name
        for at in (0.5, 1.2, 3.0):
            peer = ope.SwitchDoublyRobust(tau=at)
            assert estimators.switch(made.parts, at).mean() == pytest.approx(
                peer.estimate_policy_value(**given), abs=1e-8
            )


def test_intervals_cover_on_the_pipelines_synthetic_bandit() -> None:
    """120 logs of 500 rounds, drawn by a policy that leans on the context, with a model that knows only the mean."""
    _pipeline()
    made = pytest.importorskip("obp.dataset")
    bandits = made.SyntheticBanditDataset(
        n_actions=4,
        dim_context=3,
        reward_function=made.logistic_reward_function,
        behavior_policy_function=made.linear_behavior_policy,
        random_state=12,
    )
    logs, rounds = 120, 500
    log = bandits.obtain_batch_bandit_feedback(logs * rounds)
    turned = np.exp(2 * log["expected_reward"] + log["context"][:, :1] * np.arange(4) / 4)
    policy = turned / turned.sum(1, keepdims=True)
    truth = bandits.calc_ground_truth_policy_value(log["expected_reward"], policy[:, :, None])
    weight = policy[np.arange(logs * rounds), log["action"]] / log["pscore"]
    mean = np.full(logs * rounds, 0.5)
    hits: dict[str, list[bool]] = {"dr": [], "ips": [], "snips": [], "sndr": [], "mrdr": []}
    for rows in np.arange(logs * rounds).reshape(logs, rounds):
        parts = Parts(mean[rows], log["reward"][rows].astype(float), mean[rows], weight[rows])
        sample = Sample(rounds)
        scores = estimators.every(parts, sample, log["context"][rows], _fold(rounds))
        for name, hit in hits.items():
            told = sample.estimate(scores[name])
            hit.append(bool(told.low <= truth <= told.high))
    for name, hit in hits.items():  # 95% but for three standard errors of 120 logs
        assert 0.89 < np.mean(hit) <= 1.0, (name, np.mean(hit))


def _pipeline() -> Any:
    if "seaborn" not in sys.modules:
        try:
            import seaborn as _sns  # noqa: F401, ICN001
        except ImportError:
            sys.modules["seaborn"] = ModuleType("seaborn")  # obp draws with it, and is not asked to draw
    return pytest.importorskip("obp.ope")

"""Sentences: true for what was found, never finer than what is known."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from drivetrain.decisions import Promise, reasons, words
from drivetrain.decisions.rounding import interval, number, numbers, setting, span
from drivetrain.evidence import Estimate, Evidence, Judged, Point
from drivetrain.optimizer import Certificate
from drivetrain.scenario import Scenario, load, parse
from tests.stand_ins import declare

CHOICES = """\
version: 1
name: choices
title: Which?
objective: {minimise: cost_of * lost, unit: EUR}
parameters: {cost_of: 2}
levers:
  channel: {kind: categorical, options: [sms, mail], do_nothing: mail}
  gift: {kind: yes_no, do_nothing: no}
outcomes: {lost: {kind: binary}}
data: {csv: none.csv}
"""


@pytest.fixture
def scenario(small_scenario: Path) -> Scenario:
    return load(small_scenario)


def _judged(name: str, value: float, effective: float = 300) -> Judged:
    return Judged(name, Estimate(value, 0.05), value + 0.1, Estimate(0.0, 0.05), effective, True)


def _evidence(recommended: str = "single", gain: float = 0.3, **changes: object) -> Evidence:
    others = {"do_nothing": Estimate(gain, 0.1), "row": Estimate(0.01, 0.05)}
    base = Evidence(
        grade="randomised",
        policies=tuple(_judged(name, 1.0) for name in ("do_nothing", "single", "row")),
        recommended=recommended,
        gains={name: gain for name, gain in others.items() if name != recommended},
        gain_corrections={},
        single=(7.5,),
        curve=tuple(Point("price", at, Estimate(1, 0.1), Estimate(0, 0.1), 1.0) for at in (5.0, 7.5, 10.0, 15.0)),
        near={"price": (7.5, 7.5, False)},
        effects=(),
        rows=500,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def test_the_headline_says_what_and_how_much_and_how_sure(scenario: Scenario) -> None:
    told = words.headline(scenario, _evidence(), Promise(500, Estimate(600, 20), "do_nothing", Estimate(150, 51)))
    assert told == (
        "Set price to 7.50 EUR for everyone. Expected: 0.30 EUR per visitor more than doing nothing (95% interval "
        "0.10 to 0.50). Summed over the 500 rows that is 150 EUR (50 to 250)."
    )


def test_flat_is_called_flat(scenario: Scenario) -> None:
    flat = _evidence(near={"price": (6.0, 9.5, True)})
    assert "(anything from 6.0 to 9.5 EUR is about as good)" in words.headline(scenario, flat)
    assert words.top(scenario, flat, "price").startswith("Along price the value is flat")
    narrow = _evidence(near={"price": (7.0, 8.0, False)})
    assert "anything" not in words.headline(scenario, narrow)
    assert (
        words.top(scenario, narrow, "price") == "Along price anything from 7.0 to 8.0 EUR is about as good as the best."
    )


def test_an_interval_that_does_not_clear_0_says_so(scenario: Scenario) -> None:
    unsure = _evidence(gain=0.1)
    assert "does not clear 0" in words.headline(scenario, unsure)
    assert words.stance(scenario, unsure).word == "test"


def test_a_loss_is_not_called_better(scenario: Scenario) -> None:
    told = words.headline(scenario, _evidence(gain=-0.1))
    assert "Nothing shows that it is better" in told
    assert "the gain is -0.1" in told


def test_hope_below_the_last_digit_is_none(scenario: Scenario) -> None:
    hoped = tuple(
        replace(_judged(name, 1.0), naive=naive) for name, naive in (("do_nothing", 1.0), ("single", 1 + 1e-8))
    )
    assert "Nothing shows that it is better" in words.headline(scenario, _evidence(gain=-0.1, policies=hoped))


def test_what_only_models_hope_for_is_a_test_and_no_change(scenario: Scenario) -> None:
    hoped = tuple(replace(_judged(name, 1.0), naive=naive) for name, naive in (("do_nothing", 1.0), ("single", 1.25)))
    evidence = _evidence(gain=-0.1, policies=hoped)
    assert words.headline(scenario, evidence) == (
        "Only as a test: set price to 7.50 EUR for everyone. Models expect it to be better than doing nothing by 0.25 "
        "EUR per visitor, but rows that they had not seen do not bear that out: there the gain is -0.10 EUR per "
        "visitor (95% interval -0.30 to 0.10)."
    )
    stance = words.stance(scenario, evidence)
    assert (stance.word, stance.reason) == (
        "test",
        "Rows that the models had not seen show no gain over doing nothing; a randomised test would settle it.",
    )


def test_a_current_policy_that_looks_as_good_is_named(scenario: Scenario) -> None:
    text = scenario.text.replace("randomised", "observational").replace("current: 10", "current: data")
    observed = parse(text)
    gains = {"do_nothing": Estimate(0.3, 0.1), "current": Estimate(-0.05, 0.1)}
    evidence = _evidence(gains=gains, policies=tuple(_judged(n, 1.0) for n in ("do_nothing", "current", "single")))
    told = words.stance(observed, evidence)
    assert (told.word, told.reason) == ("test", "The interval of the gain does not clear the current policy.")
    assert "The current policy looks better, at 1.00" in reasons.sentences(observed, evidence)[0]
    drawn = parse(text.replace("observational", "randomised"))
    assert words.stance(drawn, evidence).word == "act"  # an experiment is nothing that one goes on with
    assert not words.kept_rivals(drawn, evidence)


@pytest.mark.parametrize(("grade", "word"), [("randomised", "act"), ("adjusted", "test"), ("associational", "test")])
def test_only_randomised_evidence_says_act(scenario: Scenario, grade: str, word: str) -> None:
    assert words.stance(scenario, _evidence(grade=grade)).word == word
    assert words.grounds(_evidence(grade=grade))[0].lower() == grade


def test_doing_nothing_promises_nothing(scenario: Scenario) -> None:
    nothing = _evidence("do_nothing")
    assert words.headline(scenario, nothing).startswith(
        "Leave things alone (price 10.00 EUR). No other policy is clearly"
    )
    assert words.stance(scenario, nothing).word == "leave"


def test_what_is_kept_as_it_is_has_no_gain_to_sum(scenario: Scenario) -> None:
    promise = Promise(500, Estimate(600, 20), "do_nothing", Estimate(150, 51))
    assert "Summed" not in words.headline(scenario, _evidence("do_nothing"), promise)


def test_personal_settings_that_do_not_pay(scenario: Scenario) -> None:
    lines = reasons.verdict(scenario, _evidence())
    assert "A setting for each row is not worth it: it would change the value by -0.010 EUR per visitor" in lines[1]
    worse = _evidence(gains={"do_nothing": Estimate(0.3, 0.1), "row": Estimate(0.5, 0.1)})
    assert "A setting for each row is worse, by 0.50 EUR per visitor" in reasons.verdict(scenario, worse)[1]


def test_less_is_better_where_the_objective_is_minimised(scenario: Scenario) -> None:
    fewer = parse(scenario.text.replace("maximise: (price - 4) * bought", "minimise: bought * price"))
    lines = reasons.verdict(fewer, _evidence())
    assert "A setting for each row is not worth it: it would change the value by 0.010 EUR per visitor" in lines[1]


def test_doing_nothing_that_the_data_cannot_speak_for_is_named(scenario: Scenario) -> None:
    blind = _evidence(policies=tuple(_judged(name, 1.0) for name in ("current", "single")))
    told = "Doing nothing (price 10.00 EUR) is not judged: too few rows of the data have such a setting."
    assert told in reasons.verdict(scenario, blind)
    assert told not in reasons.verdict(scenario, _evidence())


def test_personal_settings_that_pay(scenario: Scenario) -> None:
    gains = {"do_nothing": Estimate(0.5, 0.1), "single": Estimate(0.2, 0.06)}
    told = " ".join(reasons.verdict(scenario, _evidence("row", gains=gains)))
    assert "A setting for each row gains 0.20 EUR per visitor (95% interval 0.08 to 0.32) over one for all." in told
    assert words.action(scenario, _evidence("row", gains=gains)) == "Set price for each row on its own"


def test_thin_evidence_and_edges_are_told(scenario: Scenario) -> None:
    thin = _evidence(policies=(_judged("do_nothing", 1), _judged("single", 1, 20), _judged("row", 1)))
    assert any("Only about 20 rows" in line for line in reasons.verdict(scenario, thin))
    points = tuple(Point("price", at, Estimate(1, 0.1), Estimate(0, 0.1), 1.0) for at in (6.0, 7.5, 9.0))
    edge = _evidence(curve=points, single=(6.0,), near={"price": (6.0, 6.0, False)})
    assert "lowest price that the data can speak for" in words.top(scenario, edge, "price")


def test_options_and_minimising() -> None:
    scenario = parse(CHOICES)
    evidence = _evidence(single=(0.0, 1.0), near={}, curve=())
    told = words.headline(scenario, evidence)
    assert told.startswith(
        "Set channel to sms and gift to yes for everyone. Expected: 0.30 EUR less than doing nothing"
    )
    nothing = words.action(scenario, _evidence("do_nothing", single=(0.0, 1.0)))
    assert nothing == "Leave things alone (channel mail and gift no)"


def test_settings_are_said_as_finely_as_they_are_recommended(scenario: Scenario) -> None:
    assert setting(scenario.levers["price"], 7.123456) == "7.12 EUR"
    assert setting(scenario.levers["price"], 0) == "0 EUR"


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e9))
def test_intervals_are_rounded_alike_and_stay_near(value: float, error: float) -> None:
    estimate = Estimate(value, error)
    told = [float(word.replace(",", "")) for word in interval(estimate)]
    half = (estimate.high - estimate.low) / 2
    largest = max(abs(estimate.low), abs(estimate.high))
    for word, exact in zip(told, (estimate.value, estimate.low, estimate.high), strict=True):
        assert abs(word - exact) <= max(0.051 * half, 0.0051 * largest) + 1e-11


@given(st.floats(-1e12, 1e12))
def test_numbers_have_three_digits(value: float) -> None:
    told = float(number(value).replace(",", ""))
    assert math.isclose(told, value, rel_tol=0.0051, abs_tol=1e-11)
    assert number(value) != "-0"


def test_what_is_not_a_number_is_unknown() -> None:
    assert span(Estimate(math.nan, math.nan)) == "unknown (95% interval unknown to unknown)"


def test_what_looks_better_and_may_not_be_recommended_is_told_with_the_reason(scenario: Scenario) -> None:
    far = replace(_judged("single", 3.0, effective=4), eligible=False)
    rare = replace(_judged("row", 2.0), eligible=False, events=6.0)
    kept = _evidence("do_nothing", policies=(_judged("do_nothing", 1.0), far, rare))
    assert "No other policy that may be recommended is clearly better" in words.headline(scenario, kept)
    assert words.stance(scenario, kept).reason == "Nothing else that may be recommended is clearly better."
    told = " ".join(reasons.sentences(scenario, kept))
    assert "but may not be recommended: only about 4 rows speak for it." in told
    assert "but may not be recommended: only about 6 of the rows that speak for it have the rarer result." in told
    worse = _evidence("do_nothing", policies=(_judged("do_nothing", 1.0), replace(far, estimate=Estimate(0.5, 0.1))))
    assert "that may be recommended" not in words.headline(scenario, worse)


def test_a_handful_of_events_is_to_be_tested_first(scenario: Scenario) -> None:
    policies = (_judged("do_nothing", 1.0), replace(_judged("single", 1.3), events=6.0))
    few = _evidence(policies=policies)
    assert words.stance(scenario, few).word == "test"
    assert "rank policies" in words.stance(scenario, few).reason
    assert "counts in two more" in " ".join(reasons.sentences(scenario, few))


def test_the_luck_of_the_choice_is_told(scenario: Scenario) -> None:
    lucky = replace(_judged("single", 1.0), scored=Estimate(1.05, 0.05))
    told = words.inflation(scenario, _evidence(policies=(_judged("do_nothing", 0.7), lucky)))
    assert "its scores come to 1.05; without the luck of having been chosen it is worth 1.00" in told


def test_a_certificate_of_nothing_says_nothing(scenario: Scenario) -> None:
    assert words.certified(scenario, Certificate(0.0, 0.0, 1)) == ""


def test_slots_that_all_stay_empty_are_told() -> None:
    shelf = declare(
        "objective: {maximise: sold}\nlevers: {shown: {kind: categorical, options: [none, a, b], do_nothing: none, "
        "choose: 2}}\noutcomes: {sold: {kind: binary}}\nassignment: {design: randomised}\n"
    )
    assert words.action(shelf, _evidence(slots=(0.0, 0.0))) == "Choose none as shown for all"
    assert words.action(shelf, _evidence(slots=(2.0, 0.0))) == "Choose b as shown for all"


@given(st.lists(st.floats(-1e9, 1e9).filter(lambda value: value == 0 or abs(value) > 1e-9), max_size=20))
def test_many_numbers_are_said_as_one_is(values: list[float]) -> None:
    assert numbers(np.array(values)) == [number(value) for value in values]

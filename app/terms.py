"""What the words of the pages mean, for the help marks beside them: plain words first, then the term of the field."""

from __future__ import annotations

HONEST = (
    "What a policy is worth, judged on rows that its models have never seen and corrected by what was observed there. "
    "The term: cross-fitted doubly robust off-policy value."
)
INTERVAL = "If the data were collected again, intervals made like this would hold the true value 95 times in 100."
PROMISE = (
    "What the models that chose a policy expect of it. Too high by nature: whoever picks the best of many predictions "
    "also picks the luckiest error. The term: the optimizer's curse."
)
SPREAD = "How much models trained on different parts of the data differ. The term: delete-a-group jackknife."
SUPPORT = (
    "Settings around which the data has seen enough rows to speak. Beyond them a prediction is extrapolation. "
    "The terms: support, overlap, positivity."
)
SHADOW = "What one more unit of room would be worth. The terms: shadow price, Lagrange multiplier, dual value."
SHAPLEY = (
    "Levers are moved one after the other, in every order; a lever's part is its mean over the orders, so that no "
    "order is preferred. The term: Shapley value."
)
TORNADO = (
    "Each thing is moved on its own, down and up, all else equal and the recommended settings kept: how far does the "
    "gain move? The terms: one-at-a-time sensitivity, tornado diagram."
)
FRONT = (
    "Every point is the best that can be had under a limit. Moving along the line gives up some of the one for some of "
    "the other. The terms: efficient frontier, Pareto front."
)
TREE = (
    "A few questions, asked of every row, that lead to groups for which other settings are best. "
    "The term: policy tree (Athey & Wager 2021)."
)
ALIKE = "Rows whose inputs differ least. The term: Gower's distance."
CALIBRATION = "Whether a prediction can be taken at its word: of rows told 30%, do 30% say yes? The term: calibration."
SEALED = "Rows that nothing was learned from. They are a test only until somebody has looked and chosen again."
SURPRISE = (
    "Rows that models which had not seen them get most wrong: mistakes in the data are often among them. "
    "The term: highest out-of-fold loss."
)
INTERPLAY = (
    "How much two levers bring together beyond what each brings alone. The terms: interaction, Friedman's H-statistic."
)
SINGLE = (
    "Some rows on their own behind the mean: where their lines cross, what is best differs from row to row. "
    "The term: individual conditional expectation."
)
SPLIT = (
    "Each input of the row is put in the place of other rows', in every order; its part is the mean of what that "
    "changes, so that all parts add up. The term: Shapley values."
)
MARGIN = (
    "A lever is moved a little, all else as it is: how much more does the objective come to? On average and for the "
    "next unit. The terms: average and marginal return, marginal ROI."
)
REACH = (
    "The question of a limit the other way round: how little is enough? The best rows and the cheapest levers come "
    "first, so every further step takes more. The term: target-based optimisation."
)
QINI = (
    "Rows are put in the order of what models that had not seen them expect each to gain; the curve tells what those "
    "in front gained. The terms: Qini curve, area under the uplift curve (AUUC)."
)
SPEND = (
    "What each lever costs beside what it brings before its cost. The terms: share of spend, share of effect, return "
    "on investment (ROI)."
)
INPUT = (
    "What the models have learned of an input that nobody can set: it moves, all else stays. The terms: partial "
    "dependence, individual conditional expectation."
)
FAIR = (
    "How far apart groups of people may be, and what closer would cost. Whether a difference is unfair no number says."
)
TRIAL = (
    "Settings are drawn by chance, each with a chance that is known and kept, so that what comes of them can be judged "
    "without models. The terms: randomised experiment, propensity, Thompson sampling."
)

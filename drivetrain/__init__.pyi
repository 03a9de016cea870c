"""The public names, each with its home: the one list that `drivetrain` loads them by and that type checkers read."""

from . import (
    background as background,
)
from . import (
    data as data,
)
from . import (
    figures as figures,
)
from . import (
    report as report,
)
from . import (
    scenario as scenario,
)
from .assembly import (
    Limits as Limits,
)
from .assembly import (
    Logbook as Logbook,
)
from .assembly import (
    Response as Response,
)
from .assembly import (
    Run as Run,
)
from .assembly import (
    WhatIf as WhatIf,
)
from .assembly import (
    alike as alike,
)
from .assembly import (
    breaches as breaches,
)
from .assembly import (
    bridge as bridge,
)
from .assembly import (
    compare as compare,
)
from .assembly import (
    contributions as contributions,
)
from .assembly import (
    dependence as dependence,
)
from .assembly import (
    efforts as efforts,
)
from .assembly import (
    evaluate as evaluate,
)
from .assembly import (
    limitable as limitable,
)
from .assembly import (
    loop as loop,
)
from .assembly import (
    margins as margins,
)
from .assembly import (
    open_run as open_run,
)
from .assembly import (
    over_time as over_time,
)
from .assembly import (
    reachable as reachable,
)
from .assembly import (
    reaching as reaching,
)
from .assembly import (
    returns as returns,
)
from .assembly import (
    rules as rules,
)
from .assembly import (
    run as run,
)
from .assembly import (
    spending as spending,
)
from .assembly import (
    spends as spends,
)
from .assembly import (
    steady as steady,
)
from .assembly import (
    surface as surface,
)
from .assembly import (
    swings as swings,
)
from .assembly import (
    train as train,
)
from .assembly import (
    usage as usage,
)
from .data import (
    Rows as Rows,
)
from .data import (
    Table as Table,
)
from .data import (
    decided as decided,
)
from .data import (
    drafting as drafting,
)
from .data import (
    read_rows as read_rows,
)
from .decisions import (
    DecisionLog as DecisionLog,
)
from .decisions import (
    Promise as Promise,
)
from .decisions import (
    Recommendations as Recommendations,
)
from .decisions import (
    bounded as bounded,
)
from .decisions import (
    column_of as column_of,
)
from .decisions import (
    columns_of as columns_of,
)
from .decisions import (
    fairness as fairness,
)
from .decisions import (
    grounds as grounds,
)
from .decisions import (
    groups as groups,
)
from .decisions import (
    last_test as last_test,
)
from .decisions import (
    reasons as reasons,
)
from .decisions import (
    replacing as replacing,
)
from .decisions import (
    rounding as rounding,
)
from .decisions import (
    what_ifs as what_ifs,
)
from .decisions import (
    words as words,
)
from .decisions import (
    write as write,
)
from .errors import (
    DataError as DataError,
)
from .errors import (
    DrivetrainError as DrivetrainError,
)
from .errors import (
    Fault as Fault,
)
from .errors import (
    FormulaError as FormulaError,
)
from .errors import (
    InfeasibleError as InfeasibleError,
)
from .errors import (
    RefusedError as RefusedError,
)
from .errors import (
    ScenarioError as ScenarioError,
)
from .errors import (
    UsageError as UsageError,
)
from .evidence import (
    NAMES as NAMES,
)
from .evidence import (
    Estimate as Estimate,
)
from .evidence import (
    Evidence as Evidence,
)
from .scenario import (
    LeverSpace as LeverSpace,
)
from .scenario import (
    Scenario as Scenario,
)

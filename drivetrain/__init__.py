"""Drivetrain turns predictions into decisions: objective → levers → data → models → recommended actions.

    >>> import drivetrain as dt
    >>> run = dt.run("scenarios/cash_incentive.yaml")  # doctest: +SKIP

`drivetrain reference` lists the public names, a line each. They stand in `__init__.pyi` and are loaded on first use, so
that importing the package, `drivetrain --help` and `drivetrain check` load neither torch nor fastai.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

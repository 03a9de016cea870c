"""What all levers say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator

from drivetrain.scenario.declaration import Column, Declaration, Flaw, FormulaText, Text, show


def _as_bool(value: Any) -> Any:
    words = {"yes": True, "no": False, 1: True, 0: False}
    return words.get(value, value) if isinstance(value, str | int) and not isinstance(value, bool) else value


Yes = Annotated[bool, BeforeValidator(_as_bool, json_schema_input_type=bool | Literal["yes", "no", 0, 1])]


class Pulled(Declaration):
    """What a lever of any kind may say."""

    column: Column | None = None
    """Its column in the data; its own name where left out."""
    unit: Text = ""
    """The unit of its values."""
    description: Text = ""
    """What pulling it means."""
    frozen: Yes = False
    """Whether it stays as it is: at `current`, or in each row as its column tells; it is then known, not decided."""
    when: FormulaText | None = None
    """A condition over inputs and other levers: where it does not hold, the lever stays at `do_nothing`."""

    @property
    def settled(self) -> Any:
        """The setting that means doing nothing: `do_nothing`, else a `current` that is a value, else None."""
        do_nothing, current = getattr(self, "do_nothing", None), getattr(self, "current", "data")
        return do_nothing if do_nothing is not None else None if current == "data" else current

    def admits(self, value: Any) -> str:
        """Why a setting is not allowed, as a sentence; empty where it is."""
        raise NotImplementedError

    def flaws(self) -> Iterator[Flaw]:
        """`current` and `do_nothing` must be settings."""
        for key in ("current", "do_nothing"):
            value = getattr(self, key)
            if value is not None and value != "data" and (rule := self.admits(value)):
                yield Flaw((key,), f"found {show(value)}", rule)
        for key in ("when", "at_most", "at_least", "excluded", "do_nothing", "features") if self.frozen else ():
            if getattr(self, key, None):
                yield Flaw((key,), "found it beside frozen", "What is frozen is not decided", f"Remove {key}.", True)
        if self.when and self.settled is None and not self.frozen:
            rule = "Where the condition does not hold the lever stays at do_nothing"
            yield Flaw(("when",), "found a condition without do_nothing", rule, "Add do_nothing.", True)

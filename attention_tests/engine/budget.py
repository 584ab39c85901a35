"""A budget of time for exploring, and the share of it that each law gets."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

_NUMBER = r"([0-9]+(?:\.[0-9]+)?)"
_WRITTEN = re.compile(f"(?:{_NUMBER}h)?(?:{_NUMBER}m)?(?:{_NUMBER}s)?")
_UNITS = (3600, 60, 1)


class BadBudget(ValueError):  # noqa: N818 - the word in the message
    """One sentence: why a text is no budget, and how one is written."""


def seconds_of(text: str) -> float:
    """Read a time such as 90, 90s, 10m or 1h30m. Raises BadBudget."""
    written = _WRITTEN.fullmatch(f"{text}s" if re.fullmatch(_NUMBER, text) else text)
    numbers = zip(written.groups("0"), _UNITS, strict=True) if written else ()
    seconds = sum(float(number) * unit for number, unit in numbers)
    if not 0 < seconds < float("inf"):
        raise BadBudget(f"--budget: {text!r} is no time to explore for: write one such as 90s, 10m or 1h30m")
    return seconds


@dataclass
class Budget:
    """Seconds to explore in, shared evenly among the properties that are still to come.

    What one property leaves, because it failed early, or takes too much, because a call cannot be cut, goes to or comes
    from those after it: the end stays where it is. All times are those of the clock `time.monotonic`.
    """

    seconds: float
    properties: int = 1
    """The number of laws to come, the present one counted."""
    end: float | None = None

    def begin(self) -> float:
        """Return when the budget ends, which is settled when this is first asked."""
        if self.end is None:
            self.end = time.monotonic() + self.seconds
        return self.end

    def share_until(self) -> float:
        """Return until when the present property may be explored."""
        end, now = self.begin(), time.monotonic()
        return now + max(end - now, 0.0) / max(self.properties, 1)

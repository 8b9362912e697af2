"""Results of a run: what the training says, and the best of what it logged."""

from __future__ import annotations

import dataclasses
from typing import Any


@dataclasses.dataclass
class Best:
    """The extremes of a metric, the steps where they were reached first, and the last value."""

    least: float
    least_step: int
    greatest: float
    greatest_step: int
    last: float


class Summary(dict[str, Any]):
    """Named results; any JSON value, others as text."""

"""Results of a run: what the training says, and the best of what it logged."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
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

    def with_best(self, best: dict[str, Best]) -> str:
        """The JSON of summary.json."""
        content = {"summary": _strict(self), "best": _strict({name: vars(each) for name, each in best.items()})}
        return json.dumps(content, indent=1, ensure_ascii=False, default=str)


def _strict(value: Any) -> Any:
    """JSON has no NaN and no infinity, and its names are texts."""
    if isinstance(value, Mapping):
        return {str(name): _strict(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_strict(each) for each in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value

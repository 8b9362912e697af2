"""Values of a log as JSON numbers: floats, integers, numpy scalars, tensors with one element."""

from __future__ import annotations

from typing import Any

_INFINITY = float("inf")


def json_number(value: Any) -> str | None:
    """Its JSON; None for None. JSON has no NaN and no infinity: they are the texts "NaN", "Infinity" and "-Infinity".

    Raises TypeError for what is no number, such as a text or a tensor of three elements.
    """
    kind = type(value)
    if kind is float:
        if -_INFINITY < value < _INFINITY:
            return repr(value)
        return '"NaN"' if value != value else '"Infinity"' if value > 0 else '"-Infinity"'
    if kind is int:
        return repr(value)
    if value is None:
        return None
    if isinstance(value, (bool, int)):
        return repr(int(value))
    if isinstance(value, (str, bytes, bytearray)):
        raise TypeError(f"{value!r} is a text")
    item = getattr(value, "item", None)
    try:
        plain = item() if item is not None else float(value)
    except Exception as error:
        raise TypeError(f"a {kind.__name__} is no number ({error})") from error
    if type(plain) is int or isinstance(plain, bool):
        return repr(int(plain))
    return json_number(float(plain))

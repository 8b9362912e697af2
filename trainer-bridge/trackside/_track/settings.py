"""The settings of a training, as its record keeps them: without secrets, and short enough for a page."""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

from trackside._track.launcher import is_secret, without_login

_INFINITY = float("inf")
_SECRET = "(a secret; not recorded)"
_LONGEST = 10_000
_MOST = 1000
_DEEPEST = 8


def settings_of(config: dict[str, Any]) -> dict[str, Any]:
    """Texts, numbers, and lists of texts; what holds names of its own as JSON, anything else as text. Without secrets, and
    without what is not set. Never raises."""
    return {
        _text(name): _SECRET if is_secret(_text(name)) and value else _plain(value)
        for name, value in config.items()
        if value is not None
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return int(value)
    if isinstance(value, float) and -_INFINITY < value < _INFINITY:
        return float(value)
    inner = _inside(value, 0)
    if isinstance(inner, list):
        return [each if isinstance(each, str) else _json(each) for each in inner]
    return _json(inner) if isinstance(inner, dict) else inner


def _inside(value: Any, depth: int) -> Any:
    """Dictionaries, lists and texts."""
    if isinstance(value, (list, tuple, set, frozenset)) and depth < _DEEPEST:
        shown = [_inside(each, depth + 1) for each in islice(value, _MOST)]
        return shown if len(value) <= _MOST else [*shown, f"… and {len(value) - _MOST} more"]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
    elif isinstance(value, argparse.Namespace):
        value = vars(value)
    if isinstance(value, Mapping) and depth < _DEEPEST:
        pairs = [(_text(name), each) for name, each in islice(value.items(), _MOST)]
        return {name: _SECRET if is_secret(name) and each else _inside(each, depth + 1) for name, each in pairs}
    # Within a JSON text numbers stay numbers.
    if depth and (value is None or type(value) in (bool, int, float)) and value == value:
        return value
    return _text(value)


def _json(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False, default=_text))


def _text(value: Any) -> str:
    """Anything can be in a configuration, also what has no words for itself."""
    try:
        return without_login(_cut(str(value)))
    except Exception as error:
        return f"({type(value).__name__}, which cannot be shown: {type(error).__name__})"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"

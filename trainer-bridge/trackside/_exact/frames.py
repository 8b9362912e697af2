"""Local variables of a running function, as a debugger reads and writes them: sd-scripts counts its steps in one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable
from types import FrameType
from typing import Any

# From 3.13 on `f_locals` writes through (PEP 667).
WRITES_THROUGH = sys.version_info >= (3, 13)


def missing(frame: FrameType, names: Iterable[str]) -> list[str]:
    found = frame.f_locals
    lacking = [name for name in names if name not in found]
    _forget(found)
    return lacking


def read(frame: FrameType, *names: str) -> list[Any]:
    """Raises KeyError. Keeps nothing of the frame alive: its tensors would stay on the GPU."""
    found = frame.f_locals
    values = [found[name] for name in names]
    _forget(found)
    return values


def write(frame: FrameType, name: str, value: object) -> None:
    found = frame.f_locals
    found[name] = value
    if not WRITES_THROUGH:
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    _forget(found)


def can_write() -> bool:
    return WRITES_THROUGH or hasattr(ctypes.pythonapi, "PyFrame_LocalsToFast")


def _forget(found: Any) -> None:
    if not WRITES_THROUGH:
        found.clear()

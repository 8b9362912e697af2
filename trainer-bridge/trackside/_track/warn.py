"""Says once what went wrong, and never raises: no training may end because of us."""

from __future__ import annotations

import contextlib
import sys
import threading

_said: set[str] = set()
_lock = threading.RLock()


def warn_once(what: str, error: BaseException | None = None) -> None:
    """One line on standard error for each `what`."""
    with _lock:
        if what in _said:
            return
        _said.add(what)
    with contextlib.suppress(Exception):
        because = f" ({type(error).__name__}: {error})" if error else ""
        print(f"trackside: {what}{because}. The training continues.", file=sys.stderr, flush=True)

"""Trackside in Python: a page for every training, from a line or two in any training script.

Standard library only. A name is imported when it is first used, so `import trackside` costs a few milliseconds.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from trackside._describe import describe
    from trackside._serve.launch import Server, launch
    from trackside._track.track import AlreadyRunning, Run, track
    from trackside._trainer import trainer

__all__ = ["AlreadyRunning", "Run", "Server", "__version__", "describe", "launch", "track", "trainer"]
__version__ = "0.1.0"

# The module of each public name. All else in this package begins with an underscore, and may change.
_HOMES = {
    "AlreadyRunning": "trackside._track.track",
    "Run": "trackside._track.track",
    "describe": "trackside._describe",
    "Server": "trackside._serve.launch",
    "launch": "trackside._serve.launch",
    "track": "trackside._track.track",
    "trainer": "trackside._trainer",
}


def __getattr__(name: str) -> object:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'trackside' has no attribute {name!r}")
    import importlib

    found: object = getattr(importlib.import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

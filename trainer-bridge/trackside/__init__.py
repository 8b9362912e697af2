"""Trackside in Python: a page for every training, from a line or two in any training script.

Standard library only. A name is imported when it is first used, so `import trackside` costs a few milliseconds.
"""

from __future__ import annotations

TYPE_CHECKING = False  # importing `typing` would cost more than all else here
if TYPE_CHECKING:
    from trackside._adapters.accelerate_tracker import AccelerateTracker as AccelerateTracker
    from trackside._adapters.lightning_parts import LightningCallback as LightningCallback
    from trackside._adapters.lightning_parts import LightningLogger as LightningLogger
    from trackside._adapters.transformers_callback import TransformersCallback as TransformersCallback
    from trackside._adapters.wandb_shape import finish, init, log
    from trackside._client.client import ApiError, Client, connect
    from trackside._describe import describe
    from trackside._serve.launch import launch
    from trackside._serve.server import Server
    from trackside._track.track import AlreadyRunning, Run, track
    from trackside._trainer import trainer

__all__ = [
    "AlreadyRunning",
    "ApiError",
    "Client",
    "Run",
    "Server",
    "__version__",
    "connect",
    "describe",
    "finish",
    "init",
    "launch",
    "log",
    "track",
    "trainer",
]
# Each needs the framework that it is named after.
_FRAMEWORKS = ["AccelerateTracker", "LightningCallback", "LightningLogger", "TransformersCallback"]
__version__ = "0.1.0"

# The module of each public name. All else in this package begins with an underscore, and may change.
_HOMES = {
    "AccelerateTracker": "trackside._adapters.accelerate_tracker",
    "AlreadyRunning": "trackside._track.track",
    "LightningCallback": "trackside._adapters.lightning_parts",
    "LightningLogger": "trackside._adapters.lightning_parts",
    "ApiError": "trackside._client.client",
    "Client": "trackside._client.client",
    "Run": "trackside._track.track",
    "Server": "trackside._serve.server",
    "TransformersCallback": "trackside._adapters.transformers_callback",
    "connect": "trackside._client.client",
    "describe": "trackside._describe",
    "finish": "trackside._adapters.wandb_shape",
    "init": "trackside._adapters.wandb_shape",
    "launch": "trackside._serve.launch",
    "log": "trackside._adapters.wandb_shape",
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
    return sorted({*globals(), *__all__, *_FRAMEWORKS})

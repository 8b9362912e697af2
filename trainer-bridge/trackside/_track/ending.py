"""How a run ended, from what ended it."""

from __future__ import annotations


def ending(error: BaseException | None, was_stopped: bool) -> tuple[str, int | None, str | None]:
    """ "finished", "stopped" or "failed", with exit code or signal. `was_stopped`: it was asked to, before it was complete."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", None, "SIGINT"
    if isinstance(error, SystemExit) and error.code not in (None, 0):
        return "failed", error.code if isinstance(error.code, int) else 1, None
    if error is not None and not isinstance(error, (SystemExit, GeneratorExit)):
        return "failed", 1, None
    return ("stopped" if was_stopped else "finished"), 0, None

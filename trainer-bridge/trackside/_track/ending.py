"""How a run ended, from what ended it."""

from __future__ import annotations

_LONGEST = 2000


def words_of(error: BaseException) -> str:
    """`KeyError: 'mine'`. Never raises, whatever the exception says of itself."""
    try:
        text = str(error)
    except Exception as failed:
        text = f"(it cannot be shown: {type(failed).__name__})"
    return f"{type(error).__name__}: {text[:_LONGEST]}{'…' if len(text) > _LONGEST else ''}"


def ending(error: BaseException | None, was_stopped: bool) -> tuple[str, int | None, str | None]:
    """ "finished", "stopped" or "failed", with exit code or signal. `was_stopped`: it was asked to, before it was complete."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", None, "SIGINT"
    if isinstance(error, SystemExit) and error.code not in (None, 0):
        return "failed", error.code if isinstance(error.code, int) else 1, None
    if error is not None and not isinstance(error, (SystemExit, GeneratorExit)):
        return "failed", 1, None
    return ("stopped" if was_stopped else "finished"), 0, None

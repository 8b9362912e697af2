"""What the starter says of itself: lines in the training's log, which Trackside's page reads."""

from __future__ import annotations


def tell(words: str) -> None:
    """Begins on a new line: a progress bar may stand on the present one."""
    try:
        print(f"\ntrackside: {words}", flush=True)
    except OSError:
        pass  # a full disk: the training is worth more than the line

"""The end of a paused process: at once, with its loader's workers, and without the script's own end."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import NoReturn

from trackside._exact.tell import tell

PAUSED = 75


def leave() -> NoReturn:
    end_workers()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass  # a full disk: the state is what counts
    os._exit(PAUSED)


def leave_unsaved(resumed_from: str | None) -> NoReturn:
    """Before a first step: what it was to go on from is still there."""
    still = f"{resumed_from} is still the newest state" if resumed_from else "no step was trained"
    tell(f"nothing to save: {still}")
    leave()


def end_workers() -> None:
    """They ignore SIGTERM, so that a signal to the whole group spares them: nobody else would end them."""
    for worker in multiprocessing.active_children():
        worker.kill()

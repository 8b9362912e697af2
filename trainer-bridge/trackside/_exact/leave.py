"""The end of a paused process: at once, with its loader's workers, and without the script's own end."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import NoReturn

PAUSED = 75


def leave() -> NoReturn:
    end_workers()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            pass  # a full disk: the state is what counts
    os._exit(PAUSED)


def end_workers() -> None:
    """They ignore SIGTERM, so that a signal to the whole group spares them: nobody else would end them."""
    for worker in multiprocessing.active_children():
        worker.kill()

"""Imitates a slow machine, by two environment variables, so that a run lasts long enough to be watched, stopped and killed."""

import os
import time
from pathlib import Path


def finish_step(started: float) -> None:
    """Waits until PRACTICE_STEP_SECONDS have passed since `started` (time.monotonic)."""
    left = started + seconds("PRACTICE_STEP_SECONDS") - time.monotonic()
    if left > 0:
        time.sleep(left)


FILES_OF_A_STATE = 5


def write_in_place(path: Path, content: bytes) -> None:
    """Writes a file under its final name; it is half there for a fifth of PRACTICE_SAVE_SECONDS, which a state then takes."""
    pause = seconds("PRACTICE_SAVE_SECONDS") / FILES_OF_A_STATE
    with open(path, "wb") as file:
        if pause > 0:
            half = len(content) // 2
            file.write(content[:half])
            file.flush()
            time.sleep(pause)
            content = content[half:]
        file.write(content)


def seconds(name: str) -> float:
    return float(os.environ.get(name) or 0)

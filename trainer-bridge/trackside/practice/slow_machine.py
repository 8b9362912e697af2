"""Imitates a slow machine, by two environment variables, so that a run lasts long enough to be watched, stopped and killed."""

import os
import time
from pathlib import Path


def finish_step(started: float) -> None:
    """Waits until PRACTICE_STEP_SECONDS have passed since `started` (time.monotonic)."""
    left = started + seconds("PRACTICE_STEP_SECONDS") - time.monotonic()
    if left > 0:
        time.sleep(left)


def write_in_place(path: Path, content: bytes, files_of_a_save: int) -> None:
    """Writes a file under its final name; with PRACTICE_SAVE_SECONDS the file is half there for its share of that time."""
    pause = seconds("PRACTICE_SAVE_SECONDS") / files_of_a_save
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

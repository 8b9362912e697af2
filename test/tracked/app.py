"""A program that trains when it is asked to, and lives on, as a notebook or an app does: argv is where the training runs."""

import sys
import threading
import time

import trackside


def train() -> None:
    with trackside.track(f"app-{sys.argv[1]}", grace=2) as run:
        for step in range(run.first_step, 10_000):
            time.sleep(0.02)
            run.log(step=step, total=10_000, loss=1.0)
            if run.stop_requested:
                break


if sys.argv[1] == "thread":
    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
else:
    train()
# Longer than the grace.
for _ in range(40):
    time.sleep(0.1)
print("lives on")

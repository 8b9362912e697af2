"""The smallest training there is: a line fitted to points, in plain Python. Stop it on the page, and resume it there.

pip install trackside
python plain_loop.py            # and, in another terminal: trackside serve
"""

import argparse
import json
import random
import time

import trackside

parser = argparse.ArgumentParser()
parser.add_argument("--steps", type=int, default=600, help="steps to train")
parser.add_argument("--rate", type=float, default=0.02, help="learning rate")
parser.add_argument("--seconds", type=float, default=0.05, help="pause after each step, to have time to watch")
args = parser.parse_args()

with trackside.track("plain-loop", config=args, total=args.steps, save_every=50, keep=3) as run:
    slope, offset = 0.0, 0.0
    if run.resume_from:
        with open(f"{run.resume_from}/line.json") as file:
            slope, offset = json.load(file)

    for step in range(run.first_step, args.steps):
        chance = random.Random(step)  # the same points at a step, however often it was interrupted
        x = chance.uniform(-1, 1)
        error = slope * x + offset - (3 * x + 0.5 + chance.gauss(0, 0.1))
        slope -= args.rate * 2 * error * x
        offset -= args.rate * 2 * error

        run.log(step=step, loss=error * error, slope=slope, offset=offset)
        if run.should_save(step):
            with run.saving_state(step) as folder, open(f"{folder}/line.json", "w") as file:
                json.dump([slope, offset], file)
        if run.stop_requested:
            break
        time.sleep(args.seconds)

    run.summary["line"] = f"y = {slope:.2f} x + {offset:.2f}"
    print(run.summary["line"])

"""A training of somebody else's that uses `trackside.track`: argv is its steps, its seconds a step, and what it does."""

import json
import os
import sys
import time

import trackside

total, seconds, does = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
config = {"rate": 0.5, "hf_token": "hf_planted0secret0value"}
with trackside.track(os.environ.get("NAME", "cat"), config=config, save_every=10, keep=3) as run:
    weights = 0
    if run.resume_from:
        with open(f"{run.resume_from}/weights.json") as file:
            weights = json.load(file)
    for step in range(run.first_step, total):
        weights += step
        time.sleep(seconds)
        run.log(step=step, total=total, loss=1 / (step + 1), val=float("nan") if "nan" in does else 2.0)
        if run.should_save(step):
            with run.saving_state(step) as folder:
                with open(f"{folder}/weights.json", "w") as file:
                    json.dump(weights, file)
        if "sample" in does and step == 3:
            run.sample(
                [[0]] if "bad" in does else __file__.replace("loop.py", "../../trainer-bridge/example/01-morning.png"),
                "a cat",
                step,
            )
        if "raise" in does and step == 12:
            raise ValueError("it rained")
        if "quit" in does and step == 12:
            os._exit(0)
        if run.stop_requested:
            time.sleep(float(os.environ.get("LATE", "0")))
            break
    else:
        with open("cat.safetensors", "w") as file:
            file.write(str(weights))
        run.checkpoint("cat.safetensors")
print("end of the script")

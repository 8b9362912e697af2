"""What a log of two numbers costs, beside others, and what a kill loses. Each client runs in a process of its own.

    python3 test/bench/plugin/measure.py [--calls 5000] [--kills 100] [--lines 100000]

Clients that are not installed are left out: pip install trackio tensorboardX wandb. Times are µs a call, with 200 µs between
two calls, as a training has: the processor's time of the thread that logs, which others on the machine add little to, and the
clock's; `all` is the processor's time of the whole process a call, its other threads included. `lost` are calls that had returned and are not in the files after kill -9.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BRIDGE = Path(__file__).resolve().parents[3] / "trainer-bridge"

CLIENTS = {
    "one write (the floor)": """
import os, json
file = os.open("floor.ndjson", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
def log(step): os.write(file, b'{"step":%d,"time":1700000000.123,"loss":0.123456,"lr":0.0001}\\n' % step)
""",
    "trackside": """
import trackside
run = trackside.track("cat", resume="never")
def log(step): run.log(step=step, loss=0.5 / (step + 1), lr=1e-4)
""",
    "trackio": """
import trackio
trackio.init(project="cat", embed=False)
def log(step): trackio.log({"loss": 0.5 / (step + 1), "lr": 1e-4}, step=step)
""",
    "tensorboardX": """
import tensorboardX
writer = tensorboardX.SummaryWriter("events")
def log(step):
    writer.add_scalar("loss", 0.5 / (step + 1), step); writer.add_scalar("lr", 1e-4, step)
""",
    "wandb, offline": """
import wandb
run = wandb.init(project="cat", mode="offline", dir=".")
def log(step): run.log({"loss": 0.5 / (step + 1), "lr": 1e-4}, step=step)
""",
}

MEASURE = """
import json, sys, time
begun = time.perf_counter()
CLIENT
ready = time.perf_counter() - begun
times = []
used = 0
for step in range(int(sys.argv[1])):
    at, own, all = time.perf_counter_ns(), time.thread_time_ns(), time.process_time_ns()
    log(step)
    used += time.process_time_ns() - all
    times.append((time.thread_time_ns() - own, time.perf_counter_ns() - at))
    until = time.perf_counter_ns() + 200_000
    while time.perf_counter_ns() < until: pass
sys.stderr.flush(); print("\\nTIMES", json.dumps([ready, used, *times]), flush=True)
import os; os._exit(0)
"""

KILLED = """
import os, trackside
run = trackside.track("cat", resume="never", outputs=os.environ["OUTPUTS"])
for step in range(10**9):
    run.log(step=step, loss=0.5, lr=1e-4)
    os.pwrite(1, b"%12d" % step, 0)
"""


def run(program: str, *arguments: str, folder: str) -> str | None:
    environment = {
        **os.environ,
        "PYTHONPATH": str(BRIDGE),
        "HOME": folder,
        "WANDB_SILENT": "true",
        "HF_HUB_OFFLINE": "1",
    }
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=900)
    found = [line for line in done.stdout.splitlines() if line.startswith("TIMES ")]
    if not found and "ModuleNotFoundError" not in done.stderr:
        print(done.stderr[-500:], file=sys.stderr)
    return found[0][6:] if found else None


def measure(calls: int) -> None:
    heads = ("p50 µs", "p99 µs", "all µs", "p50 clock", "p99 clock")
    print(f"{'client':24} {' '.join(f'{head:>9}' for head in heads)} {'import + init s':>16}")
    for name, client in CLIENTS.items():
        with tempfile.TemporaryDirectory(prefix="trackside-bench-") as folder:
            found = run(MEASURE.replace("CLIENT", client), str(calls), folder=folder)
        if found is None:
            print(f"{name:24} (not installed)")
            continue
        ready, used, *times = json.loads(found)
        own, clock = (sorted(each / 1000 for each in column) for column in zip(*times[len(times) // 20 :]))
        figures = [
            each for column in (own, clock) for each in (statistics.median(column), column[len(column) * 99 // 100])
        ]
        figures.insert(2, used / calls / 1000)
        print(f"{name:24} {' '.join(f'{each:9.1f}' for each in figures)} {ready:16.3f}", flush=True)


def kill(kills: int, lines: int) -> None:
    """Kills a loop that logs without a pause, until so many lines were logged; each kill at another moment."""
    logged = lost = done = 0
    folder = tempfile.mkdtemp(prefix="trackside-bench-")
    try:
        while done < kills or logged < lines:
            outputs = os.path.join(folder, str(done))
            counted = os.path.join(folder, f"counted-{done}")
            environment = {**os.environ, "PYTHONPATH": str(BRIDGE), "OUTPUTS": outputs}
            with open(counted, "wb") as file:
                child = subprocess.Popen(
                    [sys.executable, "-c", KILLED], stdout=file, stderr=subprocess.DEVNULL, env=environment
                )
            while os.path.getsize(counted) == 0:
                time.sleep(0.002)
            time.sleep(0.01 + (done * 7919 % 100) / 500)
            child.kill()
            child.wait()
            with open(counted) as file:
                last = int(file.read())
            with open(os.path.join(outputs, "cat", "metrics.ndjson"), "rb") as file:
                steps = {
                    json.loads(line)["step"] for line in file if line.startswith(b'{"step"') and line.endswith(b"\n")
                }
            logged += last + 1
            lost += sum(step not in steps for step in range(last + 1))
            done += 1
            shutil.rmtree(outputs)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{done} kills -9: {lost} of {logged} logged lines lost")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--lines", type=int, default=100_000)
    options = parser.parse_args()
    measure(options.calls)
    if options.kills:
        kill(options.kills, options.lines)

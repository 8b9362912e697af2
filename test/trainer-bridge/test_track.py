"""`trackside.track` without any sidecar: what it writes, and what it survives. Each training is a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

BRIDGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "trainer-bridge")
HEAD = "import os, sys, time, trackside\n"


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": BRIDGE, **more}


def train(folder: Path, program: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Runs a training to its end, in `folder`."""
    (folder / "train.py").write_text(HEAD + program)
    command = [sys.executable, "train.py"]
    return subprocess.run(command, cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=120)


def lines(folder: Path, name: str = "cat") -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "outputs" / name / "metrics.ndjson").read_text().splitlines()]


def logged(folder: Path, name: str = "cat") -> list[dict[str, Any]]:
    return [line for line in lines(folder, name) if "event" not in line]


def record(folder: Path, name: str = "cat") -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "outputs" / name / "ui_state.json").read_text())
    return found


def test_numbers_of_any_kind_are_taken_and_others_said_once(tmp_path: Path) -> None:
    done = train(
        tmp_path,
        """
class Tensor:  # as torch's and numpy's
    def __init__(self, *values): self.values = values
    def item(self):
        if len(self.values) != 1: raise RuntimeError("a Tensor with 2 elements cannot be converted to Scalar")
        return self.values[0]
with trackside.track("cat") as run:
    run.log(step=0, a=float("nan"), b=float("inf"), c=True, d=Tensor(2.5), e=10**20, f=None, train={"loss": 1})
    run.log({"val/loss": 1.5, "bad": "a text", "pair": Tensor(1, 2)}, step=1)
    run.log({"bad": "a text"}, step=2.0)
    run.log(loss=0.25)
print(run.best["loss"].least, run.best["d"].greatest)
""",
    )
    assert (done.returncode, done.stdout) == (0, "0.25 2.5\n"), done.stderr
    found = [{name: value for name, value in line.items() if name != "time"} for line in logged(tmp_path)]
    assert found == [
        {"step": 0, "train/loss": 1},
        {"step": 0, "a": "NaN", "b": "Infinity", "c": 1, "d": 2.5, "e": 10**20},
        {"step": 1, "val/loss": 1.5},
        {"step": 2},
        {"step": 3, "loss": 0.25},
    ]
    assert done.stderr.count("'bad' is left out") == 1
    assert done.stderr.count("'pair' is left out") == 1


def test_the_session_is_that_of_every_other_one_and_names_no_secret(tmp_path: Path) -> None:
    program = """
import argparse
with trackside.track("My Cat!", config=argparse.Namespace(lr=1e-4, hf_token="hf_secret", layers=[1, 2]), total=2) as run:
    print("printed", end=""); print(" once"); print("\\rto stderr", file=sys.stderr)
    for step in range(2): run.log(step=step, loss=1.0)
    run.summary["fid"] = 3
"""
    done = train(tmp_path, program, MY_API_KEY="planted")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "outputs" / "my-cat"
    names = {
        "attempt.json",
        "launch.json",
        "metrics.ndjson",
        "progress.json",
        "summary.json",
        "training.log",
        "ui_state.json",
    }
    assert {name for name in os.listdir(folder) if not name.startswith(".")} == names
    found = record(tmp_path, "my-cat")
    assert (found["lora_name"], found["trainer"], found["status"]) == ("My Cat!", "tracked", "completed")
    assert found["arguments"] == {"lr": 1e-4, "hf_token": "(a secret; not recorded)", "layers": ["1", "2"]}
    log = (folder / "training.log").read_text()
    assert "printed once\n" in log and "to stderr\n" in log
    assert json.loads((folder / "summary.json").read_text())["summary"] == {"fid": 3}
    everything = "".join((folder / name).read_text() for name in names)
    assert "hf_secret" not in everything and "planted" not in everything
    assert oct((folder / "launch.json").stat().st_mode & 0o777) == "0o600"


def test_an_interrupted_training_goes_on_from_its_newest_whole_state(tmp_path: Path) -> None:
    program = """
with trackside.track("cat", save_every=5) as run:
    print(run.first_step, run.resume_from and os.path.basename(run.resume_from), flush=True)
    for step in range(run.first_step, 30):
        run.log(step=step)
        if run.should_save(step):
            with run.saving_state(step) as folder:
                open(folder + "/weights", "w").write("x" * 100)
        if step == int(os.environ["KILL"]): os.kill(os.getpid(), 9)
"""
    assert train(tmp_path, program, KILL="12").stdout.startswith("0 None")
    states = tmp_path / "outputs" / "cat"
    (states / "step-00000009-state" / "weights").write_text(
        "y" * 100
    )  # damaged since, in its first byte as in its last
    assert train(tmp_path, program, KILL="18").stdout.startswith("5 step-00000004-state")
    assert train(tmp_path, program, KILL="99").stdout.startswith("15 step-00000014-state")
    outcomes = [(each["kind"], each.get("outcome")) for each in record(tmp_path)["attempts"]]
    assert outcomes == [("start", "interrupted"), ("resume", "interrupted"), ("resume", None)]
    # A completed one's name begins a new version.
    assert train(tmp_path, program, KILL="99").stdout.startswith("0 None")
    assert sorted(os.listdir(tmp_path / "outputs")) == ["cat", "cat-v2"]


def test_a_save_that_is_killed_or_fails_leaves_no_state(tmp_path: Path) -> None:
    killed = """
with trackside.track("cat") as run:
    with run.saving_state(3) as folder:
        open(folder + "/weights", "w").write("half")
        if sys.argv[1:]: os.kill(os.getpid(), 9)
        raise KeyError("mine")
"""
    (tmp_path / "train.py").write_text(HEAD + killed)
    subprocess.run([sys.executable, "train.py", "kill"], cwd=tmp_path, env=environment(), check=False)
    folder = tmp_path / "outputs" / "cat"
    assert [name for name in os.listdir(folder) if name.endswith("-state")] == []
    done = train(tmp_path, killed)
    assert (done.returncode, "KeyError: 'mine'" in done.stderr) == (1, True)
    assert [name for name in os.listdir(folder) if "state" in name and name != "ui_state.json"] == []


def test_nothing_that_happens_to_the_folder_reaches_the_training(tmp_path: Path) -> None:
    """Read-only from the beginning, gone in the middle, and with a file in the place of the outputs."""
    program = """
import shutil
with trackside.track("cat", outputs=sys.argv[1], save_every=2) as run:
    for step in range(10):
        run.log(step=step, loss=1.0)
        if run.should_save(step):
            with run.saving_state(step) as folder: open(folder + "/weights", "w").write("x")
        if step == 3 and run.folder: shutil.rmtree(run.folder)
    run.checkpoint("nowhere.safetensors"); run.sample("nowhere.png", step=1); run.alert("x", level="nonsense")
print("trained", run.step)
"""
    (tmp_path / "file").write_text("")
    (tmp_path / "train.py").write_text(HEAD + program)
    for outputs in ("outputs", "file", "/proc/no"):
        command = [sys.executable, "train.py", outputs]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "trained 9\n"), done.stderr
        assert "The training continues" in done.stderr


def test_only_the_first_rank_writes_and_all_ranks_go_on_and_stop_at_the_same_step(tmp_path: Path) -> None:
    program = """
import pathlib
def at(name): return int(pathlib.Path(name).read_text() or -1) if os.path.exists(name) else -1
with trackside.track("cat") as run:
    me = run.writes
    for step in range(run.first_step, 4000):
        # A collective: nobody begins a step before the others have begun the one before.
        pathlib.Path(f"at-{os.environ['RANK']}").write_text(str(step))
        while at(f"at-{1 - int(os.environ['RANK'])}") < step: time.sleep(0.002)
        run.log(step=step, loss=1.0)
        if run.stop_requested: break
print(me, step, flush=True)
"""
    (tmp_path / "train.py").write_text(HEAD + program)
    ranks = [
        subprocess.Popen(
            [sys.executable, "train.py"],
            cwd=tmp_path,
            env=environment(RANK=rank, WORLD_SIZE="2", MASTER_PORT="29500"),
            stdout=subprocess.PIPE,
            text=True,
        )
        for rank in "01"
    ]
    try:
        metrics = tmp_path / "outputs" / "cat" / "metrics.ndjson"
        deadline = time.monotonic() + 60
        while not (metrics.exists() and '"step":20' in metrics.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        ranks[0].send_signal(signal.SIGTERM)
        said = [each.communicate(timeout=60)[0].split() for each in ranks]
    finally:
        for each in ranks:
            each.kill()
    assert [each[0] for each in said] == ["True", "False"]
    assert said[0][1] == said[1][1]
    steps = [line["step"] for line in logged(tmp_path)]
    assert steps == list(range(int(said[0][1]) + 1))


def test_all_ranks_that_the_page_starts_go_on_from_the_same_state_however_late_they_come(tmp_path: Path) -> None:
    """The page's runner starts a launcher; its second rank comes once the first has begun."""
    program = """
with trackside.track("cat", save_every=5) as run:
    print("rank", os.environ.get("RANK"), "begins with step", run.first_step, flush=True)
    for step in range(run.first_step, run.first_step + 10):
        run.log(step=step, loss=1.0)
        if run.should_save(step):
            with run.saving_state(step) as folder: open(folder + "/weights", "w").write("x")
    while sys.argv[1] not in open("outputs/cat/training.log").read():
        time.sleep(0.02)
"""
    launcher = """
import os, subprocess, sys, time
def begin(rank):
    environment = {**os.environ, "RANK": rank, "WORLD_SIZE": "2"}
    return subprocess.Popen([sys.executable, "train.py", "rank 1 begins"], env=environment)
first = begin("0")
while "rank 0 begins" not in open("outputs/cat/training.log").read():
    time.sleep(0.02)
sys.exit(begin("1").wait() or first.wait())
"""
    (tmp_path / "train.py").write_text(HEAD + program)
    (tmp_path / "launcher.py").write_text(launcher)
    first = subprocess.run([sys.executable, "train.py", "rank"], cwd=tmp_path, env=environment(), capture_output=True)
    assert first.returncode == 0, first.stderr
    folder = tmp_path / "outputs" / "cat"
    state = max(folder.glob("step-*-state"))
    runner = [
        sys.executable,
        os.path.join(BRIDGE, "trackside", "runner.py"),
        "--output",
        str(folder),
        "--cwd",
        str(tmp_path),
    ]
    begin = ["--attempt", "again", "--number", "2", "--kind", "resume", "--", sys.executable, "launcher.py"]
    resumed = environment(TRACKSIDE_RESUME=str(state))
    subprocess.run([*runner, *begin], env=resumed, timeout=60, check=True)
    said = (folder / "training.log").read_text()
    assert [line for line in said.splitlines() if line.startswith("rank ")][-2:] == [
        "rank 0 begins with step 10",
        "rank 1 begins with step 10",
    ], said


def test_forked_children_threads_and_loader_workers_leave_the_record_alone(tmp_path: Path) -> None:
    program = """
import multiprocessing, threading
def work(_):
    trackside.track("cat").log(loss=9.0)  # a spawned worker imports this script again
    return os.getpid()
if __name__ == "__main__":
    with trackside.track("cat") as run:
        run.log(step=0, loss=1.0)
        if os.fork() == 0:
            run.log(step=7, loss=7.0); sys.exit(3)
        assert os.waitstatus_to_exitcode(os.wait()[1]) == 3
        for way in ("fork", "spawn"):
            with multiprocessing.get_context(way).Pool(2) as pool: pool.map(work, range(2))
        threads = [threading.Thread(target=lambda n=n: [run.log(step=1, **{f"t{n}": i}) for i in range(500)]) for n in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        run.log(step=2, loss=2.0)
"""
    done = train(tmp_path, program)
    assert done.returncode == 0, done.stderr
    assert [line["loss"] for line in logged(tmp_path) if "loss" in line] == [1.0, 2.0]
    assert "cat is not recorded from a process of multiprocessing" in done.stderr
    assert len(logged(tmp_path)) == 2002
    assert len(record(tmp_path)["attempts"]) == 1
    assert lines(tmp_path)[-1]["how"] == "finished"


def test_a_handler_that_is_there_hears_sigterm_too_and_the_second_name_is_refused_or_gets_a_version(
    tmp_path: Path,
) -> None:
    program = """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("heard", flush=True))
with trackside.track("cat") as run:
    run.stop_requested
    os.kill(os.getpid(), 15)
    print(run.stop_requested, signal.getsignal(15).__qualname__)
    try: trackside.track("cat")
    except trackside.AlreadyRunning as error: print(error)
    with trackside.track("cat", on_conflict="new") as second: print(os.path.basename(second.folder))
print(signal.getsignal(15).__qualname__)
"""
    done = train(tmp_path, program)
    said = done.stdout.splitlines()
    assert said[:2] == ["heard", "True Stops._handle"], done.stderr
    assert said[2].startswith("cat is already training. Attempt 1 is using this folder: PID ")
    assert said[3:] == ["cat-v2", "<lambda>"]


def test_a_training_that_never_asks_for_stops_ends_by_sigterm_as_it_would_alone(tmp_path: Path) -> None:
    done = train(tmp_path, 'with trackside.track("cat") as run:\n    os.kill(os.getpid(), 15); time.sleep(30)\n')
    assert done.returncode == -signal.SIGTERM
    attempt = json.loads((tmp_path / "outputs" / "cat" / "attempt.json").read_text())
    assert (attempt["signal"], attempt["stop_signal"]) == ("SIGTERM", "SIGTERM")
    assert attempt["ended_at"]


def test_no_line_is_lost_in_kills(tmp_path: Path) -> None:
    """A sample: `test/bench/plugin` does it a hundred times with 100,000 lines."""
    program = """
with trackside.track("cat", resume="never") as run:
    for step in range(10**9):
        run.log(step=step, loss=0.5, lr=1e-4)
        os.pwrite(1, b"%12d" % step, 0)  # what was logged for certain
"""
    (tmp_path / "train.py").write_text(HEAD + program)
    for attempt in range(3):
        counted = tmp_path / f"counted-{attempt}"
        with open(counted, "wb") as file:
            child = subprocess.Popen([sys.executable, "train.py"], cwd=tmp_path, env=environment(), stdout=file)
        while not counted.stat().st_size:
            time.sleep(0.005)
        time.sleep(0.05 * (attempt + 1))
        child.kill()
        child.wait()
        name = "cat" if attempt == 0 else f"cat-v{attempt + 1}"
        last = int(counted.read_text())
        # A kill may cut the line that was being written, which nobody was told of yet.
        *whole, _ = (tmp_path / "outputs" / name / "metrics.ndjson").read_text().split("\n")
        steps = [line["step"] for line in map(json.loads, whole) if "event" not in line]
        assert steps[: last + 1] == list(range(last + 1))


def test_the_shape_of_wandb(tmp_path: Path) -> None:
    program = """
run = trackside.init(project="cats", name="cat", config={"lr": 1}, entity="ignored")
trackside.log({"loss": 1.0}); trackside.log({"loss": 0.5}, commit=True)
trackside.finish()
trackside.log({"loss": 9.0})
"""
    done = train(tmp_path, program)
    assert done.returncode == 0, done.stderr
    assert [(line["step"], line["loss"]) for line in logged(tmp_path)] == [(0, 1.0), (1, 0.5)]
    assert "before trackside.init" in done.stderr


def test_elsewhere_than_on_linux_a_training_is_recorded_and_says_what_a_page_cannot_tell(tmp_path: Path) -> None:
    done = train(
        tmp_path, "sys.platform = 'darwin'\nwith trackside.track('cat', total=1) as run: run.log(step=0, loss=1)"
    )
    assert (done.returncode, record(tmp_path)["status"]) == (0, "completed")
    assert "a page here cannot tell whether the training lives" in done.stderr

"""`trackside.track` in odd hands: nothing that a program does around it, or gives to it, reaches the training."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from test_track import HEAD, environment, lines, logged, record, train


def strict(path: Path) -> object:
    """JSON as jq and browsers read it: without NaN."""

    def refuse(word: str) -> object:
        raise ValueError(f"{word} in {path}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def test_settings_of_any_kind_are_recorded_short_and_without_secrets_at_any_depth(tmp_path: Path) -> None:
    program = """
import argparse, dataclasses
class Wordless:
    def __str__(self): raise ZeroDivisionError
    __repr__ = __str__
@dataclasses.dataclass
class Hub: hf_token: str = "planted1"; rank: int = 4
itself = {}; itself["self"] = itself
config = {"auth": {"api_key": "planted2", "rank": 8}, "list": [{"password": "planted3"}, 1], "hub": Hub(),
    "ns": argparse.Namespace(hf_token="planted4", lr=0.1), "from": "https://me:planted5@example.org/x", "object": Wordless(),
    "long": "x" * 10**6, "many": list(range(5000)), "big": 10**5000, "half": "\\ud800", "itself": itself, 3: float("nan"),
    "call": print, "bytes": b"\\xff", "none": None}
with trackside.track("cat", config=config) as run: run.log(loss=1.0)
"""
    done = train(tmp_path, program)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    text = (tmp_path / "outputs" / "cat" / "ui_state.json").read_text(encoding="utf-8")
    assert "planted" not in text and len(text) < 100_000
    found = record(tmp_path)["arguments"]
    assert json.loads(found["auth"]) == {"api_key": "(a secret; not recorded)", "rank": 8}
    assert json.loads(found["hub"]) == {"hf_token": "(a secret; not recorded)", "rank": 4}
    assert (found["from"], found["3"], found["many"][-1]) == ("https://***@example.org/x", "nan", "… and 4000 more")
    assert found["object"] == "(Wordless, which cannot be shown: ZeroDivisionError)"


def test_values_steps_and_names_of_any_kind_are_logged_or_said_and_the_files_stay_json(tmp_path: Path) -> None:
    program = """
class Odd:
    def __float__(self): raise ZeroDivisionError
with trackside.track("  Käse/../🧀 & Co ", total=9.0) as run:
    print(os.path.basename(run.folder))
    run.log({"a": 1, "odd": Odd(), "huge": 10**5000, "text": "x", "z": 1j, ("tuple", 1): 2, "line\\nbreak": 3}, step=0)
    run.log(5); run.log({"a": {"b": {"c": 1}}}, step="1"); run.log(step=float("nan"), a=1); run.log(step=-3, a=1)
    run.log(step=2, loss=float("nan")); run.log(loss=0.5); run.log(loss=float("inf"))
    assert (run.best["loss"].least, run.step) == (0.5, 4), run.best["loss"]
    run.alert(Odd, level=["x"]); run.checkpoint(None); run.checkpoint("nowhere"); run.sample(3)
    open("ui_state.json", "w").write("mine"); run.checkpoint("ui_state.json")
    run.summary.update({("a", 1): Odd(), "nan": float("nan")})
    with run.saving_state(-5) as folder: open(folder + "/w", "w").write("x")
    time.sleep(2.2)  # a progress.json with the last loss
run.log(loss=9.0); run.log(loss=9.0); run.finish(); run.checkpoint("train.py")
with run.saving_state(9) as folder: open(folder + "/w", "w").write("x")
print(run.stop_requested, run.should_save(1), run.writes)
"""
    done = train(tmp_path, program)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "käse-co\nFalse False False\n"
    folder = tmp_path / "outputs" / "käse-co"
    for name in ("ui_state.json", "summary.json", "progress.json", "attempt.json", "launch.json", "checkpoints.json"):
        strict(folder / name)
    assert record(tmp_path, "käse-co")["status"] == "completed"
    assert (folder / "step-00000000-state" / "trackside.json").exists()
    assert sum("'loss': 9" in str(line) for line in lines(tmp_path, "käse-co")) == 0
    assert done.stderr.count("has ended: what is logged after that is not recorded") == 1
    assert "one of the session's own files" in done.stderr


def test_an_exception_of_any_kind_is_recorded_and_its_attempt_explained_though_no_page_looked(tmp_path: Path) -> None:
    program = """
class Wordless(Exception):
    def __str__(self): raise ZeroDivisionError
class Long(Exception): pass
with trackside.track("cat") as run:
    run.log(loss=1.0)
    raise (Wordless() if sys.argv[1:] else Long("日本 " * 10**5))
"""
    (tmp_path / "train.py").write_text(HEAD + program, encoding="utf-8")
    for more in ([], ["wordless"]):
        command = [sys.executable, "train.py", *more]
        done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, check=False)
        assert done.returncode == 1
    found = record(tmp_path)
    assert (found["status"], found["error"]) == ("failed", "Wordless: (it cannot be shown: ZeroDivisionError)")
    assert lines(tmp_path)[-1]["how"] == "failed"
    reason = found["attempts"][0]["reason"]
    assert reason.startswith("The trainer stopped with an error: Long: 日本") and len(reason) < 2100
    assert "Traceback" in (tmp_path / "outputs" / "cat" / "training.log").read_text(encoding="utf-8")


def test_streams_handlers_and_folders_that_a_program_changes_meanwhile_change_nothing(tmp_path: Path) -> None:
    program = """
import contextlib, io, signal
sys.stdout = sys.stderr
started = os.getcwd(); os.makedirs("elsewhere"); os.chdir("elsewhere")
first = trackside.track("first", outputs="../outputs")
second = trackside.track("second", outputs="../outputs")
print("once, with half a character \\ud800".encode("utf-8", "replace").decode()); sys.stdout.write("x" * 32000 + "\\n")
with contextlib.redirect_stdout(io.StringIO()) as kept: print("hidden")
assert kept.getvalue() == "hidden\\n"
# A signal's handler that prints and logs while the training prints and logs.
def handler(*_):
    # Python itself refuses a print within a print of the same stream.
    with contextlib.suppress(RuntimeError): print("tick")
    first.log(tick=1.0)
signal.signal(signal.SIGALRM, handler); signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
until = time.monotonic() + 1
while time.monotonic() < until: print("line"); first.log(loss=1.0)
signal.setitimer(signal.ITIMER_REAL, 0)
first.stop_requested; first.finish(); second.finish()
sys.stdout = sys.__stdout__
print("alive", flush=True)
os.kill(os.getpid(), signal.SIGTERM)  # both have ended: it counts as it does without us
time.sleep(30)
"""
    done = train(tmp_path, program, PWD=str(tmp_path))
    assert (done.returncode, done.stdout) == (-15, "alive\n"), done.stderr[-2000:]
    log = (tmp_path / "outputs" / "first" / "training.log").read_text(encoding="utf-8")
    assert log.count("once, with half a character") == 1
    assert "hidden" not in log and "x" * 32000 in log
    assert all(line["loss"] == 1.0 for line in logged(tmp_path, "first") if "loss" in line)
    for name in ("first", "second"):
        assert record(tmp_path, name)["status"] == "completed"
        launch = json.loads((tmp_path / "outputs" / name / "launch.json").read_text())
        assert (launch["cwd"], launch["why_not"]) == (str(tmp_path), None)


def test_however_the_script_is_started_the_page_can_start_it_again_as_it_was(tmp_path: Path) -> None:
    program = 'import trackside\nwith trackside.track("cat", resume="never") as run: run.log(loss=1.0)\n'
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__main__.py").write_text(program)
    (tmp_path / "my train.py").write_text(program)
    ways: list[tuple[list[str], bool]] = [
        (["-O", "my train.py", "--flag"], True),
        (["-m", "package", "--last", "-x"], True),
        (["package"], True),
        (["-c", program], True),
        (["-"], False),
    ]
    for at, (arguments, can) in enumerate(ways, 1):
        command = [sys.executable, *arguments]
        more = {"HOME": "/proc/no", "TMPDIR": "/proc/no"}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment(**more), input=program, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        name = "cat" if at == 1 else f"cat-v{at}"
        launch = json.loads((tmp_path / "outputs" / name / "launch.json").read_text())
        assert (launch["argv"][1:], launch["why_not"] is None) == (arguments, can), launch["why_not"]


def test_ranks_count_steps_alike_and_what_another_trainer_made_is_left_alone(tmp_path: Path) -> None:
    program = """
with trackside.track("cat") as run:
    for step in range(3): run.log({"step": step, "loss": 1.0}, total=3)
    print(run.writes, run.step, run.should_save(2), os.path.basename(run.folder or ""))
    run.log(step="x"); run.log(loss=1.0)
    print(run.step)
    while run.writes and os.environ.get("RANK") and not os.path.exists("seen"): time.sleep(0.01)
    if not run.writes: open("seen", "w")
"""
    ours = tmp_path / "outputs" / "cat"
    ours.mkdir(parents=True)
    theirs = '{"lora_name": "cat", "trainer": "sd-scripts/flux", "arguments": {"network_dim": 8}}'
    (ours / "ui_state.json").write_text(theirs)
    assert train(tmp_path, program).stdout == "True 2 True cat-v2\n3\n"
    assert (ours / "ui_state.json").read_text() == theirs

    def begin(rank: str) -> subprocess.Popen[str]:
        more = environment(RANK=rank, WORLD_SIZE="2")
        return subprocess.Popen([sys.executable, "train.py"], cwd=tmp_path, env=more, stdout=subprocess.PIPE, text=True)

    started = [begin("0")]
    try:
        while not (tmp_path / "outputs" / "cat-v3" / "launch.json").exists() and started[0].poll() is None:
            time.sleep(0.02)
        started.append(begin("1"))
        said = [each.communicate(timeout=60)[0] for each in reversed(started)]
    finally:
        for each in started:
            each.kill()
    assert said == ["False 2 True cat-v3\n3\n", "True 2 True cat-v3\n3\n"]


def test_workers_that_were_forked_from_a_training_end_by_sigterm_though_it_asks_for_stops(tmp_path: Path) -> None:
    program = """
import multiprocessing
with trackside.track("cat") as run:
    run.stop_requested
    workers = multiprocessing.get_context("fork").Pool(2)
    workers.map_async(time.sleep, [60, 60])
    workers.terminate(); workers.join()
    print(run.stop_requested)
"""
    done = train(tmp_path, program)
    assert (done.returncode, done.stdout) == (0, "False\n"), done.stderr
    assert record(tmp_path)["status"] == "completed"


def test_a_worker_that_is_told_to_end_as_it_is_forked_ends_and_the_training_goes_on(tmp_path: Path) -> None:
    program = """
import signal
with trackside.track("cat") as run:
    run.stop_requested
    ends = []
    for _ in range(20):
        child = os.fork()
        if child == 0: time.sleep(5); os._exit(7)
        os.kill(child, signal.SIGTERM)
        ends.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    print(set(ends), run.stop_requested)
    os.kill(os.getpid(), signal.SIGTERM)
    print(run.stop_requested)
"""
    done = train(tmp_path, program)
    assert (done.returncode, done.stdout) == (0, "{-15} False\nTrue\n"), done.stderr


def test_a_program_that_replaces_itself_goes_on_in_the_same_session(tmp_path: Path) -> None:
    program = """
run = trackside.track("cat", save_every=1)
run.log(step=run.first_step, loss=1.0)
with run.saving_state() as folder: open(folder + "/w", "w").write("x")
if len(sys.argv) < 2: os.execv(sys.executable, [sys.executable, *sys.argv, "again"])
print(run.first_step)
"""
    done = train(tmp_path, program)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr
    assert [each["kind"] for each in record(tmp_path)["attempts"]] == ["start", "resume"]
    assert os.listdir(tmp_path / "outputs") == ["cat"]

"""`track` on a system that is no Linux: macOS as far as a Linux can be one. No /proc, and nothing that only Linux has."""

import json
import signal
import subprocess
import sys
from pathlib import Path

from test_track import environment, logged, record

# Runs before anything of ours is imported.
MAC = """
import builtins, errno, fcntl, io, os, select, signal, sys
sys.platform = "darwin"
for module, names in {
    fcntl: [name for name in dir(fcntl) if name.startswith(("F_OFD", "F_NOTIFY", "DN_", "F_SETLEASE", "F_ADD_SEALS"))],
    os: ["eventfd", "memfd_create", "pidfd_open", "posix_fadvise", "posix_fallocate", "sched_getaffinity", "setns",
         "splice", "unshare", "getxattr", "listxattr", "setxattr", "O_TMPFILE", "O_PATH"],
    select: ["epoll"],
    signal: ["sigtimedwait", "sigwaitinfo", "pidfd_send_signal", "SIGRTMIN", "SIGRTMAX", "SIGPOLL", "SIGPWR", "SIGSTKFLT"],
}.items():
    for name in names:
        if hasattr(module, name): delattr(module, name)
asked = []
def without_proc(function):
    def guarded(path=".", *more, **named):
        if isinstance(path, (str, bytes)) and os.fsdecode(path).startswith("/proc"):
            asked.append(path)
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        return function(path, *more, **named)
    return guarded
builtins.open = io.open = without_proc(open)
for name in ("open", "stat", "lstat", "readlink", "listdir", "scandir", "access"):
    setattr(os, name, without_proc(getattr(os, name)))
assert not os.path.exists("/proc/self")
"""


def elsewhere(folder: Path, program: str) -> list[str]:
    (folder / "train.py").write_text(MAC + "import time, trackside\n" + program)
    return [sys.executable, "train.py"]


def test_a_training_is_stopped_killed_and_resumed_without_the_identity_of_its_process(tmp_path: Path) -> None:
    program = """
with trackside.track("cat", total=30, save_every=5) as run:
    print("from", run.first_step, flush=True)
    for step in range(run.first_step, 30):
        run.log(step=step, loss=1.0)
        if run.should_save(step):
            with run.saving_state(step) as folder: open(folder + "/weights", "w").write("x")
        if run.stop_requested: break
        if step == int(os.environ["AT"]): os.kill(os.getpid(), int(os.environ["SIGNAL"]))
print("status", asked != [])
"""
    command = elsewhere(tmp_path, program)
    said, codes = [], []
    for at, number in ((7, 9), (12, 15), (99, 0)):
        more = environment(AT=str(at), SIGNAL=str(number))
        done = subprocess.run(command, cwd=tmp_path, env=more, capture_output=True, text=True, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        assert "this is no Linux, so a page here cannot tell whether the training lives" in done.stderr
        assert "The training continues" not in done.stderr, done.stderr
        codes.append(done.returncode)
        said.append(done.stdout.split("\n")[0])
    assert (codes, said) == ([-9, 0, 0], ["from 0", "from 5", "from 14"])
    found = record(tmp_path)
    assert found["status"] == "completed"
    assert [each.get("outcome") for each in found["attempts"]] == ["interrupted", "stopped", None]
    assert [line["step"] for line in logged(tmp_path)][-16:] == list(range(14, 30))
    attempt = json.loads((tmp_path / "outputs" / "cat" / "attempt.json").read_text())
    assert (attempt["boot_id"], attempt["pid_namespace"], attempt["init_start_ticks"]) == (None, None, None)


def test_a_second_training_of_a_name_is_refused_there_too(tmp_path: Path) -> None:
    program = """
first = trackside.track("cat"); first.log(loss=1.0)
print("begun", flush=True)
sys.stdin.read()
"""
    command = elsewhere(tmp_path, program)
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout and first.stdout.readline() == "begun\n"
        again = subprocess.run(
            command,
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert (again.returncode, "cat is already training" in again.stderr) == (1, True), again.stderr
        first.send_signal(signal.SIGINT)
        first.communicate()
    assert record(tmp_path)["status"] == "stopped"

"""A process of its own for a stranger's script: with a time limit, and nothing of it left afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import selectors
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

_TAIL = 4096
_LONGEST_ANSWER = 8 * 1024 * 1024
_PR_SET_CHILD_SUBREAPER = 36

Answer = Callable[[dict[str, Any]], None]


def run(work: Callable[[Answer], None], seconds: float, name: str) -> dict[str, Any]:
    """Calls `work(answer)` in a forked child, and returns the first answer; or {"error": …} in words that begin with
    `name` where none comes within `seconds`. Standard input is empty; what it prints is thrown away."""
    _adopt()
    sys.stdout.flush()
    answers, answering = os.pipe()
    printed, printing = os.pipe()
    child = os.fork()
    if child == 0:
        _become(answers, printed, answering, printing)
        _work(work, answering)
    os.close(answering)
    os.close(printing)
    try:
        return _wait(child, answers, printed, seconds, name)
    finally:
        _end(child)
        os.close(answers)
        os.close(printed)


def _adopt() -> None:
    """Processes that a script leaves behind become our children, and can be found."""
    with contextlib.suppress(OSError, AttributeError):  # not Linux: the process group has to do
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _become(answers: int, printed: int, answering: int, printing: int) -> None:
    os.setsid()
    os.close(answers)
    os.close(printed)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(printing, 1)
    os.dup2(printing, 2)
    os.close(null)
    os.close(printing)
    os.set_inheritable(answering, False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    os.environ["TRACKSIDE_DESCRIBING"] = "1"


def _work(work: Callable[[Answer], None], answering: int) -> None:
    def answer(found: dict[str, Any]) -> None:
        # One line, and only the first is read: a fork of the script may answer too.
        with open(answering, "wb", closefd=False) as file:
            file.write(json.dumps(found).encode() + b"\n")

    leave = os._exit  # the script may put something else in its place
    try:
        work(answer)
    finally:
        leave(0)


def _wait(child: int, answers: int, printed: int, seconds: float, name: str) -> dict[str, Any]:
    end = time.monotonic() + seconds
    answer, tail = b"", b""
    watched = selectors.DefaultSelector()
    watched.register(answers, selectors.EVENT_READ)
    watched.register(printed, selectors.EVENT_READ)
    status: int | None = None
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return {"error": f"{name} did not get to its arguments within {seconds:g} s. It may wait for something."}
        ready = watched.select(min(left, 0.02 if status is None else 0))
        for key, _ in ready:
            data = os.read(key.fd, 65536)
            if not data:
                watched.unregister(key.fd)
            elif key.fd == answers:
                answer += data
            else:
                tail = (tail + data)[-_TAIL:]
        if b"\n" in answer:
            return dict(json.loads(answer.partition(b"\n")[0]))
        if len(answer) > _LONGEST_ANSWER:
            return {"error": f"{name} has arguments that are too long to list."}
        if status is not None and not ready:
            return {"error": f"{name} ended ({_how(status)}) before it read its arguments{_last_line(tail)}."}
        if status is None:
            pid, found = os.waitpid(child, os.WNOHANG)
            status = found if pid == child else None


def _how(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name


def _last_line(tail: bytes) -> str:
    lines = tail.decode("utf-8", "replace").strip().splitlines()
    words = re.sub(r"[\x00-\x1f\x7f]", " ", lines[-1]).strip()[:200].rstrip(".") if lines else ""
    return f": {words}" if words else ""


def _end(child: int) -> None:
    """Kills everything that came of the child, until nothing is left: a few turns, as processes may start others."""
    for _ in range(50):
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        for pid in _descendants():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        time.sleep(0.005)


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b") ")[2].split()[1])
    found = {os.getpid()}
    while True:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        if not more:
            return list(found - {os.getpid()})
        found |= more

"""`trackside.launch`, with the page of this checkout's build (`npm run build`)."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILT = (ROOT / ".build" / "sidecar" / "main.js").exists()
pytestmark = pytest.mark.skipif(not BUILT, reason="npm run build has not run")


def started(folder: Path, program: str, **environment: str) -> "subprocess.Popen[str]":
    """A program of a person, which prints what it finds and waits for a line."""
    own = {**os.environ, "PYTHONPATH": str(ROOT / "trainer-bridge"), "TRACKSIDE_PRIVATE": str(folder / "private")}
    own = {**own, "TRACKSIDE_LAUNCHER": "local", **environment}
    command = [sys.executable, "-c", f"import signal, time, trackside\n{program}"]
    return subprocess.Popen(
        command, cwd=folder, env=own, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url.partition('?')[0]}healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def until_gone(url: str) -> None:
    deadline = time.monotonic() + 20
    while answers(url):
        assert time.monotonic() < deadline, "the page outlives its program"
        time.sleep(0.05)


# It returns within a second; a machine that is busy with something else needs another one.
SLOW = """
before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
begun = time.monotonic()
page = trackside.launch(quiet=True)
print(time.monotonic() - begun < 2.5, page.error, flush=True)
print(page.url, flush=True)
print(before == [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)], flush=True)
again = trackside.launch(quiet=True)
print(again.joined, again.url == page.url, flush=True)
input()
"""


def test_it_waits_for_no_slow_node_and_the_page_ends_with_its_program(
    tmp_path: Path,
) -> None:
    slow = tmp_path / "node"
    slow.write_text('#!/bin/sh\n[ "$1" = --version ] && sleep 3\nexec node "$@"\n')
    slow.chmod(0o755)
    program = started(tmp_path, SLOW, TRACKSIDE_NODE=str(slow))
    assert line(program) == "True None"
    url = line(program)
    assert url.startswith("http://127.0.0.1:") and answers(url)
    assert [line(program), line(program)] == ["True", "True True"]
    program.kill()
    program.wait()
    until_gone(url)


def test_a_page_that_is_closed_before_it_started_never_starts(tmp_path: Path) -> None:
    slow = tmp_path / "node"
    slow.write_text('#!/bin/sh\nsleep 1.2\necho started >> started\nexec node "$@"\n')
    slow.chmod(0o755)
    program = started(
        tmp_path,
        "page = trackside.launch(quiet=True); page.close(); page._starting.join(); print(page.pid, page.error)",
        TRACKSIDE_NODE=str(slow),
    )
    assert program.communicate()[0] == "None None\n"
    assert (tmp_path / "started").read_text() == "started\n"


def test_a_forked_child_neither_ends_the_page_nor_keeps_it(tmp_path: Path) -> None:
    program = started(
        tmp_path,
        """
page = trackside.launch(quiet=True)
print(page.url, flush=True)
import os
if os.fork() == 0:
    raise SystemExit  # with all that a program does at its end
os.wait()
child = os.fork()
if child == 0:
    time.sleep(60)
    os._exit(0)
print(child, flush=True)
input()
""",
    )
    url = line(program)
    child = int(line(program))
    assert answers(url)
    program.kill()
    program.wait()
    try:
        until_gone(url)
    finally:
        os.kill(child, signal.SIGKILL)


def test_programs_that_launch_at_once_share_a_page_of_the_same_outputs_and_get_a_port_each_for_others(
    tmp_path: Path,
) -> None:
    serve = "page = trackside.launch({!r}, quiet=True); print(page.url, flush=True); input()"
    programs = [started(tmp_path, serve.format(outputs)) for outputs in ("same", "same", "other")]
    urls = [line(program) for program in programs]
    assert all(answers(url) for url in urls), urls
    assert urls[0] == urls[1] != urls[2]
    for program in programs:
        program.kill()
        program.wait()
    for url in urls:
        until_gone(url)


def test_where_no_page_can_be_served_the_program_goes_on_and_is_told_why(tmp_path: Path) -> None:
    old = tmp_path / "node"
    old.write_text("#!/bin/sh\necho v12.0.0\n")
    old.chmod(0o755)
    only = {"TRACKSIDE_NODE": str(old), "PATH": str(tmp_path)}
    program = started(tmp_path, "page = trackside.launch(); print(page.url)", **only)
    said, told = program.communicate()
    assert said == "None\n"
    assert "no page is served" in told and "is v12.0.0, older than 20.19" in told

"""Processes as Linux tells them through /proc: who one is, and which of them belong to an attempt."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

from trackside import contract


class Process(NamedTuple):
    """`start_ticks` is what tells a process from a later one with the same PID: clock ticks since boot, never rounded."""

    pid: int
    state: str
    ppid: int
    pgid: int
    start_ticks: int


def living(attempt: str) -> list[Process]:
    """Everything of an attempt except the caller, zombies left out: the caller's descendants and group, and whoever
    carries the attempt's mark, and their descendants. Oldest first: a launcher that sees its child die of a signal
    before it has its own would report a crash."""
    me = os.getpid()
    everyone = {process.pid: process for process in map(read, _pids()) if process}
    group = os.getpgrp() if os.getpgrp() == me else None
    found = {me} | {p.pid for p in everyone.values() if p.pgid == group or carries(p.pid, attempt)}
    while True:
        more = {p.pid for p in everyone.values() if p.ppid in found} - found
        if not more:
            break
        found |= more
    those = (everyone[pid] for pid in found - {me, 1} if pid in everyone)
    return sorted((p for p in those if p.state not in "ZX"), key=lambda p: (p.start_ticks, p.pid))


def marked(attempt: str) -> list[Process]:
    """Whoever carries the attempt's mark, the caller and zombies left out."""
    processes = (read(pid) for pid in _pids() if pid not in (1, os.getpid()) and carries(pid, attempt))
    return [process for process in processes if process and process.state not in "ZX"]


def left_by(record: dict[str, object]) -> list[Process]:
    """Whoever lives of an earlier attempt: its runner, its trainer, who carries its mark, and who, with an environment
    of its own, still writes into its log. Only for a record of this PID namespace."""
    attempt, born = str(record.get("id")), record.get("start_ticks")
    known = {record.get("pid"): born, record.get("trainer_pid"): record.get("trainer_start_ticks")}
    log = (record.get("device"), record.get("log_inode"))
    found = []
    for process in map(read, _pids()):
        if process is None or process.state in "ZX" or process.pid in (1, os.getpid()):
            continue
        writes = None not in log and isinstance(born, int) and process.start_ticks >= born and _writes(process.pid, log)
        if known.get(process.pid) == process.start_ticks or carries(process.pid, attempt) or writes:
            found.append(process)
    return found


def _writes(pid: int, file: tuple[object, object]) -> bool:
    """Whether standard output or standard error are the file, given by device and inode."""
    for descriptor in (1, 2):
        try:
            stats = os.stat(f"/proc/{pid}/fd/{descriptor}")
        except OSError:
            continue
        if (stats.st_dev, stats.st_ino) == file:
            return True
    return False


def read(pid: int) -> Process | None:
    """None when there is no such process. The name may hold spaces and `)`: fields are counted after the last one."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            text = file.read().decode("ascii", "replace")
    except OSError:
        return None
    fields = text[text.rindex(")") + 2 :].split()
    return Process(pid, fields[0], int(fields[1]), int(fields[2]), int(fields[19]))


def carries(pid: int, attempt: str) -> bool:
    """Whether the environment the process was started with names the attempt. False where it may not be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"\0{contract.MARK}={attempt}\0".encode() in b"\0" + file.read() + b"\0"
    except OSError:
        return False


def send(process: Process, number: int) -> None:
    """Signals the process if it is still the same one. Never fails: one that is gone needs no signal."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    except (OSError, AttributeError):
        # A sandbox, or a Python built against old headers (conda's), without it: the check below is as close as it gets.
        handle = None
    try:
        now = read(process.pid)
        if now is None or now.start_ticks != process.start_ticks:
            return
        if handle is None:
            os.kill(process.pid, number)
        else:
            signal.pidfd_send_signal(handle, number)
    except OSError:
        pass
    finally:
        if handle is not None:
            os.close(handle)


def here() -> dict[str, object]:
    """What tells this PID namespace, in this life of it, from every other one: PIDs mean something only within it."""
    init = read(1)
    return {
        "pid_namespace": _link("/proc/self/ns/pid"),
        "init_start_ticks": init.start_ticks if init else None,
        "boot_id": _line("/proc/sys/kernel/random/boot_id"),
        "hostname": os.uname().nodename,
    }


def uptime() -> float | None:
    """Seconds since the machine booted; not what time.clock_gettime says where a container is shown an uptime of its own."""
    line = _line("/proc/uptime")
    return float(line.split()[0]) if line else None


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _link(path: str) -> str | None:
    try:
        return os.readlink(path)
    except OSError:
        return None


def _line(path: str) -> str | None:
    try:
        with open(path) as file:
            return file.readline().strip()
    except OSError:
        return None

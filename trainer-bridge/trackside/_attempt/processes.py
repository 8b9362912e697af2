"""Processes from Linux's /proc: their identity, and those of an attempt."""

from __future__ import annotations

import os
import signal
import sys
from typing import NamedTuple

from trackside._attempt import contract


class Process(NamedTuple):
    """`start_ticks` (clock ticks since boot, exact) distinguishes a process from a later one with the same PID."""

    pid: int
    state: str
    ppid: int
    pgid: int
    start_ticks: int


def living(attempt: str) -> list[Process]:
    """All processes of an attempt except the caller and zombies: the caller's descendants and group, the processes with
    the attempt's mark, and their descendants. Oldest first: a launcher whose child dies of a signal before it gets
    its own would report a crash."""
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
    """The processes with the attempt's mark, except the caller and zombies."""
    processes = (read(pid) for pid in _pids() if pid not in (1, os.getpid()) and carries(pid, attempt))
    return [process for process in processes if process and process.state not in "ZX"]


def left_by(record: dict[str, object]) -> list[Process]:
    """The living processes of an earlier attempt: its runner, its trainer, those with its mark, and those with an
    environment of their own that still write into its log. Only for a record of this PID namespace."""
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
    """Is standard output or standard error this file, given by device and inode?"""
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
    """Does the process's initial environment have the attempt's mark? False if it can't be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return f"\0{contract.MARK}={attempt}\0".encode() in b"\0" + file.read() + b"\0"
    except OSError:
        return False


def send(process: Process, number: int) -> None:
    """Signals the process if it is still the same one. Never fails: a process that is gone needs no signal."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    except (OSError, AttributeError):
        # A sandbox, or a Python built against old headers (conda's), lacks it: the check below has to do.
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
    """The identity of this PID namespace in its present life: PIDs are valid only within it."""
    init = read(1)
    return {
        "pid_namespace": _link("/proc/self/ns/pid"),
        "init_start_ticks": init.start_ticks if init else None,
        "boot_id": _line("/proc/sys/kernel/random/boot_id"),
        "hostname": os.uname().nodename,
    }


def name(pid: int) -> str | None:
    """Its program's name, at most 15 characters; None when it is gone, or outside of this PID namespace."""
    return _line(f"/proc/{pid}/comm") if pid > 0 else None


def uptime() -> float | None:
    """Seconds since the machine booted. time.clock_gettime differs in containers with an uptime of their own."""
    line = _line("/proc/uptime")
    return float(line.split()[0]) if line else None


def _pids() -> list[int]:
    """Elsewhere than on Linux no process is seen: there the kernel's lock alone says whether a training lives."""
    if not sys.platform.startswith("linux"):
        return []
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

"""The two files that record an attempt: `attempt.json`, and `training.pid` for people and shells."""

from __future__ import annotations

import errno
import json
import os
import stat
import time

from trackside._attempt import contract, regular

ATTEMPT = contract.FILES["attempt"]
PID = contract.FILES["pid"]
# Touched by the sidecar for a runner that died before its trainer did.
BEATEN_FOR = contract.FILES["beaten_for"]
# Written by a training that ends by itself after SIGTERM (trackside._track).
TRACKED = contract.FILES["tracked"]
# Spare bytes at the record's end: on a full disk the end of the attempt is written over them, without a new file.
SPARE = 400
LONGEST_REQUEST = 4096


def save(folder: int, record: dict[str, object], durable: bool = True) -> None:
    """Writes `attempt.json` so that a reader finds the old or the new one, never half of one; nor, if `durable`, does
    a power cut.

    `folder` is a descriptor of the output folder. Raises OSError when it can't be written: the old one stays whole.
    """
    _replace(folder, ATTEMPT, _text(record) + b" " * SPARE + b"\n", durable)


def overwrite(folder: int, record: dict[str, object]) -> None:
    """Writes `attempt.json` in place, within its present size, which works on a full disk. Raises OSError, also when it
    does not fit."""
    descriptor = os.open(ATTEMPT, os.O_WRONLY | os.O_NONBLOCK, dir_fd=folder)
    try:
        room = os.fstat(descriptor).st_size
        data = _text(record)
        if len(data) >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), ATTEMPT)
        os.pwrite(descriptor, data.ljust(room - 1) + b"\n", 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def load(folder: int) -> dict[str, object] | None:
    """The record in the folder; None without one, {} for an invalid one."""
    text = _read(folder, ATTEMPT)
    if text is None:
        return None
    try:
        record = regular.parse_json(text)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def save_pid(folder: int) -> None:
    """Not synced: after a power cut there is no process that a PID could name."""
    _replace(folder, PID, f"{os.getpid()}\n".encode(), durable=False)


def remove_pid(folder: int) -> None:
    """Only if it is still ours. Raises OSError."""
    if _read(folder, PID) == f"{os.getpid()}\n":
        os.unlink(PID, dir_fd=folder)


def remove_temporary(folder: int) -> None:
    """Removes unfinished files of a runner that was killed. Only for the holder of the folder."""
    for name in os.listdir(folder):
        if name.startswith((f".{ATTEMPT}.", f".{PID}.")):
            _unlink(folder, name)


def touch(folder: int, record: dict[str, object]) -> dict[str, object] | None:
    """The heartbeat. Rewrites files that were deleted or damaged; returns another attempt's record, unchanged."""
    current = load(folder)
    if current and current.get("id") not in (None, record["id"]):
        return current
    if current:
        os.utime(ATTEMPT, dir_fd=folder)
    else:
        save(folder, record)
    if _read(folder, PID) != f"{os.getpid()}\n":
        save_pid(folder)
    return None


def stop_request(folder: int, attempt: str) -> str | None:
    """The time of a request to stop this attempt, written by a sidecar on any host; None without one."""
    try:
        descriptor = os.open(contract.FILES["stop"], os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW, dir_fd=folder)
        try:
            is_file = stat.S_ISREG(os.fstat(descriptor).st_mode)
            request = json.loads(os.read(descriptor, LONGEST_REQUEST)) if is_file else None
        finally:
            os.close(descriptor)
    except (OSError, ValueError, RecursionError):
        return None
    return str(request.get("requested_at")) if isinstance(request, dict) and request.get("attempt") == attempt else None


def number_of(record: dict[str, object]) -> int:
    """The attempt's number in a record; 0 for one that no attempt ever had."""
    number = record.get("number")
    return number if type(number) is int and 0 < number <= contract.LARGEST_NUMBER else 0


def is_ours(folder: int, record: dict[str, object]) -> bool:
    """False when another attempt's record has taken the place of this one."""
    current = load(folder)
    return not current or current.get("id") in (None, record["id"])


def last_beat(folder: int) -> int:
    """The attempt's last sign of life, in nanoseconds of an unknown clock: only for comparison. 0 without one."""
    return max(_stamp(folder, ATTEMPT) or 0, _stamp(folder, BEATEN_FOR) or 0)


def beaten_for(folder: int) -> bool:
    """Did a sidecar have to beat for a dead runner?"""
    return _stamp(folder, BEATEN_FOR) is not None


def tracked(folder: int, attempt: str) -> dict[str, object] | None:
    """What a training says of its own end: `stop_grace` seconds, and the process to signal (`pid`, `start_ticks`; None:
    it looks for a stop by itself). None if it says nothing."""
    try:
        told = regular.parse_json(_read(folder, TRACKED) or "null")
    except ValueError:
        return None
    is_told = isinstance(told, dict) and told.get("id") == attempt and isinstance(told.get("stop_grace"), (int, float))
    return told if is_told else None


def _stamp(folder: int, name: str) -> int | None:
    """Opens the file: stat alone may answer with a network file system's cache of a minute ago (nfs(5))."""
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return None
    try:
        return os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)


def now() -> str:
    """ISO 8601 in UTC, with milliseconds."""
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{nanoseconds // 1_000_000:03d}Z"


def _text(record: dict[str, object]) -> bytes:
    return json.dumps(record, indent=2, ensure_ascii=False).encode("utf-8", "surrogateescape")


def _replace(folder: int, name: str, data: bytes, durable: bool) -> None:
    # Random, not the PID: two pods on one volume have the same PIDs.
    temporary = f".{name}.{os.urandom(6).hex()}"
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644, dir_fd=folder)
        try:
            while data:
                data = data[os.write(descriptor, data) :]
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        _unlink(folder, temporary)
        raise
    if durable:
        os.fsync(folder)


def _read(folder: int, name: str) -> str | None:
    try:
        return regular.read_bytes(name, folder=folder).decode("utf-8", "replace")
    except OSError:
        return None


def _unlink(folder: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=folder)
    except OSError:
        pass

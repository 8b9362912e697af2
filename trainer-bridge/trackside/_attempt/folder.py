"""Taking an output folder for an attempt: its lock, whoever holds it already, and the files that begin an attempt."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trackside._attempt import contract, lock, processes
from trackside._attempt import record as attempt_file

LEAVING_SECONDS = 1.5
LOOKING_SECONDS = 0.1


class Beginning(NamedTuple):
    """An attempt about to begin: `argv` and `cwd` are its command, `job` its cluster's names for it, for the record."""

    id: str
    number: int
    kind: str
    argv: Sequence[str]
    cwd: str
    job: Mapping[str, str | None] | None = None


def hold(folder: int) -> lock.Hold:
    """Waits for a runner that has recorded its attempt's end and is leaving, and for a sidecar that tests the lock for
    a moment."""
    begun = time.monotonic()
    while True:
        try:
            return lock.hold(folder)
        except BlockingIOError:
            last = attempt_file.load(folder)
            patience = LEAVING_SECONDS if last and last.get("ended_at") else LOOKING_SECONDS
            if time.monotonic() - begun > patience:
                raise
        time.sleep(0.02)


def held_by_another(folder: int, output: str, held: lock.Hold, silent: str | None) -> str | None:
    """Who else holds the folder, in words, or None. The lock shows this machine's runners and trainers, if the file
    system has locks. The record shows processes that outlived a runner without its lock, and other machines on a
    shared volume. `output` is the folder's path. Raises OSError."""
    last = attempt_file.load(folder)
    if not last or last.get("ended_at"):
        return None
    here = processes.here()
    if all(last.get(name) in (None, value) for name, value in here.items()):
        return None if _is_copy(folder, output, last) else _living(last, processes.left_by(last))
    left = processes.marked(str(last.get("id")))  # a container's processes are seen from outside of it
    if left:
        return _living(last, left)
    if _would_have_locked(folder, held, last) or not _beats(folder, f"{last.get('id')}:", silent):
        return None
    return f"{holder(last)} It is still running there."


def _is_copy(folder: int, output: str, last: dict[str, object]) -> bool:
    """Does the record tell of another folder, of which this one is a copy? What trains there leaves this one alone, unless
    the copy shares its log (`cp -al`). A moved folder keeps its inode; where inodes are numbered anew, at least its path."""
    if last.get("output") in (None, os.path.realpath(output)):
        return False
    return last.get("output_inode") != os.fstat(folder).st_ino and last.get("log_inode") != _inode_of_log(folder)


def _inode_of_log(folder: int) -> int | None:
    try:
        return os.stat(contract.FILES["log"], dir_fd=folder).st_ino
    except FileNotFoundError:
        return None


def not_newer(folder: int, number: int) -> str | None:
    """The fence: an attempt that was begun already, here or on another host, is not begun a second time (a requeued job,
    a sidecar that did not know of it). In words, or None."""
    last = attempt_file.load(folder) or {}
    begun = attempt_file.number_of(last)
    if begun < number:
        return None
    ended = f"ended {last['ended_at']}" if last.get("ended_at") else "is over"
    return (
        f"Attempt {begun} of this folder was begun on {last.get('hostname')} and {ended}: {number} is not a newer one."
    )


def may_record(folder: int, record: dict[str, object]) -> bool:
    """May the end of this attempt be recorded? Not over a later attempt, nor in a folder that was deleted. A foreign record
    that is no later one, and gives no sign of life, is a slip."""
    if os.fstat(folder).st_nlink == 0:
        return False
    if attempt_file.is_ours(folder, record):
        return True
    later = attempt_file.number_of(attempt_file.load(folder) or {}) > attempt_file.number_of(record)
    return not later and not _beats(folder, "", None)


def _living(last: dict[str, object], left: list[processes.Process]) -> str | None:
    return f"{holder(last)} Still running: {', '.join(str(each.pid) for each in left)}." if left else None


def _would_have_locked(folder: int, held: lock.Hold, last: dict[str, object]) -> bool:
    """Another container of this machine on this very file system would hold our lock while its runner lives. For a
    runner that died before its trainer a sidecar beats (BEATEN_FOR)."""
    mine = (processes.here()["boot_id"], os.fstat(folder).st_dev, "folder", held.on)
    theirs = (last.get("boot_id"), last.get("device"), last.get("lock"), "folder")
    return None not in theirs and mine == theirs and not attempt_file.beaten_for(folder)


def _beats(folder: int, whose: str, silent: str | None) -> bool:
    """Do signs of life come now? The last one's age means nothing: clocks of two machines differ. Does not wait if a
    sidecar has waited long enough already (`silent`: the id, and the last sign)."""
    before, deadline = attempt_file.last_beat(folder), time.monotonic() + contract.SECONDS["silent"]
    if f"{whose}{before}" == silent:
        return False
    while time.monotonic() < deadline:
        time.sleep(0.1)
        if attempt_file.last_beat(folder) != before:
            return True
    return False


def holder(last: dict[str, object] | None) -> str:
    if not last or last.get("ended_at"):
        return "Another attempt is using this folder."
    return (
        f"Attempt {last.get('number')} is using this folder: PID {last.get('pid')} on {last.get('hostname')}, "
        f"started {last.get('started_at')}."
    )


def open_log(folder: int) -> int:
    """Raises OSError for a folder, a link, a device, or a pipe, which would keep us waiting for its reader."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    try:
        log = os.open(contract.FILES["log"], flags, 0o644, dir_fd=folder)
        if stat.S_ISREG(os.fstat(log).st_mode):
            # For the trainer, whose descriptor it becomes.
            os.set_blocking(log, True)
            return log
        os.close(log)
    except OSError as error:
        if error.errno not in (errno.ENXIO, errno.EISDIR, errno.ELOOP):
            raise
    message = "training.log is not a file but a pipe, a folder, a link or a device. Move it away, and try again"
    raise OSError(errno.EINVAL, message, contract.FILES["log"])


def make_room(folder: int, moves: Sequence[Sequence[str]]) -> None:
    """Moves what the trainer would write over, where nobody has done so yet. Raises OSError, ELOOP for a link."""
    for source, target in moves:
        parents = target.split("/")[:-1]
        inside = folder
        try:
            for name in parents:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(name, dir_fd=inside)
                flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
                below = os.open(name, flags, dir_fd=inside)
                if inside != folder:
                    os.close(inside)
                inside = below
            last = target.split("/")[-1]
            if last not in os.listdir(inside):
                with contextlib.suppress(FileNotFoundError):
                    os.rename(source, last, src_dir_fd=folder, dst_dir_fd=inside)
        finally:
            if inside != folder:
                os.close(inside)


def write_down(folder: int, held: lock.Hold, output: str, begin: Beginning) -> tuple[int, dict[str, object]]:
    """Writes log, record and PID file, before anything is started. Returns the log's descriptor and the record."""
    started_at = attempt_file.now()
    log = open_log(folder)
    before = os.fstat(log).st_size
    attempt_file.remove_temporary(folder)
    try:
        print_to(log, ("\n" if before else "") + f"── attempt {begin.number} · {begin.kind} · {started_at} ──\n")
        me = processes.read(os.getpid())
        record: dict[str, object] = {
            **dict.fromkeys(contract.ATTEMPT),
            "id": begin.id,
            "number": begin.number,
            "kind": begin.kind,
            "pid": os.getpid(),
            "start_ticks": me.start_ticks if me else None,
            **processes.here(),
            **(begin.job or {}),
            "output": os.path.realpath(output),
            "device": os.fstat(folder).st_dev,
            "output_inode": os.fstat(folder).st_ino,
            "log_inode": os.fstat(log).st_ino,
            "lock": held.on,
            "started_at": started_at,
            "argv": list(begin.argv),
            "cwd": begin.cwd,
            "log_start": os.fstat(log).st_size,
            "oom_killed": False,
        }
        # Not synced before the trainer's PID is in it: a power cut would take the trainer too.
        attempt_file.save(folder, record, durable=False)
    except OSError:
        os.ftruncate(log, before)
        raise
    try:
        attempt_file.save_pid(folder)
    except OSError:
        pass  # the record is what counts; the heartbeat tries again
    return log, record


def save_end(folder: int, record: dict[str, object]) -> None:
    try:
        attempt_file.save(folder, record)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        attempt_file.overwrite(folder, record)


def print_to(log: int, text: str, quiet: bool = False) -> None:
    data = text.encode("utf-8", "surrogateescape")
    try:
        while data:
            data = data[os.write(log, data) :]
    except OSError:
        if not quiet:
            raise

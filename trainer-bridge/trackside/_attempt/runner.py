"""The runner owns one attempt: it starts the trainer, outlives the sidecar, and records the end.

All facts about an attempt are in the output folder: `attempt.json` (its processes, and its end), `training.pid`
(this process; `kill` it to end the training), `training.log` (all output), and a kernel lock on the folder itself,
which the trainer inherits. Nothing here needs the sidecar.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import os
import signal
import sys
import time

from trackside._attempt import contract, log_room, out_of_memory, processes
from trackside._attempt import folder as output_folder
from trackside._attempt import record as attempt_file
from trackside._attempt.place import Place
from trackside._attempt.supervise import WATCHED, Grace, supervise

HELD, UNWRITABLE = contract.EXIT_CODES["held"], contract.EXIT_CODES["unwritable"]
FINAL_RECORD_SECONDS = 3600


def main() -> int:
    options = _options()
    # Signals wait until they are fetched; a closed terminal must not end a training.
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    if os.getpgrp() != os.getpid():
        os.setsid()
    try:
        folder = os.open(options.output, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        return _refuse(UNWRITABLE, f"Can't open {options.output}: {error.strerror}.")
    try:
        held = output_folder.hold(folder)
    except BlockingIOError:
        return _refuse(HELD, output_folder.holder(attempt_file.load(folder)))
    except OSError as error:
        return _refuse(UNWRITABLE, f"Can't lock {options.output}: {error.strerror}.")
    try:
        other = output_folder.held_by_another(folder, options.output, held, options.silent) or output_folder.not_newer(
            folder, options.number
        )
        if attempt_file.stop_request(folder, options.attempt):
            other = f"Attempt {options.number} was asked to stop before it began."
        if other:
            return _refuse(HELD, other)
        output_folder.make_room(folder, options.move)
        job = _job() if options.job else None
        begin = output_folder.Beginning(options.attempt, options.number, options.kind, options.argv, options.cwd, job)
        log, record = output_folder.write_down(folder, held, options.output, begin)
    except OSError as error:
        what = error.filename or contract.FILES["log"]
        why = f"its {what} is a link" if error.errno == errno.ELOOP else error.strerror
        return _refuse(UNWRITABLE, f"Can't write to {options.output}: {why}.")
    # The folder stays locked while the trainer lives, even without us.
    os.set_inheritable(held.descriptor, True)
    return _run(folder, log, record, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m trackside.runner",
        allow_abbrev=False,
        usage="%(prog)s --output FOLDER --attempt ID --number N --kind KIND --cwd FOLDER [options] -- COMMAND…",
        description="Runs one attempt of a training in its output folder, and records its end.",
        epilog="Exit codes: 0 the attempt was run and its end is in attempt.json (however the trainer ended); "
        f"{HELD} another attempt is using the folder, nothing was changed; {UNWRITABLE} can't write to the folder, "
        "nothing was started; 2 usage. SIGTERM and SIGINT end the attempt: SIGTERM to all its processes, SIGKILL after --stop-grace.",
    )
    parser.add_argument("--output", required=True, metavar="FOLDER", help="the session's output folder; must exist")
    parser.add_argument(
        "--attempt", required=True, metavar="ID", help=f"random; the trainer gets it as {contract.MARK}"
    )
    parser.add_argument(
        "--number", required=True, type=int, metavar="N", help="number of the attempt in its session, from 1"
    )
    parser.add_argument("--kind", required=True, choices=contract.ATTEMPT["kind"], help="kind of start")
    parser.add_argument("--cwd", required=True, metavar="FOLDER", help="working directory of the trainer")
    seconds = (
        ("--stop-grace", Grace().stop, "from a stop to SIGKILL (%(default)s)"),
        ("--linger", Grace().linger, "from the trainer's end to SIGTERM for its remaining processes (%(default)s)"),
        ("--linger-kill", Grace().linger_kill, "from that SIGTERM to SIGKILL (%(default)s)"),
    )
    for flag, default, words in seconds:
        parser.add_argument(flag, type=float, default=default, metavar="SECONDS", help=words)
    parser.add_argument(
        "--silent",
        metavar="ID:BEAT",
        help="an attempt that was watched long enough without a sign of life, and its last one in nanoseconds",
    )
    parser.add_argument(
        "--job", choices=["slurm"], help="this is the script of a job: its number and node are recorded"
    )
    parser.add_argument(
        "--move",
        nargs=2,
        action="append",
        default=[],
        metavar=("FROM", "TO"),
        help="moved within the folder before the trainer starts, unless TO is there; may be repeated",
    )
    # Cut off before parsing: the trainer's own arguments may contain anything, even a second `--`.
    given = sys.argv[1:]
    end = given.index("--") if "--" in given else len(given)
    options = parser.parse_args(given[:end])
    options.argv = given[end + 1 :]
    options.output = os.path.abspath(options.output)  # the trainer may begin in another folder
    if not options.argv:
        parser.error("the trainer's command is missing: -- COMMAND …")
    return options


def _job() -> dict[str, str | None]:
    return {
        "job": os.environ.get("SLURM_JOB_ID"),
        "cluster": os.environ.get("SLURM_CLUSTER_NAME"),
        "node": os.environ.get("SLURMD_NODENAME"),
    }


def _refuse(code: int, why: str) -> int:
    # Of a job it is a file, on the disk that may be full: the code has to arrive without the words.
    with contextlib.suppress(OSError):
        os.write(2, f"{why}\n".encode(errors="backslashreplace"))
    return code


def _run(folder: int, log: int, record: dict[str, object], options: argparse.Namespace) -> int:
    # From here on the runner's own errors go into the log.
    os.dup2(log, 1)
    os.dup2(log, 2)
    _adopt_orphans()
    kills_before = out_of_memory.kills()
    try:
        trainer = _start(log, options)
    except OSError as error:
        record["exit_code"] = 127 if isinstance(error, FileNotFoundError) else 126
        record["reason"] = f"could not be started: {error.strerror}: {error.filename}"
        output_folder.print_to(log, f"{record['reason']}\n", quiet=True)
        return _finish(folder, log, record)
    log_room.keep(log)
    process = processes.read(trainer)
    record["trainer_pid"] = trainer
    record["stop_grace"] = options.stop_grace
    record["trainer_start_ticks"] = process.start_ticks if process else None
    grace = Grace(options.stop_grace, options.linger, options.linger_kill)
    place = Place(folder, options.output)
    killed_by_us = supervise(folder, record, trainer, grace, place)
    place.leave()
    kills = out_of_memory.kills()
    if kills is not None and kills_before is not None:
        record["oom_kills"] = kills - kills_before
        record["oom_killed"] = kills > kills_before and record["signal"] == "SIGKILL" and not killed_by_us
    return _finish(folder, log, record)


def _adopt_orphans() -> None:
    """Makes double forks our children, so that we see their end; without that, the mark finds them."""
    try:
        from ctypes import CDLL

        CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    except Exception:
        pass


def _start(log: int, options: argparse.Namespace) -> int:
    """Raises OSError with the missing program or folder as `filename`."""
    os.chdir(options.cwd)
    return os.posix_spawnp(
        options.argv[0],
        options.argv,
        {**os.environ, contract.MARK: options.attempt, contract.SESSION: os.path.realpath(options.output)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsigmask=[],
        # Python ignores SIGPIPE and SIGXFSZ, a shell's `&` SIGINT; none of it is meant for the trainer.
        setsigdef=[signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD],
    )


def _finish(folder: int, log: int, record: dict[str, object]) -> int:
    """Records the end: on a full disk it tries for an hour, or until a signal to stop."""
    log_room.give_back(log)
    record["log_end"] = os.fstat(log).st_size
    record["ended_at"] = attempt_file.now()
    deadline, wait = time.monotonic() + FINAL_RECORD_SECONDS, 0.25
    # A deleted folder (without any link) will never take the record.
    while output_folder.may_record(folder, record):
        try:
            output_folder.save_end(folder, record)
            break
        except OSError as error:
            told = signal.sigtimedwait((signal.SIGTERM, signal.SIGINT), wait)
            if told or time.monotonic() > deadline:
                return _refuse(UNWRITABLE, f"Can't record the end of the attempt: {error.strerror}.")
            wait = min(wait * 2, 5)
    try:
        attempt_file.remove_pid(folder)
    except OSError:
        pass  # it reads as stale: the record says that the attempt has ended
    return 0

"""The runner's work while its trainer lives: heartbeats, reaping, passing a stop on, ending remaining processes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
import traceback
from typing import NamedTuple

from trackside._attempt import contract, log_room, processes
from trackside._attempt import record as attempt_file
from trackside._attempt.place import Place

FAILED_LINGER_SECONDS = 1.0
TOLD_TO_END = (signal.SIGTERM, signal.SIGINT)
WATCHED = (signal.SIGCHLD, signal.SIGIO, *TOLD_TO_END)


class Grace(NamedTuple):
    """Seconds: from a stop to SIGKILL; from the trainer's own end to SIGTERM for remaining processes, and on to SIGKILL."""

    stop: float = contract.SECONDS["stop_grace"]
    linger: float = 10.0
    linger_kill: float = 5.0


def supervise(folder: int, record: dict[str, object], trainer: int, grace: Grace, place: Place) -> bool:
    """Returns when no process of the attempt is left, with the trainer's `exit_code` or `signal` in the record. True if
    the runner itself had to kill the trainer.

    WATCHED signals have to be blocked. A bug in here must not cost a training: it is logged, and the watch goes on.
    """
    watch = _Watch(folder, record, trainer, grace, place)
    told: set[str] = set()
    while True:
        try:
            if watch.turn():
                return watch.killed
        except Exception as error:
            with contextlib.suppress(Exception):  # the log may be what failed, on a full disk
                if repr(error) not in told:
                    told.add(repr(error))
                    traceback.print_exc()
            time.sleep(1)


class _Watch:
    """The state of the watch between two turns."""

    def __init__(self, folder: int, record: dict[str, object], trainer: int, grace: Grace, place: Place) -> None:
        self.folder, self.record, self.trainer, self.grace, self.place = folder, record, trainer, grace, place
        self.ended = False
        self.killed = False
        self.ending = False
        self.unsaved = True
        # The last sign of life of another attempt in the same folder, or None; and since when (monotonic seconds).
        self.rival_beat: int | None = None
        self.rival_since = 0.0
        self.next_heartbeat = time.monotonic() + contract.SECONDS["heartbeat"]
        # The signals still to be sent to all processes of the attempt, with their times (monotonic seconds).
        self.plan: list[tuple[float, int]] = []

    def turn(self) -> bool:
        """One round; True when nothing is left."""
        if self.unsaved:
            self.save()
        received = signal.sigtimedwait(WATCHED, self.patience())
        if received and received.si_signo in TOLD_TO_END:
            self.note(received)
            self.end()
        # Something changed beside the folder (place.py).
        if received and received.si_signo == signal.SIGIO:
            self.keep_place()
        self.keep_plan()
        if self.reap():
            self.hear_late()
            return True
        if time.monotonic() >= self.next_heartbeat:
            self.heartbeat()
        return False

    def patience(self) -> float:
        """Seconds until the next work. Orphans that are not our children end without SIGCHLD: look often near the end."""
        due = [self.next_heartbeat, *(when for when, _ in self.plan[:1])]
        if self.unsaved:
            due.append(time.monotonic() + 2)
        if self.ended:
            due.append(time.monotonic() + 0.25)
        return max(0.0, min(due) - time.monotonic())

    def end(self) -> None:
        """Ends all processes of the attempt. A second call changes nothing."""
        if self.ending:
            return
        self.ending = True
        self.hear_grace()
        self.save()
        now = time.monotonic()
        grace = self.record["stop_grace"]
        self.plan = [(now, signal.SIGTERM), (now + (grace if isinstance(grace, (int, float)) else 0.0), signal.SIGKILL)]

    def hear_grace(self) -> None:
        """A training may say how long it takes to end by itself."""
        told = attempt_file.tracked(self.folder, str(self.record["id"]))
        grace = float(str(told["stop_grace"])) if told else self.grace.stop
        if grace != self.record["stop_grace"]:
            self.record["stop_grace"] = grace
            self.unsaved = True

    def hear_late(self) -> None:
        """A stop of the whole pod may reach the trainer a moment before us."""
        told = signal.sigtimedwait(TOLD_TO_END, 0)
        if told:
            self.note(told)

    def note(self, told: signal.struct_siginfo) -> None:
        """Sender and time distinguish a person's `kill` from the end of a whole pod, or of a cluster's job
        (sidecar/launchers/podEnd.ts). The first one counts."""
        if self.ending or self.record["stop_signal"]:
            return
        self.record["stop_signal"] = signal.Signals(told.si_signo).name
        self.record["stop_sender"] = told.si_pid
        self.record["stop_sender_name"] = processes.name(told.si_pid)
        self.record["stop_uptime"] = processes.uptime()

    def keep_plan(self) -> None:
        """Sends due signals to all processes of the attempt."""
        now = time.monotonic()
        if not self.plan or self.plan[0][0] > now:
            return
        _, number = self.plan.pop(0)
        if number == signal.SIGKILL:
            self.killed = self.killed or not self.ended
            self.plan = [(now + 0.25, signal.SIGKILL)]  # again, for whoever was forked meanwhile
        for process in self.addressees(number):
            processes.send(process, number)

    def addressees(self, number: int) -> list[processes.Process]:
        """Everybody; but SIGTERM goes only to the process of a training that ends by itself: its loader workers and its
        other ranks would be killed in the middle of a step."""
        told = attempt_file.tracked(self.folder, str(self.record["id"])) if number == signal.SIGTERM else None
        if not told or self.ended:
            return processes.living(str(self.record["id"]))
        process = processes.read(int(str(told["pid"]))) if told.get("pid") else None
        return [process] if process and process.start_ticks == told.get("start_ticks") else []

    def reap(self) -> bool:
        """Reaps ended processes; True when the trainer has ended and none is left."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return self.ended and not processes.marked(str(self.record["id"]))
            if pid == 0:
                return False
            if pid == self.trainer:
                self.trainer_ended(status)

    def trainer_ended(self, status: int) -> None:
        """Its status goes into the record at once: the runner may still be killed."""
        self.ended = True
        if os.WIFSIGNALED(status):
            self.record["signal"] = _name(os.WTERMSIG(status))
        else:
            self.record["exit_code"] = os.WEXITSTATUS(status)
        self.unsaved = True
        if not self.plan:
            # A crash leaves nothing worth waiting for: loader workers notice it only after 5 s
            # (torch/utils/data/_utils/__init__.py MP_STATUS_CHECK_INTERVAL).
            failed = self.record["exit_code"] != 0
            linger = min(self.grace.linger, FAILED_LINGER_SECONDS) if failed else self.grace.linger
            now = time.monotonic()
            self.plan = [(now + linger, signal.SIGTERM), (now + linger + self.grace.linger_kill, signal.SIGKILL)]

    def save(self) -> None:
        """On a full disk the attempt continues, and the record is tried again."""
        try:
            attempt_file.save(self.folder, self.record)
            self.unsaved = False
        except OSError:
            self.unsaved = True

    def heartbeat(self) -> None:
        self.next_heartbeat = time.monotonic() + contract.SECONDS["heartbeat"]
        try:
            self.hear_grace()
            rival = attempt_file.touch(self.folder, self.record)
            if rival:
                self.give_way(rival)
            self.hear_request()
            self.keep_place()
        except OSError:
            pass  # a full or read-only disk: the next heartbeat tells
        # The log: see runner._run. After the sign of life, because a slow disk may take long.
        log_room.keep(1)

    def give_way(self, rival: dict[str, object]) -> None:
        """Another pod rightly began a later attempt while this one was frozen, or cut off from a shared volume: two
        must not write into one folder. A record alone may be a copied file; one with heartbeats lives."""
        beat, now = attempt_file.last_beat(self.folder), time.monotonic()
        later = attempt_file.number_of(rival) > attempt_file.number_of(self.record)
        if later and not rival.get("ended_at") and self.rival_beat not in (None, beat):
            self.plan = [(now, signal.SIGKILL)]
        if beat != self.rival_beat:
            self.rival_beat, self.rival_since = beat, now
        elif now - self.rival_since > contract.SECONDS["silent"]:
            # Nobody's: edited by hand, or copied from elsewhere. Without ours, nobody sees that this one lives.
            self.rival_beat = None
            self.save()

    def hear_request(self) -> None:
        """A stop from a sidecar on any host that sees the folder."""
        if self.record["stop_requested_at"]:
            return
        self.record["stop_requested_at"] = attempt_file.stop_request(self.folder, str(self.record["id"]))
        if self.record["stop_requested_at"]:
            self.unsaved = True
            self.end()

    def keep_place(self) -> None:
        """Follows the folder when it is renamed; ends what nobody can find any more when it is removed."""
        found = self.place.look()
        if found == "removed":
            self.end()
        elif isinstance(found, dict):
            self.record.update(found)
            self.unsaved = True


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"

"""An attempt that the training's own process holds: lock, record, heartbeat and end, as the runner does for others."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from typing import Any

from trackside._attempt import contract, processes
from trackside._attempt import folder as output_folder
from trackside._attempt import record as attempt_file
from trackside._track import ranks
from trackside._track.launcher import Start
from trackside._track.whole import write_whole

LAUNCH = contract.FILES["launch"]
TRACKED = contract.FILES["tracked"]


class Held(Exception):
    """Another attempt is using the folder; the message says which."""


class Owner:
    """Holds an output folder from its making until `end`. Methods raise OSError."""

    def __init__(self, output: str, number: int, kind: str, start: Start, argv: list[str], grace: float) -> None:
        """Raises Held, and OSError for a folder that cannot be written."""
        self.folder = os.open(output, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            held = output_folder.hold(self.folder)
        except BlockingIOError:
            words = output_folder.holder(attempt_file.load(self.folder))
            os.close(self.folder)
            raise Held(words) from None
        self.locked = held.descriptor
        try:
            other = output_folder.held_by_another(self.folder, output, held, None)
            if other:
                raise Held(other)
            begin = output_folder.Beginning(str(uuid.uuid4()), number, kind, argv, start.cwd)
            self.log, self.record = output_folder.write_down(self.folder, held, output, begin)
        except (Held, OSError):
            self.let_go()
            raise
        self.record["trainer_pid"] = self.record["pid"]
        self.record["trainer_start_ticks"] = self.record["start_ticks"] = self.record["start_ticks"] or 0
        self.record["stop_grace"] = grace
        attempt_file.save(self.folder, self.record, durable=False)
        self.id = begin.id

    def beat(self) -> bool:
        """A sign of life. False when another attempt has rightly taken the folder: this one must write no more."""
        rival = attempt_file.touch(self.folder, self.record)
        return rival is None or attempt_file.number_of(rival) < attempt_file.number_of(self.record)

    def is_asked_to_stop(self) -> bool:
        """By a sidecar on any host that sees the folder (the runner does the same for others)."""
        if not self.record["stop_requested_at"]:
            self.record["stop_requested_at"] = attempt_file.stop_request(self.folder, self.id)
            if self.record["stop_requested_at"]:
                with contextlib.suppress(OSError):
                    attempt_file.save(self.folder, self.record, durable=False)
        return bool(self.record["stop_requested_at"])

    def told_to_end(self, signal_name: str) -> None:
        """Notes a stop at once: it tells the page that it has arrived."""
        if self.record["stop_signal"]:
            return
        self.record["stop_signal"] = signal_name
        self.record["stop_uptime"] = processes.uptime()
        with contextlib.suppress(OSError):
            attempt_file.save(self.folder, self.record, durable=False)

    def end(self, exit_code: int | None, signal_name: str | None) -> None:
        """Records the end and lets go of the folder."""
        self.record["exit_code"], self.record["signal"] = exit_code, signal_name
        self.record["log_end"] = os.fstat(self.log).st_size
        self.record["ended_at"] = attempt_file.now()
        try:
            if attempt_file.is_ours(self.folder, self.record):
                output_folder.save_end(self.folder, self.record)
            with contextlib.suppress(OSError):
                attempt_file.remove_pid(self.folder)
        finally:
            self.let_go()

    def let_go(self) -> None:
        for descriptor in {self.locked, self.folder}:
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def leave_to_parent(self) -> None:
        """In a forked child: the lock is the parent's, and ends with it."""
        self.let_go()


def write_launch(folder: str, name: str, start: Start, line: str) -> None:
    """How to start it again, readable by this user only. Raises OSError."""
    content: dict[str, Any] = {"name": name, "line": line, "group": ranks.group(start.pid), **start._asdict()}
    write_whole(folder, LAUNCH, json.dumps(content, indent=1, ensure_ascii=False), 0o600)


def write_tracked(folder: str, attempt: str, grace: float, pid: int | None) -> None:
    """Tells the runner that this process ends by itself within `grace` seconds of SIGTERM, its workers with it; without
    a `pid`, that it looks for a stop in attempt.json. Raises OSError."""
    process = processes.read(pid) if pid else None
    ticks = process.start_ticks if process else None
    write_whole(
        folder, TRACKED, json.dumps({"id": attempt, "stop_grace": grace, "pid": pid, "start_ticks": ticks}), 0o644
    )

"""The files of a tracked run: metrics, log, signs of life and the end; quiet where this process is not to write."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import signal
import sys
import time
import traceback
import weakref
from typing import TYPE_CHECKING, Any

from trackside._attempt import contract, regular
from trackside._attempt import record as attempt_file
from trackside._track import owner, session
from trackside._track.ending import ending, words_of
from trackside._track.keeper import Keeper
from trackside._track.launcher import is_notebook
from trackside._track.lines import Lines
from trackside._track.place import Place
from trackside._track.progress import ProgressFile
from trackside._track.settings import settings_of
from trackside._track.stops import SharedStop, Stops
from trackside._track.tee import Tee
from trackside._track.warn import warn_once
from trackside._track.whole import write_whole

if TYPE_CHECKING:
    from trackside._track.run import Run

_RESERVED = {"step", "time", "event", "total", "epoch", "epochs"}
_live: weakref.WeakSet[Writer] = weakref.WeakSet()


class Writer:
    """`writes` is False on other ranks, in forked children, after the end, and where the folder cannot be written."""

    def __init__(self, name: str, place: Place | None, *, writes: bool, world: int, grace: float) -> None:
        self.name, self.place = name, place
        self.folder = place.folder if place else None
        self.resumed = place.resumed if place else None
        self.writes = writes and place is not None
        # It goes on being the one that writes after its end: weights may be offered then.
        self.leads = self.writes
        self.ended = False
        self.stops = Stops(self._on_term, self._last_words)
        self.shared = SharedStop(place.folder, place.attempt, writes) if place and world > 1 else None
        self._grace = grace
        self._run: weakref.ref[Run] | None = None
        self._lines: Lines | None = None
        self._tee: Tee | None = None
        self._keeper: Keeper | None = None
        self._progress: ProgressFile | None = None
        self._error: BaseException | None = None
        self._hook: Any = None

    def begin(self, run: Run, first_step: int, total: int | None) -> None:
        """Opens the files, and listens for stops. Never raises."""
        self._run = weakref.ref(run)
        if not self.writes or self.place is None:
            return
        try:
            self._open(self.place)
            self.event(
                "begin", attempt=self.place.attempt, number=self.place.number, first_step=first_step, total=total
            )
        except Exception as error:
            self.writes = False
            warn_once("this training cannot be recorded", error)

    def _open(self, place: Place) -> None:
        descriptor = os.open(place.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._lines = Lines(descriptor, contract.FILES["metrics"])
            self.line = self._lines.write  # type: ignore[method-assign]
        finally:
            os.close(descriptor)
        self.stops.open()
        if place.owner:
            if not self.stops.listens:
                owner.write_tracked(place.folder, place.attempt, self._grace, None)
            self._tee = Tee(place.owner.log)
            self._tee.open()
            self._progress = ProgressFile(place.folder, place.attempt)
        else:
            owner.write_tracked(place.folder, place.attempt, self._grace, os.getpid() if self.stops.listens else None)
        self._keeper = Keeper(self._look, self._beat)
        self._keeper.open()
        self._hook, sys.excepthook = sys.excepthook, self._on_exception
        _live.add(self)
        atexit.register(self._at_exit)

    def line(self, line: bytes) -> None:
        """Appends a line to the metrics. Replaced by the file's own method once that is open."""

    def event(self, name: str, **facts: Any) -> None:
        """Appends what is no log. Never raises."""
        if self.writes:
            with contextlib.suppress(Exception):
                content = {"event": name, "time": round(time.time(), 3), **facts}
                self.line((json.dumps(content, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace"))

    @staticmethod
    def key(name: str) -> str:
        shown = f"{name}_" if name in _RESERVED else str(name)
        return f",{json.dumps(shown, ensure_ascii=False)}:"

    def say(self, text: str) -> None:
        with contextlib.suppress(Exception):
            print(text, file=sys.stderr, flush=True)

    def record_config(self, config: dict[str, Any]) -> None:
        """Only where the session is ours: the page's own settings stay. Never raises."""
        if self.writes and self.place and self.place.owner:
            try:
                session.edit(self.place.folder, lambda record: record.update(arguments=settings_of(config)))
            except OSError as error:
                warn_once("the settings could not be recorded", error)

    def is_told_to_stop(self, step: int | None) -> bool:
        """Never raises."""
        self.stops.was_asked = True
        self.stops.listen_again()
        if self.shared is None:
            return self.stops.requested
        try:
            return self.shared.reached(step, self.stops.requested)
        except Exception as error:
            warn_once("the ranks could not agree on a stop", error)
            return self.stops.requested

    def finish(self, error: BaseException | None = None) -> None:
        """Never raises. A second call does nothing."""
        if not self.writes or self not in _live:
            self.writes = False
            return
        _live.discard(self)
        error = error or self._error
        run = self._run() if self._run else None
        how, exit_code, signal_name = ending(error, self.stops.requested and not (run is not None and run.is_complete))
        for part in (self._end_run, self._end_files):
            try:
                part(how, error, exit_code, signal_name, run)
            except Exception as failed:
                warn_once("the end of this training could not be recorded", failed)
        self.writes, self.ended = False, True
        with contextlib.suppress(Exception):
            atexit.unregister(self._at_exit)
            self.stops.close()
            if sys.excepthook == self._on_exception:
                sys.excepthook = self._hook

    def _at_exit(self) -> None:
        """A kernel that is restarted has not completed a training whose last step is still to come."""
        run = self._run() if self._run else None
        waits = is_notebook() and run is not None and run._total is not None and not run.is_complete
        if waits and self.place and self.place.owner:
            self.stops.requested = True
            self.place.owner.told_to_end("SIGHUP")
        self.finish()

    def _end_run(
        self, how: str, error: BaseException | None, code: int | None, sent: str | None, run: Run | None
    ) -> None:
        words = words_of(error) if error is not None and how == "failed" else None
        if self._tee and error is not None and how != "finished":
            self._tee.flush()
            # Python prints it only after us; and a notebook prints its own.
            self._tee.write("".join(traceback.format_exception(type(error), error, error.__traceback__)))
        if run is not None:
            self._write_summary(run)
        with contextlib.suppress(OSError):
            self._write_progress("ended")
        self.event("end", how=how, error=words, step=run.step if run else None)
        if self._keeper:
            self._keeper.close()
        if self._tee:
            self._tee.close()
        if self._lines:
            self._lines.close()

    def _end_files(
        self, how: str, error: BaseException | None, code: int | None, sent: str | None, run: Run | None
    ) -> None:
        place = self.place
        if place is None or place.owner is None:
            return
        if sent:
            place.owner.told_to_end(sent)
        place.owner.end(code, sent)
        status = {"finished": "completed", "stopped": "stopped", "failed": "failed"}[how]

        def change(record: session.Record) -> None:
            record["status"] = status
            if status == "failed":
                record["error"] = words_of(error) if error is not None else "unknown"
            if status == "completed":
                record["completed_at"] = attempt_file.now()

        session.edit(place.folder, change)

    def _write_summary(self, run: Run) -> None:
        try:
            write_whole(str(self.folder), "summary.json", run.summary.with_best(run.best))
        except Exception as error:
            warn_once("summary.json could not be written", error)

    def _look(self) -> None:
        """Flushes what waits, and looks for a stop where no signal can be caught."""
        if self._lines:
            self._lines.flush()
        if self._tee:
            self._tee.flush()
        if self.place and self.place.owner and not self.stops.listens:
            self.stops.requested = self.stops.requested or self.place.owner.is_asked_to_stop()
        if self.place and not self.place.owner and not self.stops.requested:
            path = os.path.join(self.place.folder, contract.FILES["attempt"])
            with contextlib.suppress(OSError, ValueError, AttributeError):
                record: Any = regular.parse_json(regular.read_text(path))
                if record.get("id") == self.place.attempt and (
                    record.get("stop_signal") or record.get("stop_requested_at")
                ):
                    self.stops.requested = True

    def _beat(self) -> None:
        if self.place and self.place.owner and not self.place.owner.beat():
            self.writes = False
            warn_once("another attempt has taken over this session, so this one records no more")
            return
        if self.place and self.place.owner and self.place.owner.is_asked_to_stop():
            self.stops.requested = True
        self._write_progress("training")

    def _write_progress(self, phase: str) -> None:
        run = self._run() if self._run else None
        if run is not None and self._progress:
            known = run.best.get("loss")
            self._progress.write(phase, run.step, run._total, run._epoch, run._epochs, known.last if known else None)

    def _on_term(self) -> None:
        if self.place and self.place.owner:
            with contextlib.suppress(Exception):
                self.place.owner.told_to_end("SIGTERM")

    def _last_words(self) -> None:
        with contextlib.suppress(Exception):
            if self.place and self.place.owner and self in _live:
                _live.discard(self)
                self.place.owner.end(None, signal.Signals.SIGTERM.name)

    def _on_exception(self, kind: Any, error: BaseException, trace: Any) -> None:
        self._error = error
        self._hook(kind, error, trace)

    def leave_to_parent(self) -> None:
        """In a forked child: files and lock are the parent's."""
        self.writes = False
        if self._tee:
            self._tee.forget()
        if self.place and self.place.owner:
            self.place.owner.leave_to_parent()


def finish_of(folder: str) -> None:
    """Ends the live run of a folder, if this process has one: a cell of a notebook is run again."""
    for writer in list(_live):
        if writer.folder == folder:
            writer.finish(KeyboardInterrupt())


def _after_fork() -> None:
    for writer in list(_live):
        with contextlib.suppress(Exception):
            writer.leave_to_parent()
    _live.clear()
    with contextlib.suppress(Exception):
        Stops.leave_to_parent()
    Stops.let_come()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=Stops.hold_back, after_in_parent=Stops.let_come, after_in_child=_after_fork)

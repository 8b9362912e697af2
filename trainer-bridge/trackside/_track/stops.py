"""Stop requests: SIGTERM, and for several ranks the step at which all of them stop."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, ClassVar

from trackside._attempt import regular
from trackside._track.whole import write_whole

_LAST_STEP = ".attempt.json.last-step"
# The signals that a thread held back before it forked.
_forking = threading.local()


class Stops:
    """`requested` is set by SIGTERM, in all runs of this process. A handler that is there already runs after ours; without
    one, a training that never asks for stops ends as it would without us."""

    _open: ClassVar[list[Stops]] = []
    # The handler that was there.
    _before: ClassVar[Any] = None
    _inside: ClassVar[bool] = False

    def __init__(self, on_term: Callable[[], None], last_words: Callable[[], None]) -> None:
        """`on_term` notes the stop; `last_words` runs before the process ends by the signal."""
        self.requested = False
        self.was_asked = False
        self.listens = False
        self._on_term, self._last_words = on_term, last_words

    def open(self) -> None:
        """Only the main thread of a program may listen for signals."""
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is None:  # installed by C code: it cannot be chained
            return
        self.listens = True
        self.listen_again()
        self._open.append(self)

    def listen_again(self) -> None:
        """Stands before a handler that was installed after ours (Lightning's, or a Trainer's that saves at SIGTERM)."""
        if self.listens and threading.current_thread() is threading.main_thread():
            now = signal.getsignal(signal.SIGTERM)
            if now is not Stops._handle:
                Stops._before = now
                signal.signal(signal.SIGTERM, Stops._handle)

    def close(self) -> None:
        """The handler goes with the last run that is open, if none was installed over it since."""
        if self not in self._open:
            return
        self._open.remove(self)
        if not self._open and threading.current_thread() is threading.main_thread():
            if signal.getsignal(signal.SIGTERM) is Stops._handle:
                signal.signal(signal.SIGTERM, Stops._before)

    @staticmethod
    def hold_back() -> None:
        """Before a fork: Python forgets what a child was told before it is itself, and a pool that ends its workers at once
        would wait for them for ever."""
        _forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM} if Stops._open else set())

    @staticmethod
    def let_come() -> None:
        """After a fork, in the parent and in the child, once each stands as it should."""
        signal.pthread_sigmask(signal.SIG_SETMASK, _forking.mask)

    @staticmethod
    def leave_to_parent() -> None:
        """In a forked child, such as a worker of a pool: SIGTERM ends it as it would without us."""
        Stops._open.clear()
        if signal.getsignal(signal.SIGTERM) is Stops._handle:
            signal.signal(signal.SIGTERM, Stops._before)

    @staticmethod
    def _handle(number: int, frame: FrameType | None) -> None:
        if Stops._inside:  # a later handler that calls ours in turn
            return
        for each in Stops._open:
            each.requested = True
            each._on_term()
        if callable(Stops._before):
            Stops._inside = True
            try:
                Stops._before(number, frame)
            finally:
                Stops._inside = False
        elif Stops._before == signal.SIG_DFL and not any(each.was_asked for each in Stops._open):
            for each in Stops._open:
                each._last_words()
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)


class SharedStop:
    """All ranks have to leave the loop at the same step, or the others wait in a collective for ever. Rank 0 writes down
    a step that none has reached: they are in step, so each of them reads it in time. The file stays behind, for a rank may
    look after rank 0 has ended; it counts for one attempt."""

    def __init__(self, folder: str, attempt: str, leads: bool) -> None:
        self.folder = folder
        self.attempt, self.leads = attempt, leads
        self.at: int | None = None

    def reached(self, step: int | None, requested: bool) -> bool:
        """Is it time to stop, after `step`? Raises OSError."""
        if self.at is None:
            self.at = self._announce(step, requested) if self.leads else self._look()
        return self.at is not None and (step is None or step >= self.at)

    def _announce(self, step: int | None, requested: bool) -> int | None:
        if not requested:
            return None
        at = 0 if step is None else step + 1
        write_whole(self.folder, _LAST_STEP, json.dumps({"id": self.attempt, "step": at}))
        return at

    def _look(self) -> int | None:
        try:
            told: Any = regular.parse_json(regular.read_text(os.path.join(self.folder, _LAST_STEP)))
        except (OSError, ValueError):
            return None
        return int(told["step"]) if told.get("id") == self.attempt else None

"""What is asked of a running training: by SIGTERM or SIGUSR1 (pause), or by a file in its output folder.

Handlers only note what is asked, except where nothing can be lost: while it is loading the process ends at once, and
sample pictures are cut short.
"""

from __future__ import annotations

import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NamedTuple

from trackside._attempt import contract, regular
from trackside._exact.tell import tell

LOOK_SECONDS = 0.2
AGAIN_SECONDS = 1.0
LARGEST = 64 << 10
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)


class Ask(NamedTuple):
    """`verb` is pause, save, sample or finish. By a signal: whoever sent it waits, and perhaps kills."""

    verb: str
    prompts: str | None = None
    by_signal: bool = False


class SampleCut(BaseException):
    """Leaves the drawing of samples. Not an Exception, which sd-scripts might catch."""


class Asks:
    """Open questions, in their order. `at_once` is called as a pause is asked for while `loading`."""

    def __init__(self, at_once: Callable[[], None]) -> None:
        self.open: deque[Ask] = deque()
        self.loading = True
        self.writing_cache = False
        self.sampling = False
        self._at_once = at_once
        self._deaf = False
        # From other threads, for the main one.
        self._elsewhere: deque[Ask] = deque()
        self._refused: str | None = None

    def listen(self, folder: str | None, attempt: str | None) -> None:
        """`folder` is the session's, None without one: then only signals are heard."""
        signal.signal(signal.SIGTERM, self._asked_to_pause)
        signal.signal(signal.SIGUSR1, self._asked_to_pause)
        signal.signal(signal.SIGUSR2, self._asked_elsewhere)
        if folder and attempt:
            threading.Thread(target=self._look, args=(folder, attempt), daemon=True).start()

    def stop_listening(self) -> None:
        """As if nobody had listened: what was asked meanwhile ends the process."""
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        self._deaf = True
        if self.pausing:
            os.kill(os.getpid(), signal.SIGTERM)

    @property
    def pausing(self) -> bool:
        return any(ask.verb == "pause" for ask in self.open)

    def uncut(self, draw: Callable[[], object]) -> bool:
        """Draws sample pictures; False where a pause cuts them short."""
        try:
            self.sampling = True
            if self.pausing:
                raise SampleCut
            draw()
            self.sampling = False  # in here, where a pause that comes right now does no harm
            return True
        except SampleCut:
            tell("samples cut short by a pause")
            return False
        finally:
            self.sampling = False

    def could_not(self, ask: Ask, step: int, words: str) -> None:
        """Tells it. What a signal asked for is tried again, until the process is killed: there may be room by then."""
        if not ask.by_signal or words != self._refused:
            tell(f"could not {ask.verb} at step {step}: {words}. The training goes on")
        if ask.by_signal:
            self._refused = words
            timer = threading.Timer(AGAIN_SECONDS, self._ask_main_thread, (ask,))
            timer.daemon = True
            timer.start()

    @contextmanager
    def cache_is_written(self) -> Iterator[None]:
        """No file of a cache is cut."""
        self.writing_cache = True
        try:
            yield
        finally:
            self.writing_cache = False
            if self.loading and self.pausing:
                self._at_once()

    def _asked_to_pause(self, number: int, frame: FrameType | None) -> None:
        self._note(Ask("pause", by_signal=True))

    def _asked_elsewhere(self, number: int, frame: FrameType | None) -> None:
        while self._elsewhere:
            self._note(self._elsewhere.popleft())

    def _note(self, ask: Ask) -> None:
        if ask in self.open:
            return
        self.open.append(ask)
        if ask.verb != "pause" or self.writing_cache:
            return
        if self.loading:
            self._at_once()
        if self.sampling:
            raise SampleCut

    def _look(self, folder: str, attempt: str) -> None:
        """In a thread of its own; the answer comes in the main one, by a signal."""
        path, seen, wait = os.path.join(folder, contract.FILES["ask"]), b"", threading.Event()
        while not wait.wait(LOOK_SECONDS) and not self._deaf:
            try:
                text = regular.read_bytes(path, LARGEST)
            except OSError:
                continue
            if text == seen:
                continue
            seen = text
            ask = _read(text, attempt)
            if ask:
                self._ask_main_thread(ask)

    def _ask_main_thread(self, ask: Ask) -> None:
        self._elsewhere.append(ask)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR2)


def _read(text: bytes, attempt: str) -> Ask | None:
    try:
        found: Any = regular.parse_json(text)
    except ValueError:
        return None
    if not isinstance(found, dict) or found.get("attempt") != attempt:
        return None
    verb, prompts = found.get("verb"), found.get("prompts")
    if verb not in ("pause", "save", "sample", "finish"):
        return None
    return Ask(verb, prompts if isinstance(prompts, str) and prompts.strip() else None)


@contextmanager
def held_back() -> Iterator[None]:
    """Signals wait. Processes forked meanwhile inherit that, so a signal to the whole group spares loader workers."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

"""Copies what the program prints into training.log, beside where it goes anyway."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

from trackside._track.whole import encoded


class Tee:
    """Wraps `write` of sys.stdout and sys.stderr: they stay the same objects, terminals and all, and a copy that fails
    harms nobody. What C code prints is not copied."""

    def __init__(self, log: int) -> None:
        self.log = log
        self._rest = b""
        self._is_open = True
        self._lock = threading.RLock()  # a signal's handler may print, too
        self._undo: list[Callable[[], None]] = []

    def open(self) -> None:
        for stream in {id(each): each for each in (sys.stdout, sys.stderr)}.values():
            with contextlib.suppress(Exception):  # a stream that takes no other `write`
                self._wrap(stream)

    def close(self) -> None:
        for undo in self._undo:
            with contextlib.suppress(Exception):
                undo()
        self._undo = []
        self.flush()

    def write(self, text: str) -> None:
        """Whole lines at once; a progress bar's updates count as lines. Never raises."""
        with contextlib.suppress(Exception), self._lock:
            data = self._rest + encoded(text)
            end = max(data.rfind(b"\n"), data.rfind(b"\r")) + 1
            if len(data) > 4096:
                end = len(data)
            self._rest = data[end:]
            if end:
                os.write(self.log, data[:end])

    def flush(self) -> None:
        """Writes the unfinished line. Never raises."""
        with contextlib.suppress(Exception), self._lock:
            rest, self._rest = self._rest, b""
            if rest:
                os.write(self.log, rest)

    def forget(self) -> None:
        """In a forked child: the unfinished line is the parent's."""
        self._lock = threading.RLock()
        self._rest = b""

    def _wrap(self, stream: Any) -> None:
        original = stream.write

        def write(text: str, *more: Any) -> Any:
            written = original(text, *more)
            if self._is_open:
                self.write(text)
            return written

        stream.write = write

        def undo() -> None:
            # Another program may have wrapped ours: then it stays, and copies nothing more.
            if stream.write is write:
                stream.write = original
            self._is_open = False

        self._undo.append(undo)

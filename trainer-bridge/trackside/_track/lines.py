"""`metrics.ndjson`: one line a log, each in one write, so that a killed process loses none."""

from __future__ import annotations

import os
import threading
from collections import deque

from trackside._track.warn import warn_once

# Lines that wait for a disk that can be written again: hours of a usual training.
MOST_WAITING = 100_000


class Lines:
    """An append-only file. On a full disk lines wait in memory, in their order."""

    def __init__(self, folder: int, name: str) -> None:
        """`folder` is a descriptor. Raises OSError."""
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self.descriptor = os.open(name, flags, 0o644, dir_fd=folder)
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self._lock = threading.RLock()  # a signal's handler may log, too
        self._mend()

    def write(self, line: bytes) -> None:
        """Appends a line that ends with a newline. Never raises."""
        with self._lock:
            if self._waiting:
                self._waiting.append(line)
                self._drain()
                return
            try:
                written = os.write(self.descriptor, line)
            except OSError as error:
                self._hold_back(line, error)
                return
            if written != len(line):
                self._hold_back(line[written:], None)

    def flush(self) -> None:
        """Tries to write what waits for space. Never raises."""
        if self._waiting:
            with self._lock:
                self._drain()

    def close(self) -> None:
        self.flush()
        os.close(self.descriptor)

    def _hold_back(self, rest: bytes, error: OSError | None) -> None:
        self._waiting.append(rest)
        warn_once("metrics cannot be written now; they wait in memory until the disk takes them", error)

    def _drain(self) -> None:
        while self._waiting:
            line = self._waiting[0]
            try:
                written = os.write(self.descriptor, line)
            except OSError:
                return
            if written == len(line):
                self._waiting.popleft()
            else:
                self._waiting[0] = line[written:]

    def _mend(self) -> None:
        """A power cut may leave half a line: the next one begins on its own."""
        size = os.fstat(self.descriptor).st_size
        if size and os.pread(self.descriptor, 1, size - 1) != b"\n":
            os.write(self.descriptor, b"\n")

"""What happens beside the training, in a thread of its own: signs of life, and what waits for the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from trackside._attempt import contract
from trackside._track.warn import warn_once

_LOOK_SECONDS = 0.5


class Keeper:
    """Calls `look` twice a second and `beat` every two seconds, until `close`. What they raise is said once."""

    def __init__(self, look: Callable[[], None], beat: Callable[[], None]) -> None:
        self._look, self._beat = look, beat
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trackside", daemon=True)

    def open(self) -> None:
        """Raises RuntimeError where no thread can be started."""
        self._thread.start()

    def close(self) -> None:
        self._closed.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=2)

    def _run(self) -> None:
        due = time.monotonic() + contract.SECONDS["heartbeat"]
        while not self._closed.wait(_LOOK_SECONDS):
            self._try(self._look)
            if time.monotonic() >= due:
                due = time.monotonic() + contract.SECONDS["heartbeat"]
                self._try(self._beat)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            warn_once(f"the record of this training cannot be kept up to date in {work.__name__}", error)

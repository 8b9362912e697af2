"""A page that is served, as its program holds it."""

from __future__ import annotations

import html
import os
import re
import subprocess
import tempfile
import threading
import time
import weakref
from collections.abc import Callable
from types import TracebackType
from typing import IO

from trackside._attempt import processes
from trackside._serve.node import CannotServe

# A machine under load starts Node in some seconds; `launch` itself does not wait for it.
_PATIENCE_SECONDS = 60.0
# A program that ends at once waits so long at most for a page that it keeps.
_KEEP_SECONDS = 10.0


_started: weakref.WeakSet[Server] = weakref.WeakSet()


class Server:
    """A page that is served: `trackside.launch` makes one. Ends with the program, unless `keep` was asked for."""

    error: str | None
    """Why no page is served, in a sentence; None when it is, or when it is still starting."""
    joined: bool
    """It was there before, and stays when this program ends."""

    def __init__(self, *, error: str | None = None, joined: tuple[int, str, int] | None = None) -> None:
        self.error, self.joined = error, joined is not None
        self.pid: int | None = joined[0] if joined else None
        self._url = joined[1] if joined else None
        self._port = joined[2] if joined else None
        self._process: subprocess.Popen[bytes] | None = None
        self._said: IO[bytes] | None = None
        self._starting: threading.Thread | None = None
        self._closing = threading.Lock()
        self._is_closed = False

    @property
    def url(self) -> str | None:
        """The address to open, with the token in it; None when no page is served. Waits until it answers."""
        self._until(lambda: bool(self._url or self.error) or not self._is_starting, _PATIENCE_SECONDS)
        return self._url

    @property
    def urls(self) -> list[str]:
        """All addresses: that of the pod's proxy, if there is one, then the one on this machine."""
        if self.url is None or self._port is None:
            return []
        token = self.url.partition("?")[2]
        local = f"http://127.0.0.1:{self._port}/" + (f"?{token}" if token else "")
        return list(dict.fromkeys([self.url, local]))

    def wait(self) -> None:
        """Blocks until the page ends, or until Ctrl-C, which ends neither it nor the program by itself."""
        self._until(lambda: self.error is not None or not self._lives(), float("inf"), 0.2)

    def close(self) -> None:
        """Ends the page, if this program started it. Trainings go on. Takes some seconds at most; never raises."""
        with self._closing:
            self._is_closed = True
            process, self._process = self._process, None
        if process is None:
            return
        if process.stdin:
            with _Quietly():
                process.stdin.close()
        for end in (None, process.terminate, process.kill):
            with _Quietly():
                if end:
                    end()
                process.wait(timeout=3)
                return

    def __enter__(self) -> Server:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<trackside.Server {self._url or self.error or 'starting'}>"

    def _repr_html_(self) -> str:
        if self.url is None:
            return f"<p>{html.escape(self._why_none)}</p>"
        return f'<p><a href="{self.url}" target="_blank">Open Trackside</a></p>'

    @property
    def _why_none(self) -> str:
        return self.error or f"It has not answered within {_PATIENCE_SECONDS:.0f} s."

    def _start(self, begin: Callable[[], None]) -> None:
        """Runs `begin` beside the program: Node's first start may read a hundred megabytes from a slow disk. What fails is in
        `error`."""

        def start() -> None:
            try:
                begin()
            except (CannotServe, OSError, RuntimeError) as error:
                self.error = str(error)

        self._starting = threading.Thread(target=start, name="trackside-serve", daemon=True)
        self._starting.start()

    def _serve(self, command: list[str], environment: dict[str, str], keep: bool) -> str | None:
        """Starts the page, and waits until it answers. Returns why it ended, or None. Raises OSError."""
        with self._closing:
            if self._is_closed:
                return None
            self._open(command, environment, keep)
        while (process := self._process) is not None and self._said is not None:
            has_ended = process.poll() is not None
            said = os.pread(self._said.fileno(), 1 << 20, 0).decode("utf-8", "replace")
            if found := re.search(r"Trackside is at (\S+)", said):
                self._url = found[1]
                return None
            if has_ended:
                return (said.strip().splitlines() or ["The page ended at once."])[-1].removeprefix("trackside: ")
            time.sleep(0.01)
        return None

    def _become(self, other: Server) -> None:
        """Joins the page of another program, which was quicker."""
        self._process, self.joined = None, True
        self.pid, self._url, self._port = other.pid, other._url, other._port

    def _finish_starting(self) -> None:
        """For a page that outlives its program."""
        if self._starting is not None:
            self._starting.join(timeout=_KEEP_SECONDS)

    def _open(self, command: list[str], environment: dict[str, str], keep: bool) -> None:
        """Raises OSError."""
        if not keep:
            environment = {**environment, "TRACKSIDE_UNTIL_STDIN_ENDS": "1"}
        self._said = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            # Its end is ours: the page notices however this program ends. A session of its own: Ctrl-C is ours alone.
            stdin=subprocess.DEVNULL if keep else subprocess.PIPE,
            stdout=self._said,
            stderr=self._said,
            env=environment,
            start_new_session=True,
        )
        self.pid = self._process.pid
        _started.add(self)

    @property
    def _is_starting(self) -> bool:
        return self._starting is not None and self._starting.is_alive()

    def _lives(self) -> bool:
        if self._is_starting:
            return True
        if self._process is not None:
            return self._process.poll() is None
        process = processes.read(self.pid) if self.pid else None
        return process is not None and process.state not in "ZX"

    def _until(self, so: Callable[[], bool], seconds: float, pause: float = 0.01) -> None:
        deadline = time.monotonic() + seconds
        while True:
            if so() or time.monotonic() >= deadline:
                return
            time.sleep(pause)


def _after_fork() -> None:
    """In a forked child: the page is its parent's. It neither ends the page, nor keeps it while its parent is gone."""
    for server in list(_started):
        process, server._process = server._process, None
        if process is not None and process.stdin is not None:
            with _Quietly():
                process.stdin.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Quietly:
    """Ending the page must not fail the program."""

    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        return isinstance(error, (OSError, ValueError, subprocess.SubprocessError))

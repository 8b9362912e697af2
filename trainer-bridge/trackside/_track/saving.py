"""Saving a state: hidden, whole, or not at all; and never at the cost of the training."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator

from trackside._track import states
from trackside._track.warn import warn_once
from trackside._track.writer import Writer

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM, errno.ENOENT, errno.ESTALE)
_PROBE_BYTES = 64 * 1024


class Saving:
    def __init__(self, writer: Writer, keep: int | None) -> None:
        self.writer, self.keep = writer, keep

    @contextlib.contextmanager
    def state(self, step: int, epoch: float | None) -> Iterator[str]:
        writer = self.writer
        hidden = self._begin(step)
        if hidden is None or writer.folder is None:
            with tempfile.TemporaryDirectory(prefix="trackside-") as nowhere:
                try:
                    yield nowhere
                except Exception as error:
                    # A state that nobody keeps, on a disk that is full as well.
                    if not (writer.leads and _is_disk(error, nowhere)):
                        raise
            return
        name = states.name_of(step)
        writer.event("saving", step=step, state=name)
        try:
            yield hidden
        except BaseException as error:
            failed = isinstance(error, Exception) and _is_disk(error, hidden)
            self._give_up(hidden, step, error)
            if not failed:
                raise
            return
        try:
            states.finish(hidden, step, epoch)
            writer.event("state", step=step, state=name)
            if self.keep:
                states.keep_last(writer.folder, self.keep, writer.resumed.path if writer.resumed else None)
        except Exception as error:
            self._give_up(hidden, step, error)

    def _begin(self, step: int) -> str | None:
        if not self.writer.writes or self.writer.folder is None:
            return None
        try:
            return states.begin(self.writer.folder, step)
        except OSError as error:
            warn_once(f"the state of step {step} is not kept: its folder cannot be written", error)
            return None

    def _give_up(self, hidden: str, step: int, error: BaseException) -> None:
        shutil.rmtree(hidden, ignore_errors=True)
        self.writer.event("state_failed", step=step, error=f"{type(error).__name__}: {error}")
        if isinstance(error, Exception):
            warn_once(f"the state of step {step} is not kept", error)


def _is_disk(error: Exception, hidden: str) -> bool:
    """Did the disk fail, and not the training's own code? Writers of their own (torch, safetensors) raise other errors
    for a full disk, so it is tried."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO):
        return True
    try:
        path = os.path.join(hidden, ".probe")
        with open(path, "wb", buffering=0) as file:
            file.write(bytes(_PROBE_BYTES))
            os.fsync(file.fileno())
        os.unlink(path)
    except OSError as probe:
        return probe.errno in _DISK
    return False

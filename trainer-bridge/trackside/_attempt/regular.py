"""The one door to files that others may write: behind a name may be a pipe that nobody writes into, a device, or
gigabytes, and any of them stops a program that just reads. `npm run check` keeps other reads out."""

from __future__ import annotations

import errno
import json
import os
import stat
from typing import Any, BinaryIO

RECORD = 16 << 20  # bytes: no record is larger
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def open_file(path: str | os.PathLike[str], most: int = RECORD, folder: int | None = None) -> BinaryIO:
    """Opens a regular file of at most `most` bytes. `folder` is the descriptor that `path` is relative to. Raises OSError,
    also for anything that is no file (EINVAL), or is larger (EFBIG)."""
    # Asked first: to open and close a pipe would end its writer (SIGPIPE).
    _require(os.stat(path, dir_fd=folder), path, most)
    file = os.fdopen(os.open(path, _FLAGS, dir_fd=folder), "rb")
    try:
        _require(os.fstat(file.fileno()), path, most)
    except OSError:
        file.close()
        raise
    return file


def read_bytes(path: str | os.PathLike[str], most: int = RECORD, folder: int | None = None) -> bytes:
    """All bytes of a file. Raises OSError as `open_file` does."""
    with open_file(path, most, folder) as file:
        return file.read(most)


def read_text(path: str | os.PathLike[str], most: int = RECORD, folder: int | None = None) -> str:
    """The same as UTF-8. Raises UnicodeDecodeError, which is a ValueError, for another encoding."""
    return read_bytes(path, most, folder).decode("utf-8")


def parse_json(text: str | bytes) -> Any:
    """Raises ValueError, also for a text that is nested a million levels deep."""
    try:
        return json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _require(found: os.stat_result, path: str | os.PathLike[str], most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "It is not a file", os.fspath(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"It is larger than {most // 1_000_000} MB", os.fspath(path))
